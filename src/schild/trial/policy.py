"""Input tables of policy models: retention, relapse and the overdose ratio of each week, by arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.trial.opioid_part import COUNTS

if TYPE_CHECKING:
    import pandas as pd

    from schild.trial.result import TrialResult

#: Description of each column.
DICTIONARY: Mapping[str, str] = {
    "arm": "name of the arm",
    "week": "week since randomisation, from 1",
    "randomised": "people of the arm, all replicates",
    "retention": "share of all randomised in treatment at the end of the week, 0 to 1",
    "retention_low": "lower end of its 95 % interval (Wilson)",
    "retention_high": "upper end",
    "relapse": "share of all randomised whose relapse (four weeks not negative, from week 3 on) began by this week",
    "relapse_low": "lower end of its 95 % interval (Kaplan-Meier, 1.96 standard errors)",
    "relapse_high": "upper end",
    "use": "share of days of the week with use, of all randomised, seen or not",
    "overdose_ratio": "hazard of overdose in the week over that of a person in daily use; a ratio, never a risk",
    "overdose_ratio_low": "the same with the lower end of the 95 % interval of the whole trial's ratio",
    "overdose_ratio_high": "the same with its upper end",
}


def policy_table(result: TrialResult) -> pd.DataFrame:
    """Tabulate an opioid trial week by week, a row for each arm and week, columns of ``DICTIONARY``.

    ``result``: of ``run_trial`` with an opioid trial.
    """
    import pandas as pd
    from statsmodels.stats.proportion import proportion_confint

    weekly, rows = result.weekly(), []
    for k, arm in enumerate(result.arms):
        counts = result.part.counts[:, k]
        first, stop = counts[:, COUNTS.index("first")], counts[:, COUNTS.index("stop")]
        survival, whole = result.survival[arm], result.endpoint("overdose_ratio", arm)
        scale = max(whole.estimate, 1e-12)
        n = len(counts)
        for week in range(1, result.trial.trial.weeks + 1):
            end = 7 * week
            kept = int(((first >= 0) & (first < end) & (stop >= end - 1)).sum())
            low, high = (float(v) for v in proportion_confint(kept, n, method="wilson"))
            before = np.flatnonzero(survival.time_day <= end)
            lost = 1.0 - float(survival.share[before[-1]]) if before.size else 0.0
            se = float(survival.se[before[-1]]) if before.size else 0.0
            ratio = float(weekly[arm]["overdose"][week - 1])
            values: tuple[Any, ...] = (
                arm, week, n, kept / n, low, high, lost, max(lost - 1.96 * se, 0.0), min(lost + 1.96 * se, 1.0),
                float(weekly[arm]["used"][week - 1]), ratio, ratio * whole.low / scale, ratio * whole.high / scale,
            )  # fmt: skip
            rows.append(dict(zip(DICTIONARY, values, strict=True)))
    return pd.DataFrame(rows)
