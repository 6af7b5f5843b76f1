"""A user's own TOML lies over the built-in catalogue: added, replaced, audited, named with its line when wrong."""

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from schild.catalog import Catalogue, load
from schild.catalog.audit import audit
from schild.errors import CatalogueError, InputError
from schild.simulation.observe import predict

OVERLAY = Path(__file__).parents[2] / "data" / "overlay"


@pytest.fixture
def own(tmp_path):
    return Path(shutil.copytree(OVERLAY, tmp_path / "own"))


def test_a_folder_adds_every_kind(own):
    catalogue = load(own)
    assert catalogue.drug("XA-101").number("cl").value == 60.0
    assert catalogue.studies["exantagonist_pk"].observations[0].regimen == "exantagonist 20 mg po"
    assert catalogue.claims["exantagonist"].tests[0].value == 95.0
    assert "itch" in catalogue.effects
    assert "pupil" in catalogue.effects
    assert catalogue.populations["light"].covariates["weight_kg"].distribution == "uniform"
    assert catalogue.references["Example2026"].label.endswith("for the tests of schild")
    assert catalogue.drug("naltrexone") == load().drug("naltrexone")
    assert "exantagonist" not in load().drugs


def test_files_one_by_one_are_the_folder(own):
    files = sorted(own.iterdir())
    assert load(*files).drug("exantagonist") == load(own).drug("exantagonist")
    assert load(*files).effects["itch"] == load(own).effects["itch"]
    assert [entry["name"] for entry in load(*files).overlays] == [str(file) for file in files]


def test_the_overlays_are_sound(own):
    result = audit(load(own))
    assert result.findings == ()
    assert result.counts["drugs"] == len(load().drugs) + 1


def test_an_entry_of_the_same_key_takes_its_place_and_the_last_overlay_wins(own, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text((own / "exantagonist.toml").read_text().replace("value = 60.0", "value = 61.0"))
    assert load(own, other).drug("exantagonist").number("cl").value == 61.0
    assert load(other, own).drug("exantagonist").number("cl").value == 60.0
    numbers = tmp_path / "trial.toml"
    numbers.write_text(
        '[number."limit.male"]\nunit = "1"\n[[number."limit.male".value]]\nkey = "own"\nvalue = 6\nbasis = "assumed"\n'
        'source = "schild"\nlocator = "none"\nverified = "derived"\nnote = "A test."\n'
    )
    catalogue = load(numbers)
    assert catalogue.trial["limit.male"].value == 6.0
    assert catalogue.trial["limit.female"] == load().trial["limit.female"]


def test_an_overlay_can_mark_another_mechanism_as_default(tmp_path):
    from importlib.resources import files

    text = files("schild.catalog").joinpath("data", "adaptation.toml").read_text()
    keys = list(load().adaptation)
    default = next(key for key, entry in load().adaptation.items() if entry.default)
    _, _, rest = text.partition(f"[{default}]")
    own = tmp_path / "adaptation.toml"
    block = rest.split(f"\n[{keys[keys.index(default) + 1]}]")[0] if default != keys[-1] else rest
    own.write_text(f"[mine]{block}".replace(f"[{default}.", "[mine."))
    catalogue = load(own)
    assert [key for key, entry in catalogue.adaptation.items() if entry.default] == ["mine"]


def test_the_environment_lies_below(own, monkeypatch):
    monkeypatch.setenv("SCHILD_CATALOGUE", os.pathsep.join([str(own / "exantagonist.toml"), str(own)]))
    assert "exantagonist" in load().drugs
    assert load() is load()
    assert len(load(own).overlays) == 3
    monkeypatch.delenv("SCHILD_CATALOGUE")
    assert "exantagonist" not in load().drugs


def test_a_catalogue_travels_to_other_processes(own):
    again = pickle.loads(pickle.dumps(load(own)))
    assert again.drug("exantagonist") == load(own).drug("exantagonist")
    assert pickle.loads(pickle.dumps(load())) is load()


def test_the_hash_follows_the_content(own):
    before = load(own).overlays
    (own / "exantagonist.toml").write_text((own / "exantagonist.toml").read_text() + "# a remark\n")
    assert load(own).overlays != before


FAULTS = [
    ("exantagonist.toml", "peripherals = 1", "peripheral = 1", r"line 9: \[disposition\] .*lacks 'peripherals'"),
    ("exantagonist.toml", "effect_site = true", "effect_sight = true", r"line 11: .*'effect_sight'; did you mean 'eff"),
    ("exantagonist.toml", "{ exantagonist = \"oral.f\"", "{ exantagonst = \"oral.f\"",
     r"line 18: .*'exantagonst', which is not a drug of the catalogue. Did you mean 'exantagonist'"),
    ("exantagonist.toml", "{ exantagonist = \"oral.f\"", "{ naltrexone = \"oral.f\"",
     r"line 18: .*delivers 'naltrexone', which is neither exantagonist nor one of its metabolites"),
    ("exantagonist.toml", 'role = "antagonist"', 'role = "antagonst"', r"line 5: .*expected one of .*'antagonist'"),
    ("exantagonist.toml", "value = 60.0", 'value = "60"', r"line \d+: \[number.cl.value\[0\]\] has value = '60'"),
    ("exantagonist.toml", "[strength.oral]", "[strength.im]", r"line 26: .*route 'im' that is not there"),
    ("exantagonist.toml", '[number.cl]\nunit = "L/h"', '[number.cl]\nunit = "mL/min"',
     r"line \d+: \[number.cl\] is in mL/min; the model counts in L/h. 60 mL/min is 3.6 L/h"),
    ("exantagonist.toml", '[number.cl]\nunit = "L/h"', "[number.cl]", r"\[number.cl\] has no unit; the model"),
    ("exantagonist.toml", "value = 60.0", "value = -60.0", r"\[number.cl.value\[0\]\] has value = -60; expected 0 L/h"),
    ("exantagonist.toml", "value = 350.0", "value = 0", r"has value = 0; expected above 0 g/mol"),
    ("exantagonist.toml", "value = 60.0", "value = nan", r"line \d+: .* has value = nan; expected a finite number"),
    ("exantagonist.toml", '[number.efficacy]\nunit = "1"\n[[number.efficacy.value]]\nkey = "example"\nvalue = 0.0',
     '[number.efficacy]\nunit = "1"\n[[number.efficacy.value]]\nkey = "example"\nvalue = 1.2',
     r"\[number.efficacy\] has the value 1.2; expected 0 to 1"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message"), FAULTS)
def test_a_fault_in_a_drug_is_named_with_its_line(own, file, old, new, message):
    path = own / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as error:
        load(own).drug("exantagonist")
    assert isinstance(error.value, CatalogueError)
    assert str(path) in str(error.value)
    finding = next(f for f in audit(load(own)).findings if f.kind == "unreadable")
    assert str(path) in finding.where


def test_numbers_of_an_effect_and_of_a_trial_are_read_as_strictly(own, tmp_path):
    """Only the audit looked at units: a clearance in mL/min was computed as one in L/h."""
    path = own / "example_effect.toml"
    before, slope, after = path.read_text().partition("[[itch.number.slope.value]]\n")
    path.write_text(before + slope + after.replace("value = ", "value = -", 1))
    with pytest.raises(InputError, match=r"line \d+: \[itch.number.slope\] has the value -\d.*; expected 0.01 or more"):
        load(own).effects["itch"]
    numbers = tmp_path / "trial.toml"
    numbers.write_text(
        '[number."limit.male"]\nunit = "g"\n[[number."limit.male".value]]\nkey = "own"\nvalue = 6\nbasis = "assumed"\n'
        'source = "schild"\nlocator = "none"\nverified = "derived"\nnote = "A test."\n'
    )
    with pytest.raises(InputError, match=r'line 2: \[number."limit.male"\] is in g; the model counts in 1'):
        load(numbers).trial["limit.male"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("time_h = 4\n", "", "is of occupancy and lacks 'time_h'"), ("sd_fixed = 5.0", "sd_fixed = -5", "above 0"),
        ("n = 12", "n = 0", "has n = 0; expected 1 or more"), ("n = 12", "n = 12\nspread = -1", "spread = -1"),
        ("n = 12", "n = 12\nlow = 3\nhigh = 2", "expected the lower limit first"),
    ],
)  # fmt: skip
def test_a_row_of_a_study_that_cannot_be_is_refused(own, old, new, says):
    """A row of occupancy without its time ended as a bug; a negative number of people was taken."""
    path = own / "example_study.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=r"line \d+: \[observation") as error:
        load(own).studies["exantagonist_pk"]
    assert says in str(error.value)


def test_a_row_is_compared_in_its_own_unit(own):
    """Peaks in ug/mL were compared as if in ng/mL."""
    catalogue = load(own)
    row, scan = catalogue.studies["exantagonist_pk"].observations
    ng_ml = predict(row, catalogue=catalogue)
    assert predict(replace(row, unit="ug/mL"), catalogue=catalogue) == pytest.approx(ng_ml / 1000.0)
    assert predict(replace(scan, unit="1"), catalogue=catalogue) == predict(scan, catalogue=catalogue) / 100.0
    for wrong, told in ((replace(row, unit="nM"), "expected ng/mL"), (replace(scan, unit="mg"), "expected % or 1"),
                        (replace(row, observable="tmax", unit="s"), "expected h, min")):  # fmt: skip
        with pytest.raises(InputError, match=told):
            predict(wrong, catalogue=catalogue)


def test_a_fault_of_provenance_is_found_with_its_line(own):
    path = own / "exantagonist.toml"
    text = path.read_text()
    path.write_text(text.replace('source = "Example2026"\nlocator', 'source = "Example2025"\nlocator', 1))
    (finding,) = audit(load(own)).findings
    assert finding.kind == "unknown citation"
    assert finding.where.startswith(f"{path}, line ")
    assert "mw.example" in finding.where


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.toml", "a = ", "is not valid TOML"),
        ("x.toml", "[run]\nuntil = '1 d'\n", "is not a data file of a catalogue; expected a drug"),
        ("absent.toml", None, "is not there; expected a TOML file or a folder"),
        ("empty", None, "holds no .toml and no .bib file"),
        ("effects.toml", "[itch]\nname = 1\n", r"effects.toml, line 1: \[itch\]|line 2: \[itch\] has name = 1"),
    ],
)
def test_what_is_no_data_is_refused(tmp_path, name, text, message):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    if name == "empty":
        path.mkdir()
    with pytest.raises(InputError, match=message):
        dict(load(path).effects)


def test_two_drugs_cannot_share_a_name(own):
    path = own / "exantagonist.toml"
    path.write_text(path.read_text().replace('"XA-101"', '"naltrexone"'))
    with pytest.raises(InputError, match=r"line 4: .*'naltrexone', which already belongs to"):
        load(own)


def test_a_whole_catalogue_elsewhere_can_stand_in():
    with pytest.raises(CatalogueError, match="has no folder 'drugs'"):
        Catalogue(OVERLAY)
