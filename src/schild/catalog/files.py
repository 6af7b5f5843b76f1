"""Finds the data files of the catalogue and of a user's overlays, and the kind of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from schild.catalog.reader import parse_toml
from schild.errors import CatalogueError, InputError, OverlayError
from schild.textfile import check_toml, read_text

#: The most files and folders in the folder of an overlay.
MAX_ITEMS = 5000
#: Folders of the catalogue: one file per entry.
FOLDERS = ("drugs", "studies", "claims")
#: Files of the catalogue that hold many entries; an overlay's are added to them.
TABLES = (
    "adaptation", "alcohol", "effects", "known_misses", "populations", "receptors", "structures", "trade_names",
    "trial",
)  # fmt: skip
RESCUE = ("physiology", "population")
#: A key by which a file is known, whatever it is called: of its top, then of each of its tables.
_TOP_KEYS = {"role": "drugs", "observation": "studies", "claim": "claims", "miss": "known_misses"}
_TABLE_KEYS = {
    "form": "effects", "drive": "adaptation", "covariate": "populations", "site": "receptors", "smiles": "structures",
    "contains": "trade_names",
}  # fmt: skip


class _Folder(Protocol):
    # The part of importlib's Traversable that pathlib.Path shares.
    @property
    def name(self) -> str: ...
    def iterdir(self) -> Iterator[Any]: ...
    def joinpath(self, *names: str) -> Any: ...
    def is_dir(self) -> bool: ...
    def is_file(self) -> bool: ...
    def read_text(self, encoding: str) -> str: ...


@dataclass(frozen=True)
class DataFile:
    """One data file."""

    place: str  #: Where it belongs in the catalogue, e.g. ``drugs/naltrexone.toml``.
    name: str
    path: _Folder
    own: bool = False  #: Whether it belongs to an overlay

    @cached_property
    def text(self) -> str:
        """The text of the file."""
        return _text(self.path, self.name, self.own)

    @property
    def key(self) -> str:
        """Name of the place without folder and ending."""
        return self.place.rpartition("/")[2].removesuffix(".toml")

    @property
    def digest(self) -> str:
        """Return the hash of the text (BLAKE2b, 8 bytes)."""
        return blake2b(self.text.encode(), digest_size=8).hexdigest()


def built_in(folder: str | Path | None) -> list[DataFile]:
    """List the files of a whole catalogue; None is the one that comes with schild."""
    root: _Folder = files("schild.catalog").joinpath("data") if folder is None else Path(folder)
    if not root.joinpath("drugs").is_dir():
        raise CatalogueError(f"{folder} is not a catalogue: it has no folder 'drugs'.")
    found = []
    for name in (*FOLDERS, "rescue", "dose_response", "opioid_trials"):
        if (inner := root.joinpath(name)).is_dir():
            for item in sorted(inner.iterdir(), key=lambda item: str(item.name)):
                if item.name.endswith((".toml", ".csv")):
                    found.append(DataFile(f"{name}/{item.name}", f"{name}/{item.name}", item))
    for file in (*(f"{name}.toml" for name in TABLES), "alcohol_placebo.csv", "references.bib"):
        if (item := root.joinpath(file)).is_file():
            found.append(DataFile(file, file, item))
    return found


def overlay(path: str | Path) -> list[DataFile]:
    """List the files of an overlay.

    ``path``: a TOML or BibTeX file, or a folder of such files, in sub-folders or not. Returns them in the order of
    their names. Raises OverlayError if there is no such file, or one that is not a data file of a catalogue.
    """
    if not isinstance(path, str | Path):
        raise OverlayError(f"An overlay is {path!r}; expected the path of a TOML file or a folder. Give that.")
    top = Path(path)
    try:
        folder, file = top.is_dir(), top.is_file()
    except OSError as error:
        raise OverlayError(f"The catalogue overlay {path} cannot be read ({error.strerror}). Check the path.") from None
    if folder:
        items = list(islice(top.rglob("*"), MAX_ITEMS + 1))
        if len(items) > MAX_ITEMS:
            raise OverlayError(
                f"The catalogue overlay {path} holds more than {MAX_ITEMS:,} files and folders; expected a folder of "
                "data alone. Name that folder."
            )
        found = sorted(item for item in items if item.suffix in (".toml", ".bib") and item.is_file())
        if not found:
            raise OverlayError(f"The catalogue overlay {path} holds no .toml and no .bib file. Put data files there.")
    elif file:
        found = [top]
    else:
        raise OverlayError(f"The catalogue overlay {path} is not there; expected a TOML file or a folder of them.")
    return [DataFile(_place(item), str(item), item, own=True) for item in found]


def digest_of(found: Iterable[DataFile]) -> str:
    """Hash of some files, by place and text."""
    text = "".join(f"{file.place}\n{file.text}\n" for file in found)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _text(path: _Folder, name: str, own: bool) -> str:
    if own:
        try:
            found = read_text(str(path), "data of a catalogue")
            if name.endswith(".toml"):
                check_toml(found, name, "data of a catalogue")
        except InputError as error:
            raise OverlayError(str(error)) from None
        return found
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{name} is not text in UTF-8 ({error}). Save it as UTF-8.") from None
    except OSError as error:
        raise CatalogueError(f"{name} cannot be read: {error.strerror or error}.") from None


def _place(path: Path) -> str:
    # By what the file holds, then by where it stands: a broken file must still be named by its reader.
    if path.suffix == ".bib":
        return "references.bib"
    if path.parent.name == "rescue" and path.stem in RESCUE:
        return f"rescue/{path.name}"
    if path.parent.name == "opioid_trials" and path.name in ("endpoints.toml", "scenarios.toml"):
        return f"opioid_trials/{path.name}"
    data = parse_toml(_text(path, str(path), True), str(path), own=True)
    for mark, kind in _TOP_KEYS.items():
        if mark in data and not isinstance(data[mark], dict):
            if kind in TABLES:
                return f"{kind}.toml"
            key = data.get("drug" if kind == "claims" else "key", path.stem)
            return f"{kind}/{key}.toml"
    if path.stem in TABLES:
        return path.name
    if path.parent.name in FOLDERS:
        return f"{path.parent.name}/{path.name}"
    tables = [value for key, value in data.items() if key != "reference" and isinstance(value, dict)]
    for mark, kind in _TABLE_KEYS.items():
        if any(mark in table for table in tables):
            return f"{kind}.toml"
    if set(data) == {"reference"}:
        return "references.toml"
    raise OverlayError(
        f"{path} is not a data file of a catalogue; expected a drug (role = ...), a study ([[observation]]), claims "
        f"([[claim]]), [[reference]]s, or a file called {', '.join(f'{name}.toml' for name in TABLES)}. "
        "Correct it, or keep it elsewhere."
    )
