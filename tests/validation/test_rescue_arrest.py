"""Percentages of cardiac arrest against the published ones: with the published people, and with drawn ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import rescuing
from schild.catalog import load
from schild.overdose.drugs import REGIMENS
from schild.overdose.follow import RTOL, follow, warm_up
from schild.overdose.parameters import REPRODUCTION, published
from schild.overdose.population import naloxone_people, opioid_people

P = published()
INTRANASAL = [row for row in load().published_arrests if row.model == "IN"]
#: Bars, in points.
WITH_TABLES, WITH_DRAWS = 1.5, 3.0
#: Whose decision is closer than this may change sides with the tolerance. [mmHg]
MARGIN = 0.01
FEW = [("fentanyl", 60.0, "none"), ("fentanyl", 60.0, "IN4mg_x1"), ("carfentanil", 60.0, "IN4mg_4rapid")]


@lru_cache(maxsize=1)
def start():
    return warm_up(1, P)


def percent(row, drawn, rtol=RTOL):
    rescue = REGIMENS[row.regimen]
    way = rescue.route if rescue.doses else "in_4mg"
    if drawn:
        n = drawn
        people, (antagonist, kinetics) = opioid_people(row.opioid, n, 1), naloxone_people(way, n, 1)
    else:
        people, antagonist, kinetics = rescuing.published_people(row.opioid, way)
        n = people.k_on.size
    return follow(
        n,
        P,
        p_chemo=getattr(P.drive, f"chemo_{row.subject}"),
        p_wake=getattr(P.drive, f"wake_{row.subject}"),
        starts=np.repeat(start(), n, axis=0),
        opioid=people,
        dose_mg=row.dose_mg,
        antagonist=antagonist,
        route=kinetics,
        rescue=rescue,
        wait_s=row.delay_s,
        rule="two_pass",
        quirks=REPRODUCTION,
        stop_at_arrest=True,
        rtol=rtol,
    )


def share(found):
    """Percentage among those whose decision fell within the horizon: the reference's script drops the others."""
    return 100.0 * found.arrest[found.outcome["dropped"] == 0].mean()


def ids(row):
    return f"{row.opioid}-{row.delay_s:g}s-{row.regimen}"


def few(rows):
    return [row for row in rows if (row.opioid, row.delay_s, row.regimen) in FEW]


def check_tables(row):
    found = percent(row, drawn=0)
    assert share(found) == pytest.approx(row.percent, abs=WITH_TABLES)
    return found


@pytest.mark.skipif(not rescuing.EVIDENCE.is_dir(), reason="the sampling tables are not here")
@pytest.mark.parametrize("row", few(INTRANASAL), ids=ids)
def test_with_the_published_people(row):
    check_tables(row)


@pytest.mark.parametrize("row", few(INTRANASAL), ids=ids)
def test_with_drawn_people(row):
    assert share(percent(row, drawn=2000)) == pytest.approx(row.percent, abs=WITH_DRAWS)


@pytest.mark.slow
@pytest.mark.skipif(not rescuing.EVIDENCE.is_dir(), reason="the sampling tables are not here")
@pytest.mark.parametrize("row", INTRANASAL, ids=ids)
def test_with_the_published_people_all_and_halved_tolerance(row):
    found = check_tables(row)
    finer = percent(row, drawn=0, rtol=0.5 * RTOL)
    changed = np.flatnonzero(found.arrest != finer.arrest)
    at, least = found.outcome["pao2_at_decision"][changed], found.outcome["pao2_min"][changed]
    close = (np.abs(at - P.collapse.pao2) < MARGIN) | (np.abs(least - P.collapse.pao2) < MARGIN)
    assert changed[~close].tolist() == []


@pytest.mark.slow
@pytest.mark.parametrize("row", INTRANASAL, ids=ids)
def test_with_drawn_people_all(row):
    assert share(percent(row, drawn=5000)) == pytest.approx(row.percent, abs=WITH_DRAWS)


@pytest.mark.slow
@pytest.mark.parametrize("drug", ["fentanyl", "carfentanil"])
def test_on_the_published_grid_an_earlier_antagonist_never_means_more_arrest(drug):
    rows = [row for row in INTRANASAL if row.opioid == drug]
    for key in {row.regimen for row in rows} - {"none"}:
        by_delay = sorted((row for row in rows if row.regimen == key), key=lambda row: row.delay_s)
        assert [row.delay_s for row in by_delay] == [30.0, 60.0, 180.0, 300.0, 600.0]
        found = [percent(row, drawn=1000) for row in by_delay]
        percentages = [100.0 * entry.arrest.mean() for entry in found]
        assert percentages == sorted(percentages), key
