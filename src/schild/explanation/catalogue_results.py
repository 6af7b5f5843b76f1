"""Published results about a drug as tests of its answer."""

from __future__ import annotations

from typing import Any

from schild.catalog import Observation, Test
from schild.explanation.catalogue_numbers import regimen_words
from schild.regimen import parse_regimen
from schild.simulation.observe_withdrawal import KINDS, WORDED

__all__ = ["is_about", "result_as_test"]

#: What studies measured, in words.
_MEASURED = {
    "cmax": "Highest level in plasma", "cmax_ss": "Highest level in plasma on steady doses",
    "tmax": "Time of the highest level in plasma", "half_life": "Half-life in plasma",
    "auc": "Area under the plasma curve", "auc_last": "Area under the plasma curve to the last sample",
    "concentration": "Level in plasma", "occupancy": "Receptors held",
}  # fmt: skip


def _statement(o: Observation) -> str:
    """What a published result is.

    >>> from schild.catalog import load
    >>> _statement(load().study("naloxone_pk").observations[0])[:24]
    'Highest level in plasma '
    """
    what = _MEASURED.get(o.observable, o.observable.replace("_", " ").capitalize())
    of = "by" if o.observable == "occupancy" else "of"
    return f"{what} {of} {o.species.replace('_', ' ')} after {regimen_words(o.regimen)}."


def is_about(o: Observation, key: str) -> bool:
    """Whether a result is about the levels or the occupancy of a drug."""
    # Effects, tolerance and withdrawal belong to another answer; their regimens may hold histories.
    if not o.regimen or ":" in o.observable or o.observable in (*KINDS, *WORDED):
        return False
    given = parse_regimen(o.regimen).doses[0].drug
    return o.species == key or (given == key and o.observable.startswith("occupancy"))


def result_as_test(o: Observation, study: str) -> Test:
    """Return the test that compares a result of a study with the model: two-fold, or the limit that was seen."""
    kind: dict[str, Any] = {"op": "fold", "tolerance": 2.0}
    if o.low is not None and o.high is None and o.low == o.value:
        kind = {"op": "at_least"}
    elif o.high is not None and o.low is None and o.high == o.value:
        kind = {"op": "at_most"}
    unit = "" if o.unit == "1" else f" {o.unit}"
    return Test(
        id=o.id, statement=_statement(o), run="observation",
        options={"study": study, "row": o.id}, evidence="fitted" if o.role == "calibration" else "checked",
        unit=o.unit, value=o.value, observed=f"{o.value:g}{unit}", source=o.source, rows=o.row, note=o.note, **kind,
    )  # fmt: skip
