"""Virtual trials: the same people in every arm, day after day (docs/design/trial.md)."""

from __future__ import annotations

from schild.trial.result import TrialResult, run_trial
from schild.trial.trialfile import Arm, Trial

__all__ = ["Arm", "Trial", "TrialResult", "run_trial"]
