"""``schild export``: a run for other programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from schild.cli.console import APP, NOTICE, Whole, folder, writable, write
from schild.cli.options import Draws, Person, Structure, listed
from schild.cli.simulate import read_run
from schild.errors import InputError
from schild.tables import people_words

export_app = App(name="export", help="Write a run for other programs.", **APP)

What = Annotated[str, Parameter(name="RUN.toml|REGIMEN", help="One run file, or regimens in words, each in quotes.")]

#: Times of observation in a data set where none are named.
_OBSERVED = 120


@export_app.command(name="nonmem")
def nonmem_data(
    *what: What,
    times: str,
    n: Whole | None = None,
    until: str | None = None,
    person: Person = Person(),
    error: float = 0.0,
    lloq: float = 0.0,
    out: Path | None = None,
    data: Draws = Draws(),
) -> int:
    """Write simulated levels, doses and covariates as a NONMEM table.

    schild export nonmem "naltrexone 50 mg po" --times "1 h, 4 h, 24 h" --n 20 --error 0.2 --out out/levels.csv

    Parameters
    ----------
    times
        Times of observations, with commas.
    n
        Number of people in a population, instead of one person.
    until
        End of the run; no dose after it is written.
    error
        Residual error, as a coefficient of variation.
    lloq
        Lower limit of quantification [ng/mL]; values below are marked in CENS.
    out
        File to write; printed by default.
    """
    from schild.observed import simulated_table
    from schild.simulation import simulate_run

    writable(out)
    if not (0 <= error <= 5 and 0 <= lloq < float("inf")):
        raise InputError(f"--error is {error:g} and --lloq {lloq:g}; expected 0 or more, and an error of at most 5.")
    asked = _times(times)
    run = read_run(what, head={"until": until, "seed": data.seed}, person=person.given, n=n, numbers=data.overrides)
    result = simulate_run(run, catalogue=data.catalogue, warn=False)
    table = simulated_table(result, asked, error=error, lloq=lloq, seed=run.run.seed)
    _notes(result.warnings)
    text = table.to_csv(index=False, lineterminator="\n", na_rep=".")
    if out is None:
        print(text, end="")
    else:
        write(out, text)
        print(
            f"Written: {out} ({people_words(table['ID'].nunique())}, {int((table['EVID'] == 0).sum())} levels). "
            f"{NOTICE}"
        )
    return 0


@export_app.command
def sbml(
    *what: What,
    until: str | None = None,
    structure: Structure = None,
    person: Person = Person(),
    history: list[str] | None = None,
    out: Path | None = None,
    antimony: bool = False,
    data: Draws = Draws(),
) -> int:
    """Write the model and doses of a run as SBML, for one typical person.

    schild export sbml "naltrexone 50 mg po q24h x7" --until 14d --out naltrexone.xml

    Parameters
    ----------
    until
        End of the run; no dose after it is written.
    history
        Earlier use of an opioid; repeat the option for each. The document then begins with its first dose.
    out
        File to write; printed by default.
    antimony
        Write Antimony, which people can read, instead of SBML.
    """
    writable(out)
    run = read_run(
        what,
        head={"until": until, "structure": structure},
        person={**person.given, "history": history},
        numbers=data.overrides,
    )
    from schild.cli.sbml import before_h, document, text_of

    found = document(run, data.catalogue)
    _notes(found.notes)
    text = text_of(found, antimony=antimony)
    if before := before_h(run):
        _notes([f"time 0 of the run is {before:g} h in the document, which begins with the history."])
    if out is None:
        print(text)
    else:
        write(out, text)
        print(f"Written: {out}. {NOTICE}")
    return 0


@Parameter(name="*")
@dataclass(frozen=True)
class _Script:
    """The options of a script for another program.

    Parameters
    ----------
    until
        End of the run.
    times
        Times of observations, with commas; over the whole run by default.
    out
        Folder for the script and doses.csv; without it the script is printed.
    """

    until: str | None = None
    times: str | None = None
    out: Path | None = None


@export_app.command
def rxode2(*what: What, script: _Script = _Script(), person: Person = Person(), data: Draws = Draws()) -> int:
    """Write the kinetics of a run as an R script for rxode2 and nlmixr2, model.R, with its data set.

    schild export rxode2 "naltrexone 50 mg po q24h x7" --until 8d --out out/rxode2
    """
    return _program("rxode2", what, script, person, data)


@export_app.command
def mrgsolve(*what: What, script: _Script = _Script(), person: Person = Person(), data: Draws = Draws()) -> int:
    """Write the kinetics of a run as a model of mrgsolve, model.cpp, with its data set.

    schild export mrgsolve "naltrexone 50 mg po q24h x7" --until 8d --out out/mrgsolve
    """
    return _program("mrgsolve", what, script, person, data)


@export_app.command
def nonmem_model(*what: What, script: _Script = _Script(), person: Person = Person(), data: Draws = Draws()) -> int:
    """Write the kinetics of a run as a control stream of NONMEM, model.ctl, with its data set.

    schild export nonmem-model "naltrexone 50 mg po q24h x7" --until 8d --out out/nonmem
    """
    return _program("nonmem", what, script, person, data)


@export_app.command
def petab(
    *what: What,
    times: str,
    free: list[str],
    out: Path,
    error: float = 0.0,
    until: str | None = None,
    structure: Structure = None,
    person: Person = Person(),
    data: Draws = Draws(),
) -> int:
    """Write a parameter estimation problem in PEtab 2: the whole model as SBML, simulated levels, what is estimated.

    schild export petab "naltrexone 50 mg po" --times "1 h, 4 h, 24 h" --free naltrexone.cl --out out/petab

    Parameters
    ----------
    times
        Times of the levels, with commas.
    free
        A parameter of the model to estimate, such as naltrexone.cl; repeat the option for each.
    out
        Folder for problem.yaml and the files that it names.
    error
        Error drawn for each level, as a coefficient of variation; without it levels are as simulated, and the problem
        has one of 20 %.
    until
        End of the run; that of the last level by default.
    """
    import numpy as np

    from schild.cli.sbml import document
    from schild.model.petab import to_petab
    from schild.simulation import simulate_run

    place = folder(out)
    if not 0 <= error <= 5:
        raise InputError(f"--error is {error:g}; expected 0 to 5. Correct it.")
    asked = _times(times)
    head = {"until": until or f"{max(asked):.12g} h", "seed": data.seed, "structure": structure}
    run = read_run(what, head=head, person=person.given, numbers=data.overrides)
    if run.history:
        raise InputError("The run has a history; expected one without, as levels count from its first dose.")
    found = document(run, data.catalogue)
    result = simulate_run(run, catalogue=data.catalogue, warn=False)
    rng = np.random.default_rng(run.run.seed)
    sigma = np.sqrt(np.log1p(error**2))
    levels = [
        (name, t, float(np.ravel(result[f"plasma_{name}"].at(t))[0]) / found.built.molar_mass(name) * 1e3
         * float(np.exp(sigma * rng.standard_normal())))
        for name in result.species() for t in asked
    ]  # fmt: skip
    files = to_petab(
        found.built.spec, found.parameters, found.doses, levels, free=list(dict.fromkeys(free)), error=error or 0.2
    )
    _notes(found.notes)
    for name, text in files.items():
        write(place / name, text)
    print(f"Written to {out}: {', '.join(files)}. {NOTICE}")
    return 0


def _program(program: str, what: tuple[str, ...], script: _Script, person: Person, data: Draws) -> int:
    """Write the text of a program and its data set."""
    from schild.cli.sbml import document
    from schild.model.pharmacometrics import COLUMNS, DATA, PROGRAMS, data_rows

    place = None if script.out is None else folder(script.out)
    run = read_run(what, head={"until": script.until, "seed": data.seed}, person=person.given, numbers=data.overrides)
    asked = (
        [k * run.until_h / _OBSERVED for k in range(_OBSERVED + 1)] if script.times is None else _times(script.times)
    )
    found = document(run, data.catalogue)
    make, name = PROGRAMS[program]
    text = make(found.built.spec, found.parameters, title="; ".join(dose.to_words() for dose in run.doses))
    _notes(found.notes)
    if place is None:
        print(text, end="")
        return 0
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(data_rows(found.built.spec, found.parameters, found.doses, asked))
    write(place / name, text)
    write(place / DATA, buffer.getvalue())
    print(f"Written to {script.out}: {name}, {DATA}. {NOTICE}")
    return 0


def _notes(said: Iterable[str]) -> None:
    """Warn on standard error about input that has no effect on the document; a pipe gets the document alone."""
    for note in said:
        print(f"Note: {note}", file=sys.stderr)


def _times(text: str) -> list[float]:
    """Read times with commas. [h]"""
    from schild.units import hours

    found = [hours(part) for part in listed(text, "times", "'1 h, 4 h'")]
    if min(found) < 0:
        raise InputError(f"--times is {text!r}; expected times at 0 or later. Drop those before.")
    return found
