"""Whatever way a dose is written, what arrives under a blockade decides: above the published doses it is refused."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schild.catalog import load
from schild.errors import InputError
from schild.people import Values
from schild.population import Subject
from schild.regimen import expand, parse_regimen
from schild.simulation.guard import check_doses
from schild.units import ticks

#: Largest published doses into a vein. [mg]
LARGEST = {"heroin": 25.0, "morphine": 30.0, "oxycodone": 20.0, "fentanyl": 0.14}
WEEK = "naltrexone 50 mg po q24h x7"


def refused(*regimens):
    doses = [dose for words in regimens for dose in parse_regimen(words)]
    try:
        list(check_doses(Values(load()), expand(doses, ticks("20 d")), Subject()))
    except InputError as error:
        return "published human challenges" in str(error)
    return False


@st.composite
def ways(draw):
    """A drug, what share of its largest dose comes within 20 h on day 2 to 6, and regimens that say so."""
    drug = draw(st.sampled_from(sorted(LARGEST)))
    share = draw(st.floats(0.1, 100.0).filter(lambda x: abs(x - 1.0) > 0.1))
    whole = share * LARGEST[drug]
    start = draw(st.integers(24, 120))
    kind = draw(st.sampled_from(("at once", "pieces", "infusion", "factor", "lag", "two regimens")))
    if kind == "at once":
        said = [f"{drug} {whole:.6f} mg iv at {start} h"]
    elif kind == "pieces":
        n = draw(st.integers(2, 10))
        said = [f"{drug} {whole / n:.6f} mg iv q2h x{n} from {start} h"]
    elif kind == "infusion":
        hours = draw(st.integers(1, 20))
        said = [f"{drug} {whole:.6f} mg iv over {hours} h at {start} h"]
    elif kind == "factor":
        factor = draw(st.floats(0.01, 1000.0))
        said = [f"{drug} {whole / factor:.9f} mg iv f {factor:.9f} at {start} h"]
    elif kind == "lag":
        lag = draw(st.integers(1, start))
        said = [f"{drug} {whole:.6f} mg iv lag {lag} h at {start - lag} h"]
    else:
        said = [f"{drug} {whole / 2:.6f} mg iv at {start} h", f"{drug} {whole / 2:.6f} mg iv at {start + 5} h"]
    return share, said


@settings(max_examples=60, deadline=None)
@given(way=ways(), before=st.booleans())
def test_what_arrives_decides_and_not_how_it_is_written(way, before):
    share, said = way
    # The order of the regimens must not matter.
    regimens = [*said, WEEK] if before else [WEEK, *said]
    assert refused(*regimens) == (share > 1.0)


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(st.tuples(st.sampled_from(sorted(LARGEST)), st.floats(0.05, 1.0)), min_size=2, max_size=5),
    start=st.integers(24, 120),
)
def test_shares_of_all_opioids_add_up(parts, start):
    total = sum(share for _, share in parts)
    if abs(total - 1.0) < 0.05:
        return
    said = [f"{drug} {share * LARGEST[drug]:.9f} mg iv at {start + k} h" for k, (drug, share) in enumerate(parts)]
    assert refused(WEEK, *said) == (total > 1.0)
