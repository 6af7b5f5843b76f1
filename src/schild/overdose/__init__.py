"""Overdose and rescue: breathing, oxygen, collapse, and what an antagonist changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schild.overdose.compare import rescue as rescue
    from schild.overdose.published import published_table as published_table
    from schild.overdose.table import Rescued as Rescued

__all__ = ["Rescued", "published_table", "rescue"]

_PLACES = {
    "rescue": "schild.overdose.compare",
    "Rescued": "schild.overdose.table",
    "published_table": "schild.overdose.published",
}


def __getattr__(name: str) -> Any:
    # The physiology is used without the receptor module, so that is loaded when it is first needed.
    if name in _PLACES:
        from importlib import import_module

        value = getattr(import_module(_PLACES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'schild.overdose' has no attribute {name!r}")
