"""Spread of values between studies, from published values, by the rule of docs/design/calibration.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from schild.catalog.drugs import Drug
    from schild.catalog.loader import Catalogue
    from schild.evidence import Number

Kind: TypeAlias = Literal["clearance", "volume", "bioavailability"]

#: Least published values for a spread of a number's own, and least numbers for a pooled spread of a kind.
ENOUGH = 3
#: A value this many times the one in use, or less than its inverse, is another quantity under the same name.
ANOTHER = 5.0
#: Values that differ by less than this share count as one study.
TWICE = 0.01
#: First words of notes that leave a value out of the spread.
LEFT_OUT = ("outlier", "apparent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """Sum of squared deviations of one number, on the scale of its kind."""

    squares: float  #: Around the value in use
    freedom: int
    n: int


def published(number: Number) -> tuple[float, ...]:
    """Published values of a number that count: read in the source, of the same quantity, each study once.

    >>> from schild.catalog import load
    >>> published(load().drug("naloxone").number("cl"))     # an outlier and two apparent ones are left out
    (230.0,)
    """
    kept: list[float] = []
    for v in (number.chosen, *number.rivals):
        seen = v.basis in ("reported", "digitised", "derived") and v.verified in ("read", "abstract")
        if not seen or v.value <= 0 or v.note.lower().startswith(LEFT_OUT):
            continue
        if abs(math.log(v.value / number.value)) > math.log(ANOTHER):
            continue
        if all(abs(v.value / other - 1.0) > TWICE for other in kept):
            kept.append(v.value)
    return tuple(kept)


def _scaled(value: float, kind: Kind) -> float:
    """Logarithm, or log odds of a fraction (infinite for a complete one)."""
    if kind != "bioavailability":
        return math.log(value)
    return math.log(value / (1.0 - value)) if value < 1.0 else math.inf


def squares(number: Number, kind: Kind) -> Spreads:
    r"""Deviations of the published values from the value in use.

    ``kind``: decides the scale: logarithm, or log odds. Returns :math:`\sum (x_i - x_{used})^2` with n - 1 degrees of
    freedom, n where the value in use is not a published one.

    >>> from schild.catalog import load
    >>> found = squares(load().drug("morphine").number("cl"), "clearance")
    >>> found.n, found.freedom, round((found.squares / found.freedom) ** 0.5, 3)
    (4, 3, 0.122)
    """
    used = _scaled(number.value, kind)
    x = [_scaled(v, kind) for v in published(number)]
    x = [v for v in x if math.isfinite(v)] if math.isfinite(used) else []
    return Spreads(squares=sum((v - used) ** 2 for v in x), freedom=len(x) - (used in x), n=len(x))


def kind_of(drug: Drug, name: str) -> Kind | None:
    """Kind of a number by what the drug does with it; None where no part between studies is drawn.

    >>> from schild.catalog import load
    >>> [kind_of(load().drug("morphine"), name) for name in ("cl", "vc", "oral.f", "q")]
    ['clearance', 'volume', 'bioavailability', None]
    """
    if drug.disposition is None:
        return None
    if name in ("cl", "vc"):
        return "clearance" if name == "cl" else "volume"
    for route in drug.routes.values():
        for branch in route.branches:
            if any(d.of == name and d.less is None and d.species == drug.key for d in branch.deliver):
                return "bioavailability"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Spread between studies, by the rule.

    >>> from schild.catalog import load
    >>> between_studies(load()).counted["clearance"] >= ENOUGH
    True
    """

    pooled: Mapping[Kind, float]  #: Standard deviation for numbers with too few published values [1]
    counted: Mapping[Kind, int]  #: Numbers with enough published values

    def omega(self, drug: Drug, name: str, number: Number) -> float:
        """Standard deviation of the logarithm of a number between studies. [1]

        ``drug``: owner of the number; ``name``: under which the drug uses it. Returns 0 for numbers that the rule
        leaves alone, and for a complete bioavailability.
        """
        kind = kind_of(drug, name)
        if kind is None or drug.between_studies_estimated:
            return 0.0
        found = squares(number, kind)
        s = math.sqrt(found.squares / found.freedom) if found.n >= ENOUGH else self.pooled[kind]
        return s * max(0.0, 1.0 - number.value) if kind == "bioavailability" else s


@lru_cache(maxsize=4)
def between_studies(catalogue: Catalogue) -> Between:
    """Spread between studies of every number of a catalogue.

    ``catalogue``: all its drugs are read for the pool, once. The result gives the spread of each number; a catalogue
    without a number that has enough values gives 0 for all.

    >>> from schild.catalog import load
    >>> catalogue = load()
    >>> morphine = catalogue.drug("morphine")
    >>> round(between_studies(catalogue).omega(morphine, "cl", morphine.number("cl")), 3)
    0.122
    """
    by_kind: dict[Kind, list[Spreads]] = {"clearance": [], "volume": [], "bioavailability": []}
    for drug in catalogue.drugs.values():
        if drug.disposition is None:
            continue
        for name, number in drug.numbers.items():
            if number.same_as is None and (kind := kind_of(drug, name)) is not None:
                found = squares(number, kind)
                if found.n >= ENOUGH:
                    by_kind[kind].append(found)
    everything = [s for group in by_kind.values() for s in group]

    def pool(group: list[Spreads]) -> float:
        freedom = sum(s.freedom for s in group)
        return math.sqrt(sum(s.squares for s in group) / freedom) if freedom else 0.0

    return Between(
        pooled={kind: pool(group if len(group) >= ENOUGH else everything) for kind, group in by_kind.items()},
        counted={kind: len(group) for kind, group in by_kind.items()},
    )
