"""The answer for a drug without claims, written from its entry of the catalogue, published results and runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from schild.catalog import Book, Card, Catalogue, Claim, Comparison, Drug, Observation, Test
from schild.challenges import Response
from schild.explanation.answer import Finding, Outcome, quantity
from schild.explanation.catalogue_figures import (
    SPANS,
    active_family,
    course_figure,
    effects_figure,
    figure_of,
    is_active,
    level_of,
    span_of,
)
from schild.explanation.catalogue_numbers import (
    RECEPTOR_WORDS,
    WAYS,
    WORDS,
    Table,
    binding_table,
    capitalised,
    far_apart,
    figures,
    in_use,
    in_words,
    kinetics_table,
    regimen_words,
)
from schild.explanation.catalogue_results import is_about, result_as_test
from schild.explanation.experiments import largest_difference
from schild.explanation.figures import EFFECT_WORDS, affinities_of, blocks
from schild.explanation.lab import EFFECTS, RECEPTORS, Lab, last_dose_h, published_dose
from schild.regimen import parse_regimen
from schild.report.simulation import ADVICE
from schild.units import hours


def book_of_entry(drug: Drug, lab: Lab) -> tuple[Book, tuple[Table, ...], list[Finding]]:
    """Write the answer for a drug without claims from its entry of the catalogue and from runs.

    Returns what is told, with published results as tests; effects, binding and kinetics as tables; and the numbers of
    the cards, which are results without a criterion.

    >>> from schild.catalog import load
    >>> book, *_ = book_of_entry(load().drug("m6g"), Lab(catalogue=load(), n=2, draws=2))
    >>> [claim.id for claim in book.claims]
    ['course', 'affinities', 'studies']
    """
    found = [(s.key, o) for s in lab.catalogue.studies.values() for o in s.observations if is_about(o, drug.key)]
    rows = [o for _, o in found]
    tests = tuple(result_as_test(o, study, lab.catalogue) for study, o in found)
    studies = Claim(id="studies", statement="Published results beside predictions", figure={}, tests=tests)
    pictures = _pictures(drug, lab, rows)
    cards, numbers = _cards(drug, lab, rows, {claim.id: len(claim.figure["panel"]) for claim in pictures})
    tables = (*_effects(drug, lab), _held(drug, lab, rows), binding_table(drug), kinetics_table(drug, lab.catalogue))
    book = Book(
        drug=drug.key,
        question=f"What does {drug.name} do?",
        line="",
        answer=(
            " ".join(said for said in (*_named(drug, lab.catalogue), *_said(drug, lab.catalogue, "alone")) if said),
        ),
        remember=tuple(_remember(drug, lab, rows)),
        unknown=_unknown(drug, lab, bool(rows)),
        danger="".join(_said(drug, lab.catalogue, "danger")),
        advice=ADVICE,
        claims=(*pictures, *((studies,) if rows else ())),
        cards=tuple(cards),
        related=(
            "What does naltrexone do? schild explain naltrexone",
            f"Which numbers does it have? schild drugs {drug.key}",
            *(("What does naltrexone do to drinking? schild laboratory bar",) if _releases(drug) else ()),
        ),
        keywords=(drug.name, "opioid receptor", "receptor occupancy", "simulation"),
        known={t.id: "" for t in tests},  # listed by `schild validate`, with reasons
    )
    return book, tuple(t for t in tables if t[2]), numbers


#: Effects of an opioid that an antagonist is asked to take away, breathing first.
RESCUED = ("ventilation_isohypercapnic", "liking", "pupil", "analgesia")
#: How long effects are followed. [h]
FOLLOWED_H = 72.0
#: Times of the opioid after an antagonist, as fractions of the time over which its receptors are followed.
_WANING = (1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 3 / 4, 1.0)


def _role(drug: Drug) -> str:
    """Describe the role of a drug; of an antagonist with efficacy at some receptor, say so."""
    if drug.role == "antagonist" and is_active(drug):
        return "It is an opioid receptor antagonist, and by itself it activates some receptors in part."
    return str(WORDS["roles"].get(drug.role, ""))


def _named(drug: Drug, catalogue: Catalogue) -> tuple[str, str]:
    """Describe the role of a drug and the drug itself; the first sentence names it.

    >>> from schild.catalog import load
    >>> [_named(load().drug(key), load())[0] for key in ("morphine", "m6g")]
    ['Morphine activates opioid receptors.', 'The body forms morphine-6-glucuronide from codeine and morphine.']
    """
    role, first = _role(drug), f"{capitalised(drug.name)} "
    if not role:
        return "", first + drug.summary.removeprefix("It ")
    if role.startswith("It "):
        return first + role.removeprefix("It "), drug.summary
    return role.format(parents=_parents(drug, catalogue)).replace("forms it", f"forms {drug.name}"), drug.summary


def _made_from(drug: Drug, catalogue: Catalogue) -> list[Drug]:
    """Drugs that the body turns into this one."""
    return [d for d in catalogue.drugs.values() if d.disposition is not None and drug.key in d.disposition.feeds]


def _parents(drug: Drug, catalogue: Catalogue) -> str:
    return " and ".join(parent.name for parent in _made_from(drug, catalogue))


def _releases(drug: Drug) -> bool:
    """Whether a drug releases the body's own opioids, as ethanol does."""
    return drug.disposition is not None and bool(drug.disposition.releases)


def _kind(drug: Drug, role: str) -> str:
    """Kind of a drug, as ``words.toml`` has them, if it had a role."""
    if role == "antagonist":
        return "antagonist" if "mor" in drug.binding else "local antagonist"
    if role == "metabolite":
        return "active metabolite" if is_active(drug) else "blocking metabolite" if drug.binding else "inert metabolite"
    if role in ("agonist", "partial agonist", "prodrug"):
        return "inactive" if not is_active(drug) else "agonist" if role == "prodrug" else role
    return "releasing" if _releases(drug) else role


def _said(drug: Drug, catalogue: Catalogue, what: str) -> list[str]:
    """Sentences on the kind of a drug: ``alone``, ``danger`` or ``remember``."""
    kind, compared = _kind(drug, drug.role), _compared(catalogue)
    of_parents = {parent.role for parent in _made_from(drug, catalogue)}
    if what == "danger" and drug.role == "metabolite" and of_parents == {"antagonist"}:
        kind = _kind(drug, "antagonist")
    words = {"parents": _parents(drug, catalogue), "opponent": _opponent(catalogue, compared) if compared else ""}
    found = [said.format(**words) for said in WORDS["kinds"][kind].get(what, ()) if compared or "opponent" not in said]
    return [capitalised(said) for said in found]


def _routes(drug: Drug) -> list[str]:
    """Routes with a published dose of a person."""
    return [key for key, route in drug.routes.items() if route.challenge is not None]


def _shares(response: Response, band: bool = True) -> str:
    """Median block, with the 90 % interval of people, or a dash where there is no effect to block."""
    good = blocks(response)
    if not good.size:
        return "–"
    low, mid, high = np.quantile(good, [0.05, 0.5, 0.95])
    return f"{mid:.0f} %" + f" ({low:.0f} to {high:.0f})" * band


def _words(lab: Lab, drug: Drug, route: str) -> str:
    """A published dose for reading."""
    _, amount, unit, _ = published_dose(lab.catalogue, drug.key, route).split()
    return f"{drug.name} {amount} {unit} {WAYS.get(route, route)}"


def block_table(lab: Lab, compared: Comparison | None) -> tuple[Table, ...]:
    """Tabulate the block of every opioid of the catalogue at the largest dose that is run.

    ``compared``: the antagonist, and how much later the opioid is given. Returns one table: opioid and dose, median
    block of each effect in people. Empty without a comparison.

    >>> from schild.catalog import load
    >>> lab = Lab(catalogue=load(), n=2, draws=2)
    >>> block_table(lab, load().claims["naltrexone"].compared)[0][1][1]
    'liking'
    """
    if compared is None:
        return ()
    asked = {"regimen": compared.regimen, "at": compared.at}
    missed = {
        (test.options["challenge"], test.options["effect"])
        for book in lab.catalogue.claims.values()
        for test in book.tests
        if test.id in book.known and test.run == "block" and asked.items() <= test.options.items()
    }
    rows = []
    for drug in lab.catalogue.drugs.values():
        for route in _routes(drug)[:1]:
            dose = published_dose(lab.catalogue, drug.key, route)
            found = lab.challenge(compared.regimen, dose, hours(compared.at))
            told = [_shares(found[name], band=False) + ", a miss" * ((dose, name) in missed) for name in EFFECTS]
            rows.append((_words(lab, drug, route), *told))
    caption = (
        f"Median block {compared.at} after {regimen_words(compared.regimen)}, largest dose of each opioid that is run"
    )
    return ((caption, ("opioid", "liking", "breathing", "pupil", "pain relief"), tuple(rows)),)


def _compared(catalogue: Catalogue) -> Comparison | None:
    """Comparison that every answer shows: the first that claims of the catalogue name."""
    return next((book.compared for book in catalogue.claims.values() if book.compared), None)


def _opponent(catalogue: Catalogue, compared: Comparison) -> str:
    return catalogue.drug(str(parse_regimen(compared.regimen)[0].drug)).name


def _effects(drug: Drug, lab: Lab) -> tuple[Table, ...]:
    """Effects of an opioid at the largest doses that are run in a typical person, and their block by the antagonist."""
    compared, rows = _compared(lab.catalogue), []
    for route in _routes(drug):
        dose = published_dose(lab.catalogue, drug.key, route)
        names = ("liking", "ventilation", "pupil")
        found = lab.run(dose, FOLLOWED_H, 0.1, names, receptors=RECEPTORS)
        liking, breathing, pupil = (np.asarray(found[name].value, dtype=np.float64) for name in names)
        noise = lab.values.typical("pupil", lab.catalogue.effects["pupil"].noise)
        long = 0.1 * float((pupil[0] - pupil > noise).sum())
        hours_long = f"more than {FOLLOWED_H:g} h" if long >= FOLLOWED_H - 1 else f"{long:.1f} h" if long else "–"
        told: list[str] = []
        if compared:
            blocked = lab.challenge(compared.regimen, dose, hours(compared.at), None, lab.people, EFFECTS)
            told = [_shares(blocked[name]) for name in EFFECTS]
        rows.append(
            (
                _words(lab, drug, route), quantity(liking.max(), "points", 2),
                f"{breathing.min():.1f} of {breathing[0]:.1f} L/min", f"{pupil.min():.1f} of {pupil[0]:.1f} mm",
                hours_long, *told,
            )
        )  # fmt: skip
    columns = ("dose", "liking, highest", "breathing at rest, lowest", "pupil, smallest", "pupil constricted for")
    if compared is None:
        return (("Largest doses that are run", columns, tuple(rows)),)
    caption = f"Largest doses that are run, and their block {compared.at} after {regimen_words(compared.regimen)}"
    blocked_effects = tuple(f"block of {effect}" for effect in ("liking", "breathing", "pupil", "pain relief"))
    return ((caption, (*columns, *blocked_effects), tuple(rows)),)


def _shown(drug: Drug, lab: Lab, rows: list[Observation]) -> str:
    """Regimen of the course: a published dose, a unit as sold, or what a study gave; empty if there is none."""
    if drug.role == "antagonist":
        return _given(drug, lab, rows)
    if routes := _routes(drug):
        return published_dose(lab.catalogue, drug.key, routes[0])
    compared = _compared(lab.catalogue)
    if _releases(drug):
        return f"{drug.key} {lab.values.typical('alcohol', 'drink.us'):g} g {next(iter(drug.routes))}"
    if drug.role == "non-opioid" and compared:
        return f"{drug.key} {compared.inert} {next(iter(drug.routes))}"
    # A dose of the drug itself before one of what it is made from.
    found = [o.regimen for o in rows if not o.observable.startswith(("auc_ratio", "accumulation"))]
    return next(iter(sorted(found, key=lambda text: parse_regimen(text).doses[0].drug != drug.key)), "")


def _given(drug: Drug, lab: Lab, rows: list[Observation]) -> str:
    """One unit of an antagonist as it is sold, or a dose that a study gave; empty where there is none."""
    for route, strength in drug.strengths.items():
        if strength.shown:
            return f"{drug.key} {strength.amount} {route}"
    return next((o.regimen for o in rows if parse_regimen(o.regimen).doses[0].drug == drug.key), "")


def _pictures(drug: Drug, lab: Lab, rows: list[Observation]) -> tuple[Claim, ...]:
    """Figures of the page: courses, effects with and without an antagonist, block, affinities."""
    regimen, compared, found, span = _shown(drug, lab, rows), _compared(lab.catalogue), [], 0.0
    if regimen and drug.disposition is not None:
        receptors = [r for r in RECEPTORS if r in drug.binding]
        species = active_family(drug, lab) if drug.role == "prodrug" else [drug.key]
        name = f"{receptors[0]}_occupancy_{species[-1]}" if receptors else level_of(drug)
        t, value = lab.course(regimen, SPANS[-1], 0.1, name, receptors=receptors or ["mor"])
        span = span_of(t, value[0])
        told = "in the blood and at the receptors" if receptors else "in the blood"
        found.append(figure_of("course", f"{capitalised(drug.name)} {told}", course_figure(drug, lab, regimen, span)))
    if compared and (routes := _routes(drug)):
        dose = published_dose(lab.catalogue, drug.key, routes[0])
        t, pupil = lab.course(dose, FOLLOWED_H, 0.1, "pupil", receptors=RECEPTORS)
        most, name, at = (
            min(span_of(t, pupil[0, 0] - pupil[0]), 24.0),
            _opponent(lab.catalogue, compared),
            hours(compared.at),
        )
        drawn = effects_figure(lab, dose, compared.regimen, at, EFFECTS, most)
        found.append(figure_of("effects", f"What it does, and what {name} leaves of its effects", drawn))
        before = regimen_words(compared.regimen)
        drawn = {
            "alt": f"Block of effects {at:g} h after {before}, with the range of 90 % of virtual people.",
            "caption": f"{at:g} h after {before}. Dot: median; bar: 90 % of {{runs}} runs of virtual people, "
            "of those in whom the opioid alone has an effect (at least a twentieth of them). "
            "Block: 1 minus the ratio "
            "of the largest changes within 6 h.",
            "height": 0.9 + 0.26 * (len(EFFECTS) + (len(routes) > 1)) * len(routes),
            "panel": [
                {
                    "draw": "block_bars", "antagonist": compared.regimen, "at": compared.at, "effects": EFFECTS,
                    "doses": [(_words(lab, drug, r), published_dose(lab.catalogue, drug.key, r)) for r in routes],
                }
            ],
        }  # fmt: skip
        found.append(figure_of("block", f"How much {name} blocks", drawn))
    if compared and drug.role == "antagonist" and regimen:
        agonist, after = lab.catalogue.drug(compared.agonist), hours(compared.after)
        dose = published_dose(lab.catalogue, agonist.key, compared.route)
        begin = max(0.0, max(d.time for d in parse_regimen(regimen).doses)) + after
        names = RESCUED if "mor" in drug.binding else ("gut_transit", "liking")
        drawn = effects_figure(lab, dose, regimen, begin, names, 12.0)
        found.append(figure_of("effects", f"What it leaves of the effects of {agonist.name}", drawn))
        own, last = _own(drug, lab, regimen), last_dose_h(regimen)
        left = tuple(n for n in names if n not in own)
        drawn = {
            "alt": f"Block of the effects of {regimen_words(dose)} over the time since {regimen_words(regimen)}.",
            "caption": f"{capitalised(regimen_words(dose))}, given at each time after {regimen_words(regimen)}; every "
            "point is a separate run. Line: "
            f"median of {{runs}} runs of virtual people; band (of {EFFECT_WORDS[left[0]][0].split(',')[0]}): 90 % of "
            "them. Largest change within 6 h.",
            "panel": [
                {
                    "draw": "waning", "antagonists": [regimen], "challenge": dose,
                    "times": [f"{begin - after + share * span!r} h" for share in _WANING], "zero": f"{last!r} h",
                    "effects": left, "people": "band", "unit": "d" if begin - after + span - last > 72 else "h",
                    "legend": "best",
                }
            ],
        }  # fmt: skip
        found.append(figure_of("waning", "How its block fades", drawn))
    if points := affinities_of(drug):
        binding, note = drug.binding.get("mor"), ""
        if binding is not None and binding.ki is not None and binding.factor is not None:
            factor = drug.number(binding.factor)
            note = f" For people the in vitro value at mu is multiplied by {figures(factor.value)}"
            note += f" ({factor.chosen.basis})."
        drawn = {
            "alt": f"Affinities of {drug.name} for its receptors as published, in nM.",
            "caption": f"Filled: in use; open: rival values. Further to the left: binds more strongly.{note}",
            "height": 0.9 + 0.24 * len(points), "panel": [{"draw": "affinities", "drug": drug.key}],
        }  # fmt: skip
        found.append(figure_of("affinities", "How strongly it binds: rival values", drawn))
    return tuple(found)


def _held(drug: Drug, lab: Lab, rows: list[Observation]) -> Table:
    """Receptors that an antagonist occupies after a dose, and for how long."""
    regimen = _given(drug, lab, rows) if drug.role == "antagonist" else ""
    held = []
    for receptor in [r for r in RECEPTORS if r in drug.binding] if regimen else []:
        y = lab.course(regimen, FOLLOWED_H, 0.1, f"{receptor}_occupancy_{drug.key}", receptors=[receptor])[1][0]
        long = 0.1 * float((y > 0.5).sum())
        said = f"more than {FOLLOWED_H:g} h" if y[-1] > 0.5 else f"{long:.1f} h" if long else "–"
        held.append((RECEPTOR_WORDS[receptor], quantity(100 * y.max(), "%", 2), said))
    columns = ("receptor", "occupied, at most", "more than half occupied for")
    return f"Receptors occupied after {regimen_words(regimen)}; typical person", columns, tuple(held)


def _remember(drug: Drug, lab: Lab, rows: list[Observation]) -> list[str]:
    """Lines to remember: two about the drug, and what the answer rests on."""
    told = _said(drug, lab.catalogue, "remember")
    beside = "published results stand beside them" if rows else "there is no published result to compare them with"
    if drug.role == "endogenous" or (not _shown(drug, lab, rows) and not rows):
        return [*told, "The page shows how it binds; there is no dose in people to run."]
    return [*told, f"The numbers below are the model's; {beside}."]


def _cards(
    drug: Drug, lab: Lab, rows: list[Observation], pictures: Mapping[str, int]
) -> tuple[list[Card], list[Finding]]:
    """Questions that every drug is asked, and the numbers that answer them."""
    numbers: list[Finding] = []
    compared, cards, regimen = _compared(lab.catalogue), [], _shown(drug, lab, rows)

    def ask(key: str, question: str, says: str, number: tuple[str, Outcome, str] | None, caption: str = "") -> None:
        unit, outcome, shows = number or ("", None, "")
        measured = {o.id for o in rows if (o.observable, o.species, o.regimen) == ("cmax", drug.key, regimen)}
        name = f"{key}-number" if number else ""
        if unit == "ng/mL" and measured:  # a study gives the peak after this very dose
            name = min(measured)
        elif outcome is not None:
            said = f"{capitalised(shows)}."
            test = Test(id=name, statement=said, run=key, options={}, evidence="predicted", unit=unit)
            numbers.append(Finding(claim=key, test=test, outcome=outcome))
        # Receptors stand after plasma.
        panel = pictures.get(key, 1) if key == "course" and unit == "%" else 1
        drawn = key if key in pictures else ""
        cards.append(
            Card(id=key, question=question, says=says, number=name, shows=shows, picture=drawn, panel=panel,
                 caption=caption)
        )  # fmt: skip

    if "course" in pictures:
        said = "How much reaches blood and receptors?" if drug.binding else "How much reaches the blood?"
        ask("course", said, *_course(drug, lab, regimen), caption=_LINE)
    if _routes(drug):
        dose = _words(lab, drug, _routes(drug)[0])
        said = f"This is what {dose} does. It is a published dose, and larger ones are not run. "
        said += "No tolerance is assumed."
        ask("effects", "What does it do?", said, _most_liking(drug, lab), _LINE)
        if compared:
            name = _opponent(lab.catalogue, compared)
            said = f"First comes {regimen_words(compared.regimen)}. "
            said += f"The dose of {drug.name} above follows {compared.at} later."
            ask("block", f"How much of its effects does {name} block?", said, _blocked(drug, lab, compared), _BAR)
    elif drug.role == "antagonist" and compared and regimen:
        agonist = lab.catalogue.drug(compared.agonist)
        against, own = _words(lab, agonist, compared.route), _own(drug, lab, regimen)
        said = f"First comes {regimen_words(regimen)}. The opioid follows {compared.after} later. It is {against}."
        if "mor" not in drug.binding:
            said += (
                f" {capitalised(drug.name)} stays out of the brain, so it leaves liking alone. In the model mu"
                " receptors of the gut follow the plasma level, and the bowel itself is not modelled. This number does"
                " not tell its effect on constipation."
            )
        if own:
            changed = " and ".join(EFFECT_WORDS[name][0] for name in own)
            said += (
                f" In the model {drug.name} by itself changes {changed}, which no study here shows in people. So its"
                f" block of {'that effect' if len(own) == 1 else 'those effects'} is not shown."
            )
        said += f" {compared.caution}" if compared.caution else ""
        if any(wide.startswith("affinity") for wide in far_apart(drug, lab.catalogue)):
            said += " Published affinities lie far apart, and this number depends on them."
        ask(
            "effects",
            f"How much of the effect of {agonist.name} does it block?",
            said,
            _left(drug, lab, regimen, compared, own),
            _LINE,
        )
        ask("waning", "How does its block fade?", "The block fades as the drug leaves the receptors.", None)
    elif drug.role == "non-opioid" and compared:
        alone = f"{regimen} at 2 h"
        effects = [] if _releases(drug) else list(lab.catalogue.effects)
        most = largest_difference(lab, [f"plasma_{drug.key}", *effects], alone, f"{compared.regimen}; {alone}")
        name, outcome = _opponent(lab.catalogue, compared), Outcome(predicted=most)
        said = f"In this run {name} comes two hours before it."
        what = "is the largest difference in its level" + (" and in any effect of the model" if effects else "")
        asked = f"Does {name} change its level{' or effects' if effects else ''}?"
        ask("unchanged", asked, said, ("1", outcome, what))
    if "affinities" in pictures:
        several = any(not used for *_, used in affinities_of(drug))
        said = "Published values differ. The one in use is filled." if several else "Each receptor has one value here."
        ask("affinities", "How strongly does it bind?", said, None)
    return cards, numbers


_BAR = "Dot: median. Bar: 90 % of virtual people in whom the opioid alone has an effect."
_LINE = "Line: typical person. Band: 90 % of virtual people, the uncertainty of the numbers included."


def _most_liking(drug: Drug, lab: Lab) -> tuple[str, Outcome, str]:
    """The largest liking after the largest dose that is run."""
    dose = published_dose(lab.catalogue, drug.key, _routes(drug)[0])
    names = ("liking", "ventilation", "pupil")
    one = lab.run(dose, FOLLOWED_H, 0.1, names, receptors=RECEPTORS)["liking"].value
    return "points", Outcome(predicted=float(np.max(one))), "of liking at most, on a scale from 0 to 100"


def _blocked(drug: Drug, lab: Lab, compared: Comparison) -> tuple[str, Outcome, str] | None:
    """The block of liking by the antagonist; None where there is too little to block."""
    dose = published_dose(lab.catalogue, drug.key, _routes(drug)[0])
    good = blocks(lab.challenge(compared.regimen, dose, hours(compared.at), None, lab.people, EFFECTS)["liking"])
    if not good.size:
        return None
    return (
        "%",
        Outcome(predicted=float(np.median(good)), many=good),
        "of the liking blocked, in the median virtual person",
    )


def _left(
    drug: Drug, lab: Lab, regimen: str, compared: Comparison, own: Mapping[str, float]
) -> tuple[str, Outcome, str] | None:
    """Block by an antagonist of the first effect that it does not have by itself."""
    dose, after = published_dose(lab.catalogue, compared.agonist, compared.route), hours(compared.after)
    begin = max(0.0, max(d.time for d in parse_regimen(regimen).doses)) + after
    wanted = (*RESCUED, "gut_transit") if "mor" in drug.binding else ("gut_transit", "liking")
    names = [n for n in wanted if n not in own]
    good = blocks(lab.challenge(regimen, dose, begin, None, lab.people, names)[names[0]])
    called = {
        "liking": "the liking", "analgesia": "the pain relief", "gut_transit": "the slowing of the gut",
        "ventilation_isohypercapnic": "the slowing of breathing", "pupil": "the small pupils",
    }  # fmt: skip
    shown = f"of {called[names[0]]} blocked, in the median virtual person"
    return ("%", Outcome(predicted=float(np.median(good)), many=good), shown) if good.size else None


def _own(drug: Drug, lab: Lab, regimen: str) -> dict[str, float]:
    """Effects that an antagonist has by itself, and their largest change: its block of them cannot be computed."""
    names = tuple(EFFECT_WORDS)
    alone = lab.run(regimen, FOLLOWED_H, 0.1, names, receptors=RECEPTORS)
    found = {}
    for name in names:
        y, entry = np.asarray(alone[name].value, dtype=np.float64), lab.catalogue.effects[name]
        most = float(np.abs(y - y[0]).max())
        if most > lab.values.typical(name, entry.noise):
            found[name] = most
    return found


def _course(drug: Drug, lab: Lab, regimen: str) -> tuple[str, tuple[str, Outcome, str]]:
    """Caption, and the largest occupancy of mu, or the peak in plasma for a drug without a receptor."""
    family = active_family(drug, lab) if drug.role == "prodrug" else [drug.key]
    mu = {f"mor_occupancy_{k}": k for k in family if "mor" in lab.catalogue.drug(k).binding}
    one, people = (
        lab.run(regimen, 48.0, 0.05, [level_of(drug), *mu], receptors=["mor"], many=m) for m in (False, True)
    )
    # Of a drug that acts through its metabolites, the one that occupies most.
    name = max(mu, key=lambda output: float(np.max(one[output].values)), default=level_of(drug))
    size = 100.0 if mu else 1.0
    peaks = size * np.asarray(people[name].values).max(axis=1)
    outcome = Outcome(predicted=size * float(np.max(one[name].values)), many=peaks)
    what = "a published dose"
    for strength in drug.strengths.values():
        if strength.shown:
            what = f"the amount in one {strength.unit.partition(' of ')[0]}"
    if drug.role == "non-opioid":
        what = "one standard drink of the United States" if _releases(drug) else "a dose chosen as an example"
    said = f"The run gives {regimen_words(regimen)}, {what}."
    if _releases(drug):
        return said, ("g/L", outcome, "in blood, at the peak")
    if not mu:
        return said, ("ng/mL", outcome, "in plasma, at the peak")
    who = mu[name]
    by = "" if who == drug.key else f" by {lab.catalogue.drug(who).name}"
    return said, ("%", outcome, f"of the mu receptors of the brain occupied{by}, at most")


def _unknown(drug: Drug, lab: Lab, studied: bool) -> tuple[str, ...]:
    # That a dose into a vein arrives whole is a definition, not an assumption to list.
    numbers, drugs = in_use(drug, lab.catalogue), lab.catalogue.drugs
    assumed = sorted(name for name, n in numbers.items() if n.chosen.basis == "assumed" and name != "iv.f")
    recalled = sorted(name for name, n in numbers.items() if n.chosen.verified in ("memory", "second_hand"))
    found = ["No claims about this drug are written yet: the page shows runs with the numbers of the catalogue."]
    if drug.role != "endogenous" and not studied and not _shown(drug, lab, []):
        found = ["No dose in people is known to the catalogue, so the page shows no run."]
    compared = _compared(lab.catalogue)
    if (_routes(drug) or drug.role == "antagonist") and compared and compared.caution:
        found.append(compared.caution)
    if assumed:
        found.append(f"Assumed for a reason, not measured: {in_words(assumed, drugs)}.")
    if recalled:
        found.append(f"Recalled or read at second hand: {in_words(recalled, drugs)}.")
    if wide := far_apart(drug, lab.catalogue):
        found.append(f"Published values far apart: {'; '.join(wide)}.")
    if not studied and _shown(drug, lab, []):
        found.append("The catalogue holds no published result to compare these runs with.")
    return tuple(found)
