"""Reading and checking a user's table of responses or dose ratios."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from schild.array_types import Floats
from schild.catalog.references import Reference
from schild.delimited import read_rows
from schild.errors import InputError
from schild.results import Shown, versions

if TYPE_CHECKING:
    import pandas as pd

#: Data: a file, a data frame, or columns by name.
Data: TypeAlias = "str | Path | pd.DataFrame | Mapping[str, Any]"

_PREFIX = {"": 0, "m": -3, "u": -6, "µ": -6, "μ": -6, "n": -9, "p": -12, "f": -15, "k": 3}
_HEAD = re.compile(r"^\s*(?P<name>\w+)\s*(?:[\[(]\s*(?P<unit>[^\])]+?)\s*[\])])?\s*$")
_UNIT = re.compile(
    r"(?P<moles>[munpfµμ]?)(?:M|mol/(?:L|l|(?P<weight>kg)))|(?P<mass>[munpfkµμ]?)g/(?P<per>kg|L|l|mL|ml)"
)
_RELATIVE = ("Kd", "C/Kd", "KD", "C/KD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Conversion of a unit of concentration or dose to the unit of pA2.

    >>> Scale.of("nM")
    Scale(unit='nM', canonical='M', log_factor=-9.0)
    >>> round(Scale.of("mg/kg", molar_mass=341.4).log_factor, 3)
    -5.533
    """

    unit: str  #: Unit as given, e.g. ``"nM"``
    #: Canonical unit: ``"M"``, ``"mol/kg"``, ``"Kd"``, or the unit itself where the molar mass is unknown
    canonical: str
    log_factor: float  #: Decadic logarithm of one ``unit`` in ``canonical``

    @classmethod
    def of(cls, unit: str, molar_mass: float | None = None, *, kind: str = "antagonist") -> Scale:
        """Read the unit of a column."""
        text = unit.strip()
        found = _UNIT.fullmatch(text)
        if molar_mass is not None and not (math.isfinite(molar_mass) and molar_mass > 0):
            raise InputError(f"The molar mass is {molar_mass!r}; expected g/mol above 0. Correct it.")
        if molar_mass is not None and (found is None or found["per"] is None):
            raise InputError(
                f"The molar mass is {molar_mass!r}, but the {kind} is in {text}; expected a mass where one is given. "
                "Leave the molar mass out, or correct the unit."
            )
        if text in _RELATIVE:
            return cls(unit="Kd", canonical="Kd", log_factor=0.0)
        if found is None:
            raise InputError(
                f"The unit of the {kind} is {unit!r}; expected a molar concentration (nM, uM, mol/L), a dose per "
                "weight (mol/kg, mg/kg), a mass concentration (ng/mL) or Kd for a concentration over the dissociation "
                "constant. Give one of these."
            )
        if found["per"] is None:
            return cls(
                unit=text, canonical="mol/kg" if found["weight"] else "M", log_factor=float(_PREFIX[found["moles"]])
            )
        if molar_mass is None:
            return cls(unit=text, canonical=text, log_factor=0.0)
        factor = _PREFIX[found["mass"]] + (3.0 if found["per"].lower() == "ml" else 0.0) - math.log10(molar_mass)
        return cls(unit=text, canonical="mol/kg" if found["per"] == "kg" else "M", log_factor=factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Checked columns of a data set; ``x`` and ``b`` are decadic logarithms in canonical units."""

    columns: Mapping[str, Any]
    rows: int
    scales: Mapping[str, Scale] = field(default_factory=dict)
    digest: str = ""
    name: str = ""
    places: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Name the place of a row in messages."""
        return f"{self.name}, {self.places[row]}"

    def numbers(self, name: str) -> Floats:
        """Return one column as numbers."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def words(self, name: str) -> list[str]:
        """Return one column as text; empty words if it is absent."""
        return list(self.columns[name]) if name in self.columns else [""] * self.rows


def read_table(
    data: Data,
    *,
    numeric: Sequence[str],
    optional: Sequence[str] = (),
    text: Sequence[str] = (),
    units: Mapping[str, str | None],
    molar_mass: float | None = None,
) -> Table:
    """Read the columns of an analysis and check that each has the values that it needs.

    ``data``: a text table has a header, its columns separated by commas, tabs or semicolons; a unit may follow a
    name in brackets, as in ``antagonist [nM]``. Lines that begin with ``#`` are comments; elsewhere ``#`` is a letter.
    ``numeric`` and ``optional``: columns of numbers that are required, or optional; ``text``: optional columns of
    words; ``units``: units by column, from arguments; ``molar_mass``: of the antagonist, for masses [g/mol].
    Returns finite numbers; concentrations are not negative. Raises InputError for the first fault, with its line in
    the file (its row in a data frame, from 1).
    """
    raw, given, name, places = _raw(data, (*numeric, *optional, *text))
    missing = [column for column in numeric if column not in raw]
    if missing:
        have = ", ".join(raw) or "none"
        raise InputError(
            f"{name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; it has {have}. Expected "
            f"{', '.join(numeric)}" + (f" and optionally {', '.join((*optional, *text))}" if optional or text else "")
            + ". Add or rename columns."
        )  # fmt: skip
    unknown = [column for column in raw if column not in (*numeric, *optional, *text)]
    if unknown:
        raise InputError(
            f"{name} has the column {unknown[0]!r}; expected {', '.join((*numeric, *optional, *text))}. "
            "Rename or remove it."
        )
    lengths = {column: len(values) for column, values in raw.items()}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{column} {n}" for column, n in lengths.items())
        raise InputError(f"The columns of {name} differ in length: {told}; expected the same. Fill the short ones.")
    rows = next(iter(lengths.values()))
    if rows == 0:
        raise InputError(f"{name} has no rows; expected one per measured response. Add the data.")
    columns: dict[str, Any] = {}
    for column in (*numeric, *(c for c in optional if c in raw)):
        columns[column] = _numbers(raw[column], column, name, places)
        if column != "response" and (columns[column] < 0).any():
            row = int(np.argmax(columns[column] < 0))
            raise InputError(
                f"{name}, {places[row]}: {column} is {columns[column][row]:g}; expected 0 or more. Correct it "
                "(concentrations are not logarithms here)."
            )
    for column in text:
        if column in raw:
            columns[column] = [str(value).strip() for value in raw[column]]
    scales = {}
    for column, unit in units.items():
        said, wanted = given.get(column), unit
        if said is not None and wanted is not None and said != wanted:
            raise InputError(
                f"The {column} of {name} is in {said} by its header and in {wanted} by the argument; expected one. "
                "Drop one of the two."
            )
        found = wanted or said
        if found is None:
            raise InputError(
                f"The unit of the {column} was not given; expected one such as nM. Write it into the header as "
                f"'{column} [nM]' or give it as an argument."
            )
        scales[column] = Scale.of(found, molar_mass if column == "antagonist" else None, kind=column)
    text_form = json.dumps({c: list(map(str, v)) for c, v in sorted(columns.items())}, sort_keys=True)
    digest = blake2b(text_form.encode(), digest_size=16).hexdigest()
    return Table(columns=columns, rows=rows, scales=scales, digest=digest, name=name, places=places)


def _raw(data: Data, known: Sequence[str]) -> tuple[dict[str, Sequence[Any]], dict[str, str], str, tuple[str, ...]]:
    """Columns as given, units in their headers, the name of the data, and the place of each row."""
    columns: list[tuple[str, Sequence[Any]]]
    if isinstance(data, str | Path):
        rows = read_rows(data, lambda head: key if (key := _key(head)) in known else None)
        name, places = rows.name, tuple(f"line {line}" for line in rows.lines)
        width = rows.frame.shape[1]
        mine = any(
            _key(str(head)) in known for head in rows.frame.columns
        )  # otherwise the missing columns are reported
        if mine and rows.cells is not None and (odd := rows.cells != width).any():
            row = int(odd.argmax())
            raise InputError(
                f"{name}, {places[row]}: {rows.cells[row]} cells where the header has {width}, separated by "
                f"{rows.separator}; expected as many. Fill the row, or put quotes around a text with {rows.separator}."
            )
        columns = [(str(head), list(rows.frame.iloc[:, k])) for k, head in enumerate(rows.frame.columns)]
    else:
        if not isinstance(data, Mapping) and not hasattr(data, "columns"):
            raise InputError(f"The table is {data!r:.60}; expected a path, columns by name, or a pandas data frame.")
        name = "The data"
        columns = [(str(head), list(data[head])) for head in list(data)]  # type: ignore[index]
        places = tuple(f"row {k + 1}" for k in range(max((len(values) for _, values in columns), default=0)))
    found: dict[str, Sequence[Any]] = {}
    units: dict[str, str] = {}
    for head, values in columns:
        key = _key(head)
        if key in found:
            raise InputError(f"{name} has the column {key!r} twice; expected it once. Remove one.")
        found[key] = values
        if (parts := _HEAD.match(head)) and parts["unit"]:
            units[key] = parts["unit"]
    return found, units, name, places


def has_ratios(path: Path) -> bool:
    """Whether a table has a column of dose ratios.

    Raises InputError if it is not a table in a text file.
    """
    return "dose_ratio" in _raw(path, ("antagonist", "dose_ratio", "agonist", "response"))[0]


def _key(head: str) -> str:
    """Name of a column without its unit, in lower case."""
    parts = _HEAD.match(head)
    return parts["name"].lower() if parts else head


def _numbers(values: Sequence[Any], column: str, name: str, places: Sequence[str]) -> Floats:
    out = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            out[row] = float(value)
        except (TypeError, ValueError):
            out[row] = math.nan
        if not math.isfinite(out[row]):
            shown = repr(value) if isinstance(value, str) else str(value)
            raise InputError(
                f"{name}, {places[row]}: {column} is {shown}; expected a number. Correct the row or leave it out."
            )
        if abs(out[row]) > 1e100 or 0 < abs(out[row]) < 1e-100:
            raise InputError(
                f"{name}, {places[row]}: {column} is {value}; expected 0 or a size from 1e-100 to 1e100. Change "
                "its unit."
            )
    return out


def logs(values: Floats, scale: Scale) -> Floats:
    """Decadic logarithms in the canonical unit; minus infinity for zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(values) + scale.log_factor)


def manifest_of(table: Table, **more: Any) -> dict[str, Any]:
    """Describe an analysis so that it can be repeated."""
    return {
        **versions("scipy"),
        "data": table.digest,
        "rows": table.rows,
        "units": {column: scale.unit for column, scale in table.scales.items()},
        **more,
    }


def _method(key: str, author: str, title: str) -> Reference:
    return Reference(key=key, kind="article", fields={"author": author, "year": key[-4:], "title": title})


class Analysed(Shown):
    """Result of an analysis of a table, which cites methods (``USES``: purpose of each) and no drug's numbers."""

    __slots__ = ()

    USES: ClassVar[Mapping[str, str]] = {}
    #: References of the methods, in place of those of a catalogue.
    references: ClassVar[Mapping[str, Reference]] = {
        one.key: one
        for one in (
            _method("Gaddum1937", "Gaddum JH", "The quantitative effects of antagonistic drugs. J Physiol 89:7P-9P"),
            _method("ArunlakshanaSchild1959", "Arunlakshana O, Schild HO",
                    "Some quantitative uses of drug antagonists. Br J Pharmacol Chemother 14:48-58"),
            _method("LewAngus1995", "Lew MJ, Angus JA", "Analysis of competitive agonist-antagonist interactions by "
                    "nonlinear regression. Trends Pharmacol Sci 16:328-337"),
            _method("Fieller1954", "Fieller EC", "Some problems in interval estimation. J R Stat Soc B 16:175-185"),
        )
    }  # fmt: skip

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """Methods with their purposes."""
        return {key: (used,) for key, used in self.USES.items()}

    @property
    def catalogue(self) -> Any:
        """The references of the methods."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return one JSON object as Python data; methods with their references, which no catalogue has."""
        cite = [{"key": k, "label": self.references[k].label, "for": list(used)} for k, used in self.sources.items()]
        return {**Shown.to_dict(self), "cite": cite}
