"""Virtual trials of alcohol and opioid use disorder (docs/design/trial.md, docs/design/opioid-trials.md)."""

from __future__ import annotations

from schild.trial.result import TrialResult, run_trial
from schild.trial.sizing import Needed, Sizing, size_trial
from schild.trial.trialfile import Arm, Trial

__all__ = ["Arm", "Needed", "Sizing", "Trial", "TrialResult", "run_trial", "size_trial"]
