"""Methods of every result: ``summary plot to_frame to_json cite``, a ``manifest`` and a short ``repr``."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from schild import __version__
from schild.tables import number_words, spread_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from schild.catalog import Catalogue
    from schild.figures import Picture


class Shown:
    """A result that can be summed up, drawn, tabulated, written as JSON and cited.

    A result inherits from it, gives ``about``, ``summary``, ``content`` and ``plot``, and has a ``manifest`` and
    ``warnings``; where it has ``sources`` (citation key to what each was used for) and a ``catalogue``, ``cite`` is
    written from them. A result whose JSON object has another form gives ``to_dict`` in place of ``content``.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def manifest(self) -> Mapping[str, Any]:
            """Data needed to repeat the result: versions, seed, hashes."""

        @property
        def sources(self) -> Any:
            """Citation keys with what each was used for."""

        @property
        def warnings(self) -> Sequence[str]:
            """Warnings for the user."""

        @property
        def catalogue(self) -> Any:
            """The catalogue of the run."""

    def about(self) -> str:
        """Describe the result in one line."""
        raise NotImplementedError

    def summary(self) -> Any:
        """Return the main numbers as plain data."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data: manifest, content, warnings and citations."""
        return {
            "manifest": dict(self.manifest),
            **self.content(),
            "warnings": list(self.warnings),
            "cite": cited(self.sources),
        }

    def content(self) -> dict[str, Any]:
        """Return the entries of the JSON object that only this kind of result has."""
        raise NotImplementedError

    def picture(self, *args: Any, **options: Any) -> Picture:
        """Return the charts that show the result."""
        raise NotImplementedError

    def plot(self, *args: Any, ax: Any = None, **options: Any) -> Figure | Any:
        """Draw the charts of ``picture`` with matplotlib.

        Parameters
        ----------
        *args, **options
            As for ``picture``.
        ax : Axes or sequence of Axes, optional
            Panels to draw on, row by row; a new figure by default.

        Returns
        -------
        matplotlib.figure.Figure, or ``ax``
            None where there is nothing to draw.
        """
        return self.picture(*args, **options).image(ax)

    def to_frame(self) -> pd.DataFrame:
        """Return the rows of the summary as a table."""
        import pandas as pd

        return pd.DataFrame(self.summary())

    def to_json(self) -> str:
        """Return the JSON object of the contract as text; numbers that are not finite become null."""
        return json_text(self.to_dict())

    def cite(self) -> str:
        """Return the sources of the numbers used, with what each was used for."""
        return source_lines(self.sources, self.catalogue)

    def __repr__(self) -> str:
        said = _short(self.about())
        return f"<{type(self).__name__}: {said}>\n.summary() .plot() .to_frame() .to_json() .cite() .manifest"

    def _repr_html_(self) -> str:
        """Show the result in a notebook: what it is, warnings, the first rows of its summary; all text escaped."""
        parts = [f"<p><b>{type(self).__name__}</b>: {escape(_short(self.about()))}</p>"]
        parts += [f"<p>Warning: {escape(str(w)[:300])}</p>" for w in list(getattr(self, "warnings", ()))[:3]]
        parts.append(_html_table(self.summary()))
        parts.append("<p><code>.summary() .plot() .to_frame() .to_json() .cite() .manifest</code></p>")
        return "".join(parts)


class ShownRun(Shown):
    """A result that rests on a run, ``result``, which has its sources and its catalogue."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def result(self) -> Any:
            """Return the run that the result comes from."""

    @property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Citation keys with what each was used for."""
        found: Mapping[str, tuple[str, ...]] = self.result.sources
        return found

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue of the run."""
        found: Catalogue | None = self.result.catalogue
        return found


#: Rows and columns of a result in a notebook.
_ROWS, _COLUMNS = 12, 8


def _short(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= 300 else said[:297] + "..."


def _html_table(summary: Any) -> str:
    """Write the first rows of a summary as an HTML table."""
    heads, rows = summary_table(summary)
    heads, rows = heads[:_COLUMNS], [row[:_COLUMNS] for row in rows]
    lines = ["".join(f"<th>{escape(str(head))}</th>" for head in heads)]
    lines += ["".join(f"<td>{escape(_cell(value))}</td>" for value in row) for row in rows[:_ROWS]]
    more = f"<p>{len(rows) - _ROWS:,} more rows in .summary()</p>" if len(rows) > _ROWS else ""
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + f"</table>{more}"


def summary_table(summary: Any) -> tuple[list[str], list[list[Any]]]:
    """Return a summary as heads and rows: its entries one below the other, or a row for each of its rows.

    >>> summary_table([{"a": 1}, {"a": 2, "b": 3}])
    (['a', 'b'], [[1, None], [2, 3]])
    """
    if isinstance(summary, Mapping):
        return ["", "value"], [[key, value] for key, value in summary.items()]
    entries = [row if isinstance(row, Mapping) else {"": row} for row in summary]
    heads = list(dict.fromkeys(str(key) for row in entries for key in row))
    return heads, [[row.get(head) for head in heads] for row in entries]


def _cell(value: Any) -> str:
    if value is None or isinstance(value, (str, bool, np.bool_)):
        return "" if value is None else str(value)[:120]
    if isinstance(value, (int, float, np.integer, np.floating)):
        return number_words(float(value)) if math.isfinite(value) else "-"
    if isinstance(value, Mapping) and "q50" in value:
        return spread_words(value, number_words)
    return str(plain(value))[:120]


def plain(value: Any) -> Any:
    """Turn a value into plain Python data without NaN, ready for JSON."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return bool(value) if isinstance(value, np.bool_) else value


def json_text(value: Any) -> str:
    """Write a value as JSON; numbers that are not finite become null."""
    return json.dumps(plain(value), allow_nan=False)


def source_lines(sources: Mapping[str, Sequence[str]], catalogue: Catalogue | None = None) -> str:
    """Write sources and what each was used for, one after the other."""
    lines = []
    for key, used in sorted(sources.items()):
        reference = None if catalogue is None else catalogue.references.get(key)
        label = key if reference is None else reference.label + (f" doi:{reference.doi}" if reference.doi else "")
        lines.append(f"[{key}] {label}\n    for {', '.join(used)}")
    return "\n".join(lines)


def cited(sources: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Write sources as the JSON contract has them."""
    return [{"key": key, "for": list(used)} for key, used in sorted(sources.items())]


@cache
def versions(*libraries: str) -> dict[str, str]:
    """Return the versions of schild, Python, NumPy and further libraries, read without importing them."""
    from importlib.metadata import version

    found = {"schild": __version__, "python": platform.python_version()}
    return found | {name: version(name) for name in ("numpy", *libraries)}
