"""Report on a table of observed levels: what was read for each person, and the predictions of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from schild import __version__
from schild.catalog import Catalogue, load
from schild.figures import Picture
from schild.observed.data import Observed, is_plasma, predictions
from schild.people import Given, Overrides, Uses
from schild.regimen import expand
from schild.results import Shown, plain
from schild.simulation.caution import unit_slips
from schild.tables import people_words

if TYPE_CHECKING:
    import pandas as pd

#: Ratio of a level to its prediction from which it looks like one in another unit, and people who are compared.
FAR, FIRST = 30.0, 10


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Check(Shown):
    """A table that was read, and its visual predictive check where one was requested."""

    data: Observed
    vpc: pd.DataFrame | None  #: Result of ``Observed.vpc``
    options: Mapping[str, Any] = field(default_factory=dict)  #: Options of ``Observed.predict``
    #: Sentences on amounts and levels that look like slips of the unit, and on given numbers that no prediction uses
    said: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Rows left out, assumptions of the reader, and overrides that change nothing."""
        return (*self.data.notes, *self.said)

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """No numbers of the catalogue are used to read a table."""
        return {}

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the predictions."""
        return self.options.get("catalogue") or load()

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the check."""
        return {"schild": __version__, "table": self.data.name, **self.catalogue.stamp}

    def about(self) -> str:
        """Describe the table in one line."""
        rows = self.data.summary()
        return f"{self.data.name}: {people_words(len(rows))}, {sum(row['observations'] for row in rows)} observations"

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each person."""
        return self.data.summary()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data."""
        rows = [{key: v if isinstance(v, (int, float, str, type(None))) else str(v) for key, v in row.items()}
                for row in plain(self.summary())]  # fmt: skip
        found = {"manifest": self.manifest, "people": rows, "notes": list(self.warnings)}
        return found if self.vpc is None else found | {"vpc": self.vpc.to_dict("records")}

    def picture(self) -> Picture:
        """Charts of observed over predicted values; none for a table without observations."""
        return self.data.picture(**self.options) if self.data.outputs else Picture(())


def check(
    data: Observed,
    *,
    vpc: int | None = None,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> Check:
    """Report what was read from a table and, with ``vpc`` simulated tables, its visual predictive check.

    ``catalogue``, ``overrides``: for the predictions, as for ``schild.simulate``; ``seed``: of the draws.
    """
    options = {"catalogue": catalogue, "overrides": overrides}
    found = None if vpc is None else data.vpc(n=vpc, seed=seed, catalogue=catalogue, overrides=overrides)
    uses = Uses()
    given = Overrides.of(overrides, catalogue or load())
    for person in data.people if given else ():
        if person.tick.size and tuple(person.regimen) and not uses.given.issuperset(given):
            predictions(person, overrides=overrides, catalogue=catalogue, uses=uses)
    said = (*slips(data, catalogue=catalogue, overrides=overrides), *uses.unused(given))
    return Check(data=data, vpc=found, options=options, said=said)


def slips(data: Observed, *, catalogue: Catalogue | None = None, overrides: Given | None = None) -> Iterator[str]:
    """Name amounts and levels that look like those of another unit.

    Amounts by the published doses of their drug; levels by the predictions for the first people.
    """
    events = [e for p in data.people for e in expand(p.regimen, max([0, *p.tick.tolist()]))]
    yield from unit_slips(catalogue or load(), events)
    ratios: dict[str, list[float]] = {}
    for _, person in data.seen[:FIRST]:
        if not tuple(person.regimen) or not any(map(is_plasma, person.output)):
            continue
        predicted = predictions(person, overrides=overrides, catalogue=catalogue)
        for name, value, below, mine in zip(person.output, person.value, person.below, predicted, strict=True):
            if is_plasma(name) and not below and mine > 0 and value > 0:
                ratios.setdefault(name, []).append(float(value / mine))
    for name, found in ratios.items():
        middle = float(np.median(found))
        if not 1 / FAR < middle < FAR:
            times = f"{middle:,.0f} times" if middle > 1 else f"{100 * middle:.2g} % of"
            of = name.removeprefix("plasma_")
            yield f"Levels of {of} are {times} those predicted (median). Check the unit of DV."
