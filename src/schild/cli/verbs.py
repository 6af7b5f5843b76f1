"""Commands made from the verbs that they call: options, defaults and help are those of the verb, described once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import Parameter as Given
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from schild.cli.console import Whole, progress
from schild.cli.options import Draws, Files, Numbers, Person, listed
from schild.errors import InputError

#: Parameters of verbs that groups of options give.
_GROUPED = ("subject", "people", "seed", "catalogue", "overrides", "progress")
#: Help of options that a verb describes as those of another.
_HELP = {
    "n": "Virtual people.", "until": "End of the run, such as 7d.",
    "structure": "Rival mechanism between plasma and receptor.",
    "history": 'Earlier use of an opioid: "morphine 30 mg po q6h for 60 d stopped 10 d".',
}  # fmt: skip
_KINDS: dict[str, Any] = {
    "float": float, "int": Whole, "bool": bool, "Sequence[str]": list[str], "str | Sequence[str]": list[str],
    "Data": Path,
}  # fmt: skip


def command(
    where: str,
    show: Callable[..., None],
    *,
    title: str = "",
    table: str = "summary.csv",
    page: str = "schild.report.result:result_html",
    label: str = "runs",
    places: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    commas: Mapping[str, tuple[str, type]] | None = None,
    without: tuple[str, ...] = (),
    more: Callable[[Any], Mapping[str, str | bytes]] = lambda found: {},
    good: Callable[[Any], bool] = lambda found: True,
) -> Callable[[Callable[..., int | None]], Callable[..., int]]:
    """Make a command of a verb; the decorated function states what differs.

    Its docstring is the help; what it says of a parameter takes the place of the verb's words. It gets the arguments of
    the verb, which it may change, its own options, and ``files`` and ``data`` where it takes them; where it returns an
    exit code the verb is not called.

    ``where``: module and name of the verb; ``show``: prints the result; ``title``: of its page, with places such as
    ``{.drug}``; ``table``: name among the files of ``--out``; ``page``: module and name of what writes it; ``label``:
    what progress counts; ``places``: parameters without a name on the command line, and what help calls them;
    ``names``: other names of options; ``commas``: lists that are written with commas, with an example and the type of
    each; ``without``: parameters that are no options; ``more``: further files of ``--out``; ``good``: whether the exit
    code is 0.
    """
    module, _, name = where.partition(":")
    verb = getattr(import_module(module), name)
    places, names, commas = places or {}, names or {}, commas or {}
    parameters = inspect.signature(verb).parameters
    rest = next((key for key, p in parameters.items() if p.kind is p.VAR_POSITIONAL), "")

    def made(own: Callable[..., int | None]) -> Callable[..., int]:
        described = {key: words for key, words in _described(verb).items() if not words.startswith("As ")}
        said = _HELP | described | _described(own)
        _, *mine = inspect.signature(own, eval_str=True).parameters.values()
        shared = {p.name: p.annotation for p in mine if p.annotation in (Draws, Files)}
        mine = [p for p in mine if p.name not in shared]
        own_names = {p.name for p in mine}
        groups: dict[str, Any] = {}
        if {"subject", "people"} & ({*parameters} - {*without}):
            groups["person"] = Person
        if "overrides" in parameters:
            groups["data"] = Draws if "seed" in parameters else shared.get("data", Numbers)
        groups["files"] = Files
        options = {
            key: _option(p, said.get(key, ""), places.get(key), names.get(key), commas.get(key))
            for key, p in parameters.items()
            if key not in (*_GROUPED, *without) or key in own_names
        }
        for p in mine:  # in the place of a parameter of the verb where it replaces one
            told = Parameter(help=said.get(p.name, ""))
            kind = p.POSITIONAL_ONLY if p.name in places else p.KEYWORD_ONLY
            options[p.name] = p.replace(kind=kind, annotation=Annotated[p.annotation, told])
        ordered = sorted(options.values(), key=lambda p: p.kind)
        ordered += [Given(key, Given.KEYWORD_ONLY, annotation=kind, default=kind()) for key, kind in groups.items()]
        signature = inspect.Signature(ordered)

        def run(*words: Any, **options: Any) -> int:
            given: dict[str, Any] = signature.bind(*words, **options).arguments
            shown = {key: given.pop(key, None) or kind() for key, kind in groups.items()}
            files = shown["files"]
            files.check()
            for key, (example, kind) in commas.items():
                if key in given:
                    given[key] = _listed(given[key], names.get(key, key), example, kind)
            extra = {p.name: given.pop(p.name) for p in mine if p.name in given}
            extra |= {key: shown[key] for key in shared}
            if (done := own(given, **extra)) is not None:
                return done
            if "person" in groups:
                given["subject" if "subject" in parameters else "people"] = shown["person"].given
            if "data" in groups:
                given |= {key: value for key, value in shown["data"].options.items() if key in parameters}
            with progress(label, show="progress" in parameters) as advance:
                if "progress" in parameters:
                    given["progress"] = advance
                found = verb(*given.pop(rest, ()), **given)
            done = 0 if good(found) else 1
            told = {} if files.out is None else more(found)
            name = title.format(found)
            return int(files.finish(found, show, title=name, page=page, table=table, more=told, code=done))

        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__doc__ = (inspect.getdoc(own) or "").partition("\nParameters\n")[0]
        return run

    return made


def _option(p: Given, told: str, place: str | None, name: str | None, comma: tuple[str, type] | None) -> Given:
    """An option for a parameter of a verb, whose own default holds where nothing is given."""
    kind: Any = str if comma else _KINDS.get(re.sub(r" \| (None|Mapping.*)$", "", str(p.annotation)), str)
    if comma:
        told += f" Separate several with commas: {comma[0]}."
    elif kind == list[str] and not place:
        told += " Repeat the option for each."
    if p.default is not p.empty:
        kind, p = kind | None, p.replace(default=None)
    if p.kind is not p.VAR_POSITIONAL:
        p = p.replace(kind=p.POSITIONAL_ONLY if place else p.KEYWORD_ONLY)
    called = place or f"--{name or p.name.replace('_', '-')}"
    return p.replace(annotation=Annotated[kind, Parameter(name=called, help=told)])


def _described(function: Callable[..., Any]) -> dict[str, str]:
    """Parameters of a function in the words of its docstring, without its markup and units of one."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n---|\Z)", inspect.getdoc(function) or "", re.S | re.M)
    found: dict[str, str] = {}
    entry = re.compile(r"^(\S[^:\n]*?)(?: : (.*))?\n((?:    .*\n?)+)", re.M)
    for names, kind, words in entry.findall(section[1] if section else ""):
        plain = " ".join(words.replace("``", "").split()).removesuffix(" [1]")
        if kind.startswith("{"):
            plain += f" One of {kind[1:-1].replace(chr(34), '')}."
        found |= {name.strip("* "): plain for name in names.split(",")}
    return found


def _listed(text: str, option: str, example: str, kind: type) -> list[Any]:
    """Read a list that is written with commas."""
    parts = listed(text, option, example)
    try:
        return [kind(part if kind is str else part.replace("_", "?")) for part in parts]  # Python reads 1_0 as 10
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise InputError(
            f"--{option} is {text[:60]!r}; expected {what} with commas between. Write it like {example}."
        ) from None
