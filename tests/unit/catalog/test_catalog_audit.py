import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from schild.catalog import Catalogue, load
from schild.catalog.audit import KINDS, audit

SHIPPED = Path(str(files("schild.catalog") / "data"))


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SHIPPED, tmp_path / "data"))


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_catalogue_has_no_findings():
    assert audit(load()).findings == ()


def test_counts_add_up():
    counts = audit(load()).counts
    assert counts["chosen"] == counts["numbers"]
    assert counts["values"] == counts["chosen"] + counts["rivals"] + counts["spreads"]
    for start, total in (("basis: ", "values"), ("verified: ", "values"), ("chosen basis: ", "chosen")):
        assert sum(count for key, count in counts.items() if key.startswith(start)) == counts[total]
    assert counts["verified: memory"] > 0
    assert counts["verified: second_hand"] > 0


NALTREXONE = "drugs/naltrexone.toml"
CL = '[number.cl]\nunit = "L/h"\n'
WHY = """why = "At 140 L/h or less the injection delivers no more than its dose; with 210 L/h its measured exposure cannot be reproduced. The oral bioavailability absorbs the rest."
"""  # noqa: E501
DUNBAR = 'key = "dunbar2007"\nvalue = 140\nbasis = "reported"\nsource = "Dunbar2007"\nlocator = "abstract"\n'
DEFECTS = [
    ("unreadable", NALTREXONE, 'role = "antagonist"', 'role = "foe"'),
    ("unreadable", "references.bib", "@misc{schild,", "@misc{"),
    ("unreadable", "studies/naltrexone_pet.toml", 'role = "calibration"', 'role = "fit"'),
    ("no unit", NALTREXONE, CL, "[number.cl]\n"),
    ("bad unit", NALTREXONE, CL, '[number.cl]\nunit = "furlongish"\n'),
    ("wrong unit", NALTREXONE, CL, '[number.cl]\nunit = "mL/min"\n'),
    ("out of range", NALTREXONE, 'value = 0.79\ngiven = "21 % bound"', 'value = 79\ngiven = "21 % bound"'),
    ("no basis", NALTREXONE, DUNBAR, DUNBAR.replace("reported", "guessed")),
    ("no basis", NALTREXONE, DUNBAR, DUNBAR.replace('basis = "reported"\n', "")),
    ("no source", NALTREXONE, DUNBAR, DUNBAR.replace('source = "Dunbar2007"\n', "")),
    ("no locator", NALTREXONE, DUNBAR, DUNBAR.replace('locator = "abstract"\n', "")),
    ("no verified", NALTREXONE, DUNBAR + 'verified = "abstract"\n', DUNBAR),
    ("no reason", NALTREXONE, DUNBAR, DUNBAR.replace("reported", "assumed")),
    ("no why", NALTREXONE, WHY, ""),
    ("unknown citation", NALTREXONE, DUNBAR, DUNBAR.replace("Dunbar2007", "Dunbar1907")),
    ("unused number", NALTREXONE, 'lag = "oral.lag"\n', ""),
    ("unused spread", NALTREXONE, '[number."oral.ka".between_subject]', '[number."oral.ka".between_occasion]'),
    ("undefined", "drugs/naloxone.toml", '"in.ka" = "spray_8mg.ka"', '"im.ka" = "spray_8mg.ka"'),
    (
        "wrong unit",
        "drugs/naloxone.toml",
        '[number."spray_8mg.strength"]\nunit = "mg"',
        '[number."spray_8mg.strength"]\nunit = "g"',
    ),
    ("falling", "drugs/buprenorphine.toml", "value = -0.371", "value = -1"),
    ("falling", "drugs/buprenorphine.toml", "value = 16\nbasis", "value = 0\nbasis"),
    ("undefined", "drugs/buprenorphine.toml", 'exponent = "sl.f.by_dose"', 'exponent = "sl.f.by_does"'),
    (
        "wrong unit",
        "drugs/buprenorphine.toml",
        '[number."reference.sl_dose"]\nunit = "mg"',
        '[number."reference.sl_dose"]\nunit = "g"',
    ),
    ("undefined", NALTREXONE, 'rate = "oral.ka"', 'rate = "oral.kaa"'),
    ("unreadable", NALTREXONE, 'beta_naltrexol = "fm', 'gamma_naltrexol = "fm'),
    ("unreadable", NALTREXONE, 'deliver = { naltrexone = "oral.f"', 'deliver = { naloxone = "oral.f"'),
    ("unknown citation", NALTREXONE, 'source = "VivitrolPI"\nrow = "naltrexone/data.csv#B11"', 'source = "Vivitrol"'),
    ("undefined", "known_misses.toml", 'id = "iv50_cmax"', 'id = "iv50_cmaxx"'),
    ("undefined", NALTREXONE, "[binding.mor]", "[binding.nop]"),
    ("undefined", NALTREXONE, 'salt = "hydrochloride"', 'salt = "citrate"'),
    ("undefined", "drugs/beta_naltrexol.toml", 'follows = "naltrexone"', 'follows = "nalmefene"'),
    ("undefined", "populations.toml", 'a = "weight_kg"', 'a = "height_cm"'),
    ("undefined", "populations.toml", 'mean = "age.mean"', 'mean = "age.median"'),
    ("undefined", "studies/naltrexone_pet.toml", 'species = "mor"', 'species = "nop"'),
    ("undefined", "studies/naltrexone_pet.toml", 'regimen = "naltrexone', 'regimen = "naltrexol'),
    ("bad unit", "studies/naltrexone_pet.toml", 'unit = "%"', 'unit = "percentish"'),
    ("unused reference", "references.bib", "@misc{schild,", "@misc{Nobody1900,\n}\n\n@misc{schild,"),
    ("bad doi", "references.bib", "doi = {10.", "doi = {https://doi.org/10."),
]


@pytest.mark.parametrize(("kind", "file", "old", "new"), DEFECTS)
def test_each_kind_of_defect_is_found(folder, kind, file, old, new):
    edit(folder / file, old, new)
    result = audit(Catalogue(folder))
    assert not result.ok
    found = [finding for finding in result.findings if finding.kind == kind]
    assert found, result.findings
    assert any(finding.where.startswith(file) for finding in found)
    assert all(finding.message for finding in result.findings)


def test_every_kind_has_a_test():
    assert {defect[0] for defect in DEFECTS} == set(KINDS)
