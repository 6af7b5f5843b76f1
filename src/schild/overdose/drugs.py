"""Regimens of the reference's antagonist."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose of the antagonist."""

    after_s: float  #: Seconds after the first dose
    amount_ng: float
    bioavailability: str = "f"  #: Number of the route it is absorbed with: ``f``, ``f_third`` or ``f_rapid``


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """An antagonist regimen of the reference."""

    key: str  #: Name in the published tables
    #: ``in_4mg``, ``im_generic``, ``im_evzio`` or ``iv``: a group of numbers of the catalogue; any without a dose
    route: str
    doses: tuple[Dose, ...]


def _rescue(key: str, route: str, *doses: tuple[float, float, str]) -> Rescue:
    # Time [s], amount [mg] and bioavailability of each dose.
    return Rescue(
        key=key, route=route, doses=tuple(Dose(after_s=t, amount_ng=1e6 * mg, bioavailability=f) for t, mg, f in doses)
    )


#: Regimens of the published tables, by their names.
REGIMENS = {
    entry.key: entry
    for entry in (
        _rescue("none", "in_4mg"),
        _rescue("IN4mg_x1", "in_4mg", (0, 4, "f")),
        _rescue("IN4mg_x2_150s", "in_4mg", (0, 4, "f"), (150, 4, "f")),
        _rescue("IN4mg_x3_150s", "in_4mg", (0, 4, "f"), (150, 4, "f"), (300, 4, "f_third")),
        _rescue("IN4mg_x4_150s", "in_4mg", (0, 4, "f"), (150, 4, "f"), (300, 4, "f_third"), (450, 4, "f_third")),
        _rescue("IN4mg_2rapid", "in_4mg", (0, 8, "f")),
        _rescue("IN4mg_4rapid", "in_4mg", (0, 8, "f"), (150, 8, "f_rapid")),
        _rescue("IM2mg_generic", "im_generic", (0, 2, "f")),
        _rescue("IM2mg_EVZIO", "im_evzio", (0, 2, "f")),
        *(_rescue(f"IV{mg:g}mg", "iv", (0, mg, "f")) for mg in (0.04, 0.5, 1.0, 2.0, 4.0, 10.0)),
    )
}
