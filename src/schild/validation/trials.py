"""Published trials of alcohol use disorder compared with virtual ones; criteria in docs/design/trial.md."""

from __future__ import annotations

from dataclasses import dataclass

from schild.catalog import Catalogue, Observation
from schild.trial.checks import PEOPLE, STUDY, TRIALS, check_trial
from schild.validation.withdrawal import Statement

__all__ = ["STUDY", "TrialStatement", "state_trial"]

#: People and virtual trials of a quick validation.
QUICK_PEOPLE, QUICK_TRIALS = 1500, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStatement(Statement):
    """A published trial or review and its prediction.

    ``single`` trials hold where the observed value lies in the middle 95 % of virtual trials of that size; reviews and
    fitted rows where the expected value lies in the printed interval, or within 1.96 standard errors.

    >>> from schild.catalog import load
    >>> rows = {o.id: o for o in load().studies[STUDY].observations}
    >>> row = rows["anton1999_relapse"]
    >>> one = TrialStatement(observation=row, table=STUDY, predicted=8, low=-11, high=34, people=9, single=True)
    >>> one.holds, one.window
    (True, 'observed 22 % in the middle 95 % of such trials')
    """

    single: bool = False

    @property
    def wanted(self) -> tuple[float, float]:
        """The printed interval, or 1.96 standard errors; for a single trial the middle 95 % of virtual ones."""
        o = self.observation
        if self.single:
            return self.low, self.high
        if o.low is not None and o.high is not None:
            return o.low, o.high
        half = 1.96 * float(o.sd_fixed or 0.0)
        return o.value - half, o.value + half

    @property
    def holds(self) -> bool:
        """Whether the criterion is met."""
        low, high = self.wanted
        return bool(low <= (self.observation.value if self.single else self.predicted) <= high)

    @property
    def miss(self) -> float:
        """Distance to the window in the row's unit; 0 inside it."""
        low, high = self.wanted
        x = self.observation.value if self.single else self.predicted
        return float(max(low - x, x - high, 0.0))

    @property
    def size(self) -> float:
        """Distance to the window as a share of the observed value, for sorting."""
        return self.miss / max(abs(self.observation.value), 0.1)

    @property
    def words(self) -> str:
        """Subject of the row."""
        measure, _, name = self.observation.observable.partition(":")
        weeks = (self.observation.time_h or 0.0) / 168.0
        what = f"{measure.replace('_', ' ')}: {name.replace('_', ' ')}"
        return f"{what}; {self.observation.regimen}, {weeks:g} weeks, against placebo"

    @property
    def window(self) -> str:
        """Return the window in words."""
        unit = "" if self.observation.unit == "1" else f" {self.observation.unit}"
        if self.single:
            return f"observed {self.observation.value:g}{unit} in the middle 95 % of such trials"
        return "{:.3g} to {:.3g}".format(*self.wanted) + unit


def state_trial(
    o: Observation, table: str = STUDY, *, quick: bool = False, seed: int = 1, catalogue: Catalogue | None = None
) -> TrialStatement:
    """Compare one row with virtual trials.

    ``table``: key of its study file; ``quick``: fewer people and fewer virtual trials. Returns expected value, or
    median and middle 95 % of virtual trials.
    """
    people, trials = (QUICK_PEOPLE, QUICK_TRIALS) if quick else (PEOPLE, TRIALS)
    found = check_trial(o, people=people, trials=trials, seed=seed, catalogue=catalogue)
    return TrialStatement(observation=o, table=table, people=trials if found.single else people, **found._asdict())
