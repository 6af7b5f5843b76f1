"""A figure for each claim, drawn from the runs of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.errors import SchildError
from schild.explain.experiments import (
    LEVELS,
    RECEPTORS,
    Lab,
    antagonist_load,
    challenge_of,
    equilibrium_curve,
    last_dose_h,
    mu_loads,
    published_dose,
    ventilation_curve,
)
from schild.explain.experiments_alcohol import LUCKS
from schild.explain.figures_alcohol import ALCOHOL_FIGURES, individual_panels
from schild.explain.figures_withdrawal import WITHDRAWAL_FIGURES, tolerance_panel
from schild.explain.panels import (
    BLUE,
    GREEN,
    ORANGE,
    PINK,
    YELLOW,
    Columns,
    Drawn,
    axes_of,
    band,
    even,
    keep_in,
    legend_above,
)
from schild.figures import COLOURS
from schild.report import INK, draw_on, new_figure, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BLUE", "FIGURES", "GREEN", "ORANGE", "PINK", "Columns", "Drawn", "draw"]

Floats = NDArray[np.floating]

_STRUCTURES = (
    ("effect_compartment", "pool in the brain (default)", BLUE, "-"),
    ("slow_receptor", "slow receptor", ORANGE, "--"),
    ("effect_compartment_slow_receptor", "both", GREEN, "-."),
    ("plasma_equilibrium", "follows plasma", PINK, ":"),
)
_PEOPLE = "Line: typical person; band: 90 % of virtual people, uncertainty of the numbers included."


def draw(name: str, lab: Lab) -> Drawn:
    """Draw one figure by name.

    Parameters
    ----------
    name : str
        Of ``FIGURES``.
    lab : Lab
        Holds the runs.

    Returns
    -------
    Drawn
        Ready for a page.
    """
    with draw_on():
        figure, alt, caption, data = FIGURES[name](lab)
        svg = figure if isinstance(figure, str) else svg_of(figure, name.replace("_", "-"), alt)
    return Drawn(svg=svg, caption=caption, data=data)


def _percent(axis: Axes, title: str, x: str, y: str = "occupied [%]") -> None:
    axis.set(ylim=(-2, 102), ylabel=y, xlabel=x)
    axis.set_title(title, loc="left")
    axis.grid(True)


def _course(
    lab: Lab, regimen: str, receptor: str, until: float, every: float, **options: Any
) -> tuple[Floats, Floats, Floats, Floats]:
    """Times, typical percent, and the 90 % band."""
    t, one = lab.pet(regimen, receptor, until, every, **options)
    _, many = lab.pet(regimen, receptor, until, every, many=True, **options)
    low, high = np.nanquantile(many, [0.05, 0.95], axis=0)
    return t, 100 * one[0], 100 * low, 100 * high


def _points(axis: Axes, x: Sequence[float], y: Sequence[float], sd: Sequence[float] | None, label: str) -> None:
    axis.errorbar(
        x, y, yerr=sd, fmt="o", color=INK, markersize=4.5, capsize=2.5, linewidth=1, label=label, zorder=5, mfc="none"
    )


def _rows(lab: Lab, prefix: str) -> tuple[list[float], list[float], list[float]]:
    rows = [o for o in lab.catalogue.study("naltrexone_pet").observations if o.id.startswith(prefix) and o.unit == "%"]
    return [float(o.time_h or 0) for o in rows], [o.value for o in rows], [float(o.sd_fixed or 0) for o in rows]


def _receptors(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2)
    data: Columns = {}
    for axis, regimen, days, title in (
        (axes[0], "naltrexone 50 mg po q24h x4", 4, "50 mg a day"),
        (axes[1], "naltrexone 100 mg po q24h x7", 7, "100 mg a day"),
    ):
        for receptor, name, colour in (("mor", "mu", BLUE), ("kor", "kappa", ORANGE), ("dor", "delta", GREEN)):
            t, y, low, high = _course(lab, regimen, receptor, 168.0, 1.0)
            band(axis, t / 24, y, low, high, colour, name)
            data.setdefault("time [h]", [float(v) for v in t])
            keep_in(data, f"{name}, {title} [%]", y, low, high)
        _percent(axis, title, "days")
        axis.set_xlim(0, days + 0.2)
    for prefix in ("weerts2008_mor", "weerts2008_dor"):
        t_h, y_obs, sd = _rows(lab, prefix)
        _points(axes[0], [v / 24 for v in t_h], y_obs, sd, "")
    t_h, y_obs, sd = _rows(lab, "delaat2021_kor")
    _points(axes[1], [v / 24 for v in t_h], y_obs, sd, "tomography")
    legend_above(figure, axes[1], 4)
    return (
        figure,
        "Occupancy of mu, kappa and delta receptors over days of 50 and 100 mg by mouth, with tomography.",
        "Mu before kappa before delta. Circles: tomography with its standard deviation (Weerts 2008, de Laat "
        f"2021; fitted). {_PEOPLE}",
        data,
    )


def _metabolite(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2)
    data: Columns = {}
    for axis, receptor, title in ((axes[0], "mor", "mu, brain"), (axes[1], "mor_gut", "mu, gut")):
        names = [f"{receptor}_occupancy_{s}" for s in ("naltrexone", "beta_naltrexol", "endogenous")]
        found = lab.run("naltrexone 50 mg po q24h x4", 168.0, 0.5, [*names, f"{receptor}_free"], receptors=[receptor])
        t = np.asarray(found[names[0]].time_h)
        parts = [100 * np.asarray(found[n].value) for n in (*names, f"{receptor}_free")]
        labels = ("naltrexone", "6-beta-naltrexol", "the body's own", "free")
        axis.stackplot(t / 24, *parts, colors=(BLUE, ORANGE, YELLOW, "#88888833"), labels=labels, linewidth=0)
        _percent(axis, title, "days", "receptors [%]")
        axis.set_ylim(0, 100)
        data.setdefault("time [h]", [float(v) for v in t])
        for label, part in zip(labels, parts, strict=True):
            keep_in(data, f"{label}, {title} [%]", part)
    legend_above(figure, axes[0], 4)
    return (
        figure,
        "Share of mu receptors in brain and gut held by naltrexone, its metabolite and the body's own opioids "
        "over a week.",
        "Four daily tablets of 50 mg, typical person: bound and free make 100 % at every moment. In the gut the "
        "metabolite holds the receptors when naltrexone has gone.",
        data,
    )


def _schild(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2, 3.6)
    agonist = np.geomspace(1e-2, 1e6, 65)
    _, _, tone = mu_loads(lab, "effect_compartment")
    data: Columns = {"agonist, C/Kd": [float(v) for v in agonist]}
    shades = np.linspace(0.35, 1.0, len(LEVELS))
    control = 100 * equilibrium_curve(agonist, 0.0, tone)
    axes[0].plot(agonist, control, color=INK, label="none", linewidth=1.6)
    keep_in(data, "equilibrium, no naltrexone [%]", control)
    for level, shade in zip(LEVELS, shades, strict=True):
        curve = 100 * equilibrium_curve(agonist, level, tone)
        axes[0].plot(agonist, curve, color=BLUE, alpha=float(shade), label=f"{level:g} x Kd", linewidth=1.6)
        keep_in(data, f"equilibrium, naltrexone {level:g} x Kd [%]", curve)
    axes[0].legend(title="naltrexone", title_fontsize=8.5, loc="lower right")
    _percent(axes[0], "at equilibrium", "agonist, concentration / Kd", "occupied by agonist [%]")
    first = True
    for key, label, colour, style in _STRUCTURES:
        c = challenge_of(lab, key, "naltrexone 50 mg po", 24.0, "morphine")
        if first:
            alone = 100 * c.curve(agonist, blocked=False)
            axes[1].plot(agonist, alone, color=INK, linewidth=1.6, label="no naltrexone")
            keep_in(data, "after 1 h, no naltrexone [%]", alone)
            first = False
        curve = 100 * c.curve(agonist)
        axes[1].plot(agonist, curve, color=colour, linestyle=style, linewidth=1.7, label=label)
        keep_in(data, f"after 1 h, {label} [%]", curve)
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=5, title="right:", title_fontsize=8.5)
    _percent(axes[1], "after 1 h, a day after 50 mg", "agonist, concentration / Kd", "occupied by agonist [%]")
    for axis in axes:
        axis.set_xscale("log")
    return (
        figure,
        "Agonist occupancy over agonist concentration: parallel right shift at equilibrium; after an hour a pool "
        "in the "
        "brain shifts the curve, a slow receptor lowers its top.",
        "Left: at equilibrium naltrexone moves the curve to the right and leaves its top. Right: what a challenge "
        "of an hour meets under four mechanisms. Over concentration relative to affinity, never over doses.",
        data,
    )


def _washout(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure = new_figure(7.4, 5.8)
    axes = list(figure.subplots(2, 2).flat)
    data: Columns = {}
    t, y, low, high = _course(lab, "naltrexone 50 mg po", "mor", 336.0, 1.0)
    band(axes[0], t / 24, y, low, high, BLUE, "one tablet of 50 mg")
    keep_in(data, "tablet: time [h]", t)
    keep_in(data, "tablet: mu [%]", y, low, high)
    t_h, seen, sd = _rows(lab, "lee1988")
    early = float(np.interp(1.0, t, y)) / 100
    _points(axes[0], [v / 24 for v in t_h], [early * v for v in seen], [early * v for v in sd], "scans (Lee 1988)")
    _percent(axes[0], "after one tablet", "days")
    axes[0].legend(loc="upper right")
    t, y, low, high = _course(lab, "naltrexone 380 mg im_depot", "mor", 2016.0, 6.0)
    band(axes[1], t / 24, y, low, high, BLUE, "380 mg")
    axes[1].axvline(28, color=INK, linewidth=0.8, linestyle=":")
    axes[1].annotate("next one due", (28.8, 8), fontsize=8.5)
    _percent(axes[1], "after one injection", "days")
    n = len(data["tablet: time [h]"])
    keep_in(data, "injection: time [h]", t[:n])
    keep_in(data, "injection: mu [%]", y[:n], low[:n], high[:n])
    tablets = "naltrexone 50 mg po q24h x28"
    other: Columns = {}
    _waning(axes[2], lab, tablets, last_dose_h(tablets), (1, 2, 3, 4, 5, 7, 10, 14), other, "28 tablets")
    _blocks(axes[2], "effects of heroin, after 28 daily tablets", "days after the last")
    axes[2].legend(loc="upper right")
    _waning(axes[3], lab, "naltrexone 380 mg im_depot", 0.0, (2, 7, 14, 21, 28, 42, 56, 84), other, "injection")
    _blocks(axes[3], "effects of heroin, after one injection", "days")
    data |= {name: [*column, *[""] * (n - len(column))] for name, column in other.items()}
    return (
        figure,
        "Mu occupancy after one tablet over two weeks with scans, and after one injection over twelve weeks; below, "
        "block of four effects of heroin over days after 28 tablets and after one injection.",
        "The block goes by itself. Scans are relative to the one at 1 h and are drawn from the model's own value "
        f"there. {_PEOPLE} Below: block of the effects of {_HEROIN}; dotted: what counts as blocked. {_CROWD}",
        data,
    )


def _people(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure = new_figure(7.4, 5.6)
    grid = figure.subplots(2, 2)
    axes = list(grid[0])
    data: Columns = {}
    for axis, receptor, name, colour in ((axes[0], "mor", "mu", BLUE), (axes[1], "dor", "delta", GREEN)):
        group = {"n": 20 * lab.n}
        values = 100 * lab.pet(
            "naltrexone 50 mg po q24h x4", receptor, 76.0, 76.0, many=True, population=group
        )[1][:, -1]  # fmt: skip
        axis.hist(values, bins=24, color=colour, alpha=0.75)
        _, (mean,), (sd,) = _rows(lab, f"weerts2008_{receptor}")
        top = axis.get_ylim()[1]
        axis.errorbar([mean], [1.06 * top], xerr=[sd], fmt="o", color=INK, mfc="none", capsize=3, linewidth=1)
        axis.annotate("scans: mean, SD", (mean, 1.1 * top), ha="center", va="bottom", fontsize=8.5)
        axis.set(xlabel="occupied [%]", ylabel="virtual people", ylim=(0, 1.3 * top))
        axis.set_title(f"{name}, 4 h after the fourth tablet", loc="left")
        quantiles = np.linspace(0.05, 0.95, 19)
        data.setdefault("quantile", [float(q) for q in quantiles])
        keep_in(data, f"{name} [%]", np.quantile(values, quantiles))
    individual_panels(grid[1][0], grid[1][1], lab, data)
    return (
        figure,
        "How mu and delta occupancy differ between virtual people, with mean and standard deviation of the scans; how "
        "many heavy drinking days tablets take from each, and days with tablets against days without.",
        f"Above: {20 * lab.n} virtual people; the scans' spread (Weerts 2008) holds the error of the scan too. Below: "
        f"virtual trial of 12 weeks, each person with the same luck with and without tablets, mean of {LUCKS} repeats; "
        "how people differ is assumed.",
        even(data),
    )


def _formulations(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2)
    data: Columns = {}
    for axis, species, name in ((axes[0], "naltrexone", "naltrexone"), (axes[1], "beta_naltrexol", "6-beta-naltrexol")):
        for regimen, label, colour in (
            ("naltrexone 380 mg im_depot", "one injection of 380 mg", BLUE),
            ("naltrexone 50 mg po q24h x28", "50 mg a day by mouth", ORANGE),
        ):
            output = f"plasma_{species}"
            one = lab.run(regimen, 840.0, 1.0, [output], receptors=["mor"])[output]
            many = np.asarray(lab.run(regimen, 840.0, 1.0, [output], receptors=["mor"], many=True)[output].values)
            t = np.asarray(one.time_h)
            low, high = np.quantile(many, [0.05, 0.95], axis=0)
            band(axis, t / 24, np.asarray(one.value), low, high, colour, label)
            data.setdefault("time [h]", [float(v) for v in t])
            keep_in(data, f"{name}, {label} [ng/mL]", np.asarray(one.value), low, high)
        axis.set(yscale="log", xlabel="days", ylabel="plasma [ng/mL]", xlim=(0, 35))
        axis.set_title(name, loc="left")
        axis.grid(True)
    axes[0].set_ylim(0.02, 200)
    axes[1].set_ylim(0.2, 2000)
    axes[0].legend(loc="upper right")
    return (
        figure,
        "Plasma levels of naltrexone and its metabolite over five weeks, daily tablets against one injection.",
        "Tablets swing each day and make much metabolite; the injection holds a level and makes little. Drawn "
        f"every 2 h. {_PEOPLE}",
        data,
    )


def _duration(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2)
    data: Columns = {}
    found = lab.run("naltrexone 50 mg po", 168.0, 0.5, ["plasma_naltrexone"], receptors=["mor"])["plasma_naltrexone"]
    t = np.asarray(found.time_h)
    plasma = 100 * np.asarray(found.value) / float(np.max(found.value))
    _, y, low, high = _course(lab, "naltrexone 50 mg po", "mor", 168.0, 0.5)
    axes[0].plot(t, plasma, color=ORANGE, linewidth=1.7, linestyle="--", label="plasma, % of peak")
    band(axes[0], t, y, low, high, BLUE, "mu receptors, % occupied")
    axes[0].axhline(90, color=INK, linewidth=0.8, linestyle=":")
    _percent(axes[0], "plasma and block", "hours after one tablet of 50 mg", "[%]")
    axes[0].set_xticks(range(0, 169, 24))
    axes[0].legend(loc="center right", bbox_to_anchor=(1, 0.8))
    keep_in(data, "time [h]", t)
    keep_in(data, "plasma [% of peak]", plasma)
    keep_in(data, "mu [%]", y, low, high)
    t_h, seen, sd = _rows(lab, "lee1988")
    for key, label, colour, style in _STRUCTURES:
        _, values = lab.pet("naltrexone 50 mg po", "mor", 168.0, 0.5, structure=key)
        relative = 100 * values[0] / float(np.interp(1.0, t, values[0]))
        axes[1].plot(t, relative, color=colour, linestyle=style, linewidth=1.7, label=label)
        keep_in(data, f"{label} [% of 1 h]", relative)
    _points(axes[1], t_h, seen, sd, "scans (Lee 1988)")
    _percent(axes[1], "four mechanisms against the scans", "hours after one tablet of 50 mg", "% of the value at 1 h")
    axes[1].set(ylim=(-3, 175))
    axes[1].set_xticks(range(0, 169, 24))
    axes[1].legend(loc="upper right", fontsize=7.5)
    return (
        figure,
        "Plasma falls within hours while mu occupancy stays for days; four mechanisms compared with scans.",
        "Left: the block outlasts plasma. Right: relative to the scan at 1 h; a mechanism that follows plasma "
        f"cannot do it. {_PEOPLE}",
        data,
    )


def _lines(
    lab: Lab, cases: Sequence[tuple[str, str, str, str]], until: float, title: str, shift: float = 0.0,
    begin: float = 0.0, every: float = 1.0,
) -> tuple[Figure, Axes, Columns]:  # fmt: skip
    figure, (axis,) = axes_of(1)
    data: Columns = {}
    for regimen, label, colour, style in cases:
        t, y, low, high = _course(lab, regimen, "mor", until, every)
        keep = t >= begin
        band(axis, (t[keep] - shift) / 24, y[keep], low[keep], high[keep], colour, label, style)
        data.setdefault("time [h]", [float(v) for v in t[keep] - shift])
        keep_in(data, f"{label}: mu [%]", y[keep], low[keep], high[keep])
    _percent(axis, title, "days", "mu receptors occupied [%]")
    axis.legend(loc="lower left")
    return figure, axis, data


def _missed_tablet(lab: Lab) -> tuple[Figure, str, str, Columns]:
    base = "naltrexone 50 mg po q24h x21"
    cases = (
        (base, "none missed", BLUE, "-"),
        (f"{base} skip 15", "one missed", ORANGE, "--"),
        (f"{base} skip 15-17", "three missed", GREEN, "-."),
    )
    figure, axes = axes_of(2)
    data: Columns = {}
    for regimen, label, colour, style in cases:
        t, y, low, high = _course(lab, regimen, "mor", 504.0, 0.5)
        keep = t >= 264.0
        band(axes[0], t[keep] / 24, y[keep], low[keep], high[keep], colour, label, style)
        data.setdefault("time [h]", [float(v) for v in t[keep]])
        keep_in(data, f"{label}: mu [%]", y[keep], low[keep], high[keep])
    _percent(axes[0], "50 mg a day, missed from day 14", "days", "mu receptors occupied [%]")
    _missed_blocks(axes[1], lab)
    for axis in axes:
        axis.set_xlim(11, 21)
    legend_above(figure, axes[0], 3)
    return (
        figure,
        "Mu occupancy and block of heroin's liking on 50 mg a day with none, one and three tablets missed.",
        "One missed tablet costs little occupancy in the typical person, three cost much; block of liking falls sooner "
        f"than occupancy. {_PEOPLE} Right: typical person, challenged twice a day; dotted: what counts as blocked.",
        data,
    )


def _missed_injection(lab: Lab) -> tuple[Figure, str, str, Columns]:
    cases = (
        ("naltrexone 380 mg im_depot q28d x3", "every 28 days", BLUE, "-"),
        ("naltrexone 380 mg im_depot", "second one missed", ORANGE, "--"),
    )
    figure, axis, data = _lines(lab, cases, 1848.0, "380 mg, the injection of day 28 missed", every=6.0)
    axis.axvline(28, color=INK, linewidth=0.8, linestyle=":")
    axis.set_xlim(0, 77)
    return (
        figure,
        "Mu occupancy with monthly injections, and when the second is missed.",
        f"The block fades over the weeks after a missed date. {_PEOPLE}",
        data,
    )


def _low_dose(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2)
    doses = np.geomspace(0.5, 100, 16)
    one, low, high = [], [], []
    for dose in doses:
        regimen = f"naltrexone {dose:.6g} mg po"
        one.append(100 * float(lab.pet(regimen, "mor", 4.0, 4.0)[1][0, -1]))
        a, b = np.quantile(100 * lab.pet(regimen, "mor", 4.0, 4.0, many=True)[1][:, -1], [0.05, 0.95])
        low.append(float(a))
        high.append(float(b))
    y = np.array(one)
    band(axes[0], doses, y, np.array(low), np.array(high), BLUE, "model")
    rows = [
        o
        for o in lab.catalogue.study("naltrexone_pet").observations
        if o.id.startswith("rabiner2011_") and o.unit == "%"
    ]
    _points(
        axes[0], [float(o.regimen.split()[1]) for o in rows], [o.value for o in rows],
        [float(o.sd_fixed or 0) for o in rows], "scans (Rabiner 2011)",
    )  # fmt: skip
    _percent(axes[0], "4 h after one dose", "mg by mouth", "mu receptors occupied [%]")
    axes[0].set_xscale("log")
    axes[0].set_xticks([0.5, 1.5, 4.5, 15, 50, 100], ["0.5", "1.5", "4.5", "15", "50", "100"])
    axes[0].minorticks_off()
    axes[0].legend(loc="lower right")
    for regimen, label, colour, style in (
        ("naltrexone 4.5 mg po q24h x14", "4.5 mg a day", BLUE, "-"),
        ("naltrexone 1.5 mg po q24h x14", "1.5 mg a day", ORANGE, "--"),
    ):
        t, c, a, b = _course(lab, regimen, "mor", 336.0, 1.0)
        band(axes[1], t / 24, c, a, b, colour, label, style)
    _percent(axes[1], "every day", "days", "mu receptors occupied [%]")
    axes[1].legend(loc="upper right")
    data: Columns = {}
    keep_in(data, "dose [mg]", doses)
    keep_in(data, "mu, 4 h [%]", y, np.array(low), np.array(high))
    return (
        figure,
        "Mu occupancy 4 h after doses from 0.5 to 100 mg with scans, and over two weeks of 1.5 and 4.5 mg a day.",
        f"Low doses hold a good part of the receptors, and with daily use more than a single dose. {_PEOPLE}",
        data,
    )


def _surgery(lab: Lab) -> tuple[Figure, str, str, Columns]:
    regimen = "naltrexone 50 mg po q24h x14"
    last = last_dose_h(regimen)
    cases = ((regimen, "14 daily tablets of 50 mg", BLUE, "-"),)
    figure, axis, data = _lines(lab, cases, last + 504.0, "mu occupancy after the last dose", shift=last, begin=last)
    t, y, low, high = _course(lab, "naltrexone 380 mg im_depot", "mor", 1848.0, 6.0)
    band(axis, t / 24, y, low, high, ORANGE, "one injection of 380 mg", "--")
    for level in (50, 10):
        axis.axhline(level, color=INK, linewidth=0.7, linestyle=":")
    axis.legend(loc="upper right")
    axis.set_xlim(0, 77)
    return (
        figure,
        "Mu occupancy over the days after the last daily tablet and after an injection.",
        f"Timing only: how an operation is planned and pain is treated belongs to the surgical team. {_PEOPLE}",
        data,
    )


def _higher_doses(lab: Lab) -> tuple[Figure, str, str, Columns]:
    cases = (
        ("naltrexone 50 mg po", "50 mg", BLUE, "-"),
        ("naltrexone 100 mg po", "100 mg", ORANGE, "--"),
        ("naltrexone 150 mg po", "150 mg", GREEN, "-."),
    )
    figure, axis, data = _lines(lab, cases, 216.0, "one dose", every=1.0)
    for (regimen, _, colour, _), hour in zip(cases, (24.0, 48.0, 72.0), strict=True):
        value = 100 * float(lab.pet(regimen, "mor", hour, hour)[1][0, -1])
        axis.plot([hour / 24], [value], "o", color=colour, markersize=7, mec=INK, mew=0.8)
    axis.axhline(80, color=INK, linewidth=0.7, linestyle=":")
    axis.set_xlim(0, 9)
    return (
        figure,
        "Mu occupancy after one dose of 50, 100 and 150 mg with the durations of the label.",
        "Dots: how long the label says each blocks 25 mg of heroin (24, 48, 72 h); it speaks of effects. Dotted: the "
        f"assumed line of 80 %. {_PEOPLE}",
        data,
    )


# ------------------------------------------------------------------------------------------------ effects

_BLOCKS = (
    ("liking", "liking", BLUE, "-"),
    ("ventilation_isohypercapnic", "breathing", ORANGE, "--"),
    ("pupil", "pupil", GREEN, "-."),
    ("analgesia", "pain relief", PINK, ":"),
)
_LEAST = 80.0
_HEROIN = "25 mg of heroin into a vein"
_CROWD = "Median of 300 runs; band or bar: 90 % of them."


def _blocks(axis: Axes, title: str, x: str) -> None:
    axis.axhline(_LEAST, color=INK, linewidth=0.8, linestyle=":")
    axis.set(ylim=(-3, 103), ylabel="block [%]", xlabel=x)
    axis.set_title(title, loc="left")
    axis.grid(True)


def _waning(axis: Axes, lab: Lab, regimen: str, last: float, days: Sequence[float], data: Columns, what: str) -> None:
    """Block of each effect over days after the last dose, people's band for liking."""
    dose = published_dose(lab.catalogue, "heroin", "iv")
    found = [lab.challenge(regimen, dose, last + 24.0 * day) for day in days]
    data[f"{what}: day"] = [float(d) for d in days]
    for effect, label, colour, style in _BLOCKS:
        y = 100 * np.array([f[effect].median_block for f in found])
        axis.plot(days, y, color=colour, linestyle=style, marker="o", markersize=3, linewidth=1.6, label=label)
        keep_in(data, f"{what}: block of {label} [%]", y)
        if effect == "liking":
            low, high = (100 * np.array([np.nanquantile(f[effect].block, q) for f in found]) for q in (0.05, 0.95))
            axis.fill_between(days, low, high, color=colour, alpha=0.16, linewidth=0)
            keep_in(data, f"{what}: block of {label}, 5 % of people [%]", low)
            keep_in(data, f"{what}: block of {label}, 95 % of people [%]", high)


def _durations(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2, 3.5)
    dose = published_dose(lab.catalogue, "heroin", "iv")
    cases = ((50, 24.0), (100, 48.0), (150, 72.0))
    data: Columns = {"dose [mg]": [c[0] for c in cases], "time [h]": [c[1] for c in cases]}
    marks = dict(zip([key for key, *_ in _STRUCTURES], "osD^", strict=True))
    for k, (key, label, colour, _) in enumerate(_STRUCTURES):
        found = [lab.challenge(f"naltrexone {mg} mg po", dose, h, None if k == 0 else key)["liking"] for mg, h in cases]
        y = 100 * np.array([r.median_block for r in found])
        low, high = (100 * np.array([np.nanquantile(r.block, q) for r in found]) for q in (0.05, 0.95))
        x = np.arange(3) + 0.14 * (k - 1.5)
        axes[0].errorbar(
            x, y, yerr=[y - low, high - y], fmt=marks[key], color=colour, markersize=5, capsize=2.5, linewidth=1.2,
            label=label,
        )  # fmt: skip
        keep_in(data, f"block of liking, {label} [%]", y, low, high)
    _blocks(axes[0], "liking, at the label's times", "tablets, and hours later")
    axes[0].set_xticks(range(3), [f"{mg} mg\n{h:g} h" for mg, h in cases])
    axes[0].annotate("blocked: 80 % or more", (0.6, 93), fontsize=8.5)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4, title="left:", title_fontsize=8.5
    )
    other: Columns = {}
    _waning(axes[1], lab, "naltrexone 50 mg po", 0.0, (1 / 12, 0.25, 0.5, 1, 2, 3, 5, 7), other, "one tablet")
    _blocks(axes[1], "four effects, after one tablet of 50 mg", "days after the tablet")
    axes[1].legend(loc="upper right")
    # Columns of one table are of one length: the shorter ones are filled up.
    longest = max(len(column) for column in other.values())
    data = {name: [*column, *[""] * (longest - len(column))] for name, column in (data | other).items()}
    return (
        figure,
        "Block of liking of heroin at 24, 48 and 72 h after 50, 100 and 150 mg under four mechanisms, all below the "
        "line of 80 %; and block of four effects over a week after one tablet.",
        f"{_HEROIN[0].upper()}{_HEROIN[1:]}. Dotted: what counts as blocked, written down beforehand. Left: the label "
        f"says blocked at all three times; no mechanism gives that. {_CROWD}",
        data,
    )


def _missed_blocks(axis: Axes, lab: Lab) -> None:
    """Block of liking when tablets are missed, typical person."""
    dose = published_dose(lab.catalogue, "heroin", "iv")
    base = "naltrexone 50 mg po q24h x21"
    days = np.arange(12.0, 21.01, 0.5)
    for words, label, colour, style in (
        (base, "none missed", BLUE, "-"),
        (f"{base} skip 15", "one missed", ORANGE, "--"),
        (f"{base} skip 15-17", "three missed", GREEN, "-."),
    ):
        found = [lab.challenge(words, dose, 24.0 * d, None, None, ("liking",))["liking"] for d in days]
        y = [100 * r.median_block for r in found]
        axis.plot(days, y, color=colour, linestyle=style, linewidth=1.7, label=label)
    _blocks(axis, "block of liking, 25 mg of heroin IV", "days")


def _alone(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, axes = axes_of(2)
    data: Columns = {}
    effects = lab.catalogue.effects
    for axis, regimen, until, title in (
        (axes[0], "naltrexone 50 mg po", 168.0, "50 mg by mouth"),
        (axes[1], "naltrexone 380 mg im_depot", 2016.0, "380 mg as an injection"),
    ):
        found = lab.run(regimen, until, until / 100, list(effects), receptors=RECEPTORS)
        for k, (name, effect) in enumerate(effects.items()):
            t, y = np.asarray(found[name].time_h), np.asarray(found[name].value)
            change = (y - y[0]) / effect.numbers[effect.noise].value
            axis.plot(t / 24, change, color=COLOURS[k % len(COLOURS)], linewidth=1.6, label=name.replace("_", " "))
            data.setdefault(f"{title}: time [h]", [float(v) for v in t])
            keep_in(data, f"{title}: {name}, change / noise", change)
        axis.axhspan(-1, 1, color=INK, alpha=0.08, linewidth=0)
        axis.set(ylim=(-2, 2), xlabel="days", ylabel="change / noise")
        axis.set_title(title, loc="left")
        axis.grid(True)
    legend_above(figure, axes[0], 3)
    return (
        figure,
        "Change of six effects after naltrexone alone, all zero over a week and over twelve weeks.",
        "Grey: what counts as no change. All lines lie on zero, by construction: only drugs with efficacy stimulate.",
        data,
    )


def _cocaine(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, (axis,) = axes_of(1)
    names = ["plasma_cocaine", *lab.catalogue.effects]
    data: Columns = {}
    for regimen, label, colour, style, width in (
        ("cocaine 25 mg iv at 2 h", "cocaine", ORANGE, "-", 5.0),
        ("naltrexone 50 mg po; cocaine 25 mg iv at 2 h", "cocaine after naltrexone", BLUE, "--", 1.6),
    ):
        found = lab.run(regimen, 24.0, 0.05, names, receptors=RECEPTORS)["plasma_cocaine"]
        t, y = np.asarray(found.time_h), np.asarray(found.value)
        axis.plot(t, y, color=colour, linestyle=style, linewidth=width, alpha=0.9, label=label)
        data.setdefault("time [h]", [float(v) for v in t])
        keep_in(data, f"{label} [ng/mL]", y)
    axis.set(xlabel="hours", ylabel="plasma [ng/mL]", xlim=(0, 12))
    axis.set_title("25 mg of cocaine, 2 h after 50 mg of naltrexone", loc="left")
    axis.grid(True)
    axis.legend(loc="upper right")
    return (
        figure,
        "Plasma of cocaine with and without naltrexone: one line upon the other.",
        "Typical person. Effects of opioids stay where they are in both runs; those of cocaine are not modelled.",
        data,
    )


def _surmount(lab: Lab) -> tuple[Figure, str, str, Columns]:
    figure, (axis, other) = axes_of(2, 3.3)
    agonist = np.geomspace(1e-3, 1e4, 141)
    data: Columns = {"agonist, C/Kd": [float(v) for v in agonist]}
    cases = [("none", 0.0, INK, "-")]
    for at, colour, style in ((24.0, BLUE, "-"), (72.0, ORANGE, "--"), (168.0, GREEN, "-.")):
        load = antagonist_load(lab, "naltrexone 50 mg po", at)
        cases.append((f"{at:g} h after 50 mg", load, colour, style))
    for label, level, colour, style in cases:
        y = 100 * ventilation_curve(lab, "morphine", agonist, level)
        axis.plot(agonist, y, color=colour, linestyle=style, linewidth=1.7, label=label)
        keep_in(data, f"ventilation, naltrexone {label} [%]", y)
    axis.set(xscale="log", ylim=(-2, 102), xlabel="agonist, concentration / Kd", ylabel="ventilation [% of baseline]")
    axis.set_title("breathing at equilibrium, CO2 held constant", loc="left")
    axis.grid(True)
    axis.legend(title="naltrexone", title_fontsize=8.5, loc="upper right")
    tolerance_panel(other, lab, data)
    longest = max(len(column) for column in data.values())
    return (
        figure,
        "Ventilation over agonist concentration relative to its affinity, without naltrexone and at three times after "
        "a tablet: shifted to the right, same depth, and shifting back. Beside it tolerance for breathing, which falls "
        "over weeks under an injection.",
        "Left: the curve moves and keeps its depth, and moves back as the block wanes: what was safe under the block "
        "is not safe after it. Over concentration relative to affinity; no dose is computed. Efficacy: morphine's. "
        "Right: 60 days of heroin, an injection ten days after the last; band: 90 % of virtual people. How fast "
        "tolerance goes was not measured in people. The dose that was usual acts more strongly when it is gone.",
        {name: [*column, *[""] * (longest - len(column))] for name, column in data.items()},
    )


def _structures(lab: Lab) -> tuple[Figure | str, str, str, Columns]:
    from schild.structure import structure

    alt = "Structures of naltrexone, oxymorphone, naloxone and nalorphine on one scaffold."
    try:
        found = structure("naltrexone", "oxymorphone", "naloxone", "nalorphine")
    except SchildError:
        figure, (axis,) = axes_of(1, 1.0)
        axis.set_axis_off()
        axis.annotate("Structures need the extra 'structure' (RDKit).", (0.02, 0.5), xycoords="axes fraction")
        return figure, alt, "Not drawn: RDKit is not installed.", {}
    text = found.svg()
    body = text[text.index("<!-- END OF HEADER -->") + len("<!-- END OF HEADER -->") :]
    size = re.search(r"viewBox='([^']*)'", text)
    assert size is not None  # RDKit writes one
    svg = f'<svg role="img" aria-label="{alt}" viewBox="{size.group(1)}">{body.strip()}'
    names = [c.name for c in found.compounds]
    data: Columns = {"compound": names, "on the nitrogen": [d.nitrogen for d in found.descriptions]}
    data["likeness to naltrexone"] = [round(float(v), 2) for v in found.similarity[0]]
    return (
        svg,
        alt,
        "One scaffold; shaded: what hangs on the nitrogen. Likeness: Tanimoto coefficient of Morgan fingerprints.",
        data,
    )


FIGURES: dict[str, Callable[[Lab], tuple[Figure | str, str, str, Columns]]] = {
    "receptors": _receptors,
    "metabolite": _metabolite,
    "schild": _schild,
    "washout": _washout,
    "people": _people,
    "formulations": _formulations,
    "duration": _duration,
    "missed_tablet": _missed_tablet,
    "missed_injection": _missed_injection,
    "low_dose": _low_dose,
    "surgery": _surgery,
    "higher_doses": _higher_doses,
    "durations": _durations,
    "alone": _alone,
    "cocaine": _cocaine,
    "surmount": _surmount,
    "structures": _structures,
    **WITHDRAWAL_FIGURES,
    **ALCOHOL_FIGURES,
}
