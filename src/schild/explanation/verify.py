"""Compute the numbers that a page states again and compare: ``schild verify PAGE``."""

from __future__ import annotations

import gzip
import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schild.catalog import Catalogue
from schild.errors import InputError
from schild.explanation.answer import Explanation
from schild.results import plain
from schild.web.scenario import Scenario
from schild.web.scenes import scenes_of

#: Id of the block of a page that holds its numbers.
STATED = "schild-stated"
#: Relative distance up to which two numbers are the same: processors differ in the last digits.
SAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One number that the page states and that this version computes differently."""

    what: str
    stated: Any
    now: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Result of running a page again: the count of numbers compared, and those that differ."""

    drug: str
    version: str  #: Version of schild that wrote the page
    compared: int
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Whether every number came out as the page states it."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        found = [{"what": d.what, "stated": d.stated, "now": d.now} for d in self.differences]
        head = {"drug": self.drug, "version": self.version, "compared": self.compared, "ok": self.ok}
        return {**head, "differences": plain(found)}


def stated_of(answer: Explanation) -> str:
    """Encode what the page of an answer states: predictions, bands, verdicts, scenes at their first setting.

    Returns JSON, compressed and in base64, as ``verify`` reads it.
    """
    numbers = {
        f.test.id: [*map(_short, (f.outcome.predicted, *f.outcome.band)), f.holds]
        for f in answer.findings
        if not f.outcome.missing
    }
    shown = answer.lab.once("scenes", lambda: scenes_of(answer.drug, catalogue=answer.lab.catalogue))
    scenes = {s.scene.key: s.scene.scenario for s in shown}
    results = {s.scene.key: s.results for s in shown}
    manifest = answer.manifest
    stated: dict[str, Any] = {
        "schild": manifest["schild"], "drug": answer.drug, "people": answer.lab.n, "draws": answer.lab.draws,
        "numbers": numbers, "scenes": scenes, "results": results,
    }  # fmt: skip
    text = json.dumps(plain(stated), allow_nan=False, separators=(",", ":"))
    return b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def read_stated(text: str) -> dict[str, Any]:
    """Read what ``stated_of`` wrote.

    Raises ValueError where it did not, and KeyError where something is missing.
    """
    read = json.loads(gzip.decompress(b64decode(text, validate=True)))
    return {name: read[name] for name in ("schild", "drug", "people", "numbers", "scenes", "results")}


def _short(value: float | None) -> float | None:
    """Nine digits, a thousandth of what two numbers may differ by."""
    return None if value is None else float(f"{value:.9g}")


def verify(page: str, *, catalogue: Catalogue | None = None, progress: Callable[..., None] | None = None) -> Verified:
    """Run what a page of ``schild explain DRUG --html`` states again, and compare.

    ``page``: its text. Returns the numbers that differ by more than 1e-6 of their size, and verdicts that differ.
    Raises InputError for a page that states nothing, or whose statement cannot be read.
    """
    from schild.explanation import PEOPLE, explain

    found = re.search(rf'<script type="text/plain" id="{STATED}">(.*?)</script>', page, flags=re.S)
    if found is None:
        raise InputError(
            "The page states no numbers to verify; expected one that `schild explain DRUG --html FILE` wrote. Write "
            "the page again."
        )
    try:
        stated = read_stated(found[1])
        drug, version, people = str(stated["drug"]), str(stated["schild"]), int(stated["people"])
        numbers, scenes, results = dict(stated["numbers"]), dict(stated["scenes"]), dict(stated["results"])
    except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
        raise InputError(f"What the page states cannot be read ({error}). Write the page again.") from None
    answer = explain(drug, quick=people < PEOPLE, fresh=True, catalogue=catalogue, progress=progress)
    now = read_stated(stated_of(answer))
    pairs = list(_pairs("claim", numbers, now["numbers"]))
    for key, scenario in scenes.items():
        mine = Scenario.of(str(scenario)).results(catalogue=catalogue)
        pairs += _pairs(f"scene {key}", dict(results.get(key, {})), mine)
    differences = tuple(Difference(what=w, stated=a, now=b) for w, a, b in pairs if not _same(a, b))
    return Verified(drug=drug, version=version, compared=len(pairs), differences=differences)


def _pairs(what: str, stated: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for key in dict.fromkeys((*stated, *now)):
        a, b = stated.get(key), now.get(key)
        if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            names = ("predicted", "low", "high", "holds")
            yield from ((f"{what} {key}, {name}", x, y) for name, x, y in zip(names, a, b, strict=False))
        else:
            yield f"{what} {key}", a, b


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=SAME, abs_tol=1e-9)
    return bool(a == b)
