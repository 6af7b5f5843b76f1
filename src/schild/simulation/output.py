"""Outputs of a run: kind (name, unit, words, display), recipe, and values over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from schild.array_types import AnyFloats
from schild.errors import InputError
from schild.tables import concentration_words, people_words, percent_words, value_words
from schild.units import TICKS_PER_HOUR, TimeLike, ticks

if TYPE_CHECKING:
    from schild.simulation.times import Between


#: Quantiles that summaries, tables and bands of a population give, and their names.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LABELS = tuple(f"q{round(100 * q):02d}" for q in QUANTILES)

#: Headings of tables and figures, in the order in which they are shown.
GROUPS = {
    "plasma": "Plasma",
    "unbound": "Unbound at the receptor",
    "receptors": "Receptors",
    "effects": "Effects",
    "adaptation": "Adaptation",
    "alcohol": "Alcohol",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Name and display of an output."""

    name: str  #: Name in the contract; a pattern such as ``plasma_<species>`` until ``of`` fills it in
    unit: str  #: Unit of its values; ``"1"`` for fractions and ratios
    words: str  #: Description for labels and tables; may hold the same placeholders
    group: str  #: Key of ``GROUPS``
    drawn: bool = False  #: Whether a figure shows it by default
    tabled: bool = False  #: Whether the summary has a line for it: at the start, lowest, highest, at the end
    ratio: bool = False  #: Whether a value of unit 1 can pass one
    level: float | None = None  #: Value for which metrics give the time above it

    @property
    def logarithmic(self) -> bool:
        """Whether it is a concentration, drawn and interpolated on a logarithmic scale."""
        return self.unit in ("ng/mL", "nM")

    def say(self, value: float) -> str:
        """Write a value as tables show it: a share as a percentage, a level with three digits."""
        if self.logarithmic:
            return concentration_words(value)
        if self.unit == "1" and not self.ratio:
            return percent_words(value)
        return value_words(self.name, value)

    def of(self, words: Mapping[str, str] | None = None, **names: str) -> Kind:
        """Fill in the placeholders of a kind of output with the names of drug and receptor.

        ``words``: text for each placeholder in words, its name by default; ``names``: text for each placeholder in
        the name.

        >>> kind = Kind(name="plasma_<species>", unit="ng/mL", words="<species> in plasma", group="plasma")
        >>> kind.of({"species": "6-beta-naltrexol"}, species="beta_naltrexol").words
        '6-beta-naltrexol in plasma'
        """
        return _filled(self, tuple((words or {}).items()), tuple(names.items()))


@lru_cache(maxsize=1024)  # a run without a list of outputs has dozens, and the next one the same
def _filled(kind: Kind, words: tuple[tuple[str, str], ...], names: tuple[tuple[str, str], ...]) -> Kind:
    name, said = kind.name, kind.words
    for place, value in names:
        name = name.replace(f"<{place}>", value)
        said = said.replace(f"<{place}>", dict(words).get(place, value))
    return replace(kind, name=name, words=said)


class Signals:
    """Signals of a solution by name, as the recipes take them.

    ``names``: signals that were stored; ``out``, shape (n_subjects, n_signals, n_times): their values.
    """

    def __init__(self, names: Sequence[str], out: AnyFloats) -> None:
        self._at = {name: k for k, name in enumerate(names)}
        self._out = out

    def __call__(self, name: str) -> AnyFloats:
        """Return a signal, shape (n_subjects, n_times)."""
        return self._out[:, self._at[name], :]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of subjects and of times."""
        return self._out.shape[0], self._out.shape[2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self._out.dtype

    def column(self, value: Any) -> Any:
        """Return one number, or one for each subject, so that it multiplies a signal."""
        array = np.asarray(value, dtype=self.dtype)
        return array[:, None] if array.ndim else array


def stored(signal: str, get: Signals) -> AnyFloats:
    """Return a signal unchanged, as the values of an output."""
    return get(signal)


class Recipe(NamedTuple):
    """Rule by which an output of one model is computed."""

    kind: Kind  #: Kind without placeholders
    signals: tuple[str, ...]  #: Engine signals that it needs
    #: From ``Signals`` to an array of shape (n_subjects, n_times) in the kind's unit
    values: Callable[[Signals], AnyFloats]
    fold: tuple[str, float] | None = None  #: Signal and threshold that the engine's reducers fold for the metrics
    #: From what the reducers give for that signal (by name, arrays of shape (n_subjects,)) and the length of the run
    #: [h] to metrics by name
    metrics: Callable[[Mapping[str, AnyFloats], float], dict[str, AnyFloats]] | None = None
    default: bool = True  #: Whether a run shows it by default


#: Name of an output that a model can give, and what makes its recipe.
Offer: TypeAlias = tuple[str, Callable[[], Recipe]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Output:
    """Output of a run over time, for one person or for many."""

    kind: Kind  #: Name, unit, words, and how it is shown
    time_h: AnyFloats  #: Output times [h]; shape (n_times,)
    values: AnyFloats  #: Values in ``unit``; shape (n_subjects, n_times)
    draws: int = 0  #: Parameter draws among the subjects; 0 for none
    #: Solves the run once more for times that are not stored
    solve: Between | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Name in the contract."""
        return self.kind.name

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return self.kind.unit

    def __repr__(self) -> str:
        n, times = self.values.shape
        return f"<Output {self.name} [{self.unit}]: {self.kind.words}; {people_words(n)}, {times:,} times>"

    @property
    def value(self) -> AnyFloats:
        """The course of a single subject, or the median over subjects; shape (n_times,)."""
        return self.values[0] if len(self.values) == 1 else self.quantile(0.5)

    def at(self, time: TimeLike) -> float | AnyFloats:
        """Value at a time, after all events at that time.

        Parameters
        ----------
        time : str or float
            ``"24 h"``, or hours.

        Returns
        -------
        float or ndarray, shape (n_subjects,)
            The stored value at an output time; at any other, the run is solved once more for that time. A result with a
            plain grid, or times of one's own, interpolates: linearly, logarithmically for concentrations.

        Raises
        ------
        InputError
            Outside the run: nothing is extrapolated.
        """
        return self._at(ticks(time))

    def before(self, time: TimeLike) -> float | AnyFloats:
        """Value just before the events at a time, such as the trough before a dose; as ``at`` otherwise."""
        return self._at(ticks(time) - 1)

    def _at(self, tick: int) -> float | AnyFloats:
        t, known = tick / TICKS_PER_HOUR, np.rint(self.time_h * TICKS_PER_HOUR)
        if not known[0] <= tick <= known[-1]:
            raise InputError(
                f"{self.name} was asked at {t:g} h; the run covers {self.time_h[0]:g} to {self.time_h[-1]:g} h. "
                "Ask for a time inside, or run longer."
            )
        k = int(np.searchsorted(known, tick, side="right")) - 1
        if known[k] == tick:
            found = self.values[:, k].astype(np.float64)
        elif self.solve is not None:
            found = self.solve(self.name, tick).astype(np.float64)
        else:
            w = (tick - known[k]) / (known[k + 1] - known[k])
            a, b = self.values[:, k].astype(np.float64), self.values[:, k + 1].astype(np.float64)
            found = (1 - w) * a + w * b
            if self.kind.logarithmic:
                both = (a > 0) & (b > 0)
                found[both] = np.exp((1 - w) * np.log(a[both]) + w * np.log(b[both]))
        return float(found[0]) if len(found) == 1 else found

    def quantile(self, q: float) -> AnyFloats:
        """Quantile over subjects that have finished; shape (n_times,)."""
        good = self.values[np.isfinite(self.values).all(axis=1)]
        if not len(good):
            return np.full(self.time_h.shape, np.nan)
        return np.asarray(np.quantile(good, q, axis=0))

    def uncertainty(self, q: float) -> AnyFloats:
        """Quantile over parameter draws of the median over people; shape (n_times,).

        The band of the uncertainty of the typical person, as opposed to the variability between people.
        """
        if not self.draws:
            raise InputError(
                f"{self.name} has no parameter draws; expected a population with uncertainty. Set uncertainty above 0."
            )
        by_draw = self.values.reshape(self.draws, -1, self.values.shape[1])
        return np.asarray(np.quantile(np.nanmedian(by_draw, axis=1), q, axis=0))
