"""A share absorbed that changes with the dose: buprenorphine under the tongue, 0.14 x (dose / 16 mg)^-0.371."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schild
from plainly import Bench
from schild.catalog import drug_from_dict, load
from schild.cli import main
from schild.cli.sbml import plain_doses
from schild.errors import InputError
from schild.model.build import build
from schild.model.entries import ADD
from schild.people import Values
from schild.population import Population, Subject, people_of
from schild.regimen import expand, parse_regimen, read_nonmem
from schild.simulation import Run, model_of
from schild.units import ticks

MW = 467.65  # typed in a second time


def share(mg):
    """The law as the paper prints it, with what no dose can exceed."""
    return min(1.0, 0.14 * (mg / 16) ** -0.371)


def absorbed(model):
    """Nanomoles that reach the blood from every dose in order of time, for each person; inputs of a dose in one sum."""
    found = {}
    for e in (e for e in model.entries if e.kind == ADD and e.amount > 0):
        dose = e.order, e.tick - e.tick % ticks("1 h")  # the lag of an input is shorter
        part = model.scales.get(e.scale, 1.0) * model.parameters[f"{e.port}.fraction.buprenorphine"]
        found[dose] = found.get(dose, 0.0) + e.amount * part
    return list(found.values())


def built(words, who=None, overrides=None, **options):
    catalogue = load()
    events = expand(parse_regimen(words), ticks("9 d"))
    return build(Values(catalogue, people_of(who or Subject(), catalogue, 3), overrides), events, **options)


@settings(deadline=None, max_examples=25)
@given(mg=st.floats(1e-4, 1e3))
def test_each_dose_brings_what_the_law_says_and_never_more_than_itself(mg):
    (nmol,) = absorbed(built(f"buprenorphine {mg!r} mg sl"))
    assert nmol == pytest.approx(mg * 1e6 / MW * share(mg), rel=1e-9)
    assert nmol <= mg * 1e6 / MW * (1 + 1e-12)


@settings(deadline=None, max_examples=25)
@given(mg=st.floats(1e-3, 100), more=st.floats(1.01, 10))
def test_a_larger_dose_brings_more_and_less_than_in_proportion(mg, more):
    (small,), (large,) = (absorbed(built(f"buprenorphine {x!r} mg sl")) for x in (mg, mg * more))
    assert small < large <= small * more * (1 + 1e-9)


def test_every_dose_of_a_regimen_has_its_own_share():
    nmol = absorbed(built("buprenorphine 2 mg sl q24h x2; buprenorphine 16 mg sl at 2 d"))
    assert nmol == pytest.approx([mg * 1e6 / MW * share(mg) for mg in (2, 2, 16)], rel=1e-9)


@pytest.mark.parametrize(
    ("words", "mg"),
    [
        ("buprenorphine 70 ug/kg sl", 4.9),
        ("buprenorphine 10.69175665561852 umol sl", 5.0),
        ("buprenorphine 4 mg sl over 30 min", 4.0),
        ("buprenorphine 8 mg/h sl for 30 min", 4.0),
    ],
)
def test_the_dose_is_the_whole_amount_however_it_is_written(words, mg):
    bench = Bench(words, "1 d")
    drug, route, hours = "buprenorphine", "sl", 0.5 if "30 min" in words else 0.0
    bench.agrees((drug, route, f"{mg} mg", 0.0, hours))


def test_a_salt_counts_by_its_base():
    (salt,), (base,) = (absorbed(built(f"buprenorphine {x} sl")) for x in ("8 mg hydrochloride", "8 mg"))
    weight = load().drug("buprenorphine").number("salt.hydrochloride").value
    assert salt / base == pytest.approx(weight ** (1 - 0.371), rel=1e-9)


def test_f_comes_on_top_and_is_no_part_of_the_dose():
    (half,), (whole,) = (absorbed(built(f"buprenorphine 8 mg sl {x}")) for x in ("f 0.5", ""))
    assert half == pytest.approx(0.5 * whole, rel=1e-12)


def test_a_steady_state_is_that_of_equal_doses():
    bench = Bench("buprenorphine 2 mg sl q24h x1 ss", "1 d")
    bench.agrees(*[("buprenorphine", "sl", "2 mg", 24.0 * k) for k in range(-90, 1)])


def test_an_endless_infusion_has_no_dose():
    with pytest.raises(InputError, match="depends on the dose"):
        built("buprenorphine 1 mg/h sl ss")


def test_overrides_reach_reference_and_exponent():
    changed = {"buprenorphine.sl.f.by_dose": 0.0}
    (nmol,) = absorbed(built("buprenorphine 2 mg sl", overrides=changed))
    assert nmol == pytest.approx(2e6 / MW * 0.14, rel=1e-9)
    (nmol,) = absorbed(built("buprenorphine 2 mg sl", overrides={"buprenorphine.reference.sl_dose": 2.0}))
    assert nmol == pytest.approx(2e6 / MW * 0.14, rel=1e-9)
    with pytest.raises(InputError, match="above -1"):
        built("buprenorphine 2 mg sl", overrides={"buprenorphine.sl.f.by_dose": -1.0})


def test_a_person_has_one_share_that_falls_with_the_dose():
    who = Population(n=400, occasions=False)
    small, large = (built(f"buprenorphine {mg} mg sl", who) for mg in (2, 16))
    ratio = absorbed(small)[0] / absorbed(large)[0]
    own = small.parameters["buprenorphine.sl.1.fraction.buprenorphine"]
    np.testing.assert_array_equal(own, large.parameters["buprenorphine.sl.1.fraction.buprenorphine"])
    np.testing.assert_allclose(ratio, 2 / 16 * (2 / 16) ** -0.371, rtol=1e-9)
    assert own.std() > 0.01


def test_no_one_absorbs_more_than_the_dose_and_it_is_said():
    for occasions in (True, False):
        model = built("buprenorphine 0.2 mg sl", Population(n=2000, occasions=occasions))
        assert absorbed(model)[0].max() == pytest.approx(0.2e6 / MW, rel=1e-9)
        assert any("limited to the whole dose" in warning for warning in model.warnings)


def test_days_differ_with_the_share_of_the_day():
    model = built("buprenorphine 2 mg sl q24h x2", Population(n=400))
    first, second = absorbed(model)
    assert np.std(np.log(first / second)) == pytest.approx(0.2 * 2**0.5, rel=0.15)


def test_the_exponent_is_uncertain_and_the_draws_reach_it():
    model = built("buprenorphine 2 mg sl", Population(n=400, variability=False, draws=400))
    alike = built("buprenorphine 16 mg sl", Population(n=400, variability=False, draws=400))
    ratio = absorbed(model)[0] / absorbed(alike)[0] * 8
    assert 1.7 < ratio.min() < ratio.max() < 2.8
    assert ratio.std() > 0.05


def test_a_copied_number_serves_as_well():
    drug = load().drug("buprenorphine")
    copied = drug_from_dict(
        {
            "key": "x", "name": "x", "role": "agonist", "summary": "A test.",
            "number": {"e": {"same_as": "buprenorphine:sl.f.by_dose", "note": "A test."}},
        }
    )  # fmt: skip
    assert copied.number("e").value == drug.number("sl.f.by_dose").value


def test_a_table_of_nonmem_gives_the_same_events(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("TIME,AMT,CMT,EVID\n0,2,1,1\n24,16,1,1\n")
    read = read_nonmem(table, cmt={1: ("buprenorphine", "sl")}, amount_unit="mg")
    catalogue = load()
    model = build(Values(catalogue, people_of(Subject(), catalogue, 3)), expand(read, ticks("9 d")))
    assert absorbed(model) == absorbed(built("buprenorphine 2 mg sl; buprenorphine 16 mg sl at 24 h"))


def test_sbml_gets_the_dose_that_is_absorbed():
    doses = plain_doses(model_of(Run.of("buprenorphine 2 mg sl", "buprenorphine 16 mg sl at 2 d", until="4 d")))
    small, large = (sum(nmol for t, _, nmol, _ in doses if a <= t < a + 24) for a in (0, 48))
    assert small / large == pytest.approx((2 / 16) ** (1 - 0.371), rel=1e-9)
    assert large == pytest.approx(2 * 16e6 / MW, rel=1e-9)  # both inputs; their fractions share it


def test_the_dry_run_and_the_entry_say_it(capsys):
    main(["simulate", "buprenorphine 2 mg sl", "--dry-run"])
    assert "x 2.16, (dose / 16 mg)^-0.371" in " ".join(capsys.readouterr().out.split())
    main(["simulate", "buprenorphine 2 mg/kg sl", "--dry-run", "--json"])
    assert "16 mg x (dose / 16 mg)^-0.371" in json.loads(capsys.readouterr().out)["notes"][0]
    main(["simulate", "naltrexone 50 mg po", "--dry-run"])
    assert "Note" not in capsys.readouterr().out
    main(["drugs", "buprenorphine"])
    assert "reference.sl_dose" in capsys.readouterr().out


def test_pieces_of_a_challenge_do_not_get_round_its_limit():
    naltrexone = "naltrexone 50 mg po"
    schild.simulate(naltrexone, "buprenorphine 16 mg sl at 1 h", until="1 d", every="1 h")
    for words in ("buprenorphine 4 mg sl q1h x4 from 1 h", "buprenorphine 40 mg sl at 1 h"):
        with pytest.raises(InputError, match="published human challenges"):
            schild.simulate(naltrexone, words, until="1 d", every="1 h")
