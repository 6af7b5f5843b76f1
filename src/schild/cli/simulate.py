"""``schild simulate``: a run file or regimens in words, to tables, files or JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli.console import Whole, progress
from schild.cli.figures import figure_bytes
from schild.cli.options import Draws, Files, Person, listed, pairs, processors
from schild.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from schild.catalog import Catalogue
    from schild.regimen import Dose
    from schild.simulation import Result, Run


def simulate(
    *what: Annotated[str, Parameter(name="RUN.toml|REGIMEN")],
    until: str | None = None,
    every: str | None = None,
    n: Whole | None = None,
    uncertainty: Whole | None = None,
    structure: str | None = None,
    receptors: str | None = None,
    outputs: str | None = None,
    without: str | None = None,
    tone: Annotated[bool | None, Parameter(negative="--no-tone")] = None,
    title: str | None = None,
    person: Person = Person(),
    dependent: str | None = None,
    cyp2d6: str | None = None,
    history: list[str] | None = None,
    adaptation: str | None = None,
    threads: Whole | None = None,
    nca: bool = False,
    dry_run: bool = False,
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Simulate one person or a population, from a run file or regimens in words.

    schild simulate "naltrexone 50 mg po q24h x7" --until 14d

    schild simulate examples/population.toml --out out/population

    schild simulate "naltrexone 50 mg po" --history "methadone 60 mg po q24h for 90 d stopped 3 d"

    Options override the run file. For research and education, not for treating a person.

    Parameters
    ----------
    what
        One run file, or regimens in words, each in quotes: "naltrexone 50 mg po q24h x7" "heroin 25 mg iv at 3 d".
    until
        End of the run, such as 14d; a week after the last dose by default, six after a depot.
    every
        Output grid, such as 1h; chosen from the length by default.
    n
        Number of people in a population, instead of one person.
    uncertainty
        Number of parameter sets drawn from the uncertainty of the typical values; each is given to all people.
    structure
        Rival mechanism between plasma and receptor, for all drugs or as DRUG=STRUCTURE,...
    receptors
        Receptors to follow, such as mor,kor.
    outputs
        Outputs to keep, such as plasma_naltrexone,mor_pet_occupancy; all by default.
    without
        Species that are followed but bind nothing, such as beta_naltrexol.
    tone
        Whether the endogenous agonist competes; it does by default.
    title
        Title of the run, for figures and the manifest.
    dependent
        Dependence on opioids or alcohol, yes or no, where it changes kinetics.
    cyp2d6
        CYP2D6 phenotype, from poor to ultrarapid metabolisers: PM, IM, EM or UM. It forms stronger opioids from codeine
        and hydrocodone.
    history
        Earlier use of an opioid, such as "methadone 60 mg po q24h for 90 d stopped 3 d"; repeat the option for each.
        It replaces that of the run file.
    adaptation
        Model of tolerance, dependence and withdrawal: yes, no or a mechanism of the catalogue; by default yes with a
        history, and where opioids are taken for more than a day.
    threads
        Number of threads; it changes no result.
    nca
        Compute the non-compartmental metrics too, by CDISC names, after the first and the last dose; with --out write
        nca.csv too, and people.csv with one row for each person: covariates, parameters, metrics.
    dry_run
        Print the events that the doses stand for, and nothing else.
    """
    from schild.simulation import model_of

    head = {"until": until, "every": every, "seed": data.seed, "title": title, "tone": tone,
            "structure": _structure(structure), "receptors": names_of(receptors, "receptors"),
            "outputs": names_of(outputs, "outputs"), "without": names_of(without, "without"),
            "adaptation": _adaptation(adaptation, data.catalogue)}  # fmt: skip
    who = {**person.given, "dependent": dependent, "cyp2d6": cyp2d6, "history": history}
    run = read_run(what, head=head, person=who, n=n, uncertainty=uncertainty, numbers=data.overrides)
    processors(threads)
    if dry_run:
        model_of(run, catalogue=data.catalogue)  # an event that cannot be simulated is not listed as if it could
        print_events(run, data.catalogue, files.json)
        return 0
    files.check()
    return show_run(run, files, nca=nca, threads=threads, catalogue=data.catalogue)


def show_run(
    run: Run,
    files: Files,
    *,
    nca: bool = False,
    threads: int | None = None,
    notes: Sequence[str] = (),
    catalogue: Catalogue | None = None,
) -> int:
    """Simulate, write what was asked for, and print the summary or the JSON object."""
    from schild.simulation import simulate_run

    with progress("people", show=run.population is not None) as advance:
        result = simulate_run(run, threads=threads, catalogue=catalogue, progress=advance)
    object_: dict[str, Any] = {"notes": list(notes)} if notes else {}
    more: dict[str, str | bytes] = {}
    if nca:
        from schild.results import plain

        object_["nca"] = plain(result.nca().to_dict("records"))
    if files.out is not None:
        more = {"run.toml": run.to_toml(), "figure.png": figure_bytes(result.plot(), "png")}
        for name, frame in (("nca.csv", result.nca()), ("people.csv", result.people())) if nca else ():
            more[name] = frame.to_csv(index=False, lineterminator="\n")

    def show(result: Result, console: Console) -> None:
        from schild.cli.summary import show_nca, show_result

        show_result(result, console)
        if nca:
            from schild.simulation.exposure import exposure

            show_nca(exposure(result), result, console)

    return files.finish(
        result, show, page="schild.report.simulation:simulation_html", table="result.csv", more=more, object_=object_,
        code=1 if result.status.any() else 0,
    )  # fmt: skip


def read_run(
    what: tuple[str, ...],
    *,
    head: dict[str, Any] | None = None,
    person: dict[str, Any] | None = None,
    n: int | None = None,
    uncertainty: int | None = None,
    numbers: Mapping[str, float | str] | None = None,
) -> Run:
    """Read one run file, or regimens in words; options override the file.

    ``head`` and ``person``: entries of ``[run]``, and of ``[subject]`` or ``[population]``, None where nothing was
    said; ``n`` and ``uncertainty``: people and parameter draws, either makes a population; ``numbers``: in place of the
    catalogue's and the file's. Raises InputError for anything malformed.
    """
    from schild.simulation.runfile import Run, SubjectEntry

    past = (person or {}).get("history")
    if not what and past is None:
        raise InputError(
            'Nothing to simulate was given; expected a run file or regimens in words. Write for example "naltrexone 50 '
            'mg po q24h x7", in quotes.'
        )
    files = [text for text in what if is_file(text)]
    if files and len(what) > 1:
        raise InputError(
            f"{files[0]!r} is a run file and {len(what) - 1} more were given; expected one run file, or regimens in "
            "words alone. Put the doses into the file, or run them one after the other."
        )
    if files and files[0].lower().endswith((".csv", ".tsv", ".dat")):
        raise InputError(
            f"{files[0]!r} is a table; expected a run file (TOML) or regimens in words. Read the doses of a table with "
            f"`schild import nonmem {files[0]}`."
        )
    if not files and len(what) > 1 and not any(" " in text.strip() for text in what):
        raise InputError(
            f"The words {' '.join(what)!r} were given one by one; expected a regimen in quotes. "
            f'Write "{" ".join(what)}".'
        )
    run = Run.from_toml(files[0]) if files else Run.of(*what, subject=past and {"history": past})
    data = run.model_dump(exclude_unset=True)
    data["run"] = {**data.get("run", {}), **_said(head)}
    if numbers:
        data["numbers"] = {**data.get("numbers", {}), **numbers}
    own = _said(person)
    many = data.get("population")
    if n is not None or uncertainty is not None or many is not None:
        one = data.pop("subject", None) or {}
        if many is None and n is None:
            # Only uncertainty was asked for: the same typical person under each draw.
            many = {**SubjectEntry().model_dump(), "n": 1, "variability": False}
        many = {**(many or {}), **one, **own}
        data["population"] = many | _said({"n": n, "uncertainty": uncertainty})
    elif own:
        data["subject"] = {**(data.get("subject") or {}), **own}
    return Run.parse(data)


def _said(entries: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (entries or {}).items() if value is not None}


def is_file(text: str) -> bool:
    """Whether a word of the command line is a run file."""
    return text.lower().endswith(".toml") or os.path.exists(text)  # noqa: PTH110  (Path.exists raises for long words)


def _adaptation(text: str | None, catalogue: Catalogue) -> bool | str | None:
    """Read ``--adaptation``: yes, no or the name of a mechanism."""
    if text is None:
        return None
    word = text.strip()
    said = {"yes": True, "true": True, "no": False, "false": False}.get(word.lower(), word)
    if isinstance(said, str) and said not in catalogue.adaptation:
        raise InputError(
            f"--adaptation is {text!r}; expected yes, no or a mechanism ({', '.join(catalogue.adaptation)}). "
            "Choose one of them."
        )
    return said


def names_of(text: str | None, option: str) -> list[str] | None:
    """Read names with commas between them."""
    return None if text is None else listed(text, option, "a,b")


def _structure(text: str | None) -> str | dict[str, str] | None:
    if text is None or "=" not in text:
        return text
    what = "a name, or DRUG=NAME with commas between"
    return pairs(text.split(","), "structure", what, "naltrexone=slow_receptor")


def print_events(run: Run, catalogue: Catalogue, json: bool = False, also: Sequence[str] = ()) -> None:
    """Print the events of a run's doses, one line for each earlier use, and the notes."""
    from schild.model.products import notes, with_products
    from schild.people import Values
    from schild.regimen import event_table, render_event_table
    from schild.simulation import events_of
    from schild.simulation.caution import left_out, unit_slips
    from schild.simulation.runfile import history_words

    events = events_of(run)
    values = Values(catalogue, overrides=run.numbers)
    said = [*also, *left_out(run), *unit_slips(catalogue, events), *notes(values, events)]
    earlier = run.history
    own = with_products(values, [event for event in events if event.order >= len(earlier)])
    if json:
        from schild.results import json_text

        before = {"history": [_past(dose) for dose in earlier]} if earlier else {}
        print(json_text({**before, "events": event_table(own), "notes": said}))
        return
    for dose in earlier:
        past = _past(dose)
        doses = "1 dose" if past["doses"] == 1 else f"{past['doses']:,} doses"
        print(f"Before: {history_words(dose)} ({doses}, the first at {past['first']}, the last at {past['last']})")
    if own or not earlier:
        print(render_event_table(own))
    for note in said:
        print(f"Note: {note}")


def _past(dose: Dose) -> dict[str, Any]:
    """One row for earlier use: its words, how many doses, when."""
    from schild.simulation.runfile import history_words
    from schild.units import format_ticks

    count = dose.count or 1
    return {
        "words": history_words(dose),
        "doses": count,
        "first": format_ticks(dose.time_tick),
        "last": format_ticks(dose.time_tick + (count - 1) * dose.every_tick),
    }
