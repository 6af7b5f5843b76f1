"""Names and units of the numbers of virtual trials (``data/trial.toml``)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TRIAL_UNITS"]

_ONES = (
    "day.drinking", "day.drinking.between", "day.heavy", "day.heavy.between", "day.between.rho",
    "day.habit.drinking", "day.habit.heavy", "day.habit.heavy_heavy",
    "craving.weight", "craving.persistence",
    "limit.male", "limit.female", "amount.tail", "amount.between", "amount.most",
    "response.drinking", "response.between", "response.heavy", "response.share",
    "trials.effect", "trials.response",
    "adherence.daily", "adherence.injection", "adherence.between", "adherence.persistence",
    "stop.weekly", "leave.weekly", "nausea.placebo", "nausea.added", "nausea.stops",
    "learning.rate", "learning.weight",
)  # fmt: skip

#: Every number that a trial needs, and the unit it counts in.
TRIAL_UNITS: Mapping[str, str] = {
    **dict.fromkeys(_ONES, "1"),
    **{f"who.{level}.{sex}": "g" for level in ("low", "medium", "high") for sex in ("female", "male")},
    **{f"hour.{what}": "h" for what in ("tablet", "before", "evening")},
}
