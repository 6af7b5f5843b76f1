"""Virtual trials: the same people in every arm, day after day (docs/design/trial.md)."""

from __future__ import annotations

from schild.trial.result import TrialResult, run_trial
from schild.trial.sizing import Needed, Sizing, size_trial
from schild.trial.trialfile import Arm, Trial

__all__ = ["Arm", "Needed", "Sizing", "Trial", "TrialResult", "run_trial", "size_trial"]
