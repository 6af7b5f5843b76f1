"""Result of a global Schild fit: estimates with limits, dose ratios, tests, curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from schild.analysis.regression import Line
from schild.analysis.table import Analysed, Scale, Table, logs
from schild.array_types import Floats
from schild.errors import UnknownNameError
from schild.figures import Picture

if TYPE_CHECKING:
    import pandas as pd


#: Estimates that define a curve.
_CURVE = ("bottom", "top", "log_ec50", "hill", "pa2", "slope")

#: Level of the tests. [1]
ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its 95 % limits."""

    value: float | None  #: Best estimate; None where the data give none, such as a pA2 without a shift
    #: Wald limits; None for a fixed number
    low: float | None = None
    high: float | None = None
    #: Limits by profile of the sum of squares, where computed
    profile_low: float | None = None
    profile_high: float | None = None
    unit: str = "1"  #: Unit; ``"1"`` is dimensionless
    held: bool = False  #: Whether it was fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRatio:
    """Dose ratio of one antagonist level in one tissue, or of one curve at it."""

    level: float  #: Antagonist level, in the unit given
    curve: str  #: Name of the tissue or the curve; empty when a level has one
    #: EC50 with antagonist over EC50 without, in the same tissue, with 95 % limits [1]
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FTest:
    """Extra sum of squares F test of a simple form against one that contains it."""

    name: str
    question: str
    f: float | None  #: Ratio of variances [1]
    #: Additional parameters, residual degrees of freedom [1]
    df1: int
    df2: int
    #: p-value if the simple form is true; None where the general form leaves no degrees of freedom
    p: float | None
    says: str  #: Result in words

    @property
    def rejects(self) -> bool:
        """Whether the simple form is rejected at 5 %."""
        return self.p is not None and self.p < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SchildFit(Analysed):
    """Fit of the Gaddum-Schild equation to all curves of a table at once.

    Examples
    --------
    >>> import numpy as np
    >>> from schild.analysis import schild_fit
    >>> a, b = np.meshgrid(10.0 ** np.arange(0, 6), [0.0, 3.0, 30.0])
    >>> y = 100 * a / (a + 50 * (1 + b / 2))
    >>> fit = schild_fit(
    ...     {"antagonist": b.ravel(), "agonist": a.ravel(), "response": y.ravel()},
    ...     antagonist_unit="nM", agonist_unit="nM",
    ... )
    >>> round(fit["pa2"].value, 4), round(fit["slope"].value, 4)
    (8.699, 1.0)
    """

    USES: ClassVar[Mapping[str, str]] = {
        "Gaddum1937": "the equation with slope 1",
        "ArunlakshanaSchild1959": "the slope, and the regression of log(dose ratio - 1)",
        "LewAngus1995": "the global fit",
        "Fieller1954": "limits of the classical pA2",
    }

    title: str
    antagonist: Scale
    agonist: Scale
    response_unit: str
    #: ``bottom``, ``top``, ``hill``, ``log_ec50`` (of each tissue where there are several, as ``top[rat 1]``), ``pa2``,
    #: ``slope``, and ``pkb`` (slope fixed at 1) where a slope of 1 is not rejected. Logarithms are decadic, in the
    #: canonical unit of `agonist` and `antagonist`. Without a significant shift, ``pa2`` and ``slope`` have no value,
    #: and ``pkb`` has only its upper limit, ``profile_high``.
    estimates: Mapping[str, Estimate]
    ratios: tuple[DoseRatio, ...]  #: By level, from curves of one shape that shift freely
    tests: Mapping[str, FTest]  #: ``parallel``, ``maximum``, ``shift``, ``schild``, ``slope``
    line: Line  #: Classical regression of the dose ratios
    table: Table
    residual_sd: float
    df: int
    tissues: tuple[str, ...] = ("",)  #: Names of the tissues; one empty name where the table has none
    warnings: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Estimate:
        """Return an estimate by name."""
        if name not in self.estimates:
            raise UnknownNameError("estimate", name, self.estimates)
        return self.estimates[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the estimates."""
        return iter(self.estimates)

    @property
    def shifts(self) -> bool:
        """Whether a shift is significant."""
        return self.estimates["pa2"].value is not None

    def predict(self, antagonist: float, agonist: Floats, tissue: str = "") -> Floats:
        """Response of the fitted curves.

        Parameters
        ----------
        antagonist : float
            Antagonist level, in the unit of the data.
        agonist : ndarray
            Agonist levels, in the unit of the data.
        tissue : str
            Name of the tissue, where there are several.

        Returns
        -------
        ndarray
            Response.
        """
        if tissue not in self.tissues:
            raise UnknownNameError("tissue", tissue, self.tissues)
        from schild.pharmacology.antagonism import gaddum_schild

        found = {key.removesuffix(f"[{tissue}]"): e.value for key, e in self.estimates.items() if e.value is not None}
        return gaddum_schild(
            logs(np.asarray(agonist, dtype=np.float64), self.agonist),
            np.broadcast_to(logs(np.array(antagonist, dtype=np.float64), self.antagonist), np.shape(agonist)),
            # Without a shift: 10^-1000 at one molar.
            **{"pa2": -1e3, "slope": 1.0, **{key: found[key] for key in found if key in _CURVE}},
        )

    def about(self) -> str:
        """Describe the result in one line."""
        names = {"pa2": "pA2", "slope": "Schild slope", "pkb": "pKB with slope 1", "hill": "Hill slope"}
        found = {name: e.value for key, name in names.items() if (e := self.estimates.get(key)) is not None}
        said = "".join(f"; {name} {value:.3g}" for name, value in found.items() if value is not None)
        return f"{self.title}; {len(self.ratios)} dose ratios{said}"

    def content(self) -> dict[str, Any]:
        """Return what the JSON object has beside manifest, warnings and citations."""
        return self.summary()

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

    def picture(self) -> Picture:
        """Charts of the curves and of Schild's plot."""
        from schild.analysis.plot import draw_fit

        return draw_fit(self)
