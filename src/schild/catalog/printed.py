"""Tables of a catalogue as they are printed: rows of studies and trials, and stored draws."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog.files import DataFile
from schild.errors import OverlayError


class PrintedTables:
    """The part of a catalogue that is read as tables, without entries of its own."""

    _files: dict[str, list[DataFile]]

    @property
    def dose_series(self) -> tuple[Mapping[str, str], ...]:
        """Printed means of dose series of agonists alone, each row by the names of its columns, as printed."""
        return tuple(csv.DictReader(self._csv("dose_response/rows.csv")))

    @cached_property
    def exposures(self) -> Mapping[tuple[str, str, str], float]:
        """Numbers of the engine that entered the fit of dose series, by regimen, time of reading and quantity."""
        rows = csv.DictReader(self._csv("dose_response/exposures.csv"))
        return {(r["regimen"], r["at"], r["quantity"]): float(r["value"]) for r in rows}

    @property
    def challenges(self) -> tuple[Mapping[str, str], ...]:
        """Printed blocks of an opioid's effect by an antagonist, each row by the names of its columns."""
        return tuple(csv.DictReader(self._csv("dose_response/challenges.csv")))

    @property
    def placebo_arms(self) -> tuple[Mapping[str, str], ...]:
        """Published placebo arms and adherence of alcohol trials, each row by the names of its columns."""
        return tuple(csv.DictReader(self._csv("alcohol_placebo.csv")))

    @property
    def opioid_trials(self) -> tuple[Mapping[str, str], ...]:
        """Published numbers of opioid trials, each row by the names of its columns (docs/design/opioid-trials.md)."""
        return tuple(csv.DictReader(self._csv("opioid_trials/rows.csv")))

    @cached_property
    def opioid_endpoints(self) -> Mapping[str, Mapping[str, Any]]:
        """Definitions of endpoints from urine, by name: the table of each."""
        return self._fixed("opioid_trials/endpoints.toml", "endpoints")

    @cached_property
    def opioid_scenarios(self) -> Mapping[str, Mapping[str, Any]]:
        """Published opioid trials as scenarios, by name: ``arm`` and ``setting`` of a trial file."""
        return self._fixed("opioid_trials/scenarios.toml", "scenarios")

    def _fixed(self, place: str, what: str) -> Mapping[str, Mapping[str, Any]]:
        """Tables of a file of opioid trials that an overlay must not replace."""
        layers = self._files.get(place, [])
        if any(file.text != layers[0].text for file in layers):
            raise OverlayError(
                f"{layers[-1].name} holds other {what} of opioid trials; expected those of the catalogue, which the "
                "program follows by name. Leave the file out."
            )
        return tomllib.loads(layers[0].text) if layers else {}

    @cached_property
    def posterior(self) -> Mapping[str, NDArray[np.float64]]:
        """Stored joint draws of numbers by ``owner.number``, each of shape (n_draws,); empty where none are stored."""
        lines = self._csv("dose_response/posterior.csv")
        if not lines:
            return {}
        values = np.array([line.split(",") for line in lines[1:]], dtype=np.float64)
        return dict(zip(lines[0].split(","), values.T, strict=True))

    def _csv(self, place: str) -> list[str]:
        return self._files[place][-1].text.splitlines() if place in self._files else []
