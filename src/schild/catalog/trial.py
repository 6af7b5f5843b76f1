"""Names and units of the numbers of virtual trials (``data/trial.toml``)."""

from __future__ import annotations

from collections.abc import Mapping

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

#: Numbers of trials in opioid use disorder, without the ``oud.`` before them.
_OPIOID = (
    "use.between", "use.memory", "use.withdrawal", "use.active", "use.blocked", "use.exponent", "use.cue",
    "craving.gain",
    "ward.access", "ward.withdrawal", "ward.comfort", "ward.ready",
    "refuse.antagonist", "refuse.agonist", "severity.between",
    "leave.none", "leave.naltrexone", "leave.buprenorphine", "leave.methadone", "leave.between", "leave.use_blocked",
    "leave.use_free", "return", "return.use",
    "adherence.tablet", "adherence.agonist", "adherence.between", "stop.tablet",
    "urine.miss", "urine.miss_use", "urine.miss_off",
    "overdose.kappa", "report",
)  # fmt: skip

#: Every number that a trial needs, and the unit it counts in.
TRIAL_UNITS: Mapping[str, str] = {
    **dict.fromkeys(_ONES, "1"),
    **{f"who.{level}.{sex}": "g" for level in ("low", "medium", "high") for sex in ("female", "male")},
    **{f"hour.{what}": "h" for what in ("tablet", "before", "evening")},
    **{f"oud.{name}": "1" for name in _OPIOID},
    "oud.use": "1/h",
    "oud.craving.fade": "d",
    "oud.use.mass": "mg",
    "oud.use.days": "d",
    "oud.ward.leave": "1/d",
    "oud.urine.window": "h",
}
