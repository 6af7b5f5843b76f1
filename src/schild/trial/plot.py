"""Figures of a trial for scripts; the page draws its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from schild.trial.result import TrialResult

__all__ = ["survival_figure"]

#: Colours that people who see colours differently tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#777777")


def survival_figure(result: TrialResult, width: float = 7.2, height: float = 3.4) -> Figure:
    """Draw Kaplan-Meier curves of the first heavy drinking day with pointwise 95 % bands."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.subplots()
    for k, (name, s) in enumerate(result.survival.items()):
        day = np.concatenate([[0.0], s.time_day, [float(result.trial.days)]])
        share = np.concatenate([[1.0], s.share, s.share[-1:]])
        se = np.concatenate([[0.0], s.se, s.se[-1:]])
        ax.step(day, share, where="post", color=COLOURS[k % len(COLOURS)], label=name)
        ax.fill_between(
            day, np.clip(share - 1.96 * se, 0, 1), np.clip(share + 1.96 * se, 0, 1), step="post", alpha=0.18,
            color=COLOURS[k % len(COLOURS)], linewidth=0,
        )  # fmt: skip
    ax.set(
        xlabel="day of treatment", ylabel="share without a heavy drinking day", ylim=(0, 1), xlim=(0, result.trial.days)
    )
    ax.grid(True)
    ax.legend()
    return figure
