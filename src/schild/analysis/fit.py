"""Global fit of agonist curves at several antagonist levels, with limits and tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.analysis.least import Fit, Form, Points, Start, least, profile, start_values
from schild.analysis.regression import Line, regress
from schild.analysis.table import Data, Scale, Table, logs, manifest_of, method_lines, read_table
from schild.errors import InputError, UnknownNameError
from schild.results import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["DoseRatio", "Estimate", "FTest", "SchildFit", "schild_fit"]

Floats = NDArray[np.float64]

#: A test below this is said to reject.
ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its 95 % limits.

    Parameters
    ----------
    value : float
        Best value.
    low, high : float or None
        Wald limits; None for a number that was held.
    profile_low, profile_high : float or None
        Limits by the profile of the sum of squares, where it was computed.
    unit : str
        Unit; ``"1"`` is dimensionless.
    held : bool
        Whether it was given and not fitted.
    """

    value: float
    low: float | None = None
    high: float | None = None
    profile_low: float | None = None
    profile_high: float | None = None
    unit: str = "1"
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRatio:
    """Dose ratio of one antagonist level, or of one curve at it.

    Parameters
    ----------
    level : float
        Antagonist in the unit given.
    curve : str
        Name of the curve; empty when a level has one.
    ratio, low, high : float
        EC50 with over EC50 without, with 95 % limits. [1]
    """

    level: float
    curve: str
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FTest:
    """Extra sum of squares F test of a simple form against one that contains it.

    Parameters
    ----------
    name, question : str
        What is asked.
    f : float
        Ratio of variances. [1]
    df1, df2 : int
        Parameters more, degrees of freedom left. [1]
    p : float or None
        Probability of so large an F when the simple form is true; None where the general form leaves no freedom.
    says : str
        The answer in words.
    """

    name: str
    question: str
    f: float | None
    df1: int
    df2: int
    p: float | None
    says: str

    @property
    def rejects(self) -> bool:
        """Whether the simple form is rejected at 5 %."""
        return self.p is not None and self.p < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SchildFit(Shown):
    """Global Gaddum/Schild fit.

    Parameters
    ----------
    estimates : mapping of str to Estimate
        ``bottom``, ``top``, ``hill``, ``log_ec50``, ``pa2``, ``slope``, and ``pkb`` (slope held at 1) where a slope of
        1 is not rejected. Logarithms are decadic, in the canonical unit of `agonist` and `antagonist`.
    ratios : tuple of DoseRatio
        By level, from curves of one shape that shift freely.
    tests : mapping of str to FTest
        ``parallel``, ``maximum``, ``schild``, ``slope``.
    line : Line
        Classical regression of the dose ratios.

    Examples
    --------
    >>> import numpy as np
    >>> a, b = np.meshgrid(10.0 ** np.arange(0, 6), [0.0, 3.0, 30.0])
    >>> y = 100 * a / (a + 50 * (1 + b / 2))
    >>> fit = schild_fit(
    ...     {"antagonist": b.ravel(), "agonist": a.ravel(), "response": y.ravel()},
    ...     antagonist_unit="nM", agonist_unit="nM",
    ... )
    >>> round(fit["pa2"].value, 4), round(fit["slope"].value, 4)
    (8.699, 1.0)
    """

    title: str
    antagonist: Scale
    agonist: Scale
    response_unit: str
    estimates: Mapping[str, Estimate]
    ratios: tuple[DoseRatio, ...]
    tests: Mapping[str, FTest]
    line: Line
    table: Table
    curves: Callable[[float, Floats], Floats]
    residual_sd: float
    df: int
    warnings: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Estimate:
        """Return an estimate by name."""
        if name not in self.estimates:
            raise UnknownNameError("estimate", name, self.estimates)
        return self.estimates[name]

    def predict(self, antagonist: float, agonist: Floats) -> Floats:
        """Response of the fitted curves.

        Parameters
        ----------
        antagonist : float
            In the unit of the data.
        agonist : ndarray
            In the unit of the data.

        Returns
        -------
        ndarray
            Response.
        """
        return self.curves(antagonist, np.asarray(agonist, dtype=np.float64))

    def about(self) -> str:
        """Say in a line what this is the result of."""
        said = ", ".join(f"{name} {estimate.value:.3g}" for name, estimate in list(self.estimates.items())[:4])
        return f"{self.title}; {len(self.ratios)} dose ratios; {said}"

    def summary(self) -> dict[str, Any]:
        """Return estimates, dose ratios, tests and the classical line as plain data."""
        return {
            "estimates": {name: asdict(estimate) for name, estimate in self.estimates.items()},
            "dose_ratios": [asdict(ratio) for ratio in self.ratios],
            "tests": {name: asdict(test) | {"rejects": test.rejects} for name, test in self.tests.items()},
            "regression": self.line.numbers(),
            "residual_sd": self.residual_sd,
            "df": self.df,
            "units": {"antagonist": self.antagonist.canonical, "agonist": self.agonist.canonical},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per estimate."""
        import pandas as pd

        return pd.DataFrame([{"name": name, **asdict(estimate)} for name, estimate in self.estimates.items()])

    def plot(self, *, ax: Any = None) -> Figure | Any:
        """Draw the curves and the Schild plot side by side."""
        from schild.analysis.plot import draw_fit

        return draw_fit(self, ax)

    def cite(self) -> str:
        """Return the methods used, with what each was used for."""
        return method_lines(
            {
                "Gaddum1937": "the equation with slope 1",
                "ArunlakshanaSchild1959": "the slope, and the regression of log(dose ratio - 1)",
                "LewAngus1995": "the global fit",
                "Fieller1954": "limits of the classical pA2",
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return one JSON object as Python data."""
        return {
            "manifest": dict(self.manifest),
            **self.summary(),
            "warnings": list(self.warnings),
            "cite": self.cite().splitlines()[::2],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """Points with the centres and scales that were taken out."""

    points: Points
    labels: list[tuple[float, str]]
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
        Columns ``antagonist``, ``agonist``, ``response``, and perhaps ``curve`` (several curves at one level),
        ``replicate`` (carried along) and ``sd`` (weighs each response by ``1/sd**2``). A unit may stand in the header:
        ``antagonist [nM]``.
    antagonist_unit, agonist_unit : str, optional
        ``"nM"``, ``"mol/kg"``, ``"mg/kg"``, ``"ng/mL"``, or ``"Kd"`` for a concentration over Kd.
    response_unit : str
        For text and figure.
    molar_mass : float, optional
        Of the antagonist as weighed, to count masses in moles. [g/mol]
    bottom, top : float, optional
        Hold an end of the curves at this response.
    slope : float, optional
        Hold the Schild slope at this value, such as 1.
    title : str
        For the figure.

    Returns
    -------
    SchildFit
        Estimates with limits, dose ratios, tests, the classical line.

    Raises
    ------
    InputError
        For data that cannot carry the fit, saying what is missing.

    Notes
    -----
    One bottom, top, Hill slope, EC50, pA2 and Schild slope for all curves. Residuals are taken as independent with
    one variance (up to ``sd``), estimated from the data. Wald limits use the curvature at the best point, profile
    limits the sum of squares itself. The tests compare: parallel, one Hill slope against one per curve; maximum, one
    top against one per curve (a falling one means insurmountable antagonism); schild, shifts on one line against free
    shifts; slope, 1 against free.

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
        text=("curve", "replicate"),
        units={"antagonist": antagonist_unit, "agonist": agonist_unit},
        molar_mass=molar_mass,
    )
    held = {name: float(value) for name, value in (("bottom", bottom), ("top", top)) if value is not None}
    if bottom is not None and top is not None and bottom == top:
        raise InputError(f"bottom and top are both held at {bottom:g}; expected two different ends. Free one of them.")
    if slope is not None and not (math.isfinite(slope) and slope > 0):
        raise InputError(f"The Schild slope is held at {slope!r}; expected a number above 0. Use 1, or leave it out.")
    ready = _prepare(table, held, slope)
    return _fit(ready, table, slope, response_unit, title, molar_mass)


def _prepare(table: Table, held: Mapping[str, float], slope: float | None) -> _Ready:
    level, agonist, y = table.numbers("antagonist"), table.numbers("agonist"), table.numbers("response")
    names = table.words("curve")
    unit = table.scales["antagonist"].unit
    levels = sorted(set(level.tolist()))
    shown = ", ".join(f"{value:g}" for value in levels)
    if levels[0] != 0:
        raise InputError(
            f"{table.name} has the antagonist levels {shown} {unit} and none of 0; expected a curve without "
            "antagonist, which the others are compared with. Add it."
        )
    least_levels = 1 if slope is not None else 2
    if len(levels) - 1 < least_levels:
        raise InputError(
            f"{table.name} has {len(levels) - 1} antagonist level{'s' if len(levels) != 2 else ''} above 0; expected "
            f"at least {least_levels}" + ("" if slope is not None else ", or 1 with the Schild slope held at 1")
            + ". Add curves, or hold the slope."
        )  # fmt: skip
    for value in levels:
        have = len(set(agonist[level == value].tolist()))
        need = 4 if value == 0 else 2
        if have < need:
            raise InputError(
                f"{table.name} has {have} different agonist concentrations at {value:g} {unit} of antagonist; expected "
                f"at least {need}. Add points to that curve, or leave it out."
            )
    if np.ptp(y) == 0:
        raise InputError(f"Every response of {table.name} is {y[0]:g}; expected some that differ. Check the column.")
    weight = np.ones(table.rows)
    if "sd" in table.columns:
        sd = table.numbers("sd")
        if (sd <= 0).any():
            row = int(np.argmax(sd <= 0))
            raise InputError(
                f"{table.name}, row {row + 1}: sd is {sd[row]:g}; expected above 0. Correct or drop the column."
            )
        weight = np.exp(np.mean(np.log(sd))) / sd
    labels = sorted({(float(b), name) for b, name in zip(level, names, strict=True)})
    curve = np.array([labels.index((float(b), name)) for b, name in zip(level, names, strict=True)])
    # The order of the rows must not move a single bit of the result.
    order = np.lexsort((weight, y, agonist, curve))
    curve, agonist, y, weight = curve[order], agonist[order], y[order], weight[order]
    x = logs(agonist, table.scales["agonist"])
    b = logs(np.array([value for value, _ in labels]), table.scales["antagonist"])
    x0 = float(np.mean(x[np.isfinite(x)]))
    b0 = float(np.mean(b[np.isfinite(b)]))
    y0, y1 = float(y.min()), float(np.ptp(y))
    points = Points(x=x - x0, y=(y - y0) / y1, weight=weight, curve=curve, b=b - b0)
    inside = {name: (value - y0) / y1 for name, value in held.items()}
    return _Ready(points=points, labels=labels, x0=x0, b0=b0, y0=y0, y1=y1, held=inside)


def f_test(name: str, question: str, simple: Fit, general: Fit, yes: str, no: str) -> FTest:
    """Compare a form with one that contains it."""
    from scipy.stats import f as f_distribution

    df1, df2 = simple.df - general.df, general.df
    if df2 < 1 or df1 < 1:
        says = "Not tested: the data leave no freedom for it."
        return FTest(name=name, question=question, f=None, df1=df1, df2=df2, p=None, says=says)
    # A general form that the data do not determine has fewer parameters than counted: the test then errs towards yes.
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
    free = least(Form(shift="separate", held=held), points, starts)
    shifts = np.array([free.value("log_ec50", k) for k in range(points.n_curves)])
    there = np.isfinite(points.b)
    base = float(np.mean(shifts[~there]))
    ratio = np.maximum(10.0 ** (shifts[there] - base) - 1.0, 0.02)
    s0 = fixed.get("slope", 1.0)
    second: Start = {
        **{name: free.value(name) for name in ("bottom", "top", "log_hill")},
        "log_ec50": np.where(there, shifts, base),
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


def _fit(
    ready: _Ready,
    table: Table,
    slope: float | None,
    response_unit: str,
    title: str,
    molar_mass: float | None,
) -> SchildFit:
    from scipy.stats import t as t_distribution

    points, held = ready.points, ready.held
    schild, one, free = forms_of(ready, slope)
    if schild.df < 1:
        raise InputError(
            f"{table.name} has {table.rows} responses for {len(schild.theta)} numbers to fit; expected more. Add "
            "points, or hold bottom, top or slope."
        )
    start: Start = {
        **{name: free.value(name) for name in ("bottom", "top", "log_hill")},
        "log_ec50": np.array([free.value("log_ec50", k) for k in range(points.n_curves)]),
        "pa2": 0.0,
        "slope": 1.0,
    }
    starts = [start, *start_values(points, held)]
    tests = {}
    steep = least(Form(shift="separate", hill="separate", held=held), points, starts)
    tests["parallel"] = f_test(
        "parallel", "Do all curves have one Hill slope?", free, steep,
        "Yes: the curves are parallel.", "No: the curves are not parallel.",
    )  # fmt: skip
    if "top" not in held:
        tall = least(Form(shift="separate", top="separate", held=held), points, starts)
        tests["maximum"] = f_test(
            "maximum", "Do all curves reach one maximum?", free, tall, "Yes: the maximum is shared (surmountable).",
            "No: the maxima differ (insurmountable, or curves too short to show their maximum).",
        )  # fmt: skip
    tests["schild"] = f_test(
        "schild", "Do the shifts lie on one Schild line?", schild, free,
        "Yes: the shifts lie on one Schild line.", "No: the shifts do not lie on one Schild line.",
    )  # fmt: skip
    if one is not None:
        tests["slope"] = f_test(
            "slope", "Is the Schild slope 1?", one, schild, "A slope of 1 is not rejected.", "The slope is not 1."
        )
    t = float(t_distribution.ppf(0.975, schild.df))
    units = table.scales
    estimates = _estimates(schild, ready, units, response_unit, t)
    pa2_unit = f"-log10 {units['antagonist'].canonical}"
    low, high = profile(schild, points, "pa2")
    estimates["pa2"] = _with_profile(estimates["pa2"], low, high, -ready.b0)
    if slope is None:
        estimates["slope"] = _with_profile(estimates["slope"], *profile(schild, points, "slope"), 0.0)
    at_one = one if one is not None else (schild if slope == 1 else None)
    if at_one is not None and not (one is not None and tests["slope"].rejects):
        low, high = profile(at_one, points, "pa2")
        t1 = float(t_distribution.ppf(0.975, at_one.df))
        half = t1 * math.sqrt(at_one.variance("pa2"))
        value = at_one.value("pa2")
        estimates["pkb"] = _with_profile(
            Estimate(value=value - ready.b0, low=value - half - ready.b0, high=value + half - ready.b0, unit=pa2_unit),
            low, high, -ready.b0,
        )  # fmt: skip
    ratios = _ratios(free, ready)
    b_there = [k for k, (level, _) in enumerate(ready.labels) if level > 0]
    line = regress(
        points.b[b_there] + ready.b0,
        [ratio.ratio for ratio in ratios],
        [f"{r.level:g} {units['antagonist'].unit}{' ' + r.curve if r.curve else ''}" for r in ratios],
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
        curves=_Curves(
            numbers={name: estimate.value for name, estimate in estimates.items()},
            antagonist=units["antagonist"],
            agonist=units["agonist"],
        ),
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


@dataclass(frozen=True, slots=True)
class _Curves:
    """The fitted curves in the units of the data."""

    numbers: Mapping[str, float]
    antagonist: Scale
    agonist: Scale

    def __call__(self, antagonist: float, agonist: Floats) -> Floats:
        from schild.pharmacology.antagonism import gaddum_schild

        n = self.numbers
        return gaddum_schild(
            logs(agonist, self.agonist),
            np.broadcast_to(logs(np.array(antagonist, dtype=np.float64), self.antagonist), agonist.shape),
            bottom=n["bottom"],
            top=n["top"],
            log_ec50=n["log_ec50"],
            hill=n["hill"],
            pa2=n["pa2"],
            slope=n["slope"],
        )


def _with_profile(estimate: Estimate, low: float | None, high: float | None, shift: float) -> Estimate:
    from dataclasses import replace

    return replace(
        estimate,
        profile_low=None if low is None else low + shift,
        profile_high=None if high is None else high + shift,
    )


def _estimates(
    fit: Fit, ready: _Ready, units: Mapping[str, Scale], response_unit: str, t: float
) -> dict[str, Estimate]:
    """Undo centring and scaling; limits of the Hill slope are those of its logarithm."""

    def make(name: str, back: Callable[[float], float], unit: str) -> Estimate:
        value = fit.value(name)
        if name in fit.form.held:
            return Estimate(value=back(value), unit=unit, held=True)
        half = t * math.sqrt(fit.variance(name))
        return Estimate(value=back(value), low=back(value - half), high=back(value + half), unit=unit)

    def response(value: float) -> float:
        return value * ready.y1 + ready.y0

    def safe_exp(value: float) -> float:
        return math.exp(min(max(value, -700.0), 700.0))

    return {
        "bottom": make("bottom", response, response_unit or "response"),
        "top": make("top", response, response_unit or "response"),
        "hill": make("log_hill", safe_exp, "1"),
        "log_ec50": make("log_ec50", lambda v: v + ready.x0, f"log10 {units['agonist'].canonical}"),
        "pa2": make("pa2", lambda v: v - ready.b0, f"-log10 {units['antagonist'].canonical}"),
        "slope": make("slope", lambda v: v, "1"),
    }


def _ratios(free: Fit, ready: _Ready) -> tuple[DoseRatio, ...]:
    """Dose ratios of freely shifting curves against the mean of the curves without antagonist."""
    from scipy.stats import t as t_distribution

    t = float(t_distribution.ppf(0.975, free.df)) if free.df > 0 else math.nan
    controls = [k for k, (level, _) in enumerate(ready.labels) if level == 0]
    found = []
    for k, (level, curve) in enumerate(ready.labels):
        if level == 0:
            continue
        contrast = np.zeros(len(free.theta))
        contrast[free.index("log_ec50", k)] = 1.0
        for j in controls:
            contrast[free.index("log_ec50", j)] -= 1.0 / len(controls)
        value = float(contrast @ free.theta)
        half = t * math.sqrt(max(float(contrast @ free.covariance @ contrast), 0.0))
        found.append(
            DoseRatio(
                level=level, curve=curve, ratio=_power(value), low=_power(value - half), high=_power(value + half)
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
    if schild.rank_deficient:
        found.append("The data do not determine every number of the fit; limits are not to be trusted.")
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
    if top_ratio < 2:
        found.append(f"The largest dose ratio is {top_ratio:.2g}: the antagonist shifts too little for a sure pA2.")
    labels = [name for level, name in ready.labels]
    if len(set(ready.labels)) > len({level for level, _ in ready.labels}) and any(labels):
        found.append(
            "Points of one curve are taken as independent; with several curves per level limits are too narrow."
        )
    for name in ("pa2", "slope"):
        estimate = estimates[name]
        if not estimate.held and (estimate.profile_low is None or estimate.profile_high is None):
            found.append(f"The profile of {'pA2' if name == 'pa2' else 'the slope'} is open on a side: no limit there.")
    finite = np.isfinite(ready.points.x)
    for k, (level, _) in enumerate(ready.labels):
        x = ready.points.x[(ready.points.curve == k) & finite]
        if len(x) and free.value("log_ec50", k) > x.max():
            unit = table.scales["antagonist"].unit
            found.append(f"At {level:g} {unit} half response lies beyond the highest agonist concentration.")
    return tuple(found)
