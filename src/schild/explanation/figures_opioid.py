"""Panels of trials in opioid use disorder: use after an injection, relapse by week."""

from __future__ import annotations

from schild.explanation.experiments_opioid import opioid_row
from schild.explanation.panels import BLUE, GREEN, ORANGE, Panel, panel
from schild.figures import INK
from schild.trial.opioid_checks import opioid_rows

#: Ranges of days since an injection, as the rows have them, and their middles.
_BINS = (("1-7", 4.0), ("8-14", 11.0), ("15-21", 18.0), ("22-28", 25.0), ("29-35", 32.0), ("36-42", 39.0),
         ("43-56", 49.5), ("57-84", 70.5))  # fmt: skip


@panel
def opioid_use(p: Panel) -> None:
    """Days with use by days since the last injection, published and fitted."""
    rows = {r.id: r for r in opioid_rows()}
    days, seen, model = [], [], []
    for name, middle in _BINS:
        row = rows[f"use_since_{name}"]
        days.append(middle)
        seen.append(row.value)
        model.append(opioid_row(p.lab, published=row.id).predicted)
    p.chart.marks(days, seen, "s", color=INK, size=5.5, label="CTN-0051")
    p.chart.line(days, model, color=ORANGE, width=1.5, mark="o", size=5.5, label="model, fitted to it")
    p.data.update({"days since the injection": days, "published": seen, "model": model})


@panel
def opioid_relapse(p: Panel) -> None:
    """Relapse by week in CTN-0051: all people, published and predicted."""
    rows = {r.id: r for r in opioid_rows("held")}
    for key, colour in (("naltrexone", BLUE), ("buprenorphine", GREEN)):
        weeks = [4, 8, 12, 21]
        seen = [rows[f"P1_{key}_{w}"].value for w in weeks]
        model = [opioid_row(p.lab, published=f"P1_{key}_{w}").predicted for w in weeks]
        p.chart.marks(weeks, seen, "s", color=colour, size=5.5, label=f"{key}, CTN-0051")
        p.chart.line(weeks, model, color=colour, width=1.5, label=f"{key}, model")
        for name, values in (("week", weeks), (f"{key}, published", seen), (f"{key}, model", model)):
            p.data.setdefault(name, values)
