"""Induction plan: when and how an antagonist is begun after opioids, so that it adds little withdrawal.

It plans the antagonist only, and never a wait shorter than the label asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.catalog import Catalogue, Drug, load
from schild.errors import InputError
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.people import Given, Overrides, Values
from schild.planner import antagonist_of, strength_of
from schild.results import ShownRun, plain
from schild.simulation import Result, Run, simulate_run
from schild.simulation.caution import ONCE_USUAL, UNRELIABLE
from schild.simulation.guard import AGONISTS
from schild.simulation.runfile import parse_history
from schild.tables import time_words

#: Longest wait beyond the label's that is looked at, and how finely. [h]
BEYOND_H, STEP_H = 21 * 24.0, 24.0
#: How long withdrawal is followed after each of the first two doses. [h]
FOLLOWED_H = 24.0
#: Times of the course. [h]
GRID_H = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One way to begin, at one wait."""

    doses: str  #: In words, from the first dose on
    wait_h: float  #: From the last opioid to the first dose of the antagonist [h]
    share: float  #: Of people in whom the antagonist adds less withdrawal than was allowed [1]
    added: Mapping[
        str, float
    ]  #: Largest added score in the day after each of the first two doses, over people [points]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Induction(ShownRun):
    """Time and way at which an antagonist may be begun.

    Examples
    --------
    >>> import schild
    >>> found = schild.induction("heroin 25 mg iv q6h for 30 d", n=6)
    >>> found.wait_h >= found.label_h
    True
    """

    drug: str
    route: str
    history: tuple[str, ...]
    added: float  #: Withdrawal that may be added: points of COWS, 0 to 48
    at_least: float  #: Share of people in whom it has to stay below [1]
    label_h: float  #: Shortest wait, by the label [h]
    label: str  #: What the label says
    starts: tuple[Start, ...]  #: Ways to begin at the waits that were looked at
    chosen: Start | None  #: The shortest wait that does it; None if none within three weeks of the label's does
    result: Result
    warnings: tuple[str, ...] = ()

    @property
    def wait_h(self) -> float | None:
        """Wait of the chosen start; never shorter than the label's. [h]"""
        return None if self.chosen is None else self.chosen.wait_h

    @property
    def manifest(self) -> dict[str, Any]:
        """Data needed to repeat the plan."""
        return {**self.result.manifest, "added": self.added, "at_least": self.at_least, "history": list(self.history)}

    def about(self) -> str:
        """Say in one line when the antagonist may be begun."""
        want = f"less than {self.added:g} points of added withdrawal in {100 * self.at_least:g} % of people"
        if self.chosen is None:
            longest = time_words(self.label_h + BEYOND_H)
            return f"{self.drug} after {'; '.join(self.history)}: {want} is not reached within {longest}"
        low, high = self.chosen.added["q50"], self.chosen.added["q95"]
        drug = f"{self.drug[:1].upper()}{self.drug[1:]}"
        return (
            f"{drug} after {'; '.join(self.history)}: {want} needs a wait of {time_words(self.chosen.wait_h)} "
            f"(the label asks for {time_words(self.label_h)}) and {self.chosen.doses}; it then adds {low:.1f} points "
            f"in the median and {high:.1f} in the 95th percentile. {UNRELIABLE}"
        )

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each way to begin and wait that was looked at."""
        return [
            {"doses": s.doses, "wait_h": s.wait_h, "share": s.share, **{f"added_{q}": v for q, v in s.added.items()},
             "chosen": s is self.chosen}
            for s in self.starts
        ]  # fmt: skip

    def content(self) -> dict[str, Any]:
        """Return the wait that was chosen, and every way to begin that was looked at."""
        return {
            "drug": self.drug, "label_wait_h": self.label_h, "label": self.label,
            "wait_h": self.wait_h, "doses": None if self.chosen is None else self.chosen.doses,
            "starts": plain(self.summary()), "unreliable": UNRELIABLE,
        }  # fmt: skip

    def picture(self) -> Picture:
        """Chart of added withdrawal over the wait, by way to begin: median to 95th percentile of people."""
        chart = Chart(260.0)
        for k, doses in enumerate(dict.fromkeys(s.doses for s in self.starts)):
            mine = sorted((s for s in self.starts if s.doses == doses), key=lambda s: s.wait_h)
            days = [s.wait_h / 24 + 0.06 * k for s in mine]
            low, high = ([s.added[q] for s in mine] for q in ("q50", "q95"))
            chart.whiskers(days, low, low, high, color=COLOURS[k], width=2.0)
            chart.marks(days, low, color=COLOURS[k], size=6.0, label=f"{doses}")
        chart.rule(y=self.added, dashes="--", color=GREY)
        chart.rule(x=self.label_h / 24, dashes="-", color=GREY)
        # Room to the right of the last points, which often lie at the label's wait.
        chart.x.lim = (0.0, 1.08 * max(self.label_h, *(s.wait_h for s in self.starts)) / 24)
        chart.x.label = "days from the last opioid to the first dose"
        chart.y.label, chart.legend = "added withdrawal [points]", "below"
        caption = f"Dots: medians, with strokes to the 95th percentile of people; broken line: {self.added:g} points; "
        caption += "upright: the label's wait."
        return Picture([chart], caption=caption)


def induction(
    *history: str,
    drug: str = "naltrexone",
    route: str | None = None,
    added: float = 5.0,
    at_least: float = 0.9,
    n: int = 100,
    seed: int = 1,
    people: Mapping[str, Any] | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Induction:
    """Find when and how an antagonist may be begun after opioids.

    Parameters
    ----------
    *history : str
        Earlier use of opioids, up to the last dose: ``"heroin 25 mg iv q6h for 90 d"``.
    drug : str
        An antagonist whose label states a wait.
    route : str
        Such as oral or im_depot; by mouth where the drug has that.
    added : float
        Withdrawal that it may add in the day after each of the first two doses: points of COWS, 0 to 48.
    at_least : float
        Share of people in whom it has to stay below that. [1]
    n : int
        People.
    seed : int
        Seed of their draws.
    people : mapping, optional
        Properties given to all: entries of ``[population]``.
    catalogue, overrides, progress
        As for ``schild.plan``.

    Returns
    -------
    Induction
        The shortest wait, in whole days from the label's on, that does it: with the usual dose, or with the smallest
        unit that can be given first and the usual dose a day later.

    Raises
    ------
    InputError
        For a drug that is not an antagonist or whose label states no wait, or a history that cannot be read.

    Notes
    -----
    The same people are followed with and without the antagonist; what it adds is the difference of their withdrawal
    scores. It falls with the wait, so the wait is found by bisection over whole days. Waits begin with that of the
    label, whatever the model computes. Where two ways to begin need the same wait, the lower first dose is chosen.

    Examples
    --------
    >>> found = induction("heroin 25 mg iv q6h for 30 d", n=6)
    >>> found.label_h / 24, "No interval and no test is wholly reliable" in found.about()
    (10.0, True)
    """
    catalogue = catalogue or load()
    given = Overrides.of(overrides, catalogue)
    entry = antagonist_of(catalogue, drug, None)
    strength, way = strength_of(entry, route)
    if not 0 < added <= 48 or not 0 < at_least < 1 or not 1 <= n <= 10_000:
        raise InputError(
            f"added is {added:g}, at_least {at_least:g} and n {n}; expected points above 0 and at most 48, a share "
            "between 0 and 1, and 1 to 10,000 people. Correct them."
        )
    past, taken = _past(history, catalogue)
    label_h, label = _label(Values(catalogue, overrides=given), entry, taken)
    usual = strength.mg if strength.parts > 1 or way != "im_depot" else strength.largest_mg
    first = strength.mg / strength.parts
    ways = [f"{entry.key} {usual:g} mg {way}"]
    if first < usual:
        ways.append(f"{entry.key} {first:g} mg {way}, a day later {usual:g} mg")
    most = round(BEYOND_H / STEP_H)
    done = 0

    def run(doses: Sequence[str], until_h: float) -> Result:
        nonlocal done
        who = {"n": n, **(people or {}), "history": [f"{words} stopped 0 d" for words in past]}
        asked = Run.of(
            *doses, population=who, until=f"{until_h!r} h", every=f"{GRID_H!r} h", seed=seed, outputs=["cows"]
        )
        found = simulate_run(asked, catalogue=catalogue, overrides=given, warn=False, plain_grid=True)
        done += 1
        if progress is not None:
            progress(min(done, 2 + 5 * len(ways)), 2 + 5 * len(ways))
        return found

    longest = label_h + BEYOND_H + 2 * FOLLOWED_H
    without = np.asarray(run([], longest)["cows"].values, dtype=np.float64)
    starts: dict[tuple[str, int], tuple[Start, Result]] = {}

    def begin(words: str, k: int) -> Start:
        if (words, k) not in starts:
            wait = label_h + k * STEP_H
            low = words != ways[0]
            doses = [f"{entry.key} {first if low else usual!r} mg {way} at {wait:g} h"]
            doses += [f"{entry.key} {usual!r} mg {way} at {wait + 24:g} h"] if low else []
            result = run(doses, wait + 2 * FOLLOWED_H)
            scores = np.asarray(result["cows"].values, dtype=np.float64)
            t = np.asarray(result["cows"].time_h, dtype=np.float64)
            inside = t >= wait - 1e-6
            more = np.maximum((scores - without[:, : scores.shape[1]])[:, inside].max(axis=1), 0.0)
            spread = {name: float(np.quantile(more, q)) for name, q in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95))}
            share = float((more < added).mean())
            starts[words, k] = Start(doses=words, wait_h=wait, share=share, added=spread), result
        return starts[words, k][0]

    best: tuple[int, int] | None = None
    for j, words in enumerate(ways):
        low, high = 0, most
        if begin(words, 0).share >= at_least:
            high = 0
        elif begin(words, most).share < at_least:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if begin(words, middle).share >= at_least else (middle, high)
        if best is None or high <= best[0]:
            best = (high, j)
    chosen, result = starts[ways[best[1]], best[0]] if best else starts[ways[0], most]
    return Induction(
        drug=entry.key, route=way, history=past, added=added, at_least=at_least, label_h=label_h, label=label,
        starts=tuple(s for s, _ in starts.values()), chosen=chosen if best else None, result=result,
        warnings=(f"{label} {UNRELIABLE}", ONCE_USUAL, *result.warnings),
    )  # fmt: skip


def _past(history: Sequence[str], catalogue: Catalogue) -> tuple[tuple[str, ...], list[Drug]]:
    """Check earlier use of opioids that ends with its last dose, and find the opioids."""
    if not history:
        raise InputError(
            "No earlier use was given; expected the opioids taken before, up to the last dose. Write for example "
            "'heroin 25 mg iv q6h for 90 d'."
        )
    drugs = []
    for words in history:
        if " stopped " in f" {words} ":
            raise InputError(f"{words!r} says when it stopped; the wait is what is looked for. Leave 'stopped' out.")
        drug = catalogue.drug(str(parse_history(f"{words} stopped 0 d").drug))
        if drug.role not in AGONISTS:
            raise InputError(
                f"{words!r} is of {drug.name}, which the catalogue lists as {drug.role}; expected an opioid agonist, "
                "after which an antagonist is begun. Leave it out."
            )
        drugs.append(drug)
    return tuple(" ".join(words.split()) for words in history), drugs


def _label(values: Values, entry: Drug, taken: Sequence[Drug]) -> tuple[float, str]:
    """The longest wait that the label asks for after any of the opioids [h], and its sentence."""
    if not entry.starts:
        raise InputError(
            f"The catalogue holds no wait after opioids from the label of {entry.name}; expected a drug with one. "
            "Choose naltrexone."
        )
    found = []
    for drug in taken:
        start = next((x for x in entry.starts if drug.key in x.after or not x.after), None)
        if start is not None:
            found.append((24.0 * values.typical(entry.key, start.wait), start.says))
    if not found:
        raise InputError(
            f"The label of {entry.name} states no wait after {', '.join(x.name for x in taken)}. Name another opioid."
        )
    return max(found)
