"""Structures of opioids compared: the scaffold they share, and the substituent at each position. Needs RDKit."""

from __future__ import annotations

import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from schild import __version__
from schild.array_types import Floats
from schild.catalog import Catalogue, Compound, load
from schild.errors import InputError, UnknownNameError, needed
from schild.figures import Chart, Picture
from schild.results import Shown

if TYPE_CHECKING:
    import pandas as pd


#: Cores with the morphine numbering as atom maps; the first that matches counts.
CORES: Mapping[str, str] = MappingProxyType(
    {
        "4,5-epoxymorphinan": "[c:1]1[c:2][c:3][c:4]2[O:18][C:5]3[C:6]~[C:7]~[C:8]~[C:14]4[C:9]5[C:10][c:11]1[c:12]2"
        "[C:13]34[C:15][C:16][N:17]5",
        "morphinan": "[c:1]1[c:2][c:3][c:4][c:12]2[c:11]1[C:10][C:9]3[C:14]4[C:8]~[C:7]~[C:6]~[C:5][C:13]24[C:15]"
        "[C:16][N:17]3",
        "6,7-benzomorphan": "[c:1]1[c:2][c:3][c:4][c:12]2[c:11]1[C:10][C:9]3[C:14][C:13]2[C:15][C:16][N:17]3",
    }
)

#: Group on carbon 6 beside carbon 5 of a 4,5-epoxymorphinan, by its face.
FACES: Mapping[str, str] = MappingProxyType(
    {
        "alpha": "[O;R][C@H]([C;D4])[C@H]([C;R;!$(C[O;R])])[!#1;!R]",
        "beta": "[O;R][C@H]([C;D4])[C@@H]([C;R;!$(C[O;R])])[!#1;!R]",
    }
)

#: Names of groups by the SMILES of the group, written from the atom at the core.
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "C": "methyl", "CC=C": "allyl", "CC1CC1": "cyclopropylmethyl", "CC1CCC1": "cyclobutylmethyl",
        "CC=C(C)C": "3,3-dimethylallyl", "O": "OH", "=O": "oxo (=O)", "=C": "methylene (=CH2)", "OC": "methoxy",
        "OC(C)=O": "acetoxy", "C(N)=O": "carboxamide", "OC1OC(C(=O)O)C(O)C(O)C1O": "glucuronide",
    }
)  # fmt: skip

#: Positions that are described, where they carry anything.
POSITIONS = (17, 3, 4, 6, 14, 1, 2, 5, 7, 8, 9, 10, 13, 15, 16)

#: Morgan fingerprint: radius and bits; stereochemistry is not seen by it.
RADIUS, BITS = 2, 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Substituents of a compound on its core."""

    key: str
    name: str
    core: str | None  #: Name of the core; None for a compound with none of the cores known here
    nitrogen: str = ""  #: What replaces the hydrogen of the nor compound
    positions: Mapping[int, str] = field(
        default_factory=dict
    )  #: Other positions (morphine numbering) that carry something
    bond_7_8: str = ""  #: ``"single"``, ``"double"`` or empty
    #: ``"alpha"`` or ``"beta"`` where position 6 carries a single-bonded group (morphine is alpha); else empty
    c6: str = ""

    def words(self) -> str:
        """Return the description in words."""
        if self.core is None:
            return f"{self.name} has no morphinan core."
        parts = [f"N-{self.nitrogen}" if self.nitrogen != "hydrogen" else "N-H (nor)"]
        parts += [f"{k}-{'alpha-' if k == 6 and self.c6 == 'alpha' else 'beta-' if k == 6 and self.c6 else ''}{v}"
                  for k, v in self.positions.items()]  # fmt: skip
        if self.bond_7_8:
            parts.append("7,8-ene" if self.bond_7_8 == "double" else "7,8-dihydro")
        return f"{self.name}: {self.core}, {', '.join(parts)}."


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StructureComparison(Shown):
    """Comparison of the structures of compounds: scaffold, substituents, similarity.

    Examples
    --------
    >>> found = structure("naltrexone", "oxymorphone")
    >>> found.shared_core, [d.nitrogen for d in found.descriptions]
    ('4,5-epoxymorphinan', ['cyclopropylmethyl', 'methyl'])
    >>> found.differences()
    {'N': {'naltrexone': 'cyclopropylmethyl', 'oxymorphone': 'methyl'}}
    """

    compounds: tuple[Compound, ...]  #: In the order asked for
    descriptions: tuple[Description, ...]  #: Substituents of each
    shared_core: str | None  #: Core of all of them; None where they have none in common
    murcko: Mapping[str, str]  #: Ring scaffold (Murcko) of each, as SMILES without stereochemistry
    similarity: Floats  #: Tanimoto coefficient of Morgan fingerprints [1]; shape (n, n)
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def common_smarts(self) -> str:
        """Largest common substructure: elements alike, rings complete, any bond order."""
        return _common(tuple(c.smiles for c in self.compounds))[0]

    @property
    def common_atoms(self) -> int:
        """Heavy atoms of the largest common substructure."""
        return _common(tuple(c.smiles for c in self.compounds))[1]

    def differences(self) -> dict[str, dict[str, str]]:
        """Return the differences between the compounds, by position; empty where the cores differ."""
        if self.shared_core is None:
            return {}
        rows = {"N": {d.key: d.nitrogen for d in self.descriptions}}
        for k in POSITIONS[1:]:
            rows[str(k)] = {d.key: _at(d, k) for d in self.descriptions}
        rows["7,8"] = {d.key: d.bond_7_8 for d in self.descriptions}
        return {place: said for place, said in rows.items() if len(set(said.values())) > 1}

    def about(self) -> str:
        """Describe the result in one line."""
        core = self.shared_core or "different cores"
        return f"{', '.join(c.name for c in self.compounds)}: {core}, {self.common_atoms} heavy atoms in common"

    def summary(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        rows = []
        for c, d in zip(self.compounds, self.descriptions, strict=True):
            positions = {str(k): _at(d, k) for k in d.positions}
            own = {"core": d.core, "nitrogen": d.nitrogen, "positions": positions, "bond_7_8": d.bond_7_8}
            rows.append({**asdict(c), **own, "murcko": self.murcko[c.key], "says": d.words()})
        return {
            "compounds": rows,
            "shared_core": self.shared_core,
            "common": {"smarts": self.common_smarts, "heavy_atoms": self.common_atoms},
            "differences": self.differences(),
            "similarity": {"keys": [c.key for c in self.compounds], "tanimoto": self.similarity.tolist()},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per compound: nitrogen, positions, similarity to the first."""
        import pandas as pd

        places = sorted({k for d in self.descriptions for k in d.positions})
        rows = []
        for j, (c, d) in enumerate(zip(self.compounds, self.descriptions, strict=True)):
            row: dict[str, Any] = {"key": c.key, "core": d.core, "N": d.nitrogen}
            row |= {str(k): _at(d, k) for k in places}
            rows.append({**row, "7,8": d.bond_7_8, f"similarity_to_{self.compounds[0].key}": self.similarity[0, j]})
        return pd.DataFrame(rows)

    def picture(self) -> Picture:
        """Chart of the matrix of similarities: Tanimoto's, of Morgan fingerprints."""
        names = [c.name for c in self.compounds]
        chart = Chart(0.0)
        chart.rows(names)
        chart.title = "Tanimoto similarity, Morgan fingerprint"
        for i, row in enumerate(self.similarity):
            for j, value in enumerate(row):  # from near white to a dark blue
                red, green, blue = (
                    round(dark + light * (1 - value)) for dark, light in ((8, 239), (48, 203), (107, 148))
                )
                chart.bars(j - 0.5, j + 0.5, i - 0.5, i + 0.5, color=f"#{red:02x}{green:02x}{blue:02x}")
                ink = "#ffffff" if value > 0.5 else "#111111"
                chart.note(f"{value:.2f}", j, i, ha="center", va="center", color=ink)
        letters = [str(k + 1) for k in range(len(names))]
        chart.y.words = [f"{word} {k}" for word, k in zip(chart.y.words, letters, strict=True)]
        chart.x.ticks, chart.x.words, chart.x.lim = range(len(names)), letters, (-0.5, len(names) - 0.5)
        chart.height, chart.grid = chart.height + 10.0 * len(names), False
        return Picture([chart], caption="1: the same groups of atoms; 0: none in common.")

    def svg(self) -> str:
        """Draw the structures on one orientation of the scaffold, with the substituent on the nitrogen shaded.

        Returns
        -------
        str
            SVG.
        """
        return str(_draw(self, "svg"))

    def png(self) -> bytes:
        """Draw the same as a bitmap."""
        return bytes(_draw(self, "png"))

    def cite(self) -> str:
        """Return where each structure comes from and how it was checked."""
        return "\n".join(
            f"[{c.key}] {c.source} ({c.verified}){' ' + c.url if c.url else ''}\n    for SMILES and identifiers"
            for c in self.compounds
        )

    def to_dict(self) -> dict[str, Any]:
        """Return one JSON object as Python data."""
        return {
            "manifest": dict(self.manifest),
            **self.summary(),
            "warnings": [],
            "cite": self.cite().splitlines()[::2],
        }


def _at(d: Description, place: int) -> str:
    said = d.positions.get(place, "")
    return f"{d.c6}-{said}" if place == 6 and d.c6 and said else said


def structure(*names: str, catalogue: Catalogue | None = None) -> StructureComparison:
    """Compare structures: shared scaffold, substituents on the nitrogen and elsewhere, similarity.

    Parameters
    ----------
    *names : str
        Compounds of the catalogue, such as ``"naltrexone"``; one or more.
    catalogue : Catalogue, optional
        Catalogue with the compounds; that of schild by default.

    Returns
    -------
    StructureComparison
        The comparison, with a drawing as SVG.

    Raises
    ------
    UnknownNameError
        For a compound whose structure is not there.
    InputError
        If no compound was named.
    InputError
        If RDKit is not installed.

    Notes
    -----
    The fingerprint (Morgan, radius 2, 2048 bits) does not see stereochemistry: 6-alpha and 6-beta epimers look alike
    to it.

    Examples
    --------
    >>> found = structure("naltrexone", "naloxone", "nalorphine")
    >>> [d.nitrogen for d in found.descriptions]
    ['cyclopropylmethyl', 'allyl', 'allyl']
    """
    if not names:
        raise InputError("No compound was named; expected one or more, such as naltrexone oxymorphone. Name some.")
    catalogue = catalogue or load()
    known = catalogue.compounds
    chosen = []
    for name in names:
        compound = known[_key(name, catalogue)]
        if compound in chosen:
            raise InputError(f"{name!r} was named twice; expected each compound once. Drop one.")
        chosen.append(compound)
    chem = _rdkit()
    molecules = [chem.MolFromSmiles(c.smiles) for c in chosen]
    descriptions = tuple(describe(c) for c in chosen)
    cores = {d.core for d in descriptions}
    # What ``MurckoScaffold`` calls; that module imports the whole of AllChem.
    murcko = {
        c.key: chem.MolToSmiles(chem.MurckoDecompose(m), isomericSmiles=False)
        for c, m in zip(chosen, molecules, strict=True)
    }
    import rdkit

    text = json.dumps([asdict(c) for c in chosen], sort_keys=True)
    return StructureComparison(
        compounds=tuple(chosen),
        descriptions=descriptions,
        shared_core=cores.pop() if len(cores) == 1 else None,
        murcko=murcko,
        similarity=_similarity(molecules),
        manifest={
            "schild": __version__,
            "python": platform.python_version(),
            "rdkit": rdkit.__version__,
            "structures": blake2b(text.encode(), digest_size=16).hexdigest(),
            **catalogue.stamp,
            "fingerprint": f"Morgan, radius {RADIUS}, {BITS} bits, without stereochemistry",
        },
    )


def drawing_key(names: Sequence[str], catalogue: Catalogue | None = None) -> str:
    """Return the hash of the structures of compounds, which is stored beside their drawing.

    >>> len(drawing_key(("naltrexone", "naloxone")))
    32
    """
    known = (catalogue or load()).compounds
    text = json.dumps([known[name].smiles for name in names])
    return blake2b(text.encode(), digest_size=16).hexdigest()


def drawn(names: Sequence[str], catalogue: Catalogue | None = None) -> Mapping[str, Any] | None:
    """Return the drawing of compounds that comes with the package (``svg``, ``table``), which needs no RDKit.

    None where these compounds, or these structures of them, are not the ones that were drawn.

    >>> drawn(("naltrexone", "heroin")) is None
    True
    """
    text = files("schild.catalog").joinpath("data/drawn_structures.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    same = list(names) == found["compounds"] and found["key"] == drawing_key(names, catalogue)
    return found if same else None


def _key(name: str, catalogue: Catalogue) -> str:
    """Key of a compound from a key, a name, or another name of a drug of the catalogue."""
    plain = name.strip().lower()
    for key, compound in catalogue.compounds.items():
        if plain in (key, key.replace("_", " "), key.replace("_", "-"), compound.name.lower()):
            return key
    try:
        return catalogue.drug(name).key
    except UnknownNameError:
        return plain


def _rdkit() -> Any:
    return needed("structure", "A comparison of structures", "rdkit", "rdkit.Chem")[1]


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, Any], ...]:
    chem = _rdkit()
    return tuple((name, chem.MolFromSmarts(smarts)) for name, smarts in CORES.items())


def _core(molecule: Any) -> tuple[str | None, dict[int, int]]:
    """Name of the core and the atom at each of its positions."""
    for name, pattern in _patterns():
        match = molecule.GetSubstructMatch(pattern)
        if match:
            return name, {pattern.GetAtomWithIdx(i).GetAtomMapNum(): atom for i, atom in enumerate(match)}
    return None, {}


def describe(compound: Compound) -> Description:
    """Describe the substituents of a compound on its core.

    ``compound``: from ``Catalogue.compounds``. Returns positions in the numbering of morphine.

    >>> describe(load().compounds["nalmefene"]).positions
    mappingproxy({3: 'OH', 6: 'methylene (=CH2)', 14: 'OH'})
    """
    chem = _rdkit()
    molecule = chem.MolFromSmiles(compound.smiles)
    name, at = _core(molecule)
    if name is None:
        return Description(key=compound.key, name=compound.name, core=None)
    place_of = {atom: place for place, atom in at.items()}
    found: dict[int, list[str]] = {}
    for place, atom in at.items():
        for bond in molecule.GetAtomWithIdx(atom).GetBonds():
            other = bond.GetOtherAtomIdx(atom)
            if other not in place_of:
                group = _group(molecule, other, place_of, place, bond.GetBondTypeAsDouble() == 2)
                found.setdefault(place, []).append(group)
    nitrogen = " and ".join(sorted(found.pop(17, []))) or "hydrogen"
    positions = {place: " and ".join(sorted(found[place])) for place in POSITIONS if place in found}
    seven_eight = ""
    if 7 in at and 8 in at:
        bond = molecule.GetBondBetweenAtoms(at[7], at[8])
        seven_eight = "double" if bond.GetBondTypeAsDouble() == 2 else "single"
    return Description(
        key=compound.key,
        name=compound.name,
        core=name,
        nitrogen=nitrogen,
        positions=MappingProxyType(positions),
        bond_7_8=seven_eight,
        c6=_face_of_6(molecule) if name == "4,5-epoxymorphinan" else "",
    )


def _side_chain(molecule: Any, first: int, core: Collection[int]) -> tuple[set[int], set[int]]:
    """Atoms outside the core that hang together with one, and the atoms of the core that they touch."""
    atoms, touched, waiting = {first}, set(), [first]
    while waiting:
        for other in molecule.GetAtomWithIdx(waiting.pop()).GetNeighbors():
            k = other.GetIdx()
            if k in core:
                touched.add(k)
            elif k not in atoms:
                atoms.add(k)
                waiting.append(k)
    return atoms, touched


def _group(molecule: Any, first: int, core: Mapping[int, int], place: int, double: bool) -> str:
    """Name of the group that begins at an atom beside the core."""
    atoms, touched = _side_chain(molecule, first, core)
    if bridges := {core[k] for k in touched} - {place}:
        return f"bridge to {' and '.join(map(str, sorted(bridges)))}"
    smiles = _rdkit().MolFragmentToSmiles(
        molecule, atomsToUse=sorted(atoms), rootedAtAtom=first, isomericSmiles=False, canonical=True
    )
    text = ("=" if double else "") + smiles
    return GROUPS.get(text, text)


def _face_of_6(molecule: Any) -> str:
    """Face on which carbon 6 has its one group, relative to the hydrogen of carbon 5; empty where it has none."""
    chem = _rdkit()
    for face, smarts in FACES.items():
        if molecule.HasSubstructMatch(chem.MolFromSmarts(smarts), useChirality=True):
            return face
    return ""


@cache
def _common(smiles: tuple[str, ...]) -> tuple[str, int]:
    from rdkit.Chem import rdFMCS

    molecules = [_rdkit().MolFromSmiles(text) for text in smiles]
    if len(molecules) == 1:
        return _rdkit().MolToSmarts(molecules[0]), molecules[0].GetNumAtoms()
    found = rdFMCS.FindMCS(
        molecules,
        atomCompare=rdFMCS.AtomCompare.CompareElements,
        bondCompare=rdFMCS.BondCompare.CompareAny,
        ringMatchesRingOnly=True,
        completeRingsOnly=True,
        timeout=10,
    )
    return str(found.smartsString), int(found.numAtoms)


def _similarity(molecules: Sequence[Any]) -> Floats:
    from rdkit import DataStructs
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    prints = [generator.GetFingerprint(m) for m in molecules]
    return np.array([DataStructs.BulkTanimotoSimilarity(p, prints) for p in prints], dtype=np.float64)


def _draw(found: StructureComparison, kind: str) -> Any:
    from rdkit.Chem import rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    chem = _rdkit()
    # One drawing of morphine's core, on which all others are laid.
    parent = chem.MolFromSmiles(load().compounds["morphine"].smiles)
    rdDepictor.SetPreferCoordGen(True)
    try:
        rdDepictor.Compute2DCoords(parent)
        molecules, marked = [], []
        for compound in found.compounds:
            molecule = chem.MolFromSmiles(compound.smiles)
            name, at = _core(molecule)
            _, home = _core(parent)
            if name is not None:
                pairs = [(home[k], at[k]) for k in home if k in at]
                rdDepictor.GenerateDepictionMatching2DStructure(molecule, parent, atomMap=pairs)
            else:
                rdDepictor.Compute2DCoords(molecule)
            molecules.append(molecule)
            marked.append(_beyond_nitrogen(molecule, at))
    finally:
        rdDepictor.SetPreferCoordGen(False)
    columns = min(3, len(molecules))
    rows = -(-len(molecules) // columns)
    width, height = 300, 270
    drawer = (rdMolDraw2D.MolDraw2DSVG if kind == "svg" else rdMolDraw2D.MolDraw2DCairo)(
        columns * width, rows * height, width, height
    )
    options: Any = drawer.drawOptions()
    options.legendFontSize = 18
    options.addStereoAnnotation = False
    options.highlightRadius = 0.35
    options.setHighlightColour((0.99, 0.80, 0.55))
    drawer.DrawMolecules(
        molecules, highlightAtoms=marked, legends=[_legend(c, d) for c, d in zip(
            found.compounds, found.descriptions, strict=True)],
    )  # fmt: skip
    drawer.FinishDrawing()
    return drawer.GetDrawingText()


def _legend(compound: Compound, description: Description) -> str:
    return compound.name if description.core is None else f"{compound.name}: N-{description.nitrogen}"


def _beyond_nitrogen(molecule: Any, at: Mapping[int, int]) -> list[int]:
    """Atoms attached to the nitrogen of the core."""
    if 17 not in at:
        return []
    core = set(at.values())
    first = [a.GetIdx() for a in molecule.GetAtomWithIdx(at[17]).GetNeighbors() if a.GetIdx() not in core]
    return sorted({k for atom in first for k in _side_chain(molecule, atom, core)[0]})
