"""Description of an endpoint, for either disorder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Description of an endpoint: unit, words, whether it is a share of people, and whether more is better."""

    unit: str
    says: str
    share: bool = False
    good: bool = False

    @property
    def digits(self) -> int:
        """Decimals in which a value is written."""
        return 2 if self.unit == "1" else 1


def unit_of_difference(unit: str) -> str:
    """Write the unit of a difference of values in ``unit``, after a space.

    >>> unit_of_difference("%"), unit_of_difference("drinks"), unit_of_difference("1")
    (' points', ' drinks', '')
    """
    return "" if unit in ("1", "people") else " points" if unit == "%" else f" {unit}"


def words_of(name: str) -> str:
    """Write the name of an endpoint for readers.

    >>> words_of("relapse_4wk_inducted"), words_of("last4_who1")
    ('relapse, 4 weeks, inducted', 'last 4 weeks, WHO level 1 lower')
    """
    text = name.replace("last4_", "last 4 weeks, ").replace("_last4", ", last 4 weeks")
    for levels in ("1", "2"):
        text = text.replace(f"who{levels}", f"WHO level {levels} lower")
    for weeks in ("3", "4"):
        text = text.replace(f"_{weeks}wk", f", {weeks} weeks")
    return text.replace("_inducted", ", inducted").replace("_", " ")
