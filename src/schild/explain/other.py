"""A shorter answer for drugs without claims: what the catalogue holds, and a course that a study gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.catalog import Drug, Observation
from schild.challenge import Response
from schild.explain.answer import Explanation, Finding, quantity, with_band
from schild.explain.claims import Claim, Test
from schild.explain.courses import BLOCKED, RECEPTOR_WORDS, Picture, blocks, span_of
from schild.explain.experiments import EFFECTS, RECEPTORS, Lab, published_dose, run_test
from schild.regimen import parse_regimen
from schild.simulate.observe_withdrawal import KINDS, WORDED

if TYPE_CHECKING:
    from schild.evidence import Number

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
        f"{drug.summary} {_role(drug)}".strip(),
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
        pictures=_pictures(drug, lab, rows),
    )


#: What an opioid meets in the column of blocks: naltrexone, and how much later. [h]
BEFORE, LATER_H = "naltrexone 50 mg po", 24.0
#: How long effects are followed. [h]
FOLLOWED_H = 72.0
#: The opioid whose effects antagonists are shown against, and how long after them. [h]
AGAINST, AFTER_H = ("morphine", "iv"), 1.0

#: Route by which an antagonist is shown; the amount is one unit of what is sold there ([strength] of the drug).
_SHOWN_BY = {"naloxone": "in", "nalmefene": "iv", "samidorphan": "oral"}
_WAYS = {"iv": "IV", "oral": "by mouth", "oral_er": "by mouth, slow release", "in": "into the nose", "im": "IM"}
_WAYS |= {"sl": "under the tongue", "buccal": "in the cheek"}

Table = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
_BLOCKED = ("liking", "ventilation_isohypercapnic", "pupil", "analgesia")
#: When the opioid follows an antagonist, as shares of the time that its receptors are followed.
_WANING = (1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 3 / 4, 1.0)
_LONG_H = 168.0


def _role(drug: Drug) -> str:
    """What its role means; an antagonist with efficacy somewhere is not said to do nothing."""
    if drug.role == "antagonist" and _acts(drug):
        return "It takes the places that opioids need, and by itself switches some receptors on in part."
    return _ROLES.get(drug.role, "")


def _doses(drug: Drug) -> list[tuple[str, str]]:
    """Routes with a published dose of a person, and the dose."""
    return [(key, str(route.challenge)) for key, route in drug.routes.items() if route.challenge is not None]


def _share(value: float) -> str:
    """A block, or a dash where there is no effect to block."""
    return f"{100 * value:.0f} %" if np.isfinite(value) else "–"


def _shares(response: Response) -> str:
    """Median block of people and where 90 % of them lie, or a dash where there is no effect to block."""
    good = blocks(response)
    if not good.size:
        return "–"
    low, mid, high = np.quantile(good, [0.05, 0.5, 0.95])
    return f"{mid:.0f} % ({low:.0f} to {high:.0f})"


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
        blocked = lab.challenge(BEFORE, dose, LATER_H, None, _crowd(lab), _BLOCKED)
        hours_long = f"more than {FOLLOWED_H:g} h" if long >= FOLLOWED_H - 1 else f"{long:.1f} h" if long else "–"
        rows.append(
            (
                _words(lab, drug, route), quantity(liking.max(), "points", 2),
                f"{breathing.min():.1f} of {breathing[0]:.1f} L/min", f"{pupil.min():.1f} of {pupil[0]:.1f} mm",
                hours_long, *(_shares(blocked[name]) for name in _BLOCKED),
            )
        )  # fmt: skip
    return (
        f"Largest published doses, and their block {LATER_H:g} h after {BEFORE}",
        (
            "dose", "liking, at most", "breathing at rest, at least", "pupil, at least", "small pupil for",
            "block: liking", "breathing", "pupil", "pain relief",
        ),
        tuple(rows),
    )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _crowd(lab: Lab) -> dict[str, int]:
    """People of a challenge on a page: the same adults under each parameter set."""
    return {"n": lab.n, "uncertainty": lab.draws}


def _shown(drug: Drug, lab: Lab, rows: list[Observation]) -> str:
    """What is given where a course is drawn: a published dose, a unit as sold, or what a study gave; empty if none."""
    if drug.role == "antagonist":
        return _given(drug, rows)
    if doses := _doses(drug):
        return published_dose(lab.catalogue, drug.key, doses[0][0])
    if drug.role == "non-opioid":
        return f"{drug.key} 25 mg {next(iter(drug.routes))}"
    return next(iter(_regimens(drug, rows)), "")


def _family(drug: Drug, lab: Lab) -> list[str]:
    """The drug and what it becomes that acts on its own: at most four."""
    found = [drug.key]
    for key in found:
        entry = lab.catalogue.drug(key)
        fed = [] if entry.disposition is None else list(entry.disposition.feeds)
        found += [k for k in fed if k not in found and _acts(lab.catalogue.drug(k))]
    return found[:4]


def _pictures(drug: Drug, lab: Lab, rows: list[Observation]) -> tuple[Picture, ...]:
    """Figures of the page: courses, effects with and without naltrexone, block, affinities."""
    regimen, found = _shown(drug, lab, rows), []
    if regimen and drug.disposition is not None:
        species = _family(drug, lab) if drug.role == "prodrug" else [drug.key]
        receptors = [r for r in RECEPTORS if r in drug.binding]
        name = f"{receptors[0]}_occupancy_{species[-1]}" if receptors else f"plasma_{drug.key}"
        seen = lab.run(regimen, _LONG_H, 0.1, [name], receptors=receptors or ["mor"])[name]
        span = span_of(np.asarray(seen.time_h, dtype=np.float64), np.asarray(seen.value, dtype=np.float64))
        told = "in the blood and at the receptors" if receptors else "in the blood"
        options: dict[str, Any] = {"drug": drug.key, "regimen": regimen, "species": species, "receptors": receptors}
        found.append(
            Picture(
                key="course", title=f"{_capital(drug.name)} {told}", kind="course", options={**options, "span": span}
            )
        )
    if doses := _doses(drug):
        dose = published_dose(lab.catalogue, drug.key, doses[0][0])
        seen = lab.run(dose, FOLLOWED_H, 0.1, ["pupil"], receptors=RECEPTORS)["pupil"]
        pupil = np.asarray(seen.value, dtype=np.float64)
        span = span_of(np.asarray(seen.time_h, dtype=np.float64), pupil[0] - pupil)
        options = {"agonist": dose, "antagonist": BEFORE, "at_h": LATER_H, "names": _BLOCKED, "span": min(span, 24.0)}
        words = ("alone", f"{LATER_H:g} h after {BEFORE}")
        found.append(Picture(key="effects", title="What it does, and what naltrexone leaves of it", kind="effects",
                             options={**options, "words": words}))  # fmt: skip
        some = [(_words(lab, drug, route), published_dose(lab.catalogue, drug.key, route)) for route, _ in doses]
        options = {"antagonist": BEFORE, "at_h": LATER_H, "doses": some, "names": _BLOCKED}
        found.append(Picture(key="block", title="How much naltrexone blocks", kind="block", options=options))
    if drug.role == "antagonist" and regimen:
        dose = published_dose(lab.catalogue, *AGAINST)
        names = _BLOCKED if "mor" in drug.binding else ("gut_transit", "liking")
        own = _own(drug, lab, regimen)
        begin = max(0.0, max(d.time for d in parse_regimen(regimen).doses)) + AFTER_H
        options = {"agonist": dose, "antagonist": regimen, "at_h": begin, "names": names, "span": 12.0}
        words = ("alone", f"{AFTER_H:g} h after {regimen}")
        found.append(Picture(key="effects", title="What it leaves of the effects of morphine", kind="effects",
                             options={**options, "words": words}))  # fmt: skip
        times = [begin - AFTER_H + share * span for share in _WANING]
        left = tuple(n for n in names if n not in own)
        options = {"antagonist": regimen, "agonist": dose, "times": times, "names": left}
        found.append(Picture(key="waning", title="How its block fades", kind="waning", options=options))
    if any(b.kd is not None or b.ki is not None for r, b in drug.binding.items() if r != "mor_gut"):
        found.append(Picture(key="affinities", title="How strongly it binds: rival values", kind="affinities",
                             options={"drug": drug.key}))  # fmt: skip
    return tuple(found)


def _given(drug: Drug, rows: list[Observation]) -> str:
    """One unit of an antagonist as it is sold, or a dose that a study gave; empty where there is none."""
    if (route := _SHOWN_BY.get(drug.key)) is not None:
        return f"{drug.key} {drug.strengths[route].amount} {route}"
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
        held.append((RECEPTOR_WORDS[receptor], quantity(100 * y.max(), "%", 2), said))
    return f"Receptors held after {regimen}; typical person", columns, tuple(held)


def _does(drug: Drug, lab: Lab, rows: list[Observation]) -> list[str]:
    """What it does, or what it blocks, in a sentence."""
    if _doses(drug):
        dose, liking, breathing, pupil, long, *told = _effects(drug, lab)[2][0]
        said = f"After {dose}, the largest published dose by this route, liking reaches {liking}, breathing at rest "
        said += f"falls to {breathing} and the pupil to {pupil}"
        said += "; the change of the pupil stays within its noise." if long == "–" else f", small for {long}."
        words = ("liking", "slowed breathing", "the pupil", "pain relief")
        some = [f"{b} of {w}" for b, w in zip(told, words, strict=True) if b != "–"]
        if some:
            said += f" Naltrexone blocks it: {LATER_H:g} h after {BEFORE} the block is {', '.join(some)} (median, and "
            said += "where 90 % of virtual people lie)."
        else:
            said += " No effect is large enough here to be blocked."
        return [said]
    if drug.role == "antagonist":
        regimen = _given(drug, rows)
        if not regimen:
            return []
        dose = published_dose(lab.catalogue, *AGAINST)
        begin = max(0.0, max(d.time for d in parse_regimen(regimen).doses)) + AFTER_H
        wanted = ("liking", "analgesia", "gut_transit") if "mor" in drug.binding else ("liking", "gut_transit")
        own = _own(drug, lab, regimen)
        names = [n for n in wanted if n not in own]
        found = lab.challenge(regimen, dose, begin, None, _crowd(lab), names)
        called = {"liking": "liking", "analgesia": "pain relief", "gut_transit": "slowing of the gut"}
        said = ", ".join(f"{_shares(found[n])} of {called[n]}" for n in names)
        against = _words(lab, lab.catalogue.drug(AGAINST[0]), AGAINST[1])
        told = [
            f"Against {against}, given {AFTER_H:g} h after {regimen}, its block is {said} (largest change "
            "within 6 h; median, and where 90 % of virtual people lie)."
        ]
        if "mor" not in drug.binding:
            told.append("It stays out of the brain, so it leaves liking alone.")
        for name, most in own.items():
            title, unit, factor = BLOCKED[name]
            most_said = quantity(factor * most, "1", 2)
            told.append(
                f"In the model it changes {title} by itself (up to {most_said} {unit}), so no block of it is told."
            )
        return [" ".join(told)]
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


def _own(drug: Drug, lab: Lab, regimen: str) -> dict[str, float]:
    """Effects that an antagonist has by itself, and their largest change: what it blocks of them cannot be told."""
    names = tuple(BLOCKED)
    alone = lab.run(regimen, FOLLOWED_H, 0.1, names, receptors=RECEPTORS)
    found = {}
    for name in names:
        y, entry = np.asarray(alone[name].value, dtype=np.float64), lab.catalogue.effects[name]
        most = float(np.abs(y - y[0]).max())
        if most > entry.numbers[entry.noise].value:
            found[name] = most
    return found


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
    # Effects, tolerance and withdrawal belong to another answer; their regimens may hold histories.
    if not o.regimen or ":" in o.observable or o.observable in (*KINDS, *WORDED):
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
        name = RECEPTOR_WORDS.get(receptor, receptor)
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


def _regimens(drug: Drug, rows: list[Observation]) -> list[str]:
    """What studies gave, a dose of the drug itself before one of what it is made from."""
    found = [o.regimen for o in rows if not o.observable.startswith(("auc_ratio", "accumulation"))]
    return sorted(found, key=lambda text: parse_regimen(text).doses[0].drug != drug.key)


def _course(drug: Drug, lab: Lab, rows: list[Observation]) -> list[str]:
    """A course after what a study gave: plasma and mu occupancy."""
    regimen = _shown(drug, lab, rows)
    if not regimen or drug.disposition is None:
        return ["The catalogue holds no study that gave it, so no course is shown."]
    plasma = f"plasma_{drug.key}"
    family = _family(drug, lab) if drug.role == "prodrug" else [drug.key]
    mu = {f"mor_occupancy_{k}": k for k in family if "mor" in lab.catalogue.drug(k).binding}
    one, many = (lab.run(regimen, 48.0, 0.05, [plasma, *mu], receptors=["mor"], many=m) for m in (False, True))

    def peak(name: str) -> tuple[float, tuple[float, float]]:
        tops = np.asarray(many[name].values).max(axis=1)
        low, high = np.quantile(tops, [0.05, 0.95])
        return float(np.max(one[name].value)), (float(low), float(high))

    value, band = peak(plasma)
    what = "a dose of a published study, "
    if drug.role == "non-opioid":
        what = ""
    elif drug.key in _SHOWN_BY:
        what = "one unit as it is sold, "
    said = [f"After {regimen}, {what}plasma peaks at {with_band(value, band, 'ng/mL', 2)}."]
    held = []
    for name, key in mu.items():
        value, band = peak(name)
        when = float(np.asarray(one[name].time_h)[int(np.argmax(one[name].value))])
        who = "it" if key == drug.key else lab.catalogue.drug(key).name
        held.append(
            f"{who} holds at most {with_band(100 * value, (100 * band[0], 100 * band[1]), '%', 2)}, {when:.2g} h after "
            "the start"
        )
    if held:
        said.append(f"Of the mu receptors of the brain {'; '.join(held)}.")
    said.append("(In brackets: where 90 % of virtual people lie, the uncertainty of the numbers included.)")
    return [" ".join(said)]


def _unknown(drug: Drug, studied: bool) -> tuple[str, ...]:
    # That a dose into a vein arrives whole is a definition, not an assumption to list.
    assumed = sorted(n.name for n in drug.numbers.values() if n.chosen.basis == "assumed" and n.name != "iv.f")
    recalled = sorted(name for name, n in drug.numbers.items() if n.chosen.verified in ("memory", "second_hand"))
    found = ["No claims about this drug are written yet; what is shown are runs with the catalogue's numbers."]
    if _doses(drug):
        found.append(
            "Whether the block shown is that of people: the one that a label lets us check, of heroin by naltrexone, "
            "comes out too weak (M6 of schild explain naltrexone)."
        )
    if assumed:
        found.append(f"Assumed for a reason, not measured: {_plain(assumed)}.")
    if recalled:
        found.append(f"Recalled or read at second hand: {_plain(recalled)}.")
    if wide := _apart(drug):
        found.append(f"Published values far apart: {'; '.join(wide)}.")
    if not studied:
        found.append("The catalogue holds no published result to compare it with.")
    return tuple(found)


_PLAIN = {
    "cl": "clearance", "vc": "central volume", "vp": "second volume", "vp2": "third volume", "fu": "unbound fraction",
    "q": "exchange with the second volume", "q2": "exchange with the third volume", "ke0": "delay to the brain",
    "f": "share that reaches the blood", "fa": "share that is absorbed", "ka": "rate of absorption",
    "lag": "lag of absorption", "duration": "time of release", "kd": "affinity", "ki": "affinity in the dish",
    "koff": "rate of leaving", "efficacy": "efficacy", "factor": "factor from dish to person", "e0": "basal load",
    "largest_mg": "largest published dose",
}  # fmt: skip


def _plain(names: Sequence[str]) -> str:
    """Names of numbers in words, each once.

    Examples
    --------
    >>> _plain(["cl", "mor.koff", "kor.koff", "oral.f", "reference.weight"])
    'clearance; rate of leaving (mu, kappa); share that reaches the blood (by mouth); reference.weight'
    """
    grouped: dict[str, list[str]] = {}
    for name in names:
        place, _, last = name.rpartition(".")
        if place == "fm":
            grouped.setdefault("share that becomes", []).append(last.replace("_", "-"))
            continue
        if last not in _PLAIN:
            grouped.setdefault(name, [])
            continue
        where = RECEPTOR_WORDS.get(place, _WAYS.get(place, place.replace("_", " ").replace(".", " ")))
        grouped.setdefault(_PLAIN[last], []).extend([where] if where else [])
    return "; ".join(
        f"{what} ({', '.join(dict.fromkeys(where))})" if where else what for what, where in grouped.items()
    )


def _apart(drug: Drug) -> list[str]:
    """Numbers whose rival values lie more than three-fold apart, with the range."""
    found = []
    for name, number in drug.numbers.items():
        values = [v.value for v in number.values if v.value > 0 and v.basis in ("reported", "digitised")]
        if len(values) > 1 and max(values) > 3 * min(values):
            unit = "" if number.unit == "1" else f" {number.unit}"
            found.append(f"{_plain([name])}, {min(values):.3g} to {max(values):.3g}{unit}")
    return found
