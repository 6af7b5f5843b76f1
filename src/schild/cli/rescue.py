"""``schild rescue``: overdose, and what an antagonist changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schild.cli.console import NOTICE, Whole, folder, progress, say_if_compiling, writable, write
from schild.cli.console import out as console_out
from schild.cli.figures import check_figure, save_figure
from schild.cli.options import Numbers
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console


def rescue(
    *,
    opioid: str | None = None,
    antagonist: list[str] | None = None,
    delay: str = "60 s",
    tolerance: str = "chronic",
    n: Whole | None = None,
    seed: Whole = 1,
    history: list[str] | None = None,
    source: str = "auto",
    collapse: str = "clock",
    link: str = "anchored",
    parameters: str = "typical",
    until: str | None = None,
    rescue_breathing: str | None = None,
    oxygen: str | None = None,
    altitude: str | None = None,
    lung: str | None = None,
    bodies: str = "typical",
    weight: str | None = None,
    age: str | None = None,
    threads: Whole | None = None,
    html: Path | None = None,
    plot: Path | None = None,
    out: Path | None = None,
    json: bool = False,
    published: bool = False,
    vein: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Overdose and rescue: one stated opioid exposure, by antagonist, delay and tolerance.

    schild rescue --opioid "fentanyl 1.625 mg iv" --antagonist none --antagonist "naloxone 4 mg in" --delay 60s

    schild rescue --published

    For naloxone programmes, labelling and teaching. Opioid doses are not varied. For research and education, not for
    treating a person.

    Parameters
    ----------
    opioid
        One regimen of one opioid, such as "fentanyl 1.625 mg iv".
    antagonist
        "none", or a regimen that counts from the first dose: "naloxone 4 mg in q150s x2"; negative times count from the
        opioid: "naltrexone 50 mg po at -12 h". Say it again for every regimen; the first is what others are compared
        with. By default none and "naloxone 4 mg in".
    delay
        From the loss of breathing to the first dose: "60 s", "1 min to 10 min" or "median 5 min cv 0.8"; several with
        commas.
    tolerance
        naive, chronic or model (adaptation after a history); several with commas.
    n
        People in every cell: 2000, or 600 with --published.
    seed
        Seed of the draws; every cell has the same people.
    history
        Earlier use, such as "morphine 30 mg po q6h for 60 d".
    source
        published (the reference's kinetics), general (any drugs of the catalogue) or auto.
    collapse
        How hypoxia becomes arrest: clock, two_pass (the reference's rule), hazard or none.
    link
        Of the general source: anchored or plain (docs/rescue.md).
    parameters
        Of the general source: typical (the catalogue's numbers for all) or drawn: a parameter set for each person.
    until
        End, such as "75 min".
    rescue_breathing
        After the rescuer has come: "from 2 min to 10 min", or "8 L/min from 2 min to 10 min".
    oxygen
        Share that is inhaled after the rescuer has come: "0.5 from 2 min to 10 min".
    altitude
        Such as "2500 m".
    lung
        Such as "shunt 0.15, dead space 0.5".
    bodies
        typical (the reference's physiology for all) or drawn: weights and ages of the adult population scale it.
    weight
        Of everyone, such as "60 kg".
    age
        Of everyone, such as "70 years".
    threads
        Processors to use; never changes a number.
    html
        File for the answer as one page with figures.
    plot
        File for the figure: .svg, .png or .pdf.
    out
        Folder for report.html, arrest.csv, summary.json and figure.svg.
    json
        Print one JSON object and nothing else.
    published
        The published percentages and ours beside them, misses first.
    vein
        With --published: naloxone into a vein instead, single and escalating doses.
    """
    check_figure(plot)
    writable(html)
    if threads is not None and threads < 1:
        raise InputError(f"--threads is {threads}; expected 1 or more. Leave it out to use every processor.")
    if seed < 0:
        raise InputError(f"--seed is {seed}; expected 0 or more.")
    place = None if out is None else folder(out)
    if published:
        if opioid is not None or antagonist or plot is not None:
            raise InputError(
                "--published states its own opioids and antagonists; expected none beside it. Leave them out."
            )
        return _published(n, seed, threads, html, place, json, vein)
    if vein:
        raise InputError("--vein was given without --published; expected both. Add --published.")
    if opioid is None:
        raise InputError(
            "No opioid was given; expected one stated exposure. Write --opioid 'fentanyl 1.625 mg iv', or --published."
        )
    from schild.overdose import rescue as run

    say_if_compiling()
    with progress("people") as advance:
        found = run(
            opioid,
            antagonist or ("none", "naloxone 4 mg in"),
            delay=_parts(delay, "--delay", "60 s, 180 s"),
            tolerance=_parts(tolerance, "--tolerance", "naive, chronic"),
            n=2000 if n is None else n,
            seed=seed,
            history=history or (),
            source=source,
            collapse=collapse,  # type: ignore[arg-type]  # the verb checks it
            link=link,
            parameters=parameters,
            until=until,
            breathing=rescue_breathing,
            oxygen=oxygen,
            altitude=_number(altitude, "m", "--altitude", "2500 m") or 0.0,
            lung=lung,
            bodies=bodies,
            weight=_number(weight, "kg", "--weight", "60 kg"),
            age=_number(age, "years", "--age", "70 years"),
            threads=threads,
            catalogue=data.catalogue,
            overrides=data.overrides,
            progress=advance,
        )
    from schild.overdose.show import show_rescue
    from schild.report.rescue import rescue_html

    console = console_out()
    if json:
        print(found.to_json())
    else:
        show_rescue(found, console)
    if html is not None:
        write(html, rescue_html(found))
    if plot is not None:
        save_figure(found.plot(), plot)
    if place is not None:
        write(place / "report.html", rescue_html(found))
        write(place / "arrest.csv", found.to_frame().to_csv(index=False))
        write(place / "summary.json", found.to_json())
        save_figure(found.plot(), place / "figure.svg")
    if not json:
        _where(console, html, plot, place)
    return 0


def _published(
    n: int | None, seed: int, threads: int | None, html: Path | None, place: Path | None, json: bool, vein: bool
) -> int:
    from schild.overdose.published import MODELS, PEOPLE, VEIN, published_table
    from schild.overdose.show import show_published
    from schild.report.rescue import published_html

    say_if_compiling()
    with progress("cells") as advance:
        found = published_table(
            PEOPLE if n is None else n,
            seed,
            only=lambda row: row.model in (VEIN if vein else MODELS),
            threads=threads,
            progress=advance,
        )
    console = console_out()
    if json:
        print(found.to_json())
    else:
        show_published(found, console)
    if html is not None:
        write(html, published_html(found))
    if place is not None:
        write(place / "report.html", published_html(found))
        write(place / "arrest.csv", found.to_frame().to_csv(index=False))
        write(place / "summary.json", found.to_json())
    if not json:
        _where(console, html, None, place)
    return 0


def _where(console: Console, html: Path | None, plot: Path | None, place: Path | None) -> None:
    for name, path in (("Page", html), ("Figure", plot), ("Written to", place)):
        if path is not None:
            console.print(f"{name}: {path}", markup=False)
    console.print(NOTICE, markup=False)


def _parts(text: str, option: str, example: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise InputError(f"{option} is {text!r}; expected one or more, with commas. Write {option} '{example}'.")
    return parts


def _number(text: str | None, unit: str, option: str, example: str) -> float | None:
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix(unit).strip())
    except ValueError:
        raise InputError(f"{option} is {text!r}; expected a number of {unit}. Write {option} '{example}'.") from None
