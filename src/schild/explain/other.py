"""A shorter answer for drugs without claims: what the catalogue holds, and a course that a study gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.catalog import Drug, Observation
from schild.explain.answer import Explanation, Finding, with_band
from schild.explain.claims import Claim, Test
from schild.explain.experiments import Lab, run_test
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
    paragraphs = [f"{drug.summary} {_ROLES.get(drug.role, '')}".strip(), *_course(drug, lab, rows)]
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
        tables=tuple(t for t in (_binding(drug), _kinetics(drug)) if t[2]),
        references={},
        lab=lab,
        known=known,
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
    found = ["No claims about this drug are written yet, and effects are not part of this answer."]
    if assumed:
        found.append(f"Assumed for a reason, not measured: {', '.join(assumed)}.")
    if recalled:
        found.append(f"Recalled or read at second hand: {', '.join(recalled)}.")
    if not studied:
        found.append("The catalogue holds no published result to compare it with.")
    return tuple(found)
