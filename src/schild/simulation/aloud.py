"""A result in one or two sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from schild.pharmacology.adaptation import severity
from schild.simulation.result import Result, metric
from schild.tables import concentration_words, number_words, percent_words, spread_words, time_words

#: A latent score that counts as withdrawal (docs/design/adaptation.md). [points]
PRESENT = 1.0


def aloud(result: Result) -> str:
    """Describe a result: the peak of the first drug, then the first receptor, then withdrawal if there is any.

    ``result``: of one person or a population. Returns plain sentences with numbers and units.

    >>> import schild
    >>> aloud(schild.simulate("naltrexone 50 mg po", until="24 h")).split(",")[0]
    'In this person'
    """
    m = result.metrics
    found = result.species()
    alcohol = result.shown.get("bac")
    # After earlier use the first drug may only fall: then one that peaks within the run is described.
    species = next((s for s in found if _middle(m[f"tmax_{s}_h"]) > 0), next(iter(found), None))
    receptor = next(iter(result.receptors()), None)
    if not result.status.size or result.status.all():
        return "The run could not be solved, so there is nothing to read."
    sentences = []
    if species is not None and alcohol is not None and f"{species}" == "ethanol":
        values = alcohol.values[result.status == 0]
        peak = metric(values.max(axis=1))
        when = float(np.median(alcohol.time_h[values.argmax(axis=1)]))
        sentences.append(f"alcohol in blood peaks at {spread_words(peak, number_words)} g/L{_after(when)}.")
        receptor = None  # alcohol occupies none
    elif species is not None:
        peak, when = m[f"cmax_{species}_ng_ml"], m[f"tmax_{species}_h"]
        sentences.append(
            f"{found[species]} in plasma peaks at {spread_words(peak, concentration_words)} ng/mL{_after(when)}."
        )
    if receptor is not None:
        first = next(iter(result.outputs.values()), None)
        span = float(first.time_h[-1] - first.time_h[0]) if first is not None else None
        name = result.receptors()[receptor].replace("receptor", "receptors")
        above = m[f"{receptor}_pet_occupancy_hours_above_90_percent"]
        if _middle(above) > 0:
            whole = f" of {time_words(span)}" if span is not None else ""
            sentences.append(f"More than 90 % of {name} are occupied for {spread_words(above, time_words)}{whole}.")
        else:
            top = m[f"{receptor}_pet_occupancy_peak"]
            sentences.append(
                f"At most {spread_words(top, percent_words)} of {name} are occupied; 90 % is never reached."
            )
        course = result.outputs.get(f"{receptor}_pet_occupancy")
        if course is not None:
            sentences.append(f"At the end {spread_words(_end(course), percent_words)} are occupied.")
    if (said := _withdrawal(result)) is not None:
        sentences.append(said)
    if not sentences:
        return ""
    if result.n == 1:
        who = "In this person"
    else:
        draws = max((o.draws for o in result.outputs.values()), default=0)
        group = f"{result.n // draws:,} people under {draws:,} parameter sets" if draws else f"{result.n:,} people"
        who = f"In the median of {group} (5th to 95th percentile in brackets)"
    return f"{who}, {' '.join(sentences)}"


def _withdrawal(result: Result) -> str | None:
    course = result.shown.get("cows")
    if course is None:
        return None
    values = course.values[result.status == 0]
    peaks = values.max(axis=1)
    if float(np.median(peaks)) < PRESENT and not (result.n > 1 and float(np.quantile(peaks, 0.95)) >= PRESENT):
        return None
    when = float(np.median(course.time_h[values.argmax(axis=1)]))
    peak = metric(peaks)
    band = band_words(_middle(peak))
    return f"Withdrawal (latent COWS, 0 to 48) peaks at {spread_words(peak, _points)}, {band}{_after(when)}."


def _points(score: float) -> str:
    return f"{score:.0f}"


def _end(output: Any) -> Any:
    if len(output.values) == 1:
        return float(output.values[0, -1])
    return {f"q{round(100 * q):02d}": float(output.quantile(q)[-1]) for q in (0.05, 0.5, 0.95)}


def _middle(value: Any) -> float:
    found = value["q50"] if isinstance(value, Mapping) else value
    return float("nan") if found is None else float(found)


def _after(when: Any) -> str:
    middle = _middle(when)
    return "" if middle != middle else f", {time_words(middle)} after the start"


def band_words(score: float) -> str:
    """Write the band of a withdrawal score, as it is read when it is rounded.

    >>> band_words(3.0), band_words(12.6)
    ('below mild', 'moderate')
    """
    word = severity(round(score))
    return "below mild" if word == "none" else word
