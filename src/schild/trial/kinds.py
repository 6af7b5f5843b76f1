"""What an endpoint is, whatever the disorder."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an endpoint is: unit, words, whether it is yes or no, and whether more of it is good."""

    unit: str
    says: str
    share: bool = False
    good: bool = False
