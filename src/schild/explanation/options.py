"""Options of experiments and figures, checked against the catalogue when claims are read.

The keyword-only parameters of a function are the options it takes; their annotations say how each is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from schild.catalog import Catalogue
from schild.errors import CatalogueError, InputError, SchildError, UnknownNameError
from schild.regimen import parse_regimen
from schild.units import hours

Hours = Annotated[float, "a time with its unit, such as '24 h'"]
Regimen = Annotated[str, "a regimen in words"]
Template = Annotated[str, "a regimen in words with '{dose}' in the place of an amount in mg"]
DrugKey = Annotated[str, "a drug of the catalogue"]
Receptor = Annotated[str, "a receptor of the catalogue"]
EffectName = Annotated[str, "an effect of the catalogue"]
Structure = Annotated[str, "a structure (rival mechanism) of a drug of the catalogue"]


def _regimen(words: str, catalogue: Catalogue) -> str:
    for dose in parse_regimen(words):
        if dose.drug is not None:
            drug = catalogue.drug(dose.drug)
            if dose.route is not None:
                drug.route(dose.route)
    return words


def _template(words: str, catalogue: Catalogue) -> str:
    if "{dose}" not in words:
        raise InputError("'{dose}' is missing.")
    _regimen(words.replace("{dose}", "1"), catalogue)
    return words


def _name(kind: str, known: Callable[[Catalogue], Mapping[str, Any]]) -> Callable[[Any, Catalogue], str]:
    def read(name: str, catalogue: Catalogue) -> str:
        if name not in known(catalogue):
            raise UnknownNameError(kind, name, known(catalogue))
        return name

    return read


_READ: dict[object, Callable[[Any, Catalogue], Any]] = {
    Hours: lambda words, _: hours(words),
    Regimen: _regimen,
    Template: _template,
    DrugKey: lambda name, catalogue: catalogue.drug(name).key,
    Receptor: _name("receptor", lambda catalogue: catalogue.receptors),
    Structure: _name(
        "structure", lambda catalogue: {k: s for d in catalogue.drugs.values() for k, s in d.structures.items()}
    ),
    EffectName: _name("effect", lambda catalogue: catalogue.effects),
}
_PLAIN: dict[object, tuple[type | tuple[type, ...], str]] = {
    str: (str, "words"),
    float: ((int, float), "a number"),
    int: (int, "a whole number"),
    bool: (bool, "true or false"),
}


@cache
def _options(function: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], dict[str, Any]]:
    """Keyword-only parameters of a function, and how each is read."""
    parameters = inspect.signature(function).parameters.items()
    own = {name: parameter for name, parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    return own, get_type_hints(function, include_extras=True)


def options_taken(*functions: Callable[..., Any]) -> set[str]:
    """Names of all options that some functions take."""
    return {name for function in functions for name in _options(function)[0]}


def read_options(
    what: str,
    function: Callable[..., Any],
    given: Mapping[str, Any],
    catalogue: Catalogue,
    defaults: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Check the options of a function and bring them into its units.

    ``what``: the function in words, for messages; ``function``: its keyword-only parameters are the options; ``given``:
    options as written in the file of claims; ``catalogue``: for names of drugs, receptors and effects; ``defaults``:
    options that apply where the function takes one of that name and none is given; ``places``: file and line of each
    option, and under ``""`` of the whole: the beginning of messages. Returns times in hours; everything else as given.
    Raises CatalogueError for an option that is unknown, missing or cannot be read; the message begins with file and
    line.

    >>> from schild.catalog import load
    >>> def occupancy(*, regimen: Regimen, at: Hours) -> float: ...
    >>> read_options("occupancy", occupancy, {"regimen": "naltrexone 50 mg po", "at": "1 d"}, load())
    {'regimen': 'naltrexone 50 mg po', 'at': 24.0}
    >>> wrong = {"regimen": "naltrexone 50 mg po", "att": "1 d"}
    >>> read_options("occupancy", occupancy, wrong, load(), places={"att": "x.toml, line 3"})
    Traceback (most recent call last):
        ...
    schild.errors.CatalogueError: x.toml, line 3: occupancy has no option 'att'. Did you mean 'at'?
    """
    known, hints = _options(function)
    places = places or {}

    def at(name: str) -> str:
        return places.get(name, places.get("", ""))

    def fault(name: str, said: str) -> CatalogueError:
        return CatalogueError(f"{at(name)}: {what} {said}" if at(name) else f"{what} {said}")

    for name in given:
        if name not in known:
            close = [repr(other) for other in get_close_matches(name, known, n=2)]
            hint = f"Did you mean {' or '.join(close)}?" if close else f"It takes {', '.join(known) or 'none'}."
            raise fault(name, f"has no option {name!r}. {hint}")
    given = {name: value for name, value in (defaults or {}).items() if name in known} | dict(given)
    missing = [name for name, p in known.items() if p.default is p.empty and name not in given]
    if missing:
        each = "; ".join(f"{name}, {_expected(hints[name])}" for name in missing)
        raise fault("", f"lacks {'an option' if len(missing) == 1 else 'options'}: {each}.")
    found = {}
    for name, value in given.items():
        try:
            found[name] = _read(hints[name], value, catalogue, f"{what}: {name}", at(name))
        except CatalogueError:  # of a table inside; it names its place
            raise
        except (SchildError, TypeError) as error:
            said = f"has {name} = {value!r}; expected {_expected(hints[name])}. {error}"
            raise fault(name, said.rstrip()) from error
    return found


def _expected(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Annotated:
        return str(hint.__metadata__[0])
    if origin is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    if origin in (Union, UnionType):
        return _expected(next(part for part in get_args(hint) if part is not NoneType))
    if origin is not None:
        return f"a list, each {_expected(get_args(hint)[0])}" if issubclass(origin, Sequence) else "a table"
    return _PLAIN[hint][1] if hint in _PLAIN else "a table" if is_dataclass(hint) else "a value"


def _read(hint: Any, value: Any, catalogue: Catalogue, what: str, place: str) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if not isinstance(value, str):
            raise TypeError("It is not a string.")
        return _READ[hint](value, catalogue)
    if origin is Literal:
        if value not in parts:
            raise TypeError("")
        return value
    if origin in (Union, UnionType):
        return _read(next(part for part in parts if part is not NoneType), value, catalogue, what, place)
    if origin is not None and issubclass(origin, Sequence):
        if not isinstance(value, (list, tuple)):
            raise TypeError("It is not a list.")
        each = parts if origin is tuple and parts[-1] is not ... else [parts[0]] * len(value)
        if len(each) != len(value):
            raise TypeError(f"It has {len(value)} entries in place of {len(each)}.")
        return tuple(_read(of, item, catalogue, what, place) for of, item in zip(each, value, strict=True))
    if origin is not None:
        if not isinstance(value, Mapping):
            raise TypeError("It is not a table.")
        return {key: _read(parts[1], item, catalogue, what, place) for key, item in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise TypeError("It is not a table.")
        return hint(**read_options(what, hint, value, catalogue, places={"": place}))
    if hint in _PLAIN:
        if not isinstance(value, _PLAIN[hint][0]) or (isinstance(value, bool) and hint is not bool):
            raise TypeError("")
        return float(value) if hint is float else value  # type: ignore[arg-type]
    return value
