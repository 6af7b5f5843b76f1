"""Numbers of the catalogue fitted to observed levels: maximum likelihood, or with the catalogue's priors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from schild import __version__
from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.delimited import Source
from schild.errors import InputError
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.observed.check import slips
from schild.observed.data import Observed, Person, is_plasma
from schild.observed.read import read_observed
from schild.people import Given, Overrides, People, Uses, Values
from schild.population import Subject
from schild.regimen import expand
from schild.results import Shown, plain
from schild.simulation.effects import Effects
from schild.simulation.guard import check_doses
from schild.simulation.prepare import prepare
from schild.simulation.registry import outputs_of
from schild.tables import people_words

Error = Literal["proportional", "additive", "both"]
Prior = Literal["uncertainty", "people", "none"]

_STEP = 1e-5  #: Step of numerical slopes, on the transformed scale
_CURVE = 2e-3  #: Step of numerical curvatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Estimate of a number of the catalogue with its limits and the value that the catalogue has."""

    name: str  #: Name, as ``"owner.number"``
    unit: str
    catalogue: float  #: Value of the catalogue
    value: float  #: The estimate
    cv: float  #: Relative standard error, of the logarithm or log odds turned into the number's own scale [1]
    low: float  #: Limits of 95 %, from the standard error on the transformed scale
    high: float
    profile: tuple[float, float] | None = None  #: Limits of 95 % by profile likelihood


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LevelsFit(Shown):
    """Numbers fitted to observed levels.

    Examples
    --------
    >>> import schild
    >>> from schild.observed import simulated_table
    >>> truth = schild.simulate("naltrexone 50 mg po", until="1 d", overrides={"naltrexone.cl": 200})
    >>> table = simulated_table(truth, [0.5, 1, 2, 4, 8, 12], outputs=["plasma_naltrexone"], error=0.05)
    >>> found = schild.fit_levels(table, ["naltrexone.cl"], prior="none")
    >>> 185 < found.overrides["naltrexone.cl"] < 215
    True
    """

    data: Observed
    estimates: tuple[Estimate, ...]
    proportional: float  #: Residual error as a coefficient of variation [1]
    additive: float  #: Residual error in the unit of the levels
    prior: Prior
    objective: float  #: -2 log likelihood, including that of the prior
    predicted: Floats  #: Predictions at the estimates, in the order of the observations
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    catalogue: Catalogue | None = None

    @property
    def overrides(self) -> dict[str, float]:
        """The estimates as ``overrides`` for every command."""
        return {e.name: e.value for e in self.estimates}

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the fit."""
        stamp = {} if self.catalogue is None else dict(self.catalogue.stamp)
        free = [e.name for e in self.estimates]
        return {"schild": __version__, "table": self.data.name, "free": free, "prior": self.prior, **stamp}

    def about(self) -> str:
        """Describe the fit in one line."""
        said = ", ".join(f"{e.name} {e.value:.4g} {e.unit if e.unit != '1' else ''}".strip() for e in self.estimates)
        return f"{self.data.name}: {self.predicted.size} observations of {people_words(len(self.data.people))}; {said}"

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each number: estimate, relative standard error, limits, and the catalogue's value."""
        return [
            {
                "number": e.name, "unit": e.unit, "catalogue": e.catalogue, "estimate": e.value, "cv": e.cv,
                "low": e.low, "high": e.high,
                **({} if e.profile is None else {"profile_low": e.profile[0], "profile_high": e.profile[1]}),
            }
            for e in self.estimates
        ]  # fmt: skip

    def content(self) -> dict[str, Any]:
        """Return the estimates, the residual error and the likelihood."""
        return {
            "numbers": plain(self.summary()),
            "error": {"proportional": self.proportional, "additive": self.additive},
            "minus_2_log_likelihood": self.objective,
            "observations": int(self.predicted.size),
        }

    def picture(self) -> Picture:
        """Charts of observed over predicted values, and of weighted residuals over time.

        Values below the limit of quantification are open.
        """
        observed, below = (np.concatenate([getattr(p, name) for p in self.data.people]) for name in ("value", "below"))
        time = np.concatenate([p.tick for p in self.data.people]) / 3.6e9
        left, right = Chart(280.0), Chart(280.0)
        weighted = (observed - self.predicted) / self.deviation(self.predicted)
        for chart, x, y in ((left, self.predicted, observed), (right, time, weighted)):
            for hollow, here in ((False, ~below), (True, below)):
                chart.marks(x[here], y[here], color=COLOURS[0], size=5.0, hollow=hollow)
        ends = [min(self.predicted.min(), observed.min()), max(self.predicted.max(), observed.max())]
        left.line(ends, ends, color=GREY, width=1.0)
        left.x.label, left.y.label = "predicted", "observed"
        left.x.log = left.y.log = bool(ends[0] > 0)
        right.rule(y=0.0, dashes="-", color=GREY)
        right.x.label, right.y.label = "time [h]", "weighted residual"
        caption = "Dots: observed values, open below the limit of quantification."
        return Picture((left, right), caption=caption, columns=2)

    def deviation(self, predicted: Floats) -> Floats:
        """Standard deviation of the residual error at predicted values, in their unit."""
        return np.sqrt(self.additive**2 + (self.proportional * predicted) ** 2)

    def to_overlay(self, script: str = "schild.fit_levels") -> dict[str, str]:
        """Write the estimates as overlay files of the catalogue.

        Parameters
        ----------
        script : str
            Script that made the fit, for the note of each value.

        Returns
        -------
        dict
            TOML by name of the file: one for each drug, with the estimate as a further value of basis ``fitted`` that
            is chosen. ``schild.load(file)`` and ``--catalogue FILE`` read it.

        Raises
        ------
        InputError
            For a number that does not belong to a drug; give ``overrides`` instead.
        """
        catalogue = self.catalogue or load()
        texts: dict[str, str] = {}
        for e in self.estimates:
            owner, _, name = e.name.partition(".")
            if owner not in catalogue.drugs:
                raise InputError(
                    f"{e.name} is not a number of a drug; expected one. Give `overrides` of this fit instead."
                )
            text = texts.get(owner) or catalogue.text_of(owner)
            key = name if re.fullmatch(r"\w+", name) else json.dumps(name)
            head = re.compile(rf'(^\[number\.{re.escape(key)}\]\n(?:(?!\[).*\n)*?chosen = )"[^"]*"', re.MULTILINE)
            text, found = head.subn(r'\1"own_levels"', text)
            if found != 1:
                raise InputError(f"{e.name} repeats another number; expected one with values. Fit the other one.")
            note = (
                f"{script}: {self.predicted.size} observations of {people_words(len(self.data.people))}; "
                f"prior {self.prior}; relative standard error {e.cv:.3g}."
            )
            entry = {
                "key": "own_levels", "value": float(f"{e.value:.6g}"), "basis": "fitted", "source": "schild",
                "locator": self.data.name, "verified": "derived", "note": note,
            }  # fmt: skip
            lines = [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in entry.items()]
            texts[owner] = "\n".join([text.rstrip(), "", f"[[number.{key}.value]]", *lines, ""])
        return {f"{owner}.toml": text for owner, text in texts.items()}


def fit_levels(
    data: Observed | Source,
    free: Sequence[str] | Mapping[str, float | str],
    *,
    prior: Prior = "uncertainty",
    error: Error = "proportional",
    profile: bool = False,
    structure: str | None = None,
    overrides: Given | None = None,
    catalogue: Catalogue | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LevelsFit:
    r"""Fit numbers of the catalogue to observed levels.

    Parameters
    ----------
    data : Observed, path or DataFrame
        Observed levels: a table with all its units and routes, or the result of ``schild.observed.read_observed``.
    free : sequence of str, or mapping
        Numbers to fit, such as ``"naltrexone.cl"``; a mapping also gives start values.
    prior : {"uncertainty", "people", "none"}
        Prior: the catalogue's uncertainty of the typical value (for a group), its variability between
        people (for one person), or nothing (maximum likelihood).
    error : {"proportional", "additive", "both"}
        Residual error, estimated with the numbers.
    profile : bool
        Whether to compute limits by profile likelihood too, which takes many more predictions.
    structure, overrides, catalogue
        As for ``schild.simulate``; numbers in ``overrides`` are fixed.
    progress : callable, optional
        Called with the number of parts done and their total.

    Returns
    -------
    LevelsFit
        Estimates with standard errors and limits, residual error, predictions.

    Raises
    ------
    InputError
        If a number is unknown, if no observation depends on it, or if there are fewer observations than numbers to
        estimate.

    Notes
    -----
    All persons share the numbers and differ by their covariates: this is a fit of the mean, not a population model.
    Positive numbers are fitted as logarithms, numbers with two bounds as log odds between them. With :math:`f` the
    prediction and :math:`\sigma^2 = a^2 + (b f)^2`, an observation adds
    :math:`\ln \sigma + (y - f)^2 / (2 \sigma^2)`, and one below the limit :math:`L` adds
    :math:`-\ln \Phi((L - f) / \sigma)` (method M3). Standard errors come from the curvature at the optimum,
    times :math:`\sqrt{n / (n - k)}` for :math:`n` observations and :math:`k` numbers; limits use Student's distribution
    with :math:`n - k` degrees of freedom, and the profile rises by :math:`n \ln(1 + t^2 / (n - k))`.

    Examples
    --------
    >>> import schild
    >>> from schild.observed import simulated_table
    >>> person = schild.simulate("naltrexone 50 mg po", until="1 d", n=1)
    >>> table = simulated_table(person, [1, 2, 4, 8, 12], outputs=["plasma_naltrexone"])
    >>> [row["number"] for row in fit_levels(table, ["naltrexone.cl"], prior="people").summary()]
    ['naltrexone.cl']
    """
    from scipy.optimize import least_squares, minimize
    from scipy.special import log_ndtr, stdtrit

    catalogue = catalogue or load()
    if not isinstance(data, Observed):
        data = read_observed(data, catalogue=catalogue)
    if isinstance(free, str):
        free = [free]
    names = list(free)
    if not names or len(set(names)) != len(names):
        raise InputError(f"free is {names}; expected names of numbers, each once. Write it like ['naltrexone.cl'].")
    for what, value, known in (("prior", prior, ("uncertainty", "people", "none")), ("error", error, ("proportional",
                               "additive", "both"))):  # fmt: skip
        if value not in known:
            raise InputError(f"{what} is {value!r}; expected {', '.join(known)}. Choose one of them.")
    held = Overrides.of(overrides, catalogue)
    numbers = [_Free(name, catalogue, held, prior) for name in names]
    names = [number.name for number in numbers]
    observed = np.concatenate([p.value for p in data.people])
    below = np.concatenate([p.below for p in data.people])
    n_error = 2 if error == "both" else 1
    if observed.size <= len(names) + n_error:
        raise InputError(
            f"{observed.size} observations were given for {len(names)} numbers and {n_error} of the residual error; "
            "expected more. Fit fewer numbers."
        )
    if np.any(~below & (observed <= 0)) and error != "additive":
        raise InputError(
            "An observed value is 0; expected values above 0. Mark it as below the limit, or fit with error='additive'."
        )
    uses = Uses()
    model = _Model(data, catalogue, dict(held), structure, uses)
    starts = Overrides.of(free if isinstance(free, Mapping) else {}, catalogue)
    z = np.array([number.to(starts.get(number.name, number.typical)) for number in numbers])
    kept: dict[bytes, Floats] = {}

    def predict(z: Floats) -> Floats:
        if (key := z.tobytes()) not in kept:
            kept[key] = model({n.name: n.back(x) for n, x in zip(numbers, z, strict=True)})
        return kept[key]

    predict(z)
    if idle := [name for name in names if name not in uses.given]:
        raise InputError(f"{idle[0]} was to be fitted, but no observation depends on it. Leave it out.")

    def of_prior(z: Floats) -> Floats:
        return np.array([(x - n.middle) / n.sd for n, x in zip(numbers, z, strict=True) if n.sd])

    def rough(z: Floats) -> Floats:
        f = np.maximum(predict(z), 1e-12)
        off = np.log(np.maximum(observed, 1e-12) / f) / 0.3
        return np.concatenate([np.where(below, np.minimum(off, 0.0), off), of_prior(z)])

    z = least_squares(rough, z, diff_step=[1e-4] * len(names), max_nfev=40, x_scale=1.0).x
    f = predict(z)
    sizes = [math.log(max(float(np.std((observed - f)[~below] / np.maximum(f, 1e-12)[~below])), 0.02))]
    if error != "proportional":
        flat = math.log(max(float(np.std((observed - f)[~below])), 1e-6))
        sizes = [flat] if error == "additive" else [sizes[0], flat - 2.0]
    k = len(names)

    def split(x: Floats) -> tuple[Floats, float, float]:
        sizes = np.exp(np.clip(x[k:], -14.0, 14.0))
        a = 0.0 if error == "proportional" else float(sizes[-1])
        b = 0.0 if error == "additive" else float(sizes[0])
        return x[:k], a, b

    def minus_log(x: Floats) -> float:
        z, a, b = split(x)
        f = predict(z)
        sd = np.sqrt(a * a + (b * f) ** 2) + 1e-12
        seen = 0.5 * math.log(2 * math.pi) + np.log(sd) + 0.5 * ((observed - f) / sd) ** 2
        return float(np.sum(np.where(below, -log_ndtr((observed - f) / sd), seen)) + 0.5 * np.sum(of_prior(z) ** 2))

    def settle(x: Floats, hold: int | None = None) -> tuple[Floats, float]:
        moves = [j for j in range(x.size) if j != hold]

        def part(y: Floats) -> float:
            whole = x.copy()
            whole[moves] = y
            return minus_log(whole)

        found = minimize(part, x[moves], method="L-BFGS-B", options={"eps": _STEP, "maxiter": 60})
        best = x.copy()
        best[moves] = found.x
        return best, float(found.fun)

    best, lowest = settle(np.concatenate([z, sizes]))
    curve = _curvature(minus_log, best)
    try:
        spread = np.linalg.inv(curve)
        sd = np.sqrt(np.maximum(np.diag(spread), 0.0))
        good = bool(np.all(np.diag(spread) > 0))
    except np.linalg.LinAlgError:
        sd, good = np.full(best.size, np.nan), False
    # The likelihood divides squares by n; few observations need n minus the numbers, and Student's distribution.
    spare = observed.size - k
    sd = sd * math.sqrt(observed.size / spare)
    wide = float(stdtrit(spare, 0.975))
    rise = observed.size * math.log1p(wide**2 / spare)
    warnings = (
        [] if good else ["The data do not determine all of the numbers: the curvature at the optimum is not positive."]
    )
    estimates = []
    for j, number in enumerate(numbers):
        limits = _profile(settle, best, lowest, j, float(sd[j]), rise) if profile and good else None
        if progress is not None:
            progress(j + 1, k)
        estimate = number.estimate(float(best[j]), float(sd[j]), wide, limits)
        if estimate.cv > 0.5:
            warnings.append(f"{number.name} is hardly determined: its relative standard error is {estimate.cv:.2g}.")
        estimates.append(estimate)
    z, a, b = split(best)
    warnings += [*slips(data, catalogue=catalogue, overrides=held), *uses.unused(held)]
    return LevelsFit(
        data=data, estimates=tuple(estimates), proportional=b, additive=a, prior=prior, objective=2.0 * lowest,
        predicted=predict(z), warnings=tuple(warnings), sources=uses.sources, catalogue=catalogue,
    )  # fmt: skip


class _Free:
    """A number that is fitted: its scale and its prior."""

    def __init__(self, name: str, catalogue: Catalogue, held: Overrides, prior: Prior) -> None:
        owner, dot, short = name.partition(".")
        if not dot:
            raise InputError(f"The number {name!r} was to be fitted; expected owner and name, as in 'naltrexone.cl'.")
        if owner not in catalogue.owners and owner.lower() in catalogue.aliases:
            owner = catalogue.drug(owner).key
        self.name = name = f"{owner}.{short}"
        self.number = Values(catalogue).number(owner, short)
        self.typical = held.get(name, self.number.value)
        bounds = self.number.bounds
        self.bounds = bounds if bounds is not None and bounds[1] < math.inf and self.number.unit == "1" else None
        if not self.typical > 0 or (self.bounds and not self.bounds[0] < self.typical < self.bounds[1]):
            raise InputError(
                f"{name} is {self.typical:g}; expected a number above 0 and inside its bounds. Leave it out."
            )
        known = {"uncertainty": self.number.uncertainty, "people": self.number.between_subject, "none": None}[prior]
        self.middle = self.to(self.typical)
        self.sd = 0.0 if known is None else known.omega * self.slope(self.typical)

    def to(self, value: float) -> float:
        """Value on the scale of the fit."""
        if self.bounds is None:
            return math.log(value)
        low, high = self.bounds
        return math.log((value - low) / (high - value))

    def back(self, z: float) -> float:
        """Value from the scale of the fit."""
        if self.bounds is None:
            return math.exp(min(z, 300.0))
        low, high = self.bounds
        return low + (high - low) / (1.0 + math.exp(-min(max(z, -300.0), 300.0)))

    def slope(self, value: float) -> float:
        """Derivative of the scale of the fit by the logarithm of the value."""
        if self.bounds is None:
            return 1.0
        low, high = self.bounds
        return value * (high - low) / ((value - low) * (high - value))

    def estimate(self, z: float, sd: float, wide: float, profile: tuple[float, float] | None) -> Estimate:
        value = self.back(z)
        wide = wide * sd
        return Estimate(
            name=self.name,
            unit=self.number.unit,
            catalogue=self.typical,
            value=value,
            cv=sd / self.slope(value),
            low=self.back(z - wide) if math.isfinite(sd) else math.nan,
            high=self.back(z + wide) if math.isfinite(sd) else math.nan,
            profile=None if profile is None else (self.back(profile[0]), self.back(profile[1])),
        )


class _Model:
    """Predicts all observations for numbers: persons with the same doses are solved together."""

    def __init__(
        self, data: Observed, catalogue: Catalogue, held: Mapping[str, float], structure: str | None, uses: Uses
    ) -> None:
        self.catalogue, self.held, self.structure, self.uses = catalogue, held, structure, uses
        self.groups: dict[str, list[tuple[int, Person]]] = {}
        at = 0
        for _, person in data.seen:
            self.groups.setdefault(person.regimen.to_words(), []).append((at, person))
            at += person.tick.size
        self.size = at
        self.checked = False

    def __call__(self, numbers: Mapping[str, float]) -> Floats:
        found = np.empty(self.size)
        for group in self.groups.values():
            people = [person for _, person in group]
            subjects = [Subject(**p.covariates) for p in people]  # type: ignore[arg-type]  # the reader has checked them
            columns = {
                name: np.array([getattr(who, name) for who in subjects]) for name in Subject.__dataclass_fields__
            }
            values = Values(
                self.catalogue,
                People(n=len(people), covariates=columns),
                {**self.held, **numbers},
                uses=self.uses,
            )
            ticks = sorted({0}.union(*(p.tick.tolist() for p in people)))
            events = expand(people[0].regimen, ticks[-1])
            if not self.checked:
                for who in subjects:
                    list(check_doses(values, events, who))
            wanted = list(dict.fromkeys(name for p in people for name in p.output))
            receptors = ("mor",) if all(map(is_plasma, wanted)) else ("mor", "kor", "dor")
            prepared = prepare(values, events, structure=self.structure, receptors=receptors, threads=1)
            recipes = outputs_of(Effects(built=prepared.built), wanted)
            outputs = prepared.outputs(ticks, recipes, dtype=np.float64)
            for row, (at, person) in enumerate(group):
                column = np.searchsorted(ticks, person.tick)
                for j, (name, c) in enumerate(zip(person.output, column, strict=True)):
                    found[at + j] = outputs[name].values[row, c]
        self.checked = True
        return found


def _curvature(function: Callable[[Floats], float], x: Floats) -> Floats:
    """Matrix of second derivatives, by central differences."""
    n, h = x.size, _CURVE
    step = np.eye(n) * h
    middle = function(x)
    single = [(function(x + step[i]), function(x - step[i])) for i in range(n)]
    found = np.empty((n, n))
    for i in range(n):
        found[i, i] = (single[i][0] - 2 * middle + single[i][1]) / h**2
        for j in range(i):
            both = function(x + step[i] + step[j]) + function(x - step[i] - step[j])
            found[i, j] = found[j, i] = (both - sum(single[i]) - sum(single[j]) + 2 * middle) / (2 * h**2)
    return found


def _profile(
    settle: Callable[[Floats, int | None], tuple[Floats, float]],
    best: Floats,
    lowest: float,
    j: int,
    sd: float,
    rise: float,
) -> tuple[float, float]:
    """Limits of one number, where the best fit with it fixed is worse by the rise; infinite where there is none."""
    from scipy.optimize import brentq

    def off(z: float) -> float:
        x = best.copy()
        x[j] = z
        return 2.0 * (settle(x, j)[1] - lowest) - rise

    limits = []
    for sign in (-1.0, 1.0):
        near, width = float(best[j]), 2.0 * sd
        for _ in range(4):
            far = float(best[j]) + sign * width
            if off(far) > 0:
                limits.append(float(brentq(off, near, far, xtol=0.01 * sd)))
                break
            near, width = far, 2.0 * width
        else:
            limits.append(sign * math.inf)
    return limits[0], limits[1]
