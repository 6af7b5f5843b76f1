"""Figures as files, for commands that draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schild.errors import InputError
from schild.figures import plain_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("svg", "png", "pdf")


def figure_kind(path: Path) -> str:
    """Return what kind of figure a file name asks for."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise InputError(f"--plot is {str(path)!r}; expected a file that ends in .svg, .png or .pdf. Rename it.")
    return kind


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as a file of a kind; the same figure gives the same bytes: no date, names of shapes that stay."""
    from io import BytesIO

    from matplotlib import rc_context

    buffer = BytesIO()
    stamp = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
    plain_texts(figure)
    with rc_context({"svg.hashsalt": "schild", "svg.fonttype": "none"}):
        figure.savefig(buffer, format=kind, metadata=stamp, dpi=150)
    return buffer.getvalue()
