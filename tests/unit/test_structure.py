"""Structures: what is stored is what RDKit computes, and the relations between the drugs hold."""

from __future__ import annotations

import re
import sys

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Chem.inchi import MolToInchiKey
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from schild.catalog import load
from schild.compounds import describe, drawn, structure
from schild.errors import InputError, SchildError, UnknownNameError
from schild.evidence import VERIFIED

FIVE = ("naltrexone", "oxymorphone", "naloxone", "nalorphine", "nalmefene")
ALL = sorted(load().compounds)


def molecule(key):
    return Chem.MolFromSmiles(load().compounds[key].smiles)


def canonical(smiles_or_molecule):
    found = Chem.MolFromSmiles(smiles_or_molecule) if isinstance(smiles_or_molecule, str) else smiles_or_molecule
    return Chem.MolToSmiles(found)


@pytest.mark.parametrize("key", ALL)
def test_formula_and_inchikey_are_those_of_the_smiles(key):
    compound = load().compounds[key]
    assert CalcMolFormula(molecule(key)) == compound.formula
    assert MolToInchiKey(molecule(key)) == compound.inchikey


@pytest.mark.parametrize("key", ALL)
def test_every_structure_says_where_it_comes_from(key):
    compound = load().compounds[key]
    assert compound.verified in VERIFIED
    assert compound.source
    assert re.fullmatch(r"opioids/identity\.csv#L\d+", compound.row)
    assert not compound.unii or re.fullmatch(r"[0-9A-Z]{10}", compound.unii)
    assert not compound.chembl or re.fullmatch(r"CHEMBL\d+", compound.chembl)


def test_every_drug_of_the_catalogue_with_a_structure_has_its_mass():
    from rdkit.Chem.Descriptors import MolWt

    checked = []
    for key, drug in load().drugs.items():
        if drug.mw is None or key not in load().compounds:
            continue
        assert drug.number(drug.mw).value == pytest.approx(MolWt(molecule(key)), abs=0.02), key
        checked.append(key)
    assert {"naltrexone", "beta_naltrexol", "naloxone", "morphine", "heroin", "fentanyl"} <= set(checked)


def alkylate(nor, group):
    """Replace the hydrogen on the nitrogen of a nor compound."""
    reaction = AllChem.ReactionFromSmarts(f"[N;H1;R:1]>>[N:1]{group}")
    products = {canonical(m) for (m,) in reaction.RunReactants((molecule(nor),)) if Chem.SanitizeMol(m) == 0}
    assert len(products) == 1
    return products.pop()


@pytest.mark.parametrize(
    ("nor", "group", "key"),
    [
        ("noroxymorphone", "C", "oxymorphone"),
        ("noroxymorphone", "CC=C", "naloxone"),
        ("noroxymorphone", "CC1CC1", "naltrexone"),
        ("normorphine", "C", "morphine"),
        ("normorphine", "CC=C", "nalorphine"),
    ],
)
def test_the_nitrogen_makes_the_drug(nor, group, key):
    assert alkylate(nor, group) == canonical(molecule(key))


def test_nalmefene_is_naltrexone_with_a_methylene_at_6():
    reaction = AllChem.ReactionFromSmarts("[C;R:1](=O)([C:2])[C:3]>>[C:1](=C)([C:2])[C:3]")
    products = {canonical(m) for (m,) in reaction.RunReactants((molecule("naltrexone"),)) if Chem.SanitizeMol(m) == 0}
    assert canonical(molecule("nalmefene")) in products


@pytest.mark.parametrize(
    ("key", "nitrogen", "six", "fourteen", "double"),
    [
        ("naltrexone", "cyclopropylmethyl", "oxo (=O)", "OH", "single"),
        ("oxymorphone", "methyl", "oxo (=O)", "OH", "single"),
        ("naloxone", "allyl", "oxo (=O)", "OH", "single"),
        ("nalorphine", "allyl", "OH", None, "double"),
        ("nalmefene", "cyclopropylmethyl", "methylene (=CH2)", "OH", "single"),
        ("noroxymorphone", "hydrogen", "oxo (=O)", "OH", "single"),
        ("nalbuphine", "cyclobutylmethyl", "OH", "OH", "single"),
        ("methylnaltrexone", "cyclopropylmethyl and methyl", "oxo (=O)", "OH", "single"),
        ("heroin", "methyl", "acetoxy", None, "double"),
        ("m6g", "methyl", "glucuronide", None, "double"),
    ],
)
def test_positions(key, nitrogen, six, fourteen, double):
    found = describe(load().compounds[key])
    assert found.core == "4,5-epoxymorphinan"
    assert found.nitrogen == nitrogen
    assert found.positions.get(6) == six
    assert found.positions.get(14) == fourteen
    assert found.bond_7_8 == double


def test_the_face_of_carbon_6_is_told_apart():
    faces = {
        key: describe(load().compounds[key]).c6 for key in ("morphine", "nalbuphine", "beta_naltrexol", "naltrexone")
    }
    assert faces == {"morphine": "alpha", "nalbuphine": "alpha", "beta_naltrexol": "beta", "naltrexone": ""}
    # Epimerise in the SMILES: the face turns.
    smiles = load().compounds["beta_naltrexol"].smiles
    assert "[C@@H]1O)" in smiles
    from dataclasses import replace

    other = replace(load().compounds["beta_naltrexol"], smiles=smiles.replace("[C@@H]1O)", "[C@H]1O)"))
    assert describe(other).c6 == "alpha"


def test_the_face_does_not_depend_on_how_the_smiles_is_written():
    from dataclasses import replace

    for key in ("morphine", "beta_naltrexol", "nalbuphine"):
        expected = describe(load().compounds[key]).c6
        for seed in range(20):
            text = Chem.MolToRandomSmilesVect(molecule(key), 1, randomSeed=seed + 1)[0]
            assert describe(replace(load().compounds[key], smiles=text)).c6 == expected


def test_other_cores_are_named_and_others_have_none():
    cores = {
        key: describe(load().compounds[key]).core for key in ("samidorphan", "butorphanol", "pentazocine", "fentanyl")
    }
    assert cores == {"samidorphan": "morphinan", "butorphanol": "morphinan", "pentazocine": "6,7-benzomorphan",
                     "fentanyl": None}  # fmt: skip
    assert describe(load().compounds["fentanyl"]).words() == "fentanyl has no morphinan core."
    assert "bridge" in describe(load().compounds["buprenorphine"]).words()


def test_the_five_of_the_question():
    found = structure(*FIVE)
    assert found.shared_core == "4,5-epoxymorphinan"
    assert found.common_atoms >= 19
    assert [d.nitrogen for d in found.descriptions] == [
        "cyclopropylmethyl", "methyl", "allyl", "allyl", "cyclopropylmethyl",
    ]  # fmt: skip
    assert set(found.differences()) == {"N", "6", "14", "7,8"}
    assert found.similarity.diagonal().tolist() == [1.0] * 5
    assert (found.similarity == found.similarity.T).all()
    naltrexone = found.similarity[0]
    assert naltrexone[4] > naltrexone[1] > naltrexone[3], "nalmefene is nearer than oxymorphone, nalorphine last"


def test_drawing():
    found = structure(*FIVE)
    svg = found.svg()
    assert svg.startswith("<?xml")
    assert svg == found.svg()
    assert found.png()[:4] == b"\x89PNG"
    assert structure("fentanyl", "naltrexone").svg()


def test_verbs():
    found = structure("naltrexone", "naloxone")
    assert list(found.to_frame()["key"]) == ["naltrexone", "naloxone"]
    assert found.summary()["differences"] == {"N": {"naltrexone": "cyclopropylmethyl", "naloxone": "allyl"}}
    assert "DrugBank" in found.cite()
    assert found.manifest["fingerprint"].startswith("Morgan")
    assert len(found.plot().axes) == 1
    assert '"tanimoto"' in found.to_json()


def test_names():
    assert structure("6-beta-naltrexol").compounds[0].key == "beta_naltrexol"
    assert structure("Diamorphine").compounds[0].key == "heroin"
    with pytest.raises(UnknownNameError, match=r"'naltrexon'.*'naltrexone'"):
        structure("naltrexon")
    with pytest.raises(InputError, match="No compound was named"):
        structure()
    with pytest.raises(InputError, match="named twice"):
        structure("naltrexone", "naltrexone")


def test_without_rdkit_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(SchildError, match=r"pip install 'schild\[structure\]'"):
        structure("naltrexone")


def test_the_drawing_that_comes_with_the_package_is_of_these_structures():
    names = ("naltrexone", "oxymorphone", "naloxone", "nalorphine")
    kept, found = drawn(names), structure(*names)
    assert kept is not None
    assert kept["table"]["on the nitrogen"] == [d.nitrogen for d in found.descriptions]
    assert kept["table"]["likeness to naltrexone"] == [round(float(v), 2) for v in found.similarity[0]]
    assert all(f">{c.name}</text>" in kept["svg"] for c in found.compounds)
    assert len(kept["svg"]) < 25_000


def test_a_drawing_of_other_compounds_is_not_taken_for_these():
    assert drawn(("naltrexone", "naloxone")) is None
