"""Draw the pictures of the rescue page: ``python docs/images/make_rescue.py``."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import schild

mpl.rcParams["svg.hashsalt"] = "schild"  # the same picture gives the same file
mpl.rcParams["svg.fonttype"] = "none"
HERE = Path(__file__).parent

#: Place, size, text and kind of every box; kinds are drugs, control, gases, flow, end.
BOXES = {
    "opioid": (0.2, 7.6, 2.6, 0.8, "opioid\nplasma, effect site", "drug"),
    "antagonist": (0.2, 6.3, 2.6, 0.8, "antagonist\nplasma, effect site", "drug"),
    "mu": (3.5, 6.95, 2.4, 0.8, "mu receptors\nbound fraction r", "drug"),
    "module": (3.5, 8.4, 2.4, 0.8, "receptor module\nany drugs, a history", "drug"),
    "wake": (6.9, 7.7, 3.0, 0.8, "wakefulness drive\nW - 6.62 r^p", "control"),
    "gain": (6.9, 6.3, 3.0, 0.8, "chemoreflexes left\n1 - r^p", "control"),
    "vent": (10.8, 6.95, 2.6, 0.8, "ventilation\nof alveoli 0.66", "control"),
    "helper": (10.8, 8.4, 2.6, 0.8, "rescue breathing\nat least so much", "help"),
    "lung": (10.8, 5.0, 2.6, 0.8, "lung: O2, CO2\nfrom venous blood, shunt", "gas"),
    "oxygen": (7.6, 5.0, 2.3, 0.8, "inhaled oxygen\naltitude", "help"),
    "blood": (10.8, 3.1, 2.6, 0.8, "arterial blood\nO2, CO2 contents", "gas"),
    "brain": (6.9, 3.1, 3.0, 0.8, "brain\nO2, CO2; metabolism", "gas"),
    "tissue": (6.9, 1.4, 3.0, 0.8, "other tissue\nO2, CO2; metabolism", "gas"),
    "sensors": (3.5, 4.6, 2.4, 0.95, "chemoreceptors: arterial\nO2, CO2; brain CO2\nafter lags K / Q", "control"),
    "flow": (3.5, 1.4, 2.4, 0.8, "blood flow Q\nrises in hypoxia", "flow"),
    "collapse": (0.2, 1.4, 2.6, 0.8, "collapse\nflow falls", "end"),
    "hypoxia": (0.2, 3.1, 2.6, 0.8, "PaO2 <= 15 mmHg\nfor 220 s", "end"),
    "arrest": (0.2, 0.1, 2.6, 0.6, "cardiac arrest", "end"),
}
COLOURS = {
    "drug": "#D55E00",
    "control": "#0072B2",
    "gas": "#009E73",
    "flow": "#CC79A7",
    "end": "#444444",
    "help": "#E69F00",
}
ARROWS = [
    ("opioid", "mu", "", 0), ("antagonist", "mu", "", 0), ("module", "mu", "or", 0), ("mu", "wake", "", 0),
    ("mu", "gain", "", 0), ("wake", "vent", "", 0), ("gain", "vent", "", 0), ("helper", "vent", "", 0),
    ("vent", "lung", "", 0), ("oxygen", "lung", "", 0), ("lung", "blood", "", 0), ("blood", "brain", "", 0),
    ("blood", "tissue", "", 0.0), ("brain", "sensors", "", 0), ("sensors", "gain", "", 0), ("flow", "tissue", "", 0),
    ("flow", "brain", "", 0), ("hypoxia", "collapse", "", 0), ("collapse", "flow", "", 0),
    ("collapse", "arrest", "", 0), ("flow", "sensors", "lag", 0),
]  # fmt: skip


def edge(box: tuple, towards: tuple) -> tuple[float, float]:
    """Where the line between two middles leaves a box."""
    x, y, w, h, *_ = box
    cx, cy = x + w / 2, y + h / 2
    dx, dy = towards[0] + towards[2] / 2 - cx, towards[1] + towards[3] / 2 - cy
    share = min((w / 2 + 0.08) / abs(dx) if dx else 9e9, (h / 2 + 0.08) / abs(dy) if dy else 9e9)
    return cx + share * dx, cy + share * dy


def diagram() -> Figure:
    """Draw the loop: boxes are states, arrows what acts on what."""
    figure = Figure(figsize=(10.0, 6.9), layout="constrained")
    axis = figure.subplots()
    axis.set_xlim(0, 13.6)
    axis.set_ylim(-0.1, 9.4)
    axis.set_axis_off()
    for x, y, w, h, text, kind in BOXES.values():
        style = FancyBboxPatch((x, y), w, h, boxstyle="round,pad=0.02,rounding_size=0.12", linewidth=1.4)
        style.set_edgecolor(COLOURS[kind])
        style.set_facecolor("white")
        axis.add_patch(style)
        axis.text(x + w / 2, y + h / 2, text, ha="center", va="center", fontsize=8.5, linespacing=1.25)
    for first, last, word, bend in ARROWS:
        a, b = BOXES[first], BOXES[last]
        start, end = edge(a, b), edge(b, a)
        line = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, linewidth=1.0, color="#555555")
        line.set_connectionstyle("arc3", rad=bend)
        axis.add_patch(line)
        if word:
            axis.text((start[0] + end[0]) / 2 + 0.15, (start[1] + end[1]) / 2, word, fontsize=8, color="#555555")
    # Blood is everywhere: what its oxygen decides is said, not drawn across the loop.
    axis.text(0.2, 4.35, "arterial oxygen decides", fontsize=8, color="#555555")
    axis.annotate("", (1.5, 3.98), (1.5, 4.3), arrowprops={"arrowstyle": "-|>", "color": "#555555"})
    return figure


def courses() -> Figure:
    """Draw a table: the typical person, and the people."""
    return schild.rescue("fentanyl 1.625 mg iv", ["none", "naloxone 4 mg in"], n=500, until="30 min").plot()


if __name__ == "__main__":
    diagram().savefig(HERE / "rescue.svg", metadata={"Date": None})
    courses().savefig(HERE / "rescue_courses.svg", metadata={"Date": None})
