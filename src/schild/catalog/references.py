"""Records of the bibliography and the plain BibTeX they are read from (``data/references.bib``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from schild.catalog.reader import Table
from schild.errors import CatalogueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of the bibliography."""

    #: Citation key and BibTeX type
    key: str
    kind: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def doi(self) -> str:
        """The DOI, or an empty string."""
        return self.fields.get("doi", "")

    @property
    def address(self) -> str:
        """Address of the source: its DOI, its page, its PubMed entry, or PubMed's search for it; empty if none.

        >>> Reference(key="A1", kind="article", fields={"journal": "Drugs", "volume": "41", "pages": "326--9"}).address
        'https://pubmed.ncbi.nlm.nih.gov/?term=Drugs[ta]+AND+41[vi]+AND+326[pg]'
        """
        known = self.fields
        if found := self.doi or known.get("url", ""):
            return found
        if "pmid" in known:
            return f"https://pubmed.ncbi.nlm.nih.gov/{known['pmid']}/"
        wanted: list[tuple[str, str]] = []
        if {"journal", "volume", "pages"} <= known.keys():
            wanted = [(known["journal"], "ta"), (known["volume"], "vi"), (known["pages"].partition("-")[0], "pg")]
        elif {"author", "year"} <= known.keys():
            first = known["author"].split(" and ")[0]
            wanted = [(first, "au"), (known["year"], "dp")]
            wanted += [(known["journal"], "ta")] if "journal" in known else []
        terms = "+AND+".join(f"{quote_plus(words)}[{where}]" for words, where in wanted)
        return f"https://pubmed.ncbi.nlm.nih.gov/?term={terms}" if terms else ""

    @property
    def label(self) -> str:
        """Author, year and title in one line."""
        parts = [self.fields.get("author", ""), self.fields.get("year", ""), self.fields.get("title", "")]
        return ". ".join(part for part in parts if part)


_ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*=\s*\{(.*?)\}\s*(?:,|$)", re.DOTALL | re.MULTILINE)


def parse_bibtex(text: str, file: str = "<text>") -> list[Reference]:
    r"""Parse the plain BibTeX that the catalogue uses: fields in braces, the closing brace on its own line.

    Returns the entries in order. Raises CatalogueError if an entry cannot be read or a key stands twice.

    >>> parse_bibtex("@book{Hill1909,\n  author = {Hill, A. V.},\n  year = {1909},\n}")[0].fields["year"]
    '1909'
    """
    entries = [
        Reference(
            key=key,
            kind=kind.lower(),
            fields={name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(body)},
        )
        for kind, key, body in _ENTRY.findall(text)
    ]
    starts = re.findall(r"^@\w+\s*\{\s*([^,\s]*)", text, re.MULTILINE)
    if len(starts) != len(entries):
        lost = sorted(set(starts) - {entry.key for entry in entries})
        raise CatalogueError(
            f"{file}: cannot read {', '.join(lost) or 'an entry'}; end it with a brace on its own line."
        )
    keys = [entry.key for entry in entries]
    if len(set(keys)) < len(keys):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise CatalogueError(f"{file}: {', '.join(twice)} stands twice.")
    return entries


def read_reference(table: Table) -> Reference:
    """Read a ``[[reference]]`` of a data file: ``key``, and ``label`` or ``author``, ``year``, ``title`` and so on."""
    key, kind, label = table.text("key"), table.text("kind", "misc"), table.text("label", "")
    names = ("author", "year", "title", "journal", "volume", "pages", "doi", "url", "note")
    fields = {name: found for name in names if (found := table.text(name, ""))}
    table.done()
    if label:
        fields["title"] = label
    if "title" not in fields:
        raise table.fail("lacks 'label' (author, year and title in one line) or 'title'.")
    return Reference(key=key, kind=kind, fields=fields)
