"""Overdose and rescue: breathing, oxygen, collapse, and what an antagonist changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild import _callable

if TYPE_CHECKING:
    from schild.rescue.compare import rescue as rescue
    from schild.rescue.published import published_table as published_table
    from schild.rescue.table import Rescued as Rescued

__all__ = ["Rescued", "published_table", "rescue"]

_PLACES = {
    "rescue": "schild.rescue.compare",
    "Rescued": "schild.rescue.table",
    "published_table": "schild.rescue.published",
}


def __getattr__(name: str) -> Any:
    # The physiology is used without the receptor module, so that is loaded when it is first needed.
    if name in _PLACES:
        from importlib import import_module

        value = getattr(import_module(_PLACES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'schild.rescue' has no attribute {name!r}")


_callable(__name__, "rescue")
