"""Step B: the stored posterior of agonists alone, conditioned on the released challenges.

``python -m schild.calibrate.challenge_fit`` prints it beside step A number by number, with the errors that decide the
default. The rule is docs/design/challenge-fit.md; it was committed before a challenge was read. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.calibrate.dose_response import seen, today
from schild.calibrate.dose_rows import build_table
from schild.catalog import load
from schild.people import Values
from schild.population import Population, people_of
from schild.validation.blocks import SE, left

Floats = NDArray[np.float64]

__all__ = ["StepB", "main", "step_b"]

DRAWS, SEED = 400, 20261129
#: Deviation of one more study on the log scale; what a model of means misses of a block. [1]
STUDY, MISFIT = 0.65, 0.05
#: Shares left are held within these before their log odds are taken. [1]
ENDS = (0.02, 0.98)
#: Numbers of naltrexone's site, which move beside those of the stored draws.
SITE = ("plasma_and_store.mor.kd", "plasma_and_store.ke0", "plasma_and_store.direct")


def _odds(share: Floats) -> Floats:
    clipped = np.clip(share, *ENDS)
    return np.asarray(np.log(clipped / (1.0 - clipped)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepB:
    """Draws of step A, and what the challenges make of them.

    ``numbers``: labels of shape (n_numbers,); ``before``: logarithms, or log odds of efficacies, of shape (n_draws,
    n_numbers); ``said``: log odds of the share left without a study's deviation, of shape (n_draws, n_rows);
    ``slope``: its derivative to the study's log deviation, of shape (n_rows,); ``wanted``, ``sd``: observed log odds
    and their standard deviations; ``studies``: of shape (n_rows,).
    """

    ids: tuple[str, ...]
    studies: tuple[str, ...]
    numbers: tuple[str, ...]
    before: Floats
    said: Floats
    slope: Floats
    wanted: Floats
    sd: Floats

    def _error(self, rows: Sequence[int]) -> Floats:
        """Covariance of observed rows around what the numbers say."""
        same = np.equal.outer(*(np.array(self.studies)[list(rows)],) * 2)
        shared = STUDY**2 * same * np.outer(self.slope[rows], self.slope[rows])
        return np.asarray(np.diag(self.sd[rows] ** 2) + shared)

    def given(self, rows: Sequence[int]) -> tuple[Floats, Floats]:
        """Numbers and predictions of all rows, conditioned on some: every draw moves by the regression on them."""
        rows = list(rows)
        joint = np.hstack([self.before, self.said])
        if not rows:
            return self.before, self.said
        error = self._error(rows)
        off, y = joint - joint.mean(axis=0), self.said[:, rows]
        gain = (off.T @ (y - y.mean(axis=0)) / (len(y) - 1)) @ np.linalg.inv(np.cov(y.T).reshape(error.shape) + error)
        noise = np.random.default_rng(SEED).multivariate_normal(np.zeros(len(rows)), error, len(y))
        moved = joint + (self.wanted[rows] + noise - y) @ gain.T
        return moved[:, : len(self.numbers)], moved[:, len(self.numbers) :]

    def errors(self) -> tuple[Floats, Floats]:
        """Error of each row in standard deviations: step A, and step B without the row's study."""
        everything = range(len(self.ids))
        total = np.sqrt(np.diag(self._error(everything)))
        first = (np.median(self.said, axis=0) - self.wanted) / total
        second = np.empty_like(first)
        for study in dict.fromkeys(self.studies):
            mine = [k for k in everything if self.studies[k] == study]
            _, said = self.given([k for k in everything if k not in mine])
            second[mine] = ((np.median(said, axis=0) - self.wanted) / total)[mine]
        return first, second

    def medians(self) -> dict[str, float]:
        """Typical numbers of step B: those of the catalogue, moved as the median of the draws moves."""
        values = Values(load())
        after, _ = self.given(range(len(self.ids)))
        moved = np.median(after, axis=0) - np.median(self.before, axis=0)
        found = {}
        for label, shift in zip(self.numbers, moved, strict=True):
            value = values.typical(*label.split(".", 1))
            odds = value / (1.0 - value) * np.exp(shift) if label.endswith("efficacy") else None
            found[label] = float(value * np.exp(shift) if odds is None else odds / (1.0 + odds))
        return found


def step_b(rows: Sequence[Mapping[str, str]] | None = None) -> StepB:
    """Run the challenges that print a number under the stored draws.

    ``rows``: of ``Catalogue.challenges``, all by default; statements do not enter.
    """
    catalogue = load()
    rows = [r for r in rows or catalogue.challenges if r["block"] and not r["bound"]]
    who = {"n": 1, "uncertainty": DRAWS, "variability": False}
    values = Values(catalogue)
    values = values.of_people(people_of(Population(n=1, draws=DRAWS, variability=False), values, SEED))
    own = [n for n in catalogue.posterior if not n.startswith(("between.", "tolerance."))]
    own = [n for n in own if not n.endswith((".spread", ".sensitivity"))] + [f"naltrexone.{n}" for n in SITE]
    drawn = {label: np.broadcast_to(values.of(*label.split(".", 1)), DRAWS) for label in own}
    numbers = [label for label in own if np.ptp(drawn[label]) > 0.0]
    before = np.column_stack(
        [np.log(v / (1.0 - v)) if n.endswith("efficacy") else np.log(v) for n, v in drawn.items() if n in numbers]
    )
    study = np.log(np.broadcast_to(values.of("liking", "sensitivity"), DRAWS))
    said, slope = np.empty((DRAWS, len(rows))), np.empty(len(rows))
    design = np.column_stack([np.ones(DRAWS), before, study])
    for k, row in enumerate(rows):
        without, with_ = left(row, {"population": who, "seed": SEED})
        odds = _odds(with_ / without)
        slope[k] = np.linalg.lstsq(design, odds, rcond=None)[0][-1]
        said[:, k] = odds - slope[k] * study
    share = 1.0 - np.array([float(r["block"]) for r in rows])
    spread = [np.hypot(float(r["se"] or SE), MISFIT) for r in rows]
    return StepB(
        ids=tuple(r["id"] for r in rows), studies=tuple(r["study"] for r in rows), numbers=tuple(numbers),
        before=before, said=said, slope=slope, wanted=_odds(share), sd=np.array(spread) / (share * (1.0 - share)),
    )  # fmt: skip


def main() -> int:
    """Print step B beside step A, and what the rule says of the default."""
    found = step_b()
    after, said = found.given(range(len(found.ids)))
    first, second = found.errors()
    print("share left: observed, step A, step B (all rows), errors of A and of B without the study [SD]")
    for k, key in enumerate(found.ids):
        shares = 1.0 / (1.0 + np.exp(-np.array([found.wanted[k], np.median(found.said[:, k]), np.median(said[:, k])])))
        print(f"  {key:22s} {shares[0]:.2f} {shares[1]:.2f} {shares[2]:.2f}   {first[k]:+.2f} {second[k]:+.2f}")
    a, b = (float(np.sqrt(np.mean(x**2))) for x in (first, second))
    table = build_table()
    value, weight = seen(table)
    moved = found.medians()
    alone = [float(np.sqrt(np.mean(((value - today(table, m)) / weight) ** 2))) for m in ({}, moved)]
    print(f"challenges, study left out: A {a:.3f}, B {b:.3f} SD ({b / a - 1.0:+.1%}; wanted -10 %)")
    print(f"agonists alone, typical numbers: A {alone[0]:.3f}, B {alone[1]:.3f} SD ({alone[1] / alone[0] - 1.0:+.1%})")
    print(f"default by the rule, but for the scans: {'B' if b <= 0.9 * a and alone[1] <= 1.05 * alone[0] else 'A'}")
    print("number: step A and step B, medians (90 %)")
    for k, label in enumerate(found.numbers):
        sides = []
        for x in (found.before[:, k], after[:, k]):
            v = 1.0 / (1.0 + np.exp(-x)) if label.endswith("efficacy") else np.exp(x)
            low, mid, high = np.quantile(v, [0.05, 0.5, 0.95])
            sides.append(f"{mid:9.4g} ({low:.3g} to {high:.3g})")
        print(f"  {label:50s} {sides[0]:34s} {sides[1]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
