"""Figures of a trial for scripts; the page draws its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.figures import COLOURS, panels, shade

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from schild.trial.result import TrialResult

__all__ = ["survival_figure"]


def survival_figure(result: TrialResult, ax: Any = None) -> Figure | Any:
    """Draw Kaplan-Meier curves of the trial's time with pointwise 95 % bands."""
    import numpy as np

    from schild.trial.endpoints import event_of

    axes, drawn = panels(1, 1, (7.2, 3.4), ax)
    axis = axes[0]
    for k, (name, s) in enumerate(result.survival.items()):
        day = np.concatenate([[0.0], s.time_day, [float(result.trial.days)]])
        share, se = np.r_[1.0, s.share], np.r_[0.0, s.se]  # no further steps where nobody had the event
        share, se = np.r_[share, share[-1]], np.r_[se, se[-1]]
        axis.step(day, share, where="post", color=COLOURS[k % len(COLOURS)], label=name)
        low, high = (np.clip(share + z * se, 0, 1) for z in (-1.96, 1.96))
        shade(axis, day, low, high, COLOURS[k % len(COLOURS)], 0.18, step="post")
    axis.set(
        xlabel="day of treatment",
        ylabel=f"share without {event_of(result.trial)[1]}",
        ylim=(0, 1),
        xlim=(0, result.trial.days),
    )
    axis.grid(True)
    axis.legend()
    return drawn
