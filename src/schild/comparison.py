"""Regimens side by side, in the same people: metrics, ratios within each person, curves over one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.errors import InputError, UnknownNameError
from schild.figures import Picture
from schild.people import Given
from schild.results import Shown, plain
from schild.simulation import Result, Run, events_of, simulate_run
from schild.simulation.exposure import exposure
from schild.simulation.guard import AGONISTS, DANGER
from schild.simulation.result import default_names, metric
from schild.tables import people_words


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison(Shown):
    """Runs of the same people, one for each regimen.

    Examples
    --------
    >>> import schild
    >>> found = schild.compare({"50 mg": "naltrexone 50 mg po", "100 mg": "naltrexone 100 mg po"}, until="2 d")
    >>> rows = {(row["metric"], row["arm"]): row for row in found.summary()}
    >>> round(rows["auc_naltrexone_ng_h_ml", "100 mg"]["ratio"], 2)
    2.0
    """

    results: Mapping[str, Result]  #: By the label of the arm
    reference: str  #: Label of the arm that the others are compared with
    nca: bool = False  #: Whether the metrics hold those of the last dose, by CDISC names
    warnings: tuple[str, ...] = ()  #: Of the comparison; those of the runs stand in the results

    @property
    def n(self) -> int:
        """Number of people in each arm."""
        return self.results[self.reference].n

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """Citation keys of all arms with what each was used for."""
        found: dict[str, set[str]] = {}
        for result in self.results.values():
            for key, used in result.sources.items():
                found.setdefault(key, set()).update(used)
        return {key: tuple(sorted(used)) for key, used in found.items()}

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue of the runs."""
        return self.results[self.reference].catalogue

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of each arm."""
        return {"reference": self.reference, "arms": {k: dict(r.manifest) for k, r in self.results.items()}}

    def about(self) -> str:
        """Describe the comparison in one line."""
        people = ("" if self.n == 1 else "the same ") + people_words(self.n)
        return f"{', '.join(self.results)}, compared with {self.reference} in {people}"

    def each(self) -> dict[str, dict[str, Floats]]:
        """Metrics of every person, by metric and arm; shape (n,)."""
        found: dict[str, dict[str, Floats]] = {}
        for label, result in self.results.items():
            columns = dict(result.each)
            if self.nca:
                rows = exposure(result)
                last = {row.output: row.dose for row in rows}
                columns |= {f"{r.output}.{r.metric} [{r.unit}]": r.values for r in rows if r.dose == last[r.output]}
            for name, values in columns.items():
                found.setdefault(name, {})[label] = np.asarray(values, dtype=np.float64)
        return found

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each metric and arm.

        Returns
        -------
        list of dict
            metric, arm, value and ratio to the reference in the same person; for many people medians, with the 5th and
            95th percentile of people as value_q05 and so on. A ratio is None where the reference is zero or has no
            such metric.
        """
        rows = []
        for name, arms in self.each().items():
            base = arms.get(self.reference)
            for label, values in arms.items():
                row = {"metric": name, "arm": label, **_spread("value", values)}
                if label != self.reference:
                    ratio = np.full(values.shape, np.nan)
                    if base is not None:
                        np.divide(values, base, out=ratio, where=base > 0)
                    row |= _spread("ratio", ratio)
                rows.append(row)
        return rows

    def picture(self, *names: str) -> Picture:
        """Charts of the arms over one another, one for each output; people as median with the middle 90 %.

        Parameters
        ----------
        *names : str
            Outputs; by default plasma and the occupancy of mu as measured by PET, of any arm.

        Returns
        -------
        Picture
            A chart for each output.
        """
        from schild.simulation.plot import overlay

        shown = {label: result.shown for label, result in self.results.items()}
        names = names or tuple(self.drawn())
        known = dict.fromkeys(name for outputs in shown.values() for name in outputs)
        for name in names:
            if name not in known:
                raise UnknownNameError("output", name, known)
        return overlay({
            name: {label: outputs[name] for label, outputs in shown.items() if name in outputs} for name in names
        })  # fmt: skip

    def drawn(self) -> list[str]:
        """Names of the outputs that a figure shows by default: plasma, and mu receptors if they are followed."""
        every = dict.fromkeys(name for r in self.results.values() for name in default_names(r.outputs))
        few = [name for name in every if name.startswith("plasma_") or name == "mor_pet_occupancy"]
        return few or list(every) or list(self.results[self.reference].outputs)

    def content(self) -> dict[str, Any]:
        """Return the rows of the comparison."""
        return {"reference": self.reference, "people": self.n, "comparison": plain(self.summary())}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data, with the warnings of the runs."""
        return {**Shown.to_dict(self), "warnings": [*self.warnings, *self.said()]}

    def said(self) -> list[str]:
        """Warnings of the runs, each with the arms that have it."""
        found: dict[str, list[str]] = {}
        for label, result in self.results.items():
            for warning in result.warnings:
                found.setdefault(warning, []).append(label)
        return [f"{', '.join(labels)}: {warning}" for warning, labels in found.items()]


def compare(
    arms: Mapping[str, str | Sequence[str] | Run],
    *,
    reference: str | None = None,
    until: str | None = None,
    every: str | None = None,
    n: int | None = None,
    subject: Mapping[str, Any] | None = None,
    population: Mapping[str, Any] | None = None,
    seed: int = 1,
    structure: str | Mapping[str, str] | None = None,
    outputs: Sequence[str] | None = None,
    nca: bool = False,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Simulate regimens in the same people and compare them.

    Parameters
    ----------
    arms : mapping
        Label to regimen in words, several regimens, or a run; two or more.
    reference : str, optional
        Label of the arm that the others are compared with; the first by default.
    until, every, n, subject, population, seed, structure, outputs
        As for ``simulate``, for arms in words. By default all of them run as long as the longest would.
    nca : bool
        Whether the metrics hold those of the last dose by CDISC names, and those of occupancies and effects.
    catalogue, overrides, threads, progress
        As for ``simulate``.

    Returns
    -------
    Comparison
        Metrics, ratios within each person, and curves.

    Raises
    ------
    InputError
        For fewer than two arms, an unknown reference, arms whose people differ, or different doses of an opioid under a
        blockade.

    Examples
    --------
    >>> found = compare({"tablet": "naltrexone 50 mg po q24h x28", "depot": "naltrexone 380 mg im_depot"}, until="28 d")
    >>> found.n, len(found.plot("plasma_naltrexone").axes)
    (1, 1)
    """
    if not isinstance(arms, Mapping):
        raise InputError(f"The arms are {arms!r}; expected a label for each. Write {{'50 mg': 'naltrexone 50 mg po'}}.")
    if len(arms) < 2:
        raise InputError(f"{len(arms)} arm was given; expected two or more. Give a label and a regimen for each.")
    for label in arms:
        if not isinstance(label, str) or not label.strip():
            raise InputError(f"An arm is labelled {label!r}; expected words. Write it like '50 mg'.")
    if reference is None:
        reference = next(iter(arms))
    elif reference not in arms:
        raise UnknownNameError("arm", reference, arms)
    for label, arm in arms.items():
        if not isinstance(arm, (str, Sequence, Run)):
            raise InputError(
                f"The arm {label!r} is of type {type(arm).__name__}; expected a regimen in words, several, or a run: "
                "all arms are run for the same people. Give the words, or the `run` of a result."
            )
    head: dict[str, Any] = {
        "subject": subject, "population": population, "n": n, "until": until, "every": every, "seed": seed,
        "structure": structure, "outputs": outputs,
    }  # fmt: skip
    words = [label for label, arm in arms.items() if not isinstance(arm, Run)]
    runs = {
        label: arm if isinstance(arm, Run) else Run.of(*([arm] if isinstance(arm, str) else arm), title=label, **head)
        for label, arm in arms.items()
    }
    if until is None and words:
        longest = f"{max(runs[label].until_h for label in words):.12g} h"
        for label in words:
            runs[label] = runs[label].model_copy(update={"run": runs[label].run.model_copy(update={"until": longest})})
    _same_people(runs)
    results: dict[str, Result] = {}
    for done, (label, run) in enumerate(runs.items(), 1):
        results[label] = simulate_run(run, threads=threads, catalogue=catalogue, overrides=overrides)
        if progress is not None:
            progress(done, len(runs))
    _one_opioid_dose(runs, results, catalogue or load())
    ends = {label: float(r.outputs[next(iter(r.outputs))].time_h[-1]) for label, r in results.items() if r.outputs}
    warnings: tuple[str, ...] = ()
    if len({round(end, 6) for end in ends.values()}) > 1:
        said = ", ".join(f"{label} {end:g} h" for label, end in ends.items())
        warnings = (f"The runs have different lengths ({said}): areas, means and hours refer to the length of each.",)
    return Comparison(results=results, reference=reference, nca=nca, warnings=warnings)


def _one_opioid_dose(runs: Mapping[str, Run], results: Mapping[str, Result], catalogue: Catalogue) -> None:
    """Refuse arms under a blockade that differ in the dose of an opioid: such a table ranks doses against a block."""
    given: dict[str, dict[tuple[str, str | None], list[str]]] = {}
    for label, result in results.items():
        if any(DANGER in warning for warning in result.warnings):
            doses = given[label] = {}
            for e in events_of(runs[label]):
                drug = None if e.drug is None else catalogue.drug(e.drug)
                if drug is not None and drug.role in (*AGONISTS, "metabolite") and e.past is None:
                    doses.setdefault((drug.name, e.route), []).append(f"{e.amount or e.rate} x {e.f:g}")
    for first, label in combinations(given, 2):
        for key in given[first].keys() & given[label].keys():
            if sorted(given[first][key]) != sorted(given[label][key]):
                raise InputError(
                    f"The arms {first!r} and {label!r} give different doses of {key[0]} while an antagonist is on "
                    "board; expected the same. A comparison may vary the antagonist, the delay or earlier use, never "
                    f"the dose of an opioid under a blockade. {DANGER}"
                )


def _same_people(runs: Mapping[str, Run]) -> None:
    """Refuse arms whose people differ: seed, population or person."""
    first, base = next(iter(runs.items()))
    for label, run in runs.items():
        if (run.run.seed, run.who) != (base.run.seed, base.who):
            what = "seed" if run.who == base.who else "people"
            raise InputError(
                f"The arms {first!r} and {label!r} differ in their {what}; expected the same people in each. Give "
                "every arm the same seed and the same subject or population."
            )


def _spread(name: str, values: Floats) -> dict[str, Any]:
    said = metric(values)
    if not isinstance(said, Mapping):
        return {name: said if np.isfinite(said) else None}
    return {name: said["q50"], f"{name}_q05": said["q05"], f"{name}_q95": said["q95"]}
