"""Options that commands share: the user's data and numbers, the person, tables to read, files to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from schild.cli.console import NOTICE, Whole, folder, out, warn, writable, write
from schild.cli.figures import figure_bytes, figure_kind
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.catalog import Catalogue
    from schild.results import Shown

Result = TypeVar("Result", bound="Shown")


def listed(text: str, option: str, example: str) -> list[str]:
    """Read values with commas between them."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise InputError(f"--{option} is {text!r}; expected one or more, with commas between. Write it like {example}.")
    return parts


def pairs(entries: Iterable[str], option: str, what: str, example: str) -> dict[str, str]:
    """Read entries of the form NAME=VALUE, each name once."""
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not (equals and name and value) or "=" in value:
            raise InputError(f"--{option} is {entry!r}; expected {what}. Write it like {example}.")
        if name in found:
            raise InputError(f"--{option} gives {name} twice; expected once. Drop one of them.")
        found[name] = value
    return found


def processors(threads: int | None) -> int | None:
    """Check the option ``--threads``."""
    if threads is not None and threads < 1:
        raise InputError(f"--threads is {threads}; expected 1 or more. Leave it out to use every processor.")
    return threads


Json = Annotated[bool, Parameter(help="Print one JSON object and nothing else.")]
Structure = Annotated[str | None, Parameter(help="Rival mechanism between plasma and receptor.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Data:
    """The option ``--catalogue``."""

    # The help stands here, not in docstrings: each further group of options inherits it.
    overlays: Annotated[
        list[str] | None,
        Parameter(
            name="--catalogue",
            help="File or folder of your own TOML data, which overlays the catalogue; repeat the option for more. It "
            "takes precedence over those of the environment variable SCHILD_CATALOGUE.",
        ),
    ] = None

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue with the overlays over it."""
        from schild.catalog import load

        return self._own if self.overlays else load()

    @cached_property
    def _own(self) -> Catalogue:
        from schild.catalog import load

        return load(*(self.overlays or ()))


@Parameter(name="*")
@dataclass(frozen=True)
class Numbers(Data):
    """The options ``--catalogue`` and ``--set``."""

    values: Annotated[
        list[str] | None,
        Parameter(
            name="--set",
            help='A number in place of that of the catalogue: naltrexone.cl="120 L/h"; repeat the option for more. '
            "rivals=KEY takes the rival value of that key for every number that has one.",
        ),
    ] = None

    @property
    def overrides(self) -> dict[str, float | str]:
        """Values by ``owner.number``; the verbs check names and units."""
        found: dict[str, float | str] = {}
        for name, value in pairs(self.values or (), "set", "a number and its value", "naltrexone.cl='120 L/h'").items():
            try:
                found[name] = float(value)
            except ValueError:
                found[name] = value
        return found

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the verbs."""
        return {"catalogue": self.catalogue, "overrides": self.overrides}


@Parameter(name="*")
@dataclass(frozen=True)
class Draws(Numbers):
    """The options ``--catalogue``, ``--set`` and ``--seed``."""

    seed: Annotated[Whole | None, Parameter(help="Seed of the draws; runs that share it share their people.")] = None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the verbs."""
        return {**super().options, **({} if self.seed is None else {"seed": self.seed})}


@Parameter(name="*")
@dataclass(frozen=True)
class Person:
    """The options that describe the person.

    Parameters
    ----------
    weight
        Body weight, such as "70 kg".
    age
        Age, such as "40 years".
    sex
        Sex: female or male (f or m).
    liver
        Hepatic impairment: normal for none, mild, moderate or severe.
    crcl
        Creatinine clearance, such as "100 mL/min".
    """

    weight: str | None = None
    age: str | None = None
    sex: str | None = None
    liver: str | None = None
    crcl: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """Entries of ``[subject]`` that were given."""
        names = ("weight", "age", "sex", "liver", "crcl")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@Parameter(name="*")
@dataclass(frozen=True)
class Table:
    """The options for reading a NONMEM table.

    Parameters
    ----------
    cmt
        Drug and route of a dose into a compartment, such as "1=naltrexone oral" or "depot=naltrexone oral"; repeat
        the option for each.
    unit
        Unit of AMT, such as mg, for a table without AMTU.
    time_unit
        Unit of TIME, II, DUR and LAG: h, min, s or d; h for a table without TIMEUNIT.
    drug
        Drug of every dose, for a table that names none.
    route
        Route of every dose, for a table that names none.
    basis
        What AMT weighs: base or a salt, for a table without BASIS; the product's own by default.
    drop
        A column to leave out on purpose, as NONMEM's DROP does; repeat the option for more.
    """

    cmt: list[str] | None = None
    unit: str | None = None
    time_unit: str | None = None
    drug: str | None = None
    route: str | None = None
    basis: str | None = None
    drop: list[str] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the readers, but for the compartments."""
        return {"amount_unit": self.unit, "time_unit": self.time_unit, "drug": self.drug, "route": self.route,
                "basis": self.basis, "drop": self.drop or ()}  # fmt: skip


@Parameter(name="*")
@dataclass(frozen=True)
class Levels:
    """The options for reading the observed levels of a NONMEM table.

    Parameters
    ----------
    dv
        Quantity in DV: an output such as plasma_naltrexone, or "1=plasma_naltrexone" for each value of ANALYTE, DVID or
        CMT.
    dv_unit
        Unit of plasma levels in DV: ng/mL, ug/L, ug/mL, mg/L, pg/mL or ng/L.
    sex_is
        Meaning of a number in SEX, such as "1=female"; repeat the option for each.
    """

    dv: list[str] | None = None
    dv_unit: str = "ng/mL"
    sex_is: Annotated[list[str] | None, Parameter(name="--sex")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """The options for output.

    Parameters
    ----------
    out
        Folder for report.html, summary.json, a table (CSV) and figure.svg.
    html
        File for the page.
    plot
        File for the figure: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """

    out: Path | None = None
    html: Path | None = None
    plot: Path | None = None
    json: bool = False

    def check(self) -> None:
        """Find out, before anything long runs, that the files can be written."""
        if self.plot is not None:
            figure_kind(self.plot)
        writable(self.plot, self.html)
        if self.out is not None:
            folder(self.out)

    def finish(
        self,
        found: Result,
        show: Callable[[Result, Console], None],
        *,
        title: str = "",
        page: str = "schild.report.result:result_html",
        table: str | None = "summary.csv",
        more: Mapping[str, str | bytes] | None = None,
        object_: Mapping[str, Any] | None = None,
        code: int = 0,
    ) -> int:
        """Print the JSON object, or warnings and what ``show`` prints, write the files, and return ``code``.

        ``title``: of the page; ``page``: module and name of what writes it; ``table``: name of the table among
        the files of ``--out``, None for none, and ``more``: further files; ``object_``: further entries of the JSON
        object.
        """
        from rich.text import Text

        from schild.results import json_text

        # Everything is made before it is said, since what cannot be drawn is bad input; and said before it is written,
        # since a disk that fills up should cost the files alone.
        texts: dict[Path, str | bytes] = {}
        if self.html is not None or self.out is not None:
            module, _, name = page.partition(":")  # templates, which most commands do not need
            made = getattr(import_module(module), name)(found, *([title] if title else []))
        if self.html is not None:
            texts[self.html] = made
        if self.plot is not None:
            texts[self.plot] = figure_bytes(found.plot(), figure_kind(self.plot))
        if self.out is not None:
            files = {"report.html": made, "summary.json": found.to_json() + "\n", **(more or {})}
            if table is not None:
                files[table] = found.to_frame().to_csv(index=False, lineterminator="\n")
            if (drawn := found.plot()) is not None:
                files["figure.svg"] = figure_bytes(drawn, "svg")
            texts |= {self.out / name: content for name, content in files.items()}
        if self.json:
            print(json_text({**found.to_dict(), **object_}) if object_ else found.to_json())
        else:
            screen = out()
            warn(screen, getattr(found, "warnings", ()))
            show(found, screen)
        for path, content in texts.items():
            write(path, content)
        if self.json:
            return code
        for word, place in (("Figure", self.plot), ("Page", self.html), ("Written to", self.out)):
            if place is not None:
                screen.print(Text(f"{word} {place}: {', '.join(files)}" if place is self.out else f"{word}: {place}"))
        screen.print(Text(NOTICE, style="dim"))
        return code
