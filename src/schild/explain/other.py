"""A shorter answer for drugs without claims: what the catalogue holds, and a course that a study gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.catalog import Drug, Observation
from schild.explain.answer import Explanation, Finding, quantity, with_band
from schild.explain.claims import Claim, Test
from schild.explain.experiments import EFFECTS, RECEPTORS, Lab, published_dose, run_test
from schild.plan import strengths
from schild.regimen import parse_regimen

if TYPE_CHECKING:
    from schild.evidence import Number

_RECEPTORS = {"mor": "mu", "kor": "kappa", "dor": "delta", "mor_gut": "mu of the gut"}
_ROLES = {
    "agonist": "It switches opioid receptors on.",
    "partial agonist": "It switches opioid receptors on, in part.",
    "antagonist": "It takes the places that opioids need and does nothing there itself, as far as the catalogue knows.",
    "prodrug": "It acts mainly through what the body makes of it.",
    "metabolite": "The body makes it from another drug.",
    "endogenous": "It stands for the body's own opioids: one lumped agonist at each receptor.",
}
#: Misses of other drugs stand, with their reasons, in the report of all studies.
LISTED = "See schild validate, which lists each miss with its reason."
ADVICE = "For research and education. This is not medical advice: talk to a clinician or a pharmacist."
DANGER = "Opioids can stop breathing. After a pause tolerance is lost, and a dose that was once usual can kill."


def explain_entry(drug: Drug, lab: Lab, progress: Callable[..., None] | None = None) -> Explanation:
    """Answer for a drug without claims.

    Parameters
    ----------
    drug : Drug
        Of the catalogue.
    lab : Lab
        For its runs.
    progress : callable, optional
        Called with rows done and in all.

    Returns
    -------
    Explanation
        Binding, a course, published results beside predictions, and what is only assumed.

    Examples
    --------
    >>> from schild.catalog import load
    >>> explain_entry(load().drug("m6g"), Lab(catalogue=load(), n=2, draws=2)).ok
    True
    """
    rows = [o for s in lab.catalogue.studies.values() for o in s.observations if _about(o, drug.key)]
    findings: list[Finding] = []
    for o, study in ((o, s.key) for s in lab.catalogue.studies.values() for o in s.observations if o in rows):
        test = _test(o, study)
        found = Finding(claim="studies", test=test, outcome=run_test(lab, test), reason=LISTED)
        findings.append(found)
        if progress is not None:
            progress(len(findings), len(rows))
    known = {f.test.id: "" for f in findings}  # listed by `schild validate`, with reasons
    paragraphs = [
        f"{drug.summary} {_ROLES.get(drug.role, '')}".strip(),
        *_course(drug, lab, rows),
        *_does(drug, lab, rows),
    ]
    return Explanation(
        drug=drug.key,
        name=drug.name,
        question=f"What does {drug.name} do?",
        paragraphs=tuple(paragraphs),
        claims=(Claim(id="studies", statement="Published results beside predictions", figure="", tests=()),)
        if rows
        else (),
        findings=tuple(findings),
        not_tested=(),
        unknown=_unknown(drug, bool(rows)),
        danger=DANGER if drug.role in ("agonist", "partial agonist", "prodrug", "metabolite") and _acts(drug) else "",
        advice=ADVICE,
        line="",
        tables=tuple(t for t in (_effects(drug, lab), _held(drug, lab, rows), _binding(drug), _kinetics(drug)) if t[2]),
        references={},
        lab=lab,
        known=known,
    )


#: What an opioid meets in the column of blocks: naltrexone, and how much later. [h]
BEFORE, LATER_H = "naltrexone 50 mg po", 24.0
#: How long effects are followed. [h]
FOLLOWED_H = 72.0
#: The opioid whose effects antagonists are shown against, and how long after them. [h]
AGAINST, AFTER_H = ("morphine", "iv"), 1.0

#: Route by which an antagonist is shown; the amount is one unit of what is sold there (catalog/data/strengths.toml).
_SHOWN_BY = {"naloxone": "in", "nalmefene": "iv", "samidorphan": "oral"}
_WAYS = {"iv": "IV", "oral": "by mouth", "oral_er": "by mouth, slow release", "in": "into the nose", "im": "IM"}
_WAYS |= {"sl": "under the tongue", "buccal": "in the cheek"}

Table = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
_BLOCKED = ("liking", "ventilation_isohypercapnic", "pupil", "analgesia")


def _doses(drug: Drug) -> list[tuple[str, str]]:
    """Routes with a published dose of a person, and the dose."""
    return [(key, str(route.challenge)) for key, route in drug.routes.items() if route.challenge is not None]


def _share(value: float) -> str:
    """A block, or a dash where there is no effect to block."""
    return f"{100 * value:.0f} %" if np.isfinite(value) else "–"


def _words(lab: Lab, drug: Drug, route: str) -> str:
    """A published dose for reading."""
    _, amount, unit, _ = published_dose(lab.catalogue, drug.key, route).split()
    return f"{drug.name} {amount} {unit} {_WAYS.get(route, route)}"


def block_table(lab: Lab, regimen: str, at_h: float) -> Table:
    """Tabulate the block of every opioid of the catalogue at its largest published dose.

    Parameters
    ----------
    lab : Lab
        For its runs.
    regimen : str
        Of the antagonist.
    at_h : float
        When the opioid is given. [h]

    Returns
    -------
    tuple
        Caption, columns, rows: opioid and dose, median block of each effect in people.

    Examples
    --------
    >>> from schild.catalog import load
    >>> block_table(Lab(catalogue=load(), n=2, draws=2), "naltrexone 50 mg po", 24.0)[1][1]
    'liking'
    """
    rows = []
    for drug in lab.catalogue.drugs.values():
        for route, _ in _doses(drug)[:1]:
            found = lab.challenge(regimen, published_dose(lab.catalogue, drug.key, route), at_h)
            rows.append((_words(lab, drug, route), *(_share(found[name].median_block) for name in EFFECTS)))
    caption = f"Median block {at_h:g} h after {regimen}, each opioid at its largest published dose"
    return caption, ("opioid", "liking", "breathing", "pupil", "pain relief"), tuple(rows)


def _effects(drug: Drug, lab: Lab) -> Table:
    """What an opioid does at its largest published doses, typical person, and how much naltrexone blocks."""
    rows = []
    for route, _ in _doses(drug):
        dose = published_dose(lab.catalogue, drug.key, route)
        names = ("liking", "ventilation", "pupil")
        found = lab.run(dose, FOLLOWED_H, 0.1, names, receptors=RECEPTORS)
        liking, breathing, pupil = (np.asarray(found[name].value, dtype=np.float64) for name in names)
        entry = lab.catalogue.effects["pupil"]
        long = 0.1 * float((pupil[0] - pupil > entry.numbers[entry.noise].value).sum())
        blocked = lab.challenge(BEFORE, dose, LATER_H, None, None)
        hours_long = f"more than {FOLLOWED_H:g} h" if long >= FOLLOWED_H - 1 else f"{long:.1f} h" if long else "–"
        rows.append(
            (
                _words(lab, drug, route), quantity(liking.max(), "points", 2),
                f"{breathing.min():.1f} of {breathing[0]:.1f} L/min", f"{pupil.min():.1f} of {pupil[0]:.1f} mm",
                hours_long, *(_share(blocked[name].median_block) for name in _BLOCKED),
            )
        )  # fmt: skip
    return (
        f"At the largest published doses, typical person; block {LATER_H:g} h after {BEFORE} (–: nothing to block)",
        (
            "dose", "liking, at most", "breathing at rest, at least", "pupil, at least", "small pupil for",
            "block: liking", "breathing", "pupil", "pain relief",
        ),
        tuple(rows),
    )  # fmt: skip


def _given(drug: Drug, rows: list[Observation]) -> str:
    """One unit of an antagonist as it is sold, or a dose that a study gave; empty where there is none."""
    if (route := _SHOWN_BY.get(drug.key)) is not None:
        return f"{drug.key} {strengths()[drug.key][route].amount} {route}"
    given = [o.regimen for o in rows if parse_regimen(o.regimen).doses[0].drug == drug.key]
    return next(iter(given), "")


def _held(drug: Drug, lab: Lab, rows: list[Observation]) -> Table:
    """Receptors that an antagonist holds after a dose of a study, and what that blocks."""
    regimen = _given(drug, rows)
    columns = ("receptor", "held, at most", "more than half held for")
    if drug.role != "antagonist" or not regimen:
        return "", columns, ()
    receptors = [r for r in RECEPTORS if r in drug.binding]
    names = [f"{r}_occupancy_{drug.key}" for r in receptors]
    found = lab.run(regimen, FOLLOWED_H, 0.1, names, receptors=receptors)
    held = []
    for receptor, name in zip(receptors, names, strict=True):
        y = np.asarray(found[name].value, dtype=np.float64)
        long = 0.1 * float((y > 0.5).sum())
        said = f"more than {FOLLOWED_H:g} h" if y[-1] > 0.5 else f"{long:.1f} h" if long else "–"
        held.append((_RECEPTORS[receptor], quantity(100 * y.max(), "%", 2), said))
    return f"Receptors held after {regimen}; typical person", columns, tuple(held)


def _does(drug: Drug, lab: Lab, rows: list[Observation]) -> list[str]:
    """What it does, or what it blocks, in a sentence."""
    if _doses(drug):
        dose, liking, breathing, pupil, long, *blocks = _effects(drug, lab)[2][0]
        said = f"After {dose}, the largest published dose by this route, liking reaches {liking}, breathing at rest "
        said += f"falls to {breathing} and the pupil to {pupil}"
        said += "; the change of the pupil stays within its noise." if long == "–" else f", small for {long}."
        words = ("liking", "slowed breathing", "the pupil", "pain relief")
        some = [f"{b} of {w}" for b, w in zip(blocks, words, strict=True) if b != "–"]
        if some:
            said += f" Naltrexone blocks it: {LATER_H:g} h after {BEFORE} the block is {', '.join(some)}."
        else:
            said += " No effect is large enough here to be blocked."
        return [said]
    if drug.role == "antagonist":
        regimen = _given(drug, rows)
        if not regimen:
            return []
        dose = published_dose(lab.catalogue, *AGAINST)
        begin = max(0.0, max(d.time for d in parse_regimen(regimen).doses)) + AFTER_H
        names = ("liking", "analgesia", "gut_transit") if "mor" in drug.binding else ("liking", "gut_transit")
        found = lab.challenge(regimen, dose, begin, None, None, names)
        called = {"liking": "liking", "analgesia": "pain relief", "gut_transit": "slowing of the gut"}
        said = ", ".join(f"{_share(found[n].median_block)} of {called[n]}" for n in names)
        where = "" if "mor" in drug.binding else " It stays out of the brain, so it leaves liking alone."
        return [
            f"Against morphine 10 mg IV, given {AFTER_H:g} h after {regimen}, its block is {said} (largest change "
            f"within 6 h).{where}"
        ]
    if drug.role == "non-opioid":
        return [_no_opioid(drug, lab)]
    if drug.role == "endogenous":
        return ["It is not given: it is a constant load at each receptor, in every run, and competes with every drug."]
    if drug.role == "metabolite":
        acts = (
            "Its effects are part of those of the drugs it is made from."
            if _acts(drug)
            else "It stimulates no receptor."
        )
        return [acts]
    return ["The catalogue holds no dose of a published human study of effects, so its effects are not run here."]


def _no_opioid(drug: Drug, lab: Lab) -> str:
    """Whether naltrexone changes anything."""
    route = next(iter(drug.routes))
    names = [f"plasma_{drug.key}", *lab.catalogue.effects]
    alone = f"{drug.key} 25 mg {route} at 2 h"
    a, b = (lab.run(r, 24.0, 0.05, names, receptors=RECEPTORS) for r in (alone, f"{BEFORE}; {alone}"))
    most = max(float(np.abs(a[n].values - b[n].values).max()) for n in names)
    return (
        f"It binds no opioid receptor, so naltrexone does not block it: with {BEFORE} two hours before, plasma and "
        f"every effect differ by {quantity(most, '1', 2)}. What it does by itself is not modelled."
    )


def _about(o: Observation, key: str) -> bool:
    if not o.regimen or ":" in o.observable:  # effects belong to another answer
        return False
    given = parse_regimen(o.regimen).doses[0].drug
    return o.species == key or (given == key and o.observable.startswith("occupancy"))


def _acts(drug: Drug) -> bool:
    return any(b.efficacy is not None and drug.number(b.efficacy).value > 0 for b in drug.binding.values())


def _test(o: Observation, study: str) -> Test:
    kind: dict[str, Any] = {"op": "fold", "tolerance": 2.0}
    if o.low is not None and o.high is None and o.low == o.value:
        kind = {"op": "at_least"}
    elif o.high is not None and o.low is None and o.high == o.value:
        kind = {"op": "at_most"}
    unit = "" if o.unit == "1" else f" {o.unit}"
    return Test(
        id=o.id, statement=f"{o.observable.replace('_', ' ')} of {o.species} after {o.regimen}", run="observation",
        options={"study": study, "row": o.id}, evidence="fitted" if o.role == "calibration" else "checked",
        unit=o.unit, value=o.value, observed=f"{o.value:g}{unit}", source=o.source, rows=o.row, note=o.note, **kind,
    )  # fmt: skip


def _said(number: Number) -> str:
    v = number.chosen
    unit = "" if number.unit == "1" else f" {number.unit}"
    return f"{v.value:.3g}{unit} ({v.basis}, {', '.join(v.source)})"


def _rivals(number: Number) -> str:
    return "; ".join(f"{v.value:.3g} ({', '.join(v.source)})" for v in number.rivals) or "none"


def _binding(drug: Drug) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    default = drug.default_structure
    key = None if default is None else default.key
    rows = []
    for receptor, b in drug.binding.items():
        name = _RECEPTORS.get(receptor, receptor)
        efficacy = "none" if b.efficacy is None else f"{drug.number(b.efficacy, key).value:g}"
        if b.kd is not None:
            number = drug.number(b.kd, key)
            rows.append((name, f"Kd {_said(number)}", _rivals(number), efficacy))
        elif b.ki is not None and b.factor is not None:
            ki, factor = drug.number(b.ki), drug.number(b.factor, key)
            kd = ki.value * factor.value
            rows.append((name, f"Kd {kd:.3g} nM = Ki {_said(ki)} x {factor.value:.3g}", _rivals(ki), efficacy))
        elif b.e0 is not None:
            rows.append((name, f"basal load {_said(drug.number(b.e0))}", _rivals(drug.number(b.e0)), efficacy))
    return "What it binds", ("receptor", "chosen", "rival values", "efficacy"), tuple(rows)


def _kinetics(drug: Drug) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    rows = [
        (name, _said(drug.numbers[name]), _rivals(drug.numbers[name]))
        for name in ("cl", "vc", "q", "vp", "fu", "ke0")
        if name in drug.numbers
    ]
    rows += [
        (f"{route.key}: {route.product}", f"a dose means the {route.salt or 'base'}", "")
        for route in drug.routes.values()
    ]
    return "How it moves", ("number or route", "chosen", "rival values"), tuple(rows)


def _course(drug: Drug, lab: Lab, rows: list[Observation]) -> list[str]:
    """A course after what a study gave: plasma and mu occupancy."""
    regimens = [o.regimen for o in rows if not o.observable.startswith(("auc_ratio", "accumulation"))]
    # A dose of the drug itself before one of what it is made from.
    regimens.sort(key=lambda text: parse_regimen(text).doses[0].drug != drug.key)
    if not regimens or drug.disposition is None:
        return ["The catalogue holds no study that gave it, so no course is shown."]
    regimen = regimens[0]
    plasma, mu = f"plasma_{drug.key}", f"mor_occupancy_{drug.key}"
    outputs = [plasma] + ([mu] if "mor" in drug.binding else [])
    one = lab.run(regimen, 48.0, 0.05, outputs, receptors=["mor"])
    many = lab.run(regimen, 48.0, 0.05, outputs, receptors=["mor"], many=True)

    def peak(name: str) -> tuple[float, tuple[float, float]]:
        tops = np.asarray(many[name].values).max(axis=1)
        low, high = np.quantile(tops, [0.05, 0.95])
        return float(np.max(one[name].value)), (float(low), float(high))

    value, band = peak(plasma)
    said = [f"After {regimen}, a dose of a published study, plasma peaks at {with_band(value, band, 'ng/mL', 2)}."]
    if mu in outputs:
        value, band = peak(mu)
        when = float(np.asarray(one[mu].time_h)[int(np.argmax(one[mu].value))])
        said.append(
            f"It then holds at most {with_band(100 * value, (100 * band[0], 100 * band[1]), '%', 2)} of the mu "
            f"receptors of the brain, {when:.2g} h after the start."
        )
    said.append("(In brackets: where 90 % of virtual people lie, the uncertainty of the numbers included.)")
    return [" ".join(said)]


def _unknown(drug: Drug, studied: bool) -> tuple[str, ...]:
    assumed = sorted(name for name, n in drug.numbers.items() if n.chosen.basis == "assumed")
    recalled = sorted(name for name, n in drug.numbers.items() if n.chosen.verified in ("memory", "second_hand"))
    found = ["No claims about this drug are written yet; what is shown are runs with the catalogue's numbers."]
    if _doses(drug):
        found.append(
            "Whether the block shown is that of people: the one that a label lets us check, of heroin by naltrexone, "
            "comes out too weak (M6 of schild explain naltrexone)."
        )
    if assumed:
        found.append(f"Assumed for a reason, not measured: {', '.join(assumed)}.")
    if recalled:
        found.append(f"Recalled or read at second hand: {', '.join(recalled)}.")
    if not studied:
        found.append("The catalogue holds no published result to compare it with.")
    return tuple(found)
