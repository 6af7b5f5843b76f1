"""Regimens in words: ``naltrexone 50 mg po q24h x7 skip 5-8,20``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeVar

from schild.errors import InputError, close_names
from schild.regimen.dose import MAX_DOSES, ROUTES, Dose, Regimen, canonical_name
from schild.units import hours, parse_amount, parse_rate

_PATTERN = "DRUG AMOUNT [base or SALT] ROUTE, then any of: q24h, x7, skip 5-8,20, over 30 min, for 6 h, ss, at 2 d"
_KEYWORDS = ("at", "from", "for", "over", "skip", "ss", "ss1", "ss2", "lag", "f", "product", "reset")
_JOINING = ("then", "and", "+", "&", "followed")
_FREQUENCIES = {
    **dict.fromkeys(("daily", "qd", "od", "qday"), "q24h"),
    **dict.fromkeys(("bid", "bd"), "q12h"),
    **dict.fromkeys(("tid", "tds"), "q8h"),
    **dict.fromkeys(("qid", "qds"), "q6h"),
    **dict.fromkeys(("nightly", "qhs", "qam", "qpm"), "q24h"),
    **dict.fromkeys(("qod", "eod"), "q48h"),
    **{"hourly": "q1h", "weekly": "q7d", "fortnightly": "q14d", "monthly": "q28d"},
    "prn": "one dose for each time it is taken",
}
#: Words for a slow release, which is part of the route here, and those of them that are an injection.
_SLOW = ("er", "xr", "sr", "cr", "mr", "xl", "la", "lai", "depot", "extended-release", "slow-release", "long-acting")
_INJECTED = ("la", "lai", "depot", "long-acting")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
#: What stands after "every" in words, and the interval that it means.
_EVERY = {"other day": "q48h", "second day": "q48h", "hour": "q1h", "day": "q24h", "night": "q24h", "morning": "q24h",
          "evening": "q24h", "week": "q7d", "other week": "q14d", "month": "q28d"}  # fmt: skip
_WEEKDAY = re.compile(r"(mwf|(mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(days?)?)([/,&+-]|\b)")
_BY_WEEKDAY = "Write one regimen for each day of the week, e.g. q7d, q7d from 2 d, and q7d from 4 d."
#: How often in which span: "twice a day", "3 times weekly".
_OFTEN = re.compile(
    r"(?:(once|twice|thrice)|([0-9]+)\s*(?:x|times|doses))\b\s*(?:(?:a|per|each|every)\s+)?(day|daily|week|month)?"
)
#: Abbreviations with points: p.o., b.i.d.
_POINTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]?")
_COUNT = re.compile(r"[x×]([0-9]+)", re.IGNORECASE)
_SPAN = re.compile(r"([0-9]+)(?:[-–]([0-9]+))?")
_T = TypeVar("_T")


class _Word(NamedTuple):
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower()


class _Reader:
    """The words of one dose, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = [
            _Word(m.group().replace(".", "") if _POINTED.fullmatch(m.group()) else m.group(), m.start(), m.end())
            for m in re.finditer(r"\S+", text)
        ]
        self.at = 0

    def fail(self, problem: str, advice: str, at: _Word | None = None) -> NoReturn:
        start, end = (at.start, at.end) if at is not None else (len(self.text), len(self.text) + 1)
        end = min(end, start + 40)
        left = max(0, start - 60)
        shown = "".join(c if c.isprintable() else " " for c in self.text[left : end + 40])
        marks = " " * (start - left) + "^" * max(1, end - start)
        raise InputError(f"{problem} {advice}".strip() + f"\n  {shown}\n  {marks}")

    def peek(self) -> _Word | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self, what: str, advice: str) -> _Word:
        word = self.peek()
        if word is None:
            self.fail(f"The regimen ends early; expected {what}.", advice)
        self.at += 1
        return word

    def quantity(self, what: str, example: str, glued: _Word | None = None) -> _Word:
        """Take a number with its unit, written together or apart."""
        word = glued or self.take(what, f"Write it like {example!r}.")
        found = _NUMBER.match(word.text.replace("\N{MINUS SIGN}", "-"))
        if found is None:
            self.fail(f"{word.text[:40]!r} stands here; expected {what}.", f"Write it like {example!r}.", word)
        if found.end() < len(word.text):
            return word
        unit = self.peek()
        if (
            unit is None
            or not re.match(r"[A-Za-zµμ]", unit.text)
            or _is_clause(unit.low)
            or unit.low.replace("-", "_") in ROUTES
        ):
            self.fail(
                f"{word.text[:40]!r} has no unit; expected {what} with its unit.",
                f"Write it like {example!r}.",
                word,
            )
        self.at += 1
        return _Word(f"{word.text} {unit.text}", word.start, unit.end)

    def span(self, what: str, example: str) -> _Word:
        """Take a time, which may have several parts: ``6 d 4h``."""
        whole = self.quantity(what, example)
        while (word := self.peek()) is not None and re.fullmatch(r"[0-9.]+([A-Za-z]+)?", word.text):
            part = self.quantity(what, example)
            whole = _Word(f"{whole.text} {part.text}", whole.start, part.end)
        return whole

    def read(self, word: _Word, parse: Callable[[str], _T]) -> _T:
        try:
            return parse(word.text)
        except InputError as error:
            self.fail(str(error), "", word)


def _is_clause(word: str) -> bool:
    return (
        word in _KEYWORDS
        or word in _JOINING
        or word in _FREQUENCIES
        or word == "x"
        or _COUNT.fullmatch(word) is not None
        or re.fullmatch(r"q([0-9.].*)?", word) is not None
    )


@lru_cache(maxsize=1024)  # a run asks for its regimens several times, an answer for few regimens in hundreds of runs
def _regimen(text: str) -> Regimen:
    parts = [part for part in re.split(r"[;\n]", text) if part.strip()]
    if not parts:
        raise InputError(f"The regimen is empty; expected {_PATTERN}. Write it like 'naltrexone 50 mg po q24h x7'.")
    return Regimen(tuple(_dose(part.rstrip()) for part in parts), text.strip())


def parse_regimen(text: str) -> Regimen:
    """Read a regimen in words.

    Parameters
    ----------
    text : str
        One dose, as ``DRUG AMOUNT [base or SALT] ROUTE`` and then, in any order: ``q24h`` (how often),
        ``x7`` (how many; without it, until the end of the run), ``skip 5-8,20`` (numbers of doses left out),
        ``over 30 min`` (an infusion of the amount), ``for 6 h`` (with a rate such as ``2 mg/h`` in place of
        the amount), ``ss`` or ``ss2`` (start at steady state, or add one), ``lag 30 min``, ``f 0.8``,
        ``product spray_8mg`` (which product of the route), ``reset`` (clear everything first), ``at 2 d`` or
        ``from -30 d`` (time of the first dose, else 0).
        ``reset at 3 d`` alone clears without a dose. Several doses may be parted by ``;`` or a new line.

    Returns
    -------
    Regimen
        The doses in the order written.

    Raises
    ------
    InputError
        If the words do not follow this; the message points at the place.

    Examples
    --------
    >>> regimen = parse_regimen("naltrexone 50 mg po q24h x28 skip 5-8,20")
    >>> regimen[0].skip, regimen[0].every
    ((5, 6, 7, 8, 20), 24.0)
    >>> parse_regimen("morphine 2 mg/h iv for 6 h")[0].amount
    Amount(value=12.0, unit='mg')
    """
    if not isinstance(text, str):
        raise InputError(f"{text!r} is not a regimen; expected words. Write it like 'naltrexone 50 mg po q24h x7'.")
    return _regimen(text)


def _dose(text: str) -> Dose:
    reader = _Reader(text)
    for joining in reader.words:
        if joining.low in _JOINING:
            reader.fail(
                f"A regimen holds one dose and its repeats, but {joining.text!r} joins two; expected one.",
                "Write two regimens and give the second its time, e.g. 'naltrexone 25 mg po' and "
                "'naltrexone 50 mg po q24h from 1 d'.",
                joining,
            )
    parts: dict[str, Any] = {}
    first = reader.take("a drug", f"Write {_PATTERN}.")
    if first.low == "reset":
        parts["evid"] = 3
    else:
        if re.fullmatch(r"[A-Za-z_]+([/+][A-Za-z_]+)+", first.text):
            reader.fail(
                f"{first.text[:60]!r} names more than one drug; expected one.",
                "Write one regimen for each drug, each with its own amount.",
                first,
            )
        parts["drug"] = reader.read(first, lambda name: canonical_name(name, "drug"))
        _amount(reader, parts)
        _route(reader, parts)
    seen: dict[str, _Word] = {}
    while (word := reader.peek()) is not None:
        reader.at += 1
        _clause(reader, word, parts, seen)
    if "x" in seen and "q" not in seen:
        reader.fail(
            f"{seen['x'].text!r} says how many doses but not how often; expected an interval.",
            "Write the interval too, e.g. q24h x7.",
            seen["x"],
        )
    try:
        return Dose(**parts)
    except InputError as error:
        raise InputError(f"{error}\n  in: {''.join(c if c.isprintable() else ' ' for c in text[:200])}") from None


def _amount(reader: _Reader, parts: dict[str, Any]) -> None:
    following = reader.peek()
    if following is not None and not _NUMBER.match(following.text):
        _slow_release(reader, following)
        after = " ".join(word.text for word in reader.words[reader.at + 1 : reader.at + 3])
        if following.low.replace("-", "_") in ROUTES and _NUMBER.match(after):
            reader.fail(
                f"The route {following.text!r} stands before the amount; expected the amount first.",
                f"Write '{parts['drug']} {after} {following.low}'.",
                following,
            )
        reader.fail(
            f"{following.text[:40]!r} stands here; expected an amount.",
            f"Write {_PATTERN}. A salt comes after the amount: 'naltrexone 50 mg hydrochloride po'.",
            following,
        )
    if following is not None and re.fullmatch(r"[0-9.]+/[0-9.]+([A-Za-zµμ]+)?", following.text):
        reader.fail(
            f"{following.text!r} reads as the strengths of a combination, or as a part of a tablet; expected one "
            "amount of one drug.",
            "Write one regimen for each drug, each with its own amount.",
            following,
        )
    if following is not None and re.match(r"[0-9.]+\s*[x×]\s*[0-9]", reader.text[following.start :], re.IGNORECASE):
        reader.fail(
            f"{following.text!r} begins a product of numbers; expected one amount.",
            "Write the whole amount of what is taken at one time; two tablets of 50 mg are 100 mg.",
            following,
        )
    word = reader.quantity("an amount", "50 mg")
    unit = _NUMBER.sub("", word.text, count=1).strip()
    if "/" in unit and unit.replace(" ", "").lower().rsplit("/", 1)[1] != "kg":
        parts["rate"] = reader.read(word, parse_rate)
    else:
        parts["amount"] = reader.read(word, parse_amount)


def _route(reader: _Reader, parts: dict[str, Any]) -> None:
    names: list[_Word] = []
    # `in` is the intranasal route, `f` and the like are clauses: only what is no clause names salt or route.
    while (word := reader.peek()) is not None and not _is_clause(word.low):
        names.append(word)
        reader.at += 1
    if not names or (len(names) == 1 and names[0].low in ("base", "freebase", "hcl", "hydrochloride")):
        after = reader.peek()
        often = f"Then write {_FREQUENCIES[after.low]}." if after is not None and after.low in _FREQUENCIES else ""
        reader.fail(
            "The regimen does not say how the drug is given; expected a route.",
            "Write po, iv, im, sc, in, sl, im_depot, td or another route of the catalogue after the amount. " + often,
            after,
        )
    known = names[0].low.replace("-", "_") in ROUTES  # then what follows is neither salt nor route
    if len(names) > (1 if known else 2):
        extra = names[1 if known else 2]
        _no_clause(reader, extra)
    for word in names:
        _slow_release(reader, word)
    if len(names) == 2:
        parts["basis"] = reader.read(names[0], lambda name: canonical_name(name, "salt"))
    parts["route"] = reader.read(names[-1], lambda name: canonical_name(name, "route"))


def _clause(reader: _Reader, word: _Word, parts: dict[str, Any], seen: dict[str, _Word]) -> None:
    low = word.low
    kind = {"from": "at", "ss1": "ss", "ss2": "ss", "for": "over"}.get(low, low)
    if low.startswith("q") and re.fullmatch(r"q([0-9.].*)?", low):
        kind = "q"
    elif _COUNT.fullmatch(low) or low == "x" or low == "×":
        kind = "x"
    if kind in seen:
        reader.fail(
            f"{word.text[:40]!r} repeats what {seen[kind].text!r} said; expected it once.",
            "Leave one out.",
            word,
        )
    if parts.get("evid") == 3 and kind != "at":
        reader.fail(f"A reset was given {word.text[:40]!r}; expected only a time.", "Write 'reset at 3 d'.", word)
    seen[kind] = word
    if kind == "at":
        _calendar(reader)
        time = reader.span("a time", "2 d")
        parts["time"] = reader.read(time, hours)
    elif kind == "q":
        glued = _Word(word.text[1:], word.start + 1, word.end) if len(word.text) > 1 else None
        parts["every"] = reader.read(reader.quantity("an interval", "q24h", glued), hours)
    elif kind == "x":
        number = word if len(low) > 1 else reader.take("a number of doses", "Write it like 'x7'.")
        digits = number.text[1:] if number is word else number.text
        if not re.fullmatch(r"[0-9]{1,7}", digits) or not 1 <= int(digits) <= MAX_DOSES:
            reader.fail(
                f"{number.text[:40]!r} stands here; expected a number of doses from 1 to {MAX_DOSES}.",
                "Write it like 'x7', or leave it out for doses until the end of the run.",
                number,
            )
        parts["count"] = int(digits)
    elif kind == "skip":
        parts["skip"] = _skip(reader)
    elif kind == "over":
        if ("amount" if low == "for" else "rate") in parts:
            advice = "Write 'morphine 2 mg/h iv for 6 h' or 'morphine 12 mg iv over 6 h'."
            if low == "for" and (parts.get("every") or parts.get("route") not in ("iv", "sc", "im")):
                advice = "How long doses go on is said by their number, such as x7."
            reader.fail(
                f"{word.text!r} stands here; expected 'for' with a rate or 'over' with an amount.",
                advice,
                word,
            )
        length = reader.span("a length of time", "30 min")
        parts["duration"] = reader.read(length, hours)
        if parts["duration"] <= 0:
            reader.fail(
                f"{length.text!r} is not a length of time; expected a time above 0.",
                "Write it like 'over 30 min'.",
                length,
            )
    elif kind == "ss":
        parts["ss"] = 2 if low == "ss2" else 1
    elif kind == "lag":
        parts["lag"] = reader.read(reader.span("a delay", "lag 30 min"), hours)
    elif kind == "f":
        factor = reader.take("a factor", "Write it like 'f 0.8'.")
        if not _NUMBER.fullmatch(factor.text) or len(factor.text) > 40:
            reader.fail(f"{factor.text[:40]!r} stands here; expected a factor.", "Write it like 'f 0.8'.", factor)
        parts["f"] = float(factor.text)
    elif kind == "product":
        named = reader.take("the name of a product", "Write it like 'product spray_8mg'; schild drugs NAME lists them.")
        parts["product"] = reader.read(named, lambda name: canonical_name(name, "product"))
    elif kind == "reset":
        parts["evid"] = 4
    elif low in _FREQUENCIES:
        reader.fail(
            f"{word.text!r} is not exact; expected an interval.",
            f"Write {_FREQUENCIES[low]}.",
            word,
        )
    else:
        _no_clause(reader, word)


def _slow_release(reader: _Reader, word: _Word) -> None:
    """Refuse a word for a slow release, which is part of the route."""
    if word.low in _SLOW:
        injected = word.low in _INJECTED
        meant = (
            "im_depot for a depot injection" if injected else "oral_er for a tablet or capsule, im_depot for a depot"
        )
        reader.fail(
            f"{word.text!r} says that the drug is released slowly; expected it as part of the route.",
            f"Write {meant}, after the amount; `schild drugs NAME` lists the routes of a drug.",
            word,
        )


def _no_clause(reader: _Reader, word: _Word) -> NoReturn:
    """Refuse a word that is not a clause, with what may have been meant: an interval, a person, a slip of the pen."""
    _slow_release(reader, word)
    close = close_names(word.low, _KEYWORDS, most=1)
    hint = f"Did you mean {close[0]!r}? Write {_PATTERN}." if close else f"Write {_PATTERN}."
    at = word
    if word.low in ("every", "each"):
        rest = " ".join(reader.text[word.end :].split()).lower()
        after = re.match(r"\s*([0-9.]+)\s*([A-Za-z]+)", reader.text[word.end :])
        meant = next((q for said, q in _EVERY.items() if re.match(rf"{said}s?\b", rest)), None)
        if after and after[2].lower() in ("month", "months"):
            hint = "Write the interval in days, such as q28d: a month has 28 to 31 days."
        elif after or meant:
            hint = f"Write the interval as {f'q{after[1]}{after[2]}' if after else meant}."
        else:
            hint = _BY_WEEKDAY if _WEEKDAY.match(rest) else "Write the interval like q24h."
        at = word._replace(end=word.end + (after.end() if after else 0))
    elif often := _OFTEN.match(reader.text[word.start :].lower()):
        following = reader.words[reader.words.index(word) + 1 :]
        if often[1] == "once" and following and following[0].low in ("every", "each"):
            _no_clause(reader, following[0])
        hint = _how_often(often)
    elif re.match(r"[a-z_]+\s*[=:]", word.low):
        hint = (
            "A regimen says what is given; weight, age and the like are options of the command (--weight '60 kg') or "
            "entries of [subject] in a run file."
        )
    elif word.low in ("days", "weeks", "hours", "d", "wk", "h") and reader.at > 1:
        hint = (
            "The number after x counts doses, not days. Write how many doses are taken; the end of the run is --until."
        )
    elif _WEEKDAY.match(word.low):
        hint = _BY_WEEKDAY
    elif word.low in ("on", "@"):
        reader.at = reader.words.index(word) + 1
        _calendar(reader)
    elif word.low == "until":
        hint = "Give the number of doses (x7) and the end of the run (--until)."
    reader.fail(f"{word.text[:40]!r} is not part of a regimen; expected a clause or the end.", hint, at)


def _how_often(often: re.Match[str]) -> str:
    """Say what to write for a number of times, in a span or without one."""
    n = {"once": 1, "twice": 2, "thrice": 3}.get(often[1]) or int(often[2])
    if not often[3] and often[2]:
        return f"Write the number of doses as x{n}."
    if often[3] == "week":
        return "Write the interval as q7d." if n == 1 else _BY_WEEKDAY
    if often[3] == "month":
        return "Write the interval in days, such as q28d: a month has 28 to 31 days."
    return f"Write the interval as q{24 / max(n, 1):g}h."


def _calendar(reader: _Reader) -> None:
    """Refuse a day or an hour of the calendar, where a time is expected."""
    word = reader.peek()
    if word is not None and re.fullmatch(r"day|[0-9]{1,2}:[0-9]{2}([ap]m)?|[0-9]{1,2}[ap]m", word.low):
        reader.fail(
            f"{word.text!r} is a word of a calendar or a clock; expected a time from the start of the run.",
            "Day 1 begins at 0 h and day 2 at 24 h: write it like 'at 24 h'.",
            word,
        )


def _skip(reader: _Reader) -> tuple[int, ...]:
    words = [reader.take("numbers of doses", "Write it like 'skip 5-8,20'.")]
    while (word := reader.peek()) is not None and (words[-1].text.endswith(",") or word.text.startswith(",")):
        words.append(word)
        reader.at += 1
    listed = _Word("".join(word.text for word in words), words[0].start, words[-1].end)
    numbers: set[int] = set()
    for part in listed.text.split(","):
        found = _SPAN.fullmatch(part)
        low, high = (found[1], found[2] or found[1]) if found else ("", "")
        if max(len(low), len(high)) > 7 or not low or not 1 <= int(low) <= int(high) <= MAX_DOSES:
            reader.fail(
                f"{part[:40]!r} stands here; expected numbers of doses to skip.",
                "Count doses from 1, smaller number first, like 'skip 5-8,20'.",
                listed,
            )
        numbers.update(range(int(low), int(high) + 1))
    return tuple(sorted(numbers))
