"""Published results about a drug as tests of its answer."""

from __future__ import annotations

from typing import Any

from schild.catalog import Catalogue, Observation, Test
from schild.explanation.catalogue_numbers import RECEPTOR_WORDS, WORDS, regimen_words
from schild.regimen import parse_regimen
from schild.simulation.observe_withdrawal import KINDS


def _statement(o: Observation, catalogue: Catalogue) -> str:
    """Describe a published result.

    >>> from schild.catalog import load
    >>> _statement(load().studies["naloxone_pk"].observations[0], load())[:37]
    'Peak plasma concentration of naloxone'
    >>> _statement(load().studies["naloxone_pet"].observations[0], load())
    'Mu receptors occupied after naloxone 0.07 mg into a vein.'
    """
    after = f"after {regimen_words(o.regimen)}."
    if o.observable.startswith("occupancy"):
        of = {
            "occupancy_ed50": "Dose that occupies half of the",
            "occupancy_half_time": "Time that halves the occupancy of",
        }  # fmt: skip
        receptor = f"{RECEPTOR_WORDS.get(o.species, o.species)} receptors"
        said = f"{of[o.observable]} {receptor}" if o.observable in of else f"{receptor} occupied"
        return f"{said[0].upper()}{said[1:]} {after}"
    species, other = (
        catalogue.drugs[key].name if key in catalogue.drugs else key.replace("_", " ")
        for key in (o.species, o.normalisation)
    )
    what = WORDS["measured"].get(o.observable, o.observable.replace("_", " ").capitalize()).format(other=other)
    return f"{what} of {species} {after}"


def is_about(o: Observation, key: str) -> bool:
    """Whether a result is about the levels or the occupancy of a drug."""
    # Effects, tolerance and withdrawal belong to another answer; their regimens may hold histories.
    if not o.regimen or ":" in o.observable or o.observable in KINDS:
        return False
    given = parse_regimen(o.regimen).doses[0].drug
    return o.species == key or (given == key and o.observable.startswith("occupancy"))


def result_as_test(o: Observation, study: str, catalogue: Catalogue) -> Test:
    """Return the test that compares a result of a study with the model: within two-fold, or the published limit."""
    kind: dict[str, Any] = {"op": "fold", "tolerance": 2.0}
    if o.low is not None and o.high is None and o.low == o.value:
        kind = {"op": "at_least"}
    elif o.high is not None and o.low is None and o.high == o.value:
        kind = {"op": "at_most"}
    unit = "" if o.unit == "1" else f" {o.unit}"
    used = o.role == "calibration" or "tuned on it" in o.note
    return Test(
        id=o.id, statement=_statement(o, catalogue), run="observation",
        options={"study": study, "row": o.id}, evidence="fitted" if used else "checked",
        unit=o.unit, value=o.value, observed=f"{o.value:g}{unit}", source=o.source, rows=o.row, note=o.note, **kind,
    )  # fmt: skip
