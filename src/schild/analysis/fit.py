"""Global fit of agonist curves at several antagonist levels, with limits and tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.analysis.fit_result import ALPHA, DoseRatio, Estimate, FTest, SchildFit
from schild.analysis.least_squares import Fit, Form, Points, Start, highest_pa2, least, profile, start_values
from schild.analysis.regression import regress
from schild.analysis.table import Data, Scale, Table, logs, manifest_of, read_table
from schild.array_types import Floats
from schild.errors import InputError

#: Largest product of responses and squared curves: a fit of some minutes.
MAX_WORK = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """Centred and scaled points, with their centres and scales."""

    points: Points
    labels: list[tuple[str, float, str]]
    tissues: tuple[str, ...]
    x0: float
    b0: float
    y0: float
    y1: float
    held: dict[str, float]


def schild_fit(
    data: Data,
    *,
    antagonist_unit: str | None = None,
    agonist_unit: str | None = None,
    response_unit: str = "",
    molar_mass: float | None = None,
    bottom: float | None = None,
    top: float | None = None,
    slope: float | None = None,
    title: str = "",
) -> SchildFit:
    """Fit agonist curves at several antagonist levels by one Gaddum/Schild equation.

    Parameters
    ----------
    data : path, data frame or mapping
        Columns ``antagonist``, ``agonist``, ``response``; optional are ``tissue`` (preparation or animal, each with its
        own control curve), ``curve`` (a name with and without antagonist is a tissue; else several curves at one
        level), ``replicate`` (kept, not used) and ``sd`` (gives each response the weight ``1/sd**2``). The header may
        give a unit: ``antagonist [nM]``.
    antagonist_unit, agonist_unit : str, optional
        Such as nM, uM, mol/L, mg/kg, mol/kg, ng/mL, or Kd for a concentration over Kd.
    response_unit : str
        Unit of the response in text and figure.
    molar_mass : float, optional
        Molar mass of the antagonist as weighed, to convert masses to moles. [g/mol]
    bottom : float, optional
        Fixed response at the lower end of the curves.
    top : float, optional
        Fixed maximum of the curves.
    slope : float, optional
        Fixed Schild slope, such as 1.
    title : str
        Title of the figure.

    Returns
    -------
    SchildFit
        Estimates with limits, dose ratios, tests, the classical line.

    Raises
    ------
    InputError
        For data that do not allow the fit; the message says what is missing.

    Notes
    -----
    Each tissue has one bottom, top, Hill slope and EC50 of its own; pA2 and Schild slope are common to all. Without
    tissues, all curves share them. Residuals are taken as independent with one variance (up to ``sd``), estimated from
    the data. Wald limits use the curvature at the best point, profile limits the sum of squares itself. The tests
    compare: parallel, one Hill slope per tissue against one per curve; maximum, one top per tissue against one per
    curve (a falling one means insurmountable antagonism); shift, a shift of slope 1 against none; schild, shifts on
    one line against free shifts; slope, 1 against free. Without a significant shift there is no estimate, only an
    upper limit of pKB. With one level of antagonist the slope is held at 1.

    Examples
    --------
    >>> data = {"antagonist": [0, 0, 0, 0, 9, 9, 9, 9], "agonist": [1, 10, 100, 1000] * 2,
    ...         "response": [9.2, 49.8, 91.0, 98.9, 1.1, 9.0, 50.3, 90.8]}
    >>> fit = schild_fit(data, antagonist_unit="nM", agonist_unit="nM", slope=1)
    >>> 8.9 < fit["pa2"].value < 9.1
    True
    """
    table = read_table(
        data,
        numeric=("antagonist", "agonist", "response"),
        optional=("sd",),
        text=("tissue", "curve", "replicate"),
        units={"antagonist": antagonist_unit, "agonist": agonist_unit},
        molar_mass=molar_mass,
    )
    held = {name: float(value) for name, value in (("bottom", bottom), ("top", top)) if value is not None}
    response = table.numbers("response")
    for name, value in held.items():
        if not math.isfinite(value) or abs(value) > 1e6 * max(1.0, float(np.abs(response).max())):
            raise InputError(f"The {name} is held at {value!r}; expected a response like those measured. Correct it.")
    if bottom is not None and top is not None and not top > bottom:
        raise InputError(
            f"The bottom is held at {bottom:g} and the top at {top:g}; expected a top above the bottom. Exchange them; "
            "for responses that fall, change their sign."
        )
    if slope is not None and not 0.01 <= slope <= 100:
        raise InputError(f"The Schild slope is held at {slope!r}; expected 0.01 to 100. Use 1, or leave it out.")
    ready = _prepare(table, held)
    curves = len(ready.labels)
    if table.rows * curves**2 > MAX_WORK:
        raise InputError(
            f"{table.name} has {table.rows:,} responses in {curves:,} curves, which would take more than minutes to "
            f"fit; expected responses times curves squared of at most {MAX_WORK:,}. Fit fewer tissues at a time, or "
            "give means of repeated responses."
        )
    one_level = slope is None and len(set(table.numbers("antagonist").tolist())) == 2
    return _fit(ready, table, 1.0 if one_level else slope, response_unit, title, molar_mass)


def _prepare(table: Table, held: Mapping[str, float]) -> _Ready:
    level, agonist, y = table.numbers("antagonist"), table.numbers("agonist"), table.numbers("response")
    unit = table.scales["antagonist"].unit
    levels = sorted(set(level.tolist()))
    shown = ", ".join(f"{value:g}" for value in levels)
    if levels[0] != 0:
        raise InputError(
            f"{table.name} has the antagonist levels {shown} {unit} and none of 0; expected a curve without "
            "antagonist, which the others are compared with. Add it."
        )
    if len(levels) == 1:
        raise InputError(
            f"{table.name} has no antagonist level above 0; expected at least 1, better 3. Add curves with antagonist."
        )
    tissue, names = _tissues(table, level)
    for one in dict.fromkeys(tissue):
        of = f" in {one!r}" if one else ""
        for value in levels:
            here = (level == value) & (tissue == one)
            have, need = len(set(agonist[here].tolist())), 4 if value == 0 else 2
            if have < need and (have or value == 0):
                raise InputError(
                    f"{table.name} has {have} different agonist concentrations at {value:g} {unit} of antagonist{of}; "
                    f"expected at least {need}. Add points to that curve, or leave it out."
                )
    if np.ptp(y) == 0:
        raise InputError(f"Every response of {table.name} is {y[0]:g}; expected some that differ. Check the column.")
    weight = np.ones(table.rows)
    if "sd" in table.columns:
        sd = table.numbers("sd")
        if (sd <= 0).any():
            row = int(np.argmax(sd <= 0))
            raise InputError(f"{table.place(row)}: sd is {sd[row]:g}; expected above 0. Correct or drop the column.")
        weight = np.exp(np.mean(np.log(sd))) / sd
    keys = list(zip(tissue.tolist(), level.tolist(), names, strict=True))
    labels = sorted(set(keys))
    place = {label: k for k, label in enumerate(labels)}
    curve = np.array([place[key] for key in keys])
    tissues = tuple(dict.fromkeys(one for one, _, _ in labels))
    # The result must not depend on the order of the rows in any bit.
    order = np.lexsort((weight, y, agonist, curve))
    curve, agonist, y, weight = curve[order], agonist[order], y[order], weight[order]
    x = logs(agonist, table.scales["agonist"])
    b = logs(np.array([value for _, value, _ in labels]), table.scales["antagonist"])
    x0 = float(np.mean(x[np.isfinite(x)]))
    b0 = float(np.mean(b[np.isfinite(b)]))
    y0, y1 = float(y.min()), float(np.ptp(y))
    points = Points(
        x=x - x0,
        y=(y - y0) / y1,
        weight=weight,
        curve=curve,
        b=b - b0,
        tissue=np.array([tissues.index(one) for one, _, _ in labels]),
    )
    inside = {name: (value - y0) / y1 for name, value in held.items()}
    return _Ready(points=points, labels=labels, tissues=tissues, x0=x0, b0=b0, y0=y0, y1=y1, held=inside)


def _tissues(table: Table, level: Floats) -> tuple[NDArray[np.str_], list[str]]:
    """Return the tissue and the curve of each row."""
    names = np.array(table.words("tissue" if "tissue" in table.columns else "curve"))
    if "tissue" not in table.columns:
        both = set(names[level == 0]) & set(names[level > 0])
        if not both:  # no name with and without antagonist: curves of one pool
            return np.full(table.rows, ""), names.tolist()
    for one in dict.fromkeys(names.tolist()):
        if not (level[names == one] == 0).any():
            raise InputError(
                f"{table.name}: {one!r} has no curve without antagonist, while others have their own; expected one in "
                "each tissue, because tissues differ. Add it, leave the tissue out, or name the curves apart if none "
                "belong together."
            )
    return names, table.words("curve") if "tissue" in table.columns else [""] * table.rows


def f_test(name: str, question: str, simple: Fit, general: Fit, yes: str, no: str) -> FTest:
    """Compare a form with a more general one."""
    from scipy.stats import f as f_distribution

    df1, df2 = simple.df - general.df, general.df
    if df2 < 1 or df1 < 1:
        says = "Not tested: the data leave no degrees of freedom."
        return FTest(name=name, question=question, f=None, df1=df1, df2=df2, p=None, says=says)
    # A general form that the data do not determine has fewer parameters than counted: the test is then conservative.
    extra = max(simple.rss - general.rss, 0.0) / df1
    floor = np.finfo(float).eps * general.n
    noise = general.rss / df2
    if general.rss <= floor:
        f, p = (0.0, 1.0) if extra <= floor else (math.inf, 0.0)
    else:
        f = extra / noise
        p = float(f_distribution.sf(f, df1, df2))
    says = no if p < ALPHA else yes
    return FTest(name=name, question=question, f=f if math.isfinite(f) else None, df1=df1, df2=df2, p=p, says=says)


def forms_of(ready: _Ready, slope: float | None = None) -> tuple[Fit, Fit | None, Fit]:
    """Fit the Schild form, the same with slope 1 (None when a slope is held), and freely shifting curves."""
    points, held = ready.points, ready.held
    fixed = held if slope is None else {**held, "slope": float(slope)}
    starts = start_values(points, fixed)
    free = least(Form(shift="curve", held=held), points, starts)
    shifts = free.by_curve("log_ec50", points)
    there = np.isfinite(points.b)
    control = points.mean_control(shifts)
    ratio = np.maximum(10.0 ** (shifts - control)[there] - 1.0, 0.02)
    s0 = fixed.get("slope", 1.0)
    second: Start = {
        **_shape(free, points),
        "log_ec50": np.where(there, shifts, control),
        "pa2": float(np.mean(np.log10(ratio) / s0 - points.b[there])),
        "slope": s0,
    }
    line = regress(points.b[there], ratio + 1.0)
    third: Start = second
    if slope is None and math.isfinite(line.slope) and 0.2 < line.slope < 5:
        third = {**second, "slope": line.slope, "pa2": line.pa2}
    schild = least(Form(held=fixed), points, [third, second, *starts])
    one = None
    if slope is None:
        one = least(Form(held={**held, "slope": 1.0}), points, [second, *starts])
    return schild, one, free


def _shape(fit: Fit, points: Points) -> dict[str, Floats]:
    """Starting values of other forms, from a fit of each curve."""
    return {name: fit.by_curve(name, points) for name in ("bottom", "top", "log_hill", "log_ec50")}


def _fit(
    ready: _Ready,
    table: Table,
    slope: float | None,
    response_unit: str,
    title: str,
    molar_mass: float | None,
) -> SchildFit:
    points, held = ready.points, ready.held
    schild, one, free = forms_of(ready, slope)
    if schild.df < 1:
        raise InputError(
            f"{table.name} has {table.rows} responses for {len(schild.theta)} numbers to fit; expected more. Add "
            "points, or hold bottom, top or slope."
        )
    start: Start = {**_shape(free, points), "pa2": 0.0, "slope": 1.0}
    starts = [start, *start_values(points, held)]
    tests = {}
    steep = least(Form(shift="curve", hill="curve", held=held), points, starts)
    of = " of a tissue" if len(ready.tissues) > 1 else ""
    tests["parallel"] = f_test(
        "parallel", f"Do all curves{of} have one Hill slope?", free, steep,
        "Yes: the curves are parallel.", "No: the curves are not parallel.",
    )  # fmt: skip
    if "top" not in held:
        tall = least(Form(shift="curve", top="curve", held=held), points, starts)
        tests["maximum"] = f_test(
            "maximum", f"Do all curves{of} reach one maximum?", free, tall,
            "Yes: the maximum is shared (surmountable).",
            "No: the maxima differ (insurmountable, or curves too short to show their maximum).",
        )  # fmt: skip
    still = {**start, "log_ec50": points.mean_control(np.asarray(start["log_ec50"]))}
    none = least(Form(shift="none", held=held), points, [still, *starts])
    tests["shift"] = f_test(
        "shift", "Does the antagonist shift the curves to the right?", none, one or schild,
        "No shift is seen.", "Yes: the curves shift.",
    )  # fmt: skip
    units = table.scales
    pa2_unit = f"-log10 {units['antagonist'].canonical}"
    shifts = tests["shift"].rejects
    if shifts:
        tests["schild"] = f_test(
            "schild", "Do the shifts lie on one Schild line?", schild, free,
            "Yes: the shifts lie on one Schild line.", "No: the shifts do not lie on one Schild line.",
        )  # fmt: skip
    else:
        bound = highest_pa2(points, {**held, "slope": 1.0 if slope is None else slope}, [still])
        schild = none
    if shifts and one is not None:
        tests["slope"] = f_test(
            "slope", "Is the Schild slope 1?", one, schild, "A slope of 1 is not rejected.", "The slope is not 1."
        )
    estimates = _estimates(schild, ready, units, response_unit)
    if shifts:
        estimates |= _shift_estimates(schild, one, tests, ready, pa2_unit)
    else:
        high = None if bound is None else bound - ready.b0
        estimates["pa2"] = Estimate(value=None, unit=pa2_unit)
        estimates["slope"] = Estimate(value=slope, held=slope is not None)
        estimates["pkb"] = Estimate(value=None, profile_high=high, unit=pa2_unit)
    ratios = _ratios(free, ready)
    b_there = [k for k, (_, level, _) in enumerate(ready.labels) if level > 0]
    line = regress(
        points.b[b_there] + ready.b0 if shifts else [],
        [ratio.ratio for ratio in ratios] if shifts else [],
        [f"{r.level:g} {units['antagonist'].unit}{' ' + r.curve if r.curve else ''}" for r in ratios if shifts],
    )
    warnings = _warnings(schild, free, tests, ratios, ready, table, estimates)
    return SchildFit(
        title=title or "Schild analysis",
        antagonist=units["antagonist"],
        agonist=units["agonist"],
        response_unit=response_unit,
        estimates=estimates,
        ratios=ratios,
        tests=tests,
        line=line,
        table=table,
        tissues=ready.tissues,
        residual_sd=math.sqrt(schild.rss / schild.df) * ready.y1,
        df=schild.df,
        warnings=warnings,
        manifest=manifest_of(
            table,
            method="global least squares (MINPACK), profile and Wald limits at 95 %",
            molar_mass=molar_mass,
            held={name: value * ready.y1 + ready.y0 for name, value in held.items()}
            | ({} if slope is None else {"slope": slope}),
        ),
    )


def _estimate(
    fit: Fit, name: str, unit: str, back: Callable[[float], float], *, tissue: int = 0, profiled: Points | None = None
) -> Estimate:
    """Undo centring and scaling by ``back``; limits by curvature, and by profile at the points that are given."""
    from scipy.stats import t as t_distribution

    value = fit.value(name, tissue)
    if name in fit.form.held:
        return Estimate(value=back(value), unit=unit, held=True)
    half = float(t_distribution.ppf(0.975, fit.df)) * math.sqrt(fit.variance(name, tissue))
    ends = (None, None) if profiled is None else profile(fit, profiled, name)
    low, high = (None if end is None else back(end) for end in ends)
    return Estimate(
        value=back(value), low=back(value - half), high=back(value + half), profile_low=low, profile_high=high,
        unit=unit,
    )  # fmt: skip


def _shift_estimates(
    schild: Fit, one: Fit | None, tests: Mapping[str, FTest], ready: _Ready, unit: str
) -> dict[str, Estimate]:
    """pA2 and Schild slope, and pKB where a slope of 1 is not rejected, with both kinds of limits."""
    points = ready.points

    def back(value: float) -> float:
        return value - ready.b0

    found = {
        "pa2": _estimate(schild, "pa2", unit, back, profiled=points),
        "slope": _estimate(schild, "slope", "1", float, profiled=points),
    }
    at_one = one or (schild if schild.form.held["slope"] == 1 else None)
    if at_one is not None and not (one is not None and tests["slope"].rejects):
        found["pkb"] = _estimate(at_one, "pa2", unit, back, profiled=points)
    return found


def _estimates(fit: Fit, ready: _Ready, units: Mapping[str, Scale], response_unit: str) -> dict[str, Estimate]:
    """Ends, Hill slope and EC50 of the curves of each tissue; limits of the Hill slope are those of its logarithm."""

    def response(value: float) -> float:
        return value * ready.y1 + ready.y0

    found = {}
    for key, name, unit, back in (
        ("bottom", "bottom", response_unit or "response", response),
        ("top", "top", response_unit or "response", response),
        ("hill", "log_hill", "1", lambda value: math.exp(min(max(value, -700.0), 700.0))),
        ("log_ec50", "log_ec50", f"log10 {units['agonist'].canonical}", lambda value: value + ready.x0),
    ):
        for k, tissue in enumerate(ready.tissues):
            whole = key + (f"[{tissue}]" if len(ready.tissues) > 1 else "")
            found[whole] = _estimate(fit, name, unit, back, tissue=k)
    return found


def _ratios(free: Fit, ready: _Ready) -> tuple[DoseRatio, ...]:
    """Dose ratios of freely shifting curves relative to the mean of the controls in the same tissue."""
    from scipy.stats import t as t_distribution

    t = float(t_distribution.ppf(0.975, free.df)) if free.df > 0 else math.nan
    controls = ~np.isfinite(ready.points.b)
    place = [free.names.index(("log_ec50", k)) for k in range(len(ready.labels))]
    found = []
    for k, (tissue, level, curve) in enumerate(ready.labels):
        if level == 0:
            continue
        contrast = np.zeros(len(free.theta))
        contrast[place[k]] = 1.0
        own = np.flatnonzero(controls & (ready.points.tissue == ready.points.tissue[k]))
        for j in own:
            contrast[place[j]] -= 1.0 / len(own)
        value = float(contrast @ free.theta)
        half = t * math.sqrt(max(float(contrast @ free.covariance @ contrast), 0.0))
        found.append(
            DoseRatio(
                level=level,
                curve=" ".join(filter(None, (tissue, curve))),
                ratio=_power(value),
                low=_power(value - half),
                high=_power(value + half),
            )
        )
    return tuple(found)


def _power(value: float) -> float:
    return 10.0 ** min(max(value, -300.0), 300.0) if math.isfinite(value) else math.nan


def _warnings(
    schild: Fit,
    free: Fit,
    tests: Mapping[str, FTest],
    ratios: tuple[DoseRatio, ...],
    ready: _Ready,
    table: Table,
    estimates: Mapping[str, Estimate],
) -> tuple[str, ...]:
    found = []
    if estimates["slope"].held and len({level for _, level, _ in ready.labels}) == 2:
        found.append("With one level of antagonist the Schild slope is held at 1; whether it is 1 cannot be seen.")
    shifts = estimates["pa2"].value is not None
    bound = estimates["pkb"].profile_high if "pkb" in estimates else None
    if schild.rank_deficient:
        found.append("The data do not determine every number of the fit; limits are unreliable.")
    if not shifts:
        limit = (
            "nor a limit of it"
            if bound is None
            else f"only a limit: pKB is below {bound:.2f} (upper 95 % limit by profile)"
        )
        found.append(f"No shift to the right is seen, so there is no estimate of pA2 or of the slope, {limit}.")
        if any(ratio.high < 1 for ratio in ratios):
            found.append("Some curves shift to the left under the antagonist, which competition cannot explain.")
    if "slope" in tests and tests["slope"].rejects:
        found.append("The Schild slope differs from 1, so pA2 is an empirical measure and no estimate of pKB.")
    if "maximum" in tests and tests["maximum"].rejects:
        found.append(
            "The maxima differ, so the antagonism was not surmountable here (not at equilibrium, not competitive, or "
            "curves too short); pA2 is then approximate."
        )
    if tests["parallel"].rejects:
        found.append("The curves are not parallel, so one dose ratio per level does not describe them.")
    top_ratio = max(ratio.ratio for ratio in ratios)
    if shifts and top_ratio < 2:
        found.append(f"The largest dose ratio is {top_ratio:.2g}: the shift is too small for a reliable pA2.")
    if len(ready.tissues) == 1 and len(ready.labels) > len({level for _, level, _ in ready.labels}):
        found.append(
            "Points of one curve are taken as independent; with several curves per level limits are too narrow."
        )
    for tissue in ready.tissues:
        if not any(level for one, level, _ in ready.labels if one == tissue):
            found.append(f"{tissue!r} has no curve with antagonist, so it gives no information on the shift.")
    for name in ("pa2", "slope") if shifts else ():
        estimate = estimates[name]
        if not estimate.held and (estimate.profile_low is None or estimate.profile_high is None):
            found.append(f"The profile of {'pA2' if name == 'pa2' else 'the slope'} has no limit on one side.")
    finite = np.isfinite(ready.points.x)
    for k, (tissue, level, _) in enumerate(ready.labels):
        x = ready.points.x[(ready.points.curve == k) & finite]
        if len(x) and free.value("log_ec50", k) > x.max():
            at = f"{level:g} {table.scales['antagonist'].unit}" + (f" in {tissue!r}" if tissue else "")
            found.append(f"At {at} half response lies beyond the highest agonist concentration.")
    return tuple(found)
