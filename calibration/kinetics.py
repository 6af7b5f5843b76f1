"""Kinetic numbers that were tuned by hand, fitted to the same calibration rows (docs/design/calibration.md)."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import numpy as np

from calibration import Fit, Fitted, calibration_rows, fit_rows
from schild.catalog import Observation

__all__ = ["STAGES", "fit", "rows_of"]

#: Numbers that are fitted together, as ``kinetics.toml`` has them.
STAGES = tomllib.loads(files("calibration").joinpath("kinetics.toml").read_text(encoding="utf-8"))["stage"]


def rows_of(names: list[str]) -> tuple[Observation, ...]:
    """Return rows named ``study/id``, each of which must be marked for calibration.

    >>> [o.id for o in rows_of(STAGES[1]["rows"])]
    ['inturrisi1984_half_life', 'rook2006_mam_half_life']
    """
    keys = (name.split("/") for name in names)
    return tuple(o for study, key in keys for o in calibration_rows(study, key) if o.id == key)


def fit() -> Fit:
    """Fit every stage on top of the ones before.

    Uncertainties remain those of the catalogue: one study does not show the spread between studies.
    """
    known: dict[str, float] = {}
    lines: list[str] = []
    for stage in STAGES:
        priors = stage.get("priors", {})
        solved = fit_rows(rows_of(stage["rows"]), stage["start"], known, priors=priors)
        lines += [stage["title"], *solved.lines(known)]
        known |= solved.numbers
        for name, (centre, spread) in priors.items():
            off = np.log(known[name] / centre) / spread
            lines.append(f"    prior of {name:23s} {centre:g}, {spread:g} of the logarithm ({off:+.2f} SD)")
    numbers = tuple(Fitted.of(name, value) for name, value in known.items())
    return Fit(title="kinetics of other drugs", numbers=numbers, lines=tuple(lines))
