"""``schild rescue``: overdose, and the effect of an antagonist."""

from __future__ import annotations

from schild.cli.console import Whole, progress
from schild.cli.options import Draws, Files, listed, processors
from schild.errors import InputError


def rescue(
    *,
    opioid: str | None = None,
    antagonist: list[str] | None = None,
    delay: str = "60 s",
    tolerance: str = "chronic",
    n: Whole | None = None,
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
    published: bool = False,
    vein: bool = False,
    data: Draws = Draws(),
    files: Files = Files(),
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
        People in every cell, the same in each: 2000, or 600 with --published.
    history
        Earlier use, such as "morphine 30 mg po q6h for 60 d".
    source
        published (the reference's kinetics), general (any drugs of the catalogue) or auto.
    collapse
        Rule by which hypoxia becomes arrest: clock, two_pass (the reference's rule), hazard or none.
    link
        Link of the general source: anchored or plain (docs/rescue.md).
    parameters
        For the general source: typical (the catalogue's numbers for all) or drawn (a parameter set for each person).
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
        Body weight of everyone, such as "60 kg".
    age
        Age of everyone, such as "70 years".
    threads
        Processors to use; never changes a number.
    published
        The published percentages and ours beside them, misses first.
    vein
        With --published: naloxone into a vein instead, single and escalating doses.
    """
    files.check()
    processors(threads)
    if data.seed is not None and data.seed < 0:
        raise InputError(f"--seed is {data.seed}; expected 0 or more.")
    if published:
        if opioid is not None or antagonist:
            raise InputError(
                "--published states its own opioids and antagonists; expected none beside it. Leave them out."
            )
        return _published(n, threads, vein, data, files)
    if vein:
        raise InputError("--vein was given without --published; expected both. Add --published.")
    if opioid is None:
        raise InputError(
            "No opioid was given; expected one stated exposure. Write --opioid 'fentanyl 1.625 mg iv', or --published."
        )
    from schild.overdose.compare import rescue as run
    from schild.overdose.show import show_rescue
    from schild.report.rescue import rescue_html

    with progress("people") as advance:
        found = run(
            opioid,
            antagonist or ("none", "naloxone 4 mg in"),
            delay=listed(delay, "delay", "'60 s, 180 s'"),
            tolerance=listed(tolerance, "tolerance", "'naive, chronic'"),
            n=2000 if n is None else n,
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
            progress=advance,
            **data.options,
        )
    return files.finish(found, show_rescue, page=rescue_html, table="arrest.csv")


def _published(n: int | None, threads: int | None, vein: bool, data: Draws, files: Files) -> int:
    from schild.overdose.published import MODELS, PEOPLE, VEIN, published_table
    from schild.overdose.show import show_published
    from schild.report.rescue import published_html

    with progress("cells") as advance:
        found = published_table(
            PEOPLE if n is None else n,
            1 if data.seed is None else data.seed,
            only=lambda row: row.model in (VEIN if vein else MODELS),
            threads=threads,
            progress=advance,
        )
    return files.finish(found, show_published, page=published_html, table="arrest.csv")


def _number(text: str | None, unit: str, option: str, example: str) -> float | None:
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix(unit).strip())
    except ValueError:
        raise InputError(f"{option} is {text!r}; expected a number of {unit}. Write {option} '{example}'.") from None
