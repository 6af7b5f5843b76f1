"""Second transcription: numbers typed again from the evidence tables, compared with the catalogue.

`TYPED` was typed from the rows, not copied from the TOML: row, what the row prints, and what that is in the unit
of the catalogue.
"""

import itertools
import re
from math import log
from pathlib import Path

import pytest

import schild.catalog
from evidence import cited, rows
from schild.catalog import load

PER_MIN, ML_MIN = 60, 60 / 1000

# drug, number, value: (row, as printed, in the unit of the catalogue)
TYPED = {
    ("naltrexone", "start.after_short", "label"): ("G01", 10, 10),
    ("naltrexone", "start.after_long", "label"): ("G01", 2, 2 * 7),
    ("naltrexone", "cl", "dunbar2007"): ("B01", 140, 140),
    ("naltrexone", "cl", "licko1981"): ("A22", 3510, 3510 * ML_MIN),
    ("naltrexone", "cl", "label"): ("A38", 3.5, 3.5 * PER_MIN),
    ("naltrexone", "cl", "meyer1984"): ("A16", 94, 94),
    ("naltrexone", "cl.per_kg", "dunbar2007"): ("B01", 0.548, 0.548),
    ("naltrexone", "cl.per_year", "dunbar2007"): ("B01", -0.108, -0.108),
    ("naltrexone", "cl.dependent", "dunbar2007"): ("B01", 23, 1 + 23 / 100),
    ("naltrexone", "vc", "licko1981"): ("A25", 7.6, 7.6),
    ("naltrexone", "vc", "label"): ("A34", 1350, 1350),
    ("naltrexone", "vc", "dunbar2007"): ("B02", 38300, 38300),
    ("naltrexone", "fu", "label"): ("A33", 21, 1 - 21 / 100),
    ("naltrexone", "fu", "ludden1976"): ("A72", 20, 1 - (0.20 + 0.26) / 2),
    ("naltrexone", "oral.ka", "licko1981"): ("A26", 0.012, 0.012 * PER_MIN),
    ("naltrexone", "oral.f", "meyer1984"): ("A13", 5, 0.05),
    ("naltrexone", "oral.f", "label"): ("A28", 5, (0.05 * 0.40) ** 0.5),
    ("naltrexone", "oral.f", "china"): ("A50", 64.7, (64.7 + 66.2) / 2 * 140 / 45200),
    ("naltrexone", "oral.fa", "label"): ("A29", 96, 0.96),
    ("naltrexone", "mor.kd", "wentland2009"): ("C01", 0.11, 0.11),
    ("naltrexone", "mor.kd", "cassel2005_dpn"): ("C07", 1.1, 1.1),
    ("naltrexone", "mor.kd", "cassel2005_alv"): ("C08", 0.86, 0.86),
    ("naltrexone", "mor.kd", "encyclopaedia"): ("C10", 0.0825, 0.0825),
    ("naltrexone", "mor.kd", "toll1998"): ("C13", 0.2, 0.2),
    ("naltrexone", "mor.kd", "bindingdb"): ("C40", 0.56, 0.56),
    ("naltrexone", "kor.kd", "wentland2009"): ("C02", 0.19, 0.19),
    ("naltrexone", "kor.kd", "encyclopaedia"): ("C11", 0.509, 0.509),
    ("naltrexone", "kor.kd", "toll1998"): ("C14", 0.4, 0.4),
    ("naltrexone", "kor.kd", "bindingdb"): ("C41", 1.249, 1.249),
    ("naltrexone", "dor.kd", "wentland2009"): ("C03", 60, 60),
    ("naltrexone", "dor.kd", "encyclopaedia"): ("C12", 8.02, 8.02),
    ("naltrexone", "dor.kd", "toll1998"): ("C15", 10.8, 10.8),
    ("naltrexone", "dor.kd", "bindingdb"): ("C42", 21.1, 21.1),
    ("naltrexone", "mor.koff", "cassel2005"): ("C09", 0.35, 0.35 * PER_MIN),
    ("beta_naltrexol", "cl", "dunbar2007"): ("B03", 65.1, 65.1),
    ("beta_naltrexol", "cl.per_crcl", "dunbar2007"): ("B03", 0.229, 0.229),
    ("beta_naltrexol", "cl.dependent", "dunbar2007"): ("B03", 18, 1.18),
    ("beta_naltrexol", "mor.ki", "pelotte2009"): ("C04", 2.12, 2.12),
    ("beta_naltrexol", "kor.ki", "pelotte2009"): ("C05", 7.42, 7.42),
    ("beta_naltrexol", "dor.ki", "pelotte2009"): ("C06", 213, 213),
}

# The dossier's starting values: typed from its tables, some with the formula written out.
DOSSIER = {
    ("naltrexone", "oral.ka"): 1.6,
    ("naltrexone", "oral.f"): 0.124,
    ("naltrexone", "oral.yield"): 0.72 / (0.96 - 0.124),
    ("naltrexone", "vc"): 190,
    ("naltrexone", "q"): 74,
    ("naltrexone", "vp"): 290,
    ("naltrexone", "salt.hydrochloride"): 0.904,
    ("naltrexone", "depot.burst.fraction"): 0.03,
    ("naltrexone", "depot.burst.rate"): log(2) / (0.2 * 24),
    ("naltrexone", "depot.pulse.fraction"): 0.20,
    ("naltrexone", "depot.pulse.rate"): 1 / (0.6 * 24),
    ("naltrexone", "depot.plateau.fraction"): 0.77 * 13 / (13 + 6 / log(2)),
    ("naltrexone", "depot.tail.fraction"): 0.77 * (6 / log(2)) / (13 + 6 / log(2)),
    ("naltrexone", "depot.plateau.lag"): 24,
    ("naltrexone", "depot.plateau.duration"): 13 * 24,
    ("naltrexone", "depot.tail.lag"): 14 * 24,
    ("naltrexone", "depot.tail.rate"): log(2) / (6 * 24),
    ("beta_naltrexol", "vc"): 234,
    ("beta_naltrexol", "q"): 41,
    ("beta_naltrexol", "vp"): 517,
    ("beta_naltrexol", "fu"): 0.8,
    ("beta_naltrexol", "brain.factor"): 1000 / 2.12,
}

# Points that may be fitted: percent occupied, standard deviation to weigh with.
OCCUPANCY = {
    "D01": (91, 6.4),
    "D02": (80, 6.3),
    "D03": (46, 7.4),
    "D04": (30, 13.8),
    "D06": (94.9, 4.9),
    "D07": (21.1, 14.49),
    "D09": (27, 10),
    "D10": (43, 10),
    "D11": (46, 10),
    "D12": (58, 10),
    "D13": (61, 10),
    "D14": (92, 10),
    "D15": (98, 10),
    "D16": (92, 1),
}

PLASMA = {
    "A40": 13.3,
    "A41": 108,
    "A48": 17.2,
    "A49": 0.81,
    "A50": 64.7,
    "A51": 2.97,
    "A52": 16.6,
    "A53": 1.09,
    "A54": 66.2,
    "A55": 3.34,
    "A57": 0.584,
    "A58": 1.954,
    "A59": 0.579,
    "A60": 1.811,
}


def entry(drug, name, key):
    return next(value for value in load().drug(drug).number(name).values if value.key == key)


@pytest.mark.parametrize(("place", "typed"), TYPED.items(), ids=map("/".join, TYPED))
def test_published_values(place, typed):
    row, _, value = typed
    found = entry(*place)
    assert found.value == pytest.approx(value, rel=0.003 if found.basis == "derived" else 1e-9, abs=1e-12)
    assert f"naltrexone/data.csv#{row}" in found.row


def test_every_published_value_was_typed_twice():
    both = {
        (drug, name, value.key)
        for drug in ("naltrexone", "beta_naltrexol")
        for name, number in load().drug(drug).numbers.items()
        for value in number.values
        if value.basis in ("reported", "digitised") and any("data.csv" in row for row in value.row)
    }
    efficacy = {key for key in both if key[1].endswith(".efficacy")}  # a word in the row, not a number
    assert both - efficacy <= set(TYPED)


@pytest.mark.parametrize(("place", "value"), DOSSIER.items(), ids=map("/".join, DOSSIER))
def test_starting_values(place, value):
    number = load().drug(place[0]).number(place[1])
    if number.chosen.basis == "fitted":  # a fit has replaced the starting value, which stays beside it
        assert any(rival.value == pytest.approx(value, rel=1e-5) for rival in number.values)
    else:
        assert number.value == pytest.approx(value, rel=1e-5)


def observations(study):
    return {row.row[0].partition("#")[2]: row for row in load().studies[study].observations}


def test_points_of_tomography():
    rows = {key: row for key, row in observations("naltrexone_pet").items() if row.role == "calibration"}
    assert {key: (row.value, row.sd_fixed) for key, row in rows.items()} == OCCUPANCY


def test_plasma_rows_that_may_be_fitted():
    rows = {key: row for key, row in observations("naltrexone_oral_pk").items() if row.role == "calibration"}
    assert {key: row.value for key, row in rows.items()} == PLASMA


# Everything against the rows themselves.


def numbers_in(text):
    return {abs(float(found)) for found in re.findall(r"\d+\.?\d*(?:[eE]-?\d+)?", text)}


def everything():
    catalogue = load()
    for drug in catalogue.drugs.values():
        for number in drug.numbers.values():
            for value in number.values:
                if value.row:
                    yield f"{drug.key}/{number.name}/{value.key}", value
    for study in catalogue.studies.values():
        for row in study.observations:
            yield f"{study.key}/{row.id}", row


@pytest.mark.parametrize(("place", "typed"), TYPED.items(), ids=map("/".join, TYPED))
def test_the_row_prints_the_typed_number(place, typed):
    row, printed, _ = typed
    found = cited(f"naltrexone/data.csv#{row}")
    assert abs(printed) in numbers_in(found["value"] + " " + found["note"])


def test_rows_exist_and_the_check_is_carried_unchanged():
    wrong = []
    for where, item in everything():
        rows = [cited(reference) for reference in item.row]
        flags = {row["verified"] for row in rows}
        if any("recalled" in row["note"] for row in rows):
            flags.add("memory")  # a rival that only the note of the row recalls
        ours = getattr(item, "basis", "reported") in ("derived", "assumed", "fitted")
        if item.verified not in flags and not (ours and item.verified == "derived"):
            wrong.append((where, item.verified, flags))
    assert not wrong


def test_reported_values_stand_in_their_rows():
    wrong = []
    for where, item in everything():
        if getattr(item, "basis", "") != "reported":
            continue
        texts = [" ".join(filter(None, cited(reference).values())) for reference in item.row]
        if where.endswith("efficacy/neutral"):
            assert "neutral" in texts[0]
            continue
        seen = set().union(*(numbers_in(text) for text in texts))
        if not (numbers_in(item.given) if item.given else {abs(item.value)}) <= seen:
            wrong.append((where, item.value, item.given, texts))
    assert not wrong


def test_observations_stand_in_their_rows():
    wrong = []
    for where, item in everything():
        # Statements, rows whose direction or two arms count, and doses of a printed potency are typed again in files of
        # their own.
        if hasattr(item, "basis") or where.startswith(("withdrawal_", "alcohol_laboratory")):
            continue
        if where.endswith(
            ("equal_codeine_po_potency", "equal_pentazocine_po_potency")
        ):  # test_transcription_opioids.py
            continue
        text = " ".join(" ".join(filter(None, cited(reference).values())) for reference in item.row).replace("..", " ")
        limits = {limit for limit in (item.low, item.high) if limit is not None}
        middle = len(limits) == 2 and item.value == pytest.approx(sum(limits) / 2)
        wanted = limits if middle else limits | {item.value}
        seen = numbers_in(text)
        seen |= {number / 1000 for number in seen} if "printed as" in item.note else set()
        if where.startswith("alcohol_trials"):
            # Signs follow the direction of an effect; arms printed side by side, shares and abstinence are turned into
            # differences, points and drinking.
            plain = {abs(number) for number in seen}
            arms = [float(x) for pair in re.findall(r"([\d.]+) v ([\d.]+)", text) for x in pair]
            gaps = {abs(a - b) for a, b in itertools.pairwise(arms)}
            seen = plain | {100 * number for number in plain} | gaps | {100 - x for x in arms}
            wanted = {abs(number) for number in wanted}
        if not all(any(number == pytest.approx(other) for other in seen) for number in wanted):
            wrong.append((where, item.value, limits, text))
    assert not wrong


def test_rows_that_the_dossier_made_are_not_called_reported():
    wrong = []
    for where, item in everything():
        rows = [cited(reference) for reference in item.row]
        made = [row.get("number_from") == "ours" or row["verified"] == "derived" for row in rows]
        in_note = item.verified == "memory" and any(
            f"recalled {item.value:g}" in row["note"] or "Toll recalled" in row["note"] for row in rows
        )
        if getattr(item, "basis", "") == "reported" and all(made) and not in_note:
            wrong.append((where, item.row))
    assert not wrong


def test_points_of_tomography_agree_with_the_table_of_time_points():
    points = [p for p in rows("naltrexone/time_points.csv") if p["observable"].endswith(("blockade", "occupancy"))]
    told = sorted((p["species"].lower(), float(p["time_h"]), float(p["value"])) for p in points)
    ours = [row for row in load().studies["naltrexone_pet"].observations if row.role == "calibration"]
    assert sorted((row.species, row.time_h, row.value) for row in ours) == told


def test_every_cited_row_is_in_the_repository():
    for path in sorted(Path(schild.catalog.__file__).parent.rglob("*.toml")):
        for reference in re.findall(r'"([a-z]+/[a-z_0-9]+\.csv#[^"]+)"', path.read_text(encoding="utf-8")):
            assert cited(reference), f"{path.name}: {reference}"
