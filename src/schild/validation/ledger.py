"""Predictions that were frozen before their result was known, and those results: ``schild ledger``.

The rules are in docs/design/challenge-fit.md. Entries come from the frozen file of published designs with the released
challenges, and from a folder of a user's own: ``STUDY.json`` holds a prediction and is never rewritten, ``ledger.csv``
its hash and, later, its results.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from schild import __version__
from schild.catalog import Catalogue, Observation, load
from schild.catalog.reader import Table
from schild.errors import InputError
from schild.figures import COLOURS, Chart, Picture
from schild.regimen import parse_regimen
from schild.results import Shown
from schild.textfile import read_text
from schild.validation import predictions
from schild.validation.blocks import SE, Band, frozen_block, model_block
from schild.validation.check import check

INDEX = "ledger.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A result that a study will print, as ``[[result]]`` of a study's file describes it.

    Either a block (``effect`` and ``without``: the regimen without the antagonist; ``read_h``: the time at which the
    effect is read, the largest change where it is left out) or an ``observable`` of `schild validate` with its
    ``species`` and ``unit``.
    """

    id: str
    field: str
    regimen: str
    effect: str | None = None
    without: str | None = None
    read_h: float | None = None
    observable: str | None = None
    species: str = ""
    unit: str = "1"
    time_h: float | None = None
    n: int | None = None

    def band(self, catalogue: Catalogue) -> Band:
        """Predict it with today's catalogue."""
        if self.effect is not None:
            words = self.without or ""
            row = {
                "effect": self.effect, "regimen": self.regimen, "without": words, "n": str(self.n or ""),
                "from_h": str(parse_regimen(words).doses[0].time),
                "read_h": "" if self.read_h is None else str(self.read_h),
            }  # fmt: skip
            return model_block(row, catalogue=catalogue)
        o = Observation(
            id=self.id, study="", observable=str(self.observable), species=self.species, regimen=self.regimen,
            value=1.0, unit=self.unit, time_h=self.time_h, n=self.n,
        )  # fmt: skip
        found = check(o, "", (o,), n=predictions.PEOPLE, draws=predictions.STUDIES, seed=1, catalogue=catalogue)
        return Band(typical=found.predicted, middle=found.predicted, low=found.low, high=found.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One result of one study: its prediction, when that was made, and what was found."""

    study: str
    id: str
    field: str
    design: str
    unit: str
    #: Median and 90 % range of the results of such a study; NaN where the frozen file has no such design
    predicted: float
    low: float
    high: float
    frozen: str  #: Date of the prediction
    made_with: str  #: Commit, or version and hash of the catalogue
    sha256: str  #: SHA-256 of the frozen file
    block: bool = True  #: Whether it is a block, judged by the share that is left
    result: float | None = None
    bound: str = ""  #: ``at least``, ``at most``, or nothing for a number
    se: float | None = None
    entered: str = ""
    source: str = ""
    reason: str = ""  #: Reason why it does not count

    @property
    def band(self) -> Band:
        """Prediction with its band."""
        return Band(typical=self.predicted, middle=self.predicted, low=self.low, high=self.high)

    @property
    def inside(self) -> bool | None:
        """Whether the result lies in the band; None without a result or a prediction."""
        if self.result is None or not np.isfinite(self.predicted):
            return None
        return self.band.inside(self.result, self.bound, (SE if self.block else 0.0) if self.se is None else self.se)

    @property
    def fold(self) -> float | None:
        """Observed over predicted value; for a block, of the share that is left; None for a bound."""
        if self.inside is None or self.bound or self.result is None:
            return None
        return self.band.fold(self.result) if self.block else self.result / self.predicted

    @property
    def counts(self) -> bool:
        """Whether it enters coverage and sharpness."""
        return self.inside is not None and not self.reason

    @property
    def width(self) -> float:
        """Sharpness: width of the band of a block; for other results the ratio of its ends."""
        return self.high - self.low if self.block else self.high / self.low

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        return {**asdict(self), "inside": self.inside, "fold": self.fold, "counts": self.counts}


@dataclass(frozen=True, kw_only=True, repr=False)
class Ledger(Shown):
    """All entries, by date of the prediction.

    Examples
    --------
    >>> found = ledger()
    >>> found.scores()[0]["field"], sum(entry.counts for entry in found.entries)
    ('liking', 2)
    """

    entries: tuple[Entry, ...]
    catalogue: Catalogue

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Data needed to repeat the result."""
        return {"schild": __version__, "frozen": predictions.FROZEN.name, "sha256": predictions.SHA256}

    @property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Studies of the catalogue with what each was entered for."""
        known = self.catalogue.references
        return {e.study: (e.field,) for e in self.entries if e.study in known}

    def about(self) -> str:
        """Describe the result in one line."""
        counted = [e for e in self.entries if e.counts]
        inside = sum(bool(e.inside) for e in counted)
        waiting = sum(e.result is None for e in self.entries)
        return (
            f"{len(self.entries)} entries; {inside} of {len(counted)} that count lie inside their 90 % band; "
            f"{waiting} wait for a result"
        )

    def scores(self) -> list[dict[str, Any]]:
        """Return coverage and sharpness of the entries that count, by field and day of entry."""
        groups: dict[tuple[str, str, bool], list[Entry]] = {}
        for e in self.entries:
            if e.counts:
                groups.setdefault((e.field, e.entered, e.block), []).append(e)
        return [
            {
                "field": field, "entered": day, "results": len(some), "inside": sum(bool(e.inside) for e in some),
                "coverage": sum(bool(e.inside) for e in some) / len(some),
                "width": float(np.median([e.width for e in some])), "width_of": "block" if block else "ratio of ends",
                "fold": float(np.median(folds)) if (folds := [e.fold for e in some if e.fold is not None]) else None,
            }
            for (field, day, block), some in groups.items()
        ]  # fmt: skip

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each entry."""
        return [
            {
                "study": e.study, "result": e.id, "field": e.field, "predicted (90 %)": _band(e),
                "frozen": e.frozen, "found": _found(e), "inside": _WORDS[e.inside], "fold": e.fold,
                "counts": "yes" if e.counts else f"no: {e.reason}" if e.reason else "no: no result yet",
            }
            for e in self.entries
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data."""
        return {
            "manifest": dict(self.manifest), "entries": [e.to_dict() for e in self.entries], "scores": self.scores(),
        }  # fmt: skip

    def picture(self) -> Picture:
        """Chart of bands and results of the blocks."""
        shown = [e for e in self.entries if e.block and np.isfinite(e.predicted)]
        chart = Chart(0.0)
        chart.rows([e.id for e in shown])
        for k, e in enumerate(shown):
            chart.bars(e.low, e.high, k - 0.15, k + 0.15, color=COLOURS[0], alpha=0.3)
            chart.line([e.predicted, e.predicted], [k - 0.25, k + 0.25], color=COLOURS[0])
            if e.result is not None:
                mark = {"at least": ">", "at most": "<"}.get(e.bound, "o")
                chart.marks([e.result], [k], mark, color=COLOURS[1], size=6.0)
        chart.x.lim, chart.x.label = (-0.05, 1.05), "block: band, median and result"
        caption = "Bars: 90 % bands; strokes: medians; orange: results, a triangle where at least or at most was found."
        return Picture([chart], caption=caption)


_WORDS = {True: "yes", False: "no", None: ""}


def _band(e: Entry) -> str:
    return f"{e.predicted:.2f} ({e.low:.2f} to {e.high:.2f})" if np.isfinite(e.predicted) else "none"


def _found(e: Entry) -> str:
    return "" if e.result is None else f"{e.bound} {e.result:g}".strip()


def ledger(folder: Path | str | None = None, catalogue: Catalogue | None = None) -> Ledger:
    """Read the ledger, with your own predictions beside those of the package if ``folder`` is given.

    Raises InputError if the folder has no ledger, or one that cannot be read.
    """
    catalogue = catalogue or load()
    own = [] if folder is None else list(_own(Path(folder)))
    return Ledger(entries=(*_released(catalogue), *own), catalogue=catalogue)


def _fitted(catalogue: Catalogue) -> set[str]:
    """Studies that numbers of the catalogue were fitted to."""
    found = {row["study"] for row in catalogue.dose_series if row["role"] == "calibration"}
    rows = (o for study in catalogue.studies.values() for o in study.observations)
    return found | {o.study for o in rows if o.role == "calibration"}


def _released(catalogue: Catalogue) -> Iterator[Entry]:
    """Challenges of the catalogue, with predictions from the frozen file."""
    fitted = _fitted(catalogue)
    for row in catalogue.challenges:
        if not row["block"]:
            continue
        band = frozen_block(row)
        reason = "" if band is not None else "the frozen file has no such design"
        nan = float("nan")
        yield Entry(
            study=row["study"], id=row["id"], field=row["field"], design=row["regimen"], unit="1",
            predicted=band.middle if band else nan, low=band.low if band else nan, high=band.high if band else nan,
            frozen=predictions.FROZEN_ON, made_with=f"commit {predictions.COMMIT}", sha256=predictions.SHA256,
            result=float(row["block"]), bound=row["bound"], se=float(row["se"]) if row["se"] else None,
            entered=predictions.OPENED_ON, source=row["study"],
            reason="numbers were fitted to this study" if row["study"] in fitted else reason,
        )  # fmt: skip


_COLUMNS = ("study", "id", "sha256", "frozen", "result", "bound", "se", "entered", "source")


def _lines(folder: Path) -> list[dict[str, str]]:
    text = read_text(folder / INDEX, "the index of a ledger, ledger.csv")
    found = list(csv.DictReader(StringIO(text)))
    if any(set(line) != set(_COLUMNS) or None in line.values() for line in found):
        raise InputError(f"{folder / INDEX} is not the index of a ledger; expected the columns {', '.join(_COLUMNS)}.")
    return found


def _text(lines: Sequence[Mapping[str, str]]) -> str:
    text = StringIO()
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    return text.getvalue()


def _own(folder: Path) -> Iterator[Entry]:
    """Entries of a user's folder."""
    for line in _lines(folder):
        path = folder / f"{line['study']}.json"
        text = read_text(path, "a frozen prediction")
        try:
            told = json.loads(text)
            planned = next(r for r in told["results"] if r["id"] == line["id"])
            known = {f.name for f in fields(Entry)}
            entry = Entry(**{k: v for k, v in {**told, **planned}.items() if k in known}, sha256=line["sha256"])
            result, se = (float(line[k]) if line[k] else None for k in ("result", "se"))
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise InputError(f"{path} is not a frozen prediction ({error!r}); restore it from its commit.") from None
        changed = sha256(text.encode()).hexdigest() != line["sha256"]
        yield replace(
            entry, result=result, se=se, bound=line["bound"], entered=line["entered"], source=line["source"],
            reason="its prediction was changed after it was frozen" if changed else entry.reason,
        )  # fmt: skip


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def add(study: Path | str, folder: Path | str, catalogue: Catalogue | None = None) -> dict[Path, str]:
    """Predict results of a study before they are known, and freeze the predictions.

    ``study``: TOML file with ``study``, ``source`` and ``[[result]]`` tables, which holds no result; ``folder``: of the
    ledger; ``catalogue``: whose numbers predict. Returns the files to write: the prediction and the index. Raises
    InputError if the study has a prediction already, or its file holds anything but designs.
    """
    catalogue, folder = catalogue or load(), Path(folder)
    table = Table.of(read_text(study, "a study's file (TOML)"), str(study), own=True)
    key, source = table.text("study"), table.text("source", "")
    if not key.isidentifier():
        raise table.fail(f"has study = {key!r}; expected a name of letters, digits and underscores.", "study")
    plans = [one.record(Planned) for one in table.tables("result")]
    table.done()
    if not plans or len({p.id for p in plans}) < len(plans):
        raise table.fail("has no [[result]], or two with one id; expected each result that the study will print once.")
    for p in plans:
        if (p.effect is None) == (p.observable is None) or (p.effect is not None and not p.without):
            raise table.fail(f"result {p.id!r} needs effect and without (a block), or observable.")
    path, index = folder / f"{key}.json", folder / INDEX
    lines = _lines(folder) if index.is_file() else []
    if path.exists() or any(line["study"] == key for line in lines):
        raise InputError(
            f"{path}: {key} has a frozen prediction, which is never replaced; expected a study without one."
        )
    day = _today()
    bands = [p.band(catalogue) for p in plans]
    told = {
        "study": key, "source": source, "frozen": day, "made_with": f"schild {__version__}, {catalogue.digest}",
        "reason": "numbers were fitted to this study" if key in _fitted(catalogue) else "",
        "results": [
            {
                "id": p.id, "field": p.field, "design": p.regimen, "unit": p.unit, "block": p.effect is not None,
                "predicted": b.middle, "low": b.low, "high": b.high, "asked": asdict(p),
            }
            for p, b in zip(plans, bands, strict=True)
        ],
    }  # fmt: skip
    text = json.dumps(told, indent=1, allow_nan=False) + "\n"
    digest = sha256(text.encode()).hexdigest()
    empty = dict.fromkeys(_COLUMNS, "")
    lines += [{**empty, "study": key, "id": p.id, "sha256": digest, "frozen": day} for p in plans]
    return {path: text, index: _text(lines)}


def enter(
    study: str,
    result: str,
    value: float,
    folder: Path | str,
    *,
    bound: str = "",
    se: float | None = None,
    source: str = "",
) -> dict[Path, str]:
    """Enter the result of a frozen prediction.

    ``study`` and ``result``: key of the study and id of its result; ``value``: in the unit of the prediction, for a
    block 1 minus the share that is left; ``folder``: of the ledger; ``bound``: ``at least`` or ``at most``, empty for a
    number; ``se``: standard error of a block; ``source``: publication of the result. Returns the index to write. Raises
    InputError if there is no such prediction, or it has a result.
    """
    folder = Path(folder)
    lines = _lines(folder)
    mine = [line for line in lines if (line["study"], line["id"]) == (study, result)]
    if not mine:
        known = ", ".join(f"{line['study']} {line['id']}" for line in lines if not line["entered"])
        raise InputError(f"{study} {result} has no frozen prediction in {folder}; expected one of: {known or 'none'}.")
    if mine[0]["entered"]:
        raise InputError(f"{study} {result} has the result {mine[0]['result']}, entered on {mine[0]['entered']}; "
                         "expected one without. A result is entered once.")  # fmt: skip
    if not np.isfinite(value) or (se is not None and not (np.isfinite(se) and se > 0.0)):
        raise InputError(
            f"The result {value} or its error {se} is not a finite number above 0; expected what was printed."
        )
    if bound not in ("", "at least", "at most"):
        raise InputError(f"The bound is {bound!r}; expected 'at least', 'at most' or nothing.")
    mine[0].update(
        result=repr(float(value)),
        bound=bound,
        se="" if se is None else repr(float(se)),
        entered=_today(),
        source=source,
    )
    return {folder / INDEX: _text(lines)}
