"""Laboratory studies of alcohol compared with the model: criteria in docs/design/alcohol.md."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.catalog import Catalogue, Observation
from schild.drinking.checks import KINDS, PEOPLE, laboratory_check
from schild.drinking.experiment import Laboratory
from schild.validation.withdrawal import Statement

#: The study file of these rows.
STUDY = "alcohol_laboratory"

#: A study that found no difference is consistent with the model if its predicted power is below this. [1]
POWER = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryStatement(Statement):
    """A laboratory result and its prediction.

    >>> from schild.catalog import load
    >>> rows = {o.id: o for o in load().studies[STUDY].observations}
    >>> one = LaboratoryStatement(
    ...     observation=rows["omalley2002_drinks"], table=STUDY, predicted=-0.2, low=-0.3, high=-0.1, people=10
    ... )
    >>> one.holds, one.window
    (True, 'below 0')
    """

    @property
    def kind(self) -> str:
        """First word of the observable."""
        return self.observation.observable.partition(":")[0]

    @property
    def wanted(self) -> tuple[float, float]:
        """The printed interval, the sign, a power below one half, or a bound."""
        o = self.observation
        if self.kind == "null":
            return -np.inf, POWER
        if self.kind == "sign":
            return (-np.inf, -1e-12) if o.value < 0 else (1e-12, np.inf)
        return (-np.inf if o.low is None else o.low), (np.inf if o.high is None else o.high)

    @property
    def window(self) -> str:
        """Return the window in words."""
        if self.kind == "sign":
            return "below 0" if self.observation.value < 0 else "above 0"
        return str(Statement.window.__get__(self))  # slots: super() without arguments fails

    @property
    def words(self) -> str:
        """Subject of the row."""
        o = self.observation
        _, place, outcome = o.observable.split(":")
        name, _, dose = place.partition("@")
        session = name.replace("_", " ") + (f", {dose} g/kg" if dose else "")
        return f"{KINDS[self.kind]}: {outcome.replace('_', ' ')}; {session}; {o.regimen}"


def state_laboratory(
    o: Observation,
    table: str = STUDY,
    *,
    seed: int,
    kept: MutableMapping[Any, Laboratory] | None = None,
    catalogue: Catalogue | None = None,
) -> LaboratoryStatement:
    """Predict one row; parameters as for ``schild.drinking.checks.laboratory_check``."""
    predicted, low, high = laboratory_check(o, seed=seed, kept=kept, catalogue=catalogue)
    return LaboratoryStatement(observation=o, table=table, predicted=predicted, low=low, high=high, people=PEOPLE)
