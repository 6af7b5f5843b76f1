"""The classical Schild regression: log(dose ratio - 1) on log antagonist."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from schild.analysis.table import Analysed, Data, Scale, Table, logs, manifest_of, read_table
from schild.array_types import Floats
from schild.errors import InputError
from schild.figures import Picture

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Schild line of one series: slope, intercept and pA2 with limits."""

    #: Logarithms of the antagonist in the canonical unit and of the dose ratio minus one; shape (n,)
    log_b: Floats
    log_dr_1: Floats
    #: Slope of the straight line [1]
    slope: float
    intercept: float
    #: 95 % limits; None with fewer than three points
    slope_low: float | None
    slope_high: float | None
    #: 95 % limits of the intercept
    intercept_low: float | None
    intercept_high: float | None
    pa2: float  #: Negative of the point where the line crosses zero
    #: 95 % limits by Fieller's theorem; None where it gives no interval
    pa2_low: float | None
    pa2_high: float | None
    pkb: float  #: Estimate with the slope fixed at 1
    #: 95 % limits; None with fewer than two points
    pkb_low: float | None
    pkb_high: float | None
    p_slope_1: float | None  #: p-value of a slope of 1
    dropped: tuple[str, ...] = ()  #: Points that have no logarithm, with the reason

    def numbers(self) -> dict[str, Any]:
        """Return the estimates as plain data."""
        found = asdict(self)
        found["n"] = len(self.log_b)
        for name in ("log_b", "log_dr_1"):
            found[name] = found[name].tolist()
        found["dropped"] = list(self.dropped)
        return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in found.items()}


def regress(log_b: Sequence[float] | Floats, ratio: Sequence[float] | Floats, labels: Sequence[str] = ()) -> Line:
    """Fit a Schild line by ordinary least squares.

    ``log_b``: logarithm of the antagonist [log10 of the canonical unit]; ``ratio``: dose ratios [1]; ``labels``: names
    of the points in messages. Returns NaN where fewer than two points, or one antagonist level, give no slope.

    >>> line = regress([-9.0, -8.0, -7.0], [2.0, 11.0, 101.0])
    >>> round(line.slope, 6), round(line.pa2, 6), round(line.pkb, 6)
    (1.0, 9.0, 9.0)
    """
    from scipy.stats import linregress
    from scipy.stats import t as t_distribution

    b, r = np.asarray(log_b, dtype=np.float64), np.asarray(ratio, dtype=np.float64)
    names = list(labels) or [f"point {k + 1}" for k in range(len(b))]
    use = r > 1.0
    dropped = tuple(
        f"{name}: a dose ratio of {value:.3g} has no log(ratio - 1)"
        for name, value, kept in zip(names, r, use, strict=True)
        if not kept
    )
    x, y = b[use], np.log10(r[use] - 1.0)
    n = len(x)
    nan = math.nan
    slope = intercept = pa2 = nan
    slope_low = slope_high = intercept_low = intercept_high = pa2_low = pa2_high = p = None
    if n >= 2 and np.ptp(x) > 0:
        line = linregress(x, y)
        slope, intercept = float(line.slope), float(line.intercept)
        pa2 = intercept / slope if slope else nan
        if n >= 3:
            t = float(t_distribution.ppf(0.975, n - 2))
            se, se0 = float(line.stderr), float(line.intercept_stderr)
            slope_low, slope_high = slope - t * se, slope + t * se
            intercept_low, intercept_high = intercept - t * se0, intercept + t * se0
            p = float(2 * t_distribution.sf(abs(slope - 1.0) / se, n - 2)) if se > 0 else float(slope == 1.0)
            centre, mean = float(np.mean(x)), float(np.mean(y))
            noise = (se * se) * float(np.sum((x - centre) ** 2))
            g = (t * se / slope) ** 2 if slope else math.inf
            if g < 1:
                # Fieller: limits of -mean/slope around the centre of the line.
                root = (t / abs(slope)) * math.sqrt(
                    noise * (1 - g) / n + (mean / slope) ** 2 * noise / float(np.sum((x - centre) ** 2))
                )
                middle = -mean / slope
                ends = [centre + (middle + sign * root) / (1 - g) for sign in (-1, 1)]
                pa2_low, pa2_high = sorted(-end for end in ends)
    each = y - x
    pkb = float(np.mean(each)) if n else nan
    pkb_low = pkb_high = None
    if n >= 2:
        half = float(t_distribution.ppf(0.975, n - 1)) * float(np.std(each, ddof=1)) / math.sqrt(n)
        pkb_low, pkb_high = pkb - half, pkb + half
    return Line(
        log_b=x, log_dr_1=y, slope=slope, intercept=intercept, slope_low=slope_low, slope_high=slope_high,
        intercept_low=intercept_low, intercept_high=intercept_high, pa2=pa2, pa2_low=pa2_low, pa2_high=pa2_high,
        pkb=pkb, pkb_low=pkb_low, pkb_high=pkb_high, p_slope_1=p, dropped=dropped,
    )  # fmt: skip


def no_shift_limit(log_b: Floats, ratio: Floats) -> float | None:
    """Upper 95 % limit of pKB with slope 1 where dose ratios show no shift; None where they do, or cannot be tested.

    The logarithm of a dose ratio is taken as log(1 + [B] KB) with an error of one variance.

    >>> b = np.array([-8.0, -7.0, -6.0, -5.0])
    >>> no_shift_limit(b, 1 + 10 ** (b + 7)) is None
    True
    >>> round(no_shift_limit(b, np.array([0.9, 1.2, 0.8, 1.1])), 2)
    4.95
    """
    from scipy.optimize import brentq
    from scipy.stats import f as f_distribution

    n, y = len(log_b), np.log10(ratio)

    def rss(pkb: float) -> float:
        return float(np.sum((y - np.log10(1.0 + 10.0 ** (log_b + pkb))) ** 2))

    none = float(np.sum(y**2))
    grid = -float(log_b.max()) + np.arange(-4.0, 6.01, 0.05)
    sums = np.array([rss(value) for value in grid])
    best = min(none, float(sums.min()))
    if n < 3 or best <= 0 or f_distribution.sf((none - best) / (best / (n - 1)), 1, n - 1) < 0.05:
        return None
    threshold = best * (1.0 + float(f_distribution.ppf(0.95, 1, n - 1)) / (n - 1))
    if not (inside := np.flatnonzero(sums <= threshold)).size:
        return float(grid[0])  # ratios that hardly differ from 1: the limit lies below
    last = int(inside[-1])
    if last + 1 == grid.size:
        return None  # ratios that scatter too much for a limit
    return float(brentq(lambda value: rss(value) - threshold, grid[last], grid[last + 1]))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SchildRegression(Analysed):
    """Schild lines of a table of dose ratios, one for each series and one for all.

    Examples
    --------
    >>> data = {"antagonist": [1, 10, 100], "dose_ratio": [2, 11, 101]}
    >>> found = schild_regression(data, antagonist_unit="nM")
    >>> round(found["all"].pa2, 3)
    9.0
    """

    USES: ClassVar[Mapping[str, str]] = {"ArunlakshanaSchild1959": "the regression", "Fieller1954": "limits of pA2"}

    title: str
    scale: Scale
    lines: Mapping[str, Line]
    table: Table
    warnings: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, series: str) -> Line:
        """Return the line of a series; ``"all"`` for all points together."""
        if series not in self.lines:
            from schild.errors import UnknownNameError

            raise UnknownNameError("series", series, self.lines)
        return self.lines[series]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the series."""
        return iter(self.lines)

    def about(self) -> str:
        """Describe the result in one line."""
        said = "; ".join(f"{name}: pA2 {line.pa2:.2f}, slope {line.slope:.2f}" for name, line in self.lines.items())
        return f"{self.title}; {said}"

    def summary(self) -> dict[str, Any]:
        """Return the estimates of each series."""
        return {name: line.numbers() for name, line in self.lines.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return one row per series: slope, pA2, pKB with limits."""
        import pandas as pd

        keep = (
            "n", "slope", "slope_low", "slope_high", "pa2", "pa2_low", "pa2_high", "pkb", "pkb_low", "pkb_high",
            "p_slope_1",
        )  # fmt: skip
        return pd.DataFrame(
            [{"series": name, **{k: line.numbers()[k] for k in keep}} for name, line in self.lines.items()]
        )

    def picture(self) -> Picture:
        """Chart of Schild's plot."""
        from schild.analysis.plot import draw_regression

        return draw_regression(self)

    def content(self) -> dict[str, Any]:
        """Return the part of the JSON object besides manifest, warnings and citations."""
        return {"unit": self.scale.canonical, "regression": self.summary()}


def schild_regression(
    data: Data, *, antagonist_unit: str | None = None, molar_mass: float | None = None, title: str = ""
) -> SchildRegression:
    """Schild regression of given dose ratios.

    Parameters
    ----------
    data : path, data frame or mapping
        Columns ``antagonist`` and ``dose_ratio``; optional is ``series``.
    antagonist_unit : str, optional
        Unit of the antagonist, if the header does not give it: ``"nM"``, ``"mg/kg"``, ``"Kd"``.
    molar_mass : float, optional
        Molar mass of the antagonist as weighed, to convert masses to moles. [g/mol]
    title : str
        Title of the figure.

    Returns
    -------
    SchildRegression
        A line for each series, and for all points.

    Raises
    ------
    InputError
        For a table that is not valid; the message names the row.

    Examples
    --------
    >>> data = {"antagonist": [1, 3, 10], "dose_ratio": [2.0, 4.2, 10.5]}
    >>> line = schild_regression(data, antagonist_unit="nM")["all"]
    >>> round(line.pkb, 2), line.slope_low < 1 < line.slope_high
    (9.0, True)
    """
    table = read_table(
        data,
        numeric=("antagonist", "dose_ratio"),
        text=("series",),
        units={"antagonist": antagonist_unit},
        molar_mass=molar_mass,
    )
    scale = table.scales["antagonist"]
    level, ratio, series = table.numbers("antagonist"), table.numbers("dose_ratio"), table.words("series")
    use = level > 0
    if not use.any():
        raise InputError(
            f"{table.name} has no antagonist level above 0; expected at least one with its dose ratio. Add it."
        )
    if (ratio[~use] != 1).any():
        row = int(np.flatnonzero(~use & (ratio != 1))[0])
        raise InputError(
            f"{table.place(row)}: without antagonist the dose ratio is {ratio[row]:g}; expected 1. "
            "Divide by the value without antagonist."
        )
    if (ratio <= 0.0).any():
        row = int(np.flatnonzero(ratio <= 0.0)[0])
        raise InputError(f"{table.place(row)}: the dose ratio is {ratio[row]:g}; expected above 0. Correct it.")
    log_b = logs(level, scale)
    names = [f"{s + ' ' if s else ''}{b:g} {scale.unit}" for s, b in zip(series, level, strict=True)]
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(use).tolist():
        groups.setdefault(series[row], []).append(row)
    if list(groups) == [""]:
        groups = {"all": groups[""]}
    elif len(groups) > 1:
        groups["all"] = np.flatnonzero(use).tolist()
    lines: dict[str, Line] = {}
    warnings: list[str] = []
    for name, k in groups.items():
        limit = no_shift_limit(log_b[k], ratio[k])
        shown: list[int] = [] if limit is not None else k
        lines[name] = regress(log_b[shown], ratio[shown], [names[j] for j in shown])
        warnings += lines[name].dropped
        if limit is not None:
            warnings.append(
                f"{name}: no shift is seen, so there is no estimate; pKB is below {limit:.2f} (upper 95 % limit)."
            )
    warnings = list(dict.fromkeys(warnings))
    if len(lines) > 1:
        warnings.append("The line of all series treats points as independent, but points of one series are not.")
    return SchildRegression(
        title=title or "Schild regression",
        scale=scale,
        lines=lines,
        table=table,
        warnings=tuple(warnings),
        manifest=manifest_of(table, method="least squares on log(dose ratio - 1)", molar_mass=molar_mass),
    )
