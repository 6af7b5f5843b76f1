"""``schild rescue``: overdose, and the effect of an antagonist."""

from __future__ import annotations

from typing import Any

from schild.cli.console import progress
from schild.cli.options import Draws, Files, processors
from schild.cli.verbs import command
from schild.errors import InputError
from schild.overdose.show import show_rescue


@command(
    "schild.overdose.compare:rescue", show_rescue, page="schild.report.rescue:rescue_html", table="arrest.csv",
    label="people",
    commas={"delay": ("'60 s, 180 s'", str), "tolerance": ("'naive, chronic'", str)},
    names={"breathing": "rescue-breathing"}, without=("opioid", "altitude", "weight", "age"),
)  # fmt: skip
def rescue(
    given: dict[str, Any],
    data: Draws,
    files: Files,
    opioid: str | None = None,
    altitude: str | None = None,
    weight: str | None = None,
    age: str | None = None,
    published: bool = False,
    vein: bool = False,
) -> int | None:
    """Compute cardiac arrests after one stated opioid exposure, by antagonist, delay and tolerance.

    schild rescue --opioid "fentanyl 1.625 mg iv" --antagonist none --antagonist "naloxone 4 mg in" --delay 60s

    schild rescue --published

    For naloxone programmes, labelling and teaching. Opioid doses are not varied. For research and education, not for
    treating a person.

    Parameters
    ----------
    opioid
        One regimen of one opioid, such as "fentanyl 1.625 mg iv".
    n
        People in every cell, the same in each: 2000, or 600 with --published.
    altitude
        Altitude, such as "2500 m".
    weight
        Body weight of everyone, such as "60 kg".
    age
        Age of everyone, such as "70 years".
    published
        Print the published percentages with the computed ones beside them, misses first.
    vein
        With --published: naloxone into a vein in place of the nose, in single and escalating doses.
    """
    processors(given.get("threads"))
    if data.seed is not None and data.seed < 0:
        raise InputError(f"--seed is {data.seed}; expected 0 or more.")
    if published:
        if opioid is not None or "antagonist" in given:
            raise InputError(
                "--published states its own opioids and antagonists; expected none beside it. Leave them out."
            )
        return _published(given.get("n"), given.get("threads"), vein, data, files)
    if vein:
        raise InputError("--vein was given without --published; expected both. Add --published.")
    if opioid is None:
        raise InputError(
            "No opioid was given; expected one stated exposure. Write --opioid 'fentanyl 1.625 mg iv', or --published."
        )
    given |= {
        "opioid": opioid, "altitude": _number(altitude, "m", "--altitude", "2500 m") or 0.0,
        "weight": _number(weight, "kg", "--weight", "60 kg"), "age": _number(age, "years", "--age", "70 years"),
    }  # fmt: skip
    return None


def _published(n: int | None, threads: int | None, vein: bool, data: Draws, files: Files) -> int:
    from schild.overdose.published import MODELS, PEOPLE, VEIN, published_table
    from schild.overdose.show import show_published

    with progress("cells") as advance:
        found = published_table(
            PEOPLE if n is None else n,
            1 if data.seed is None else data.seed,
            only=lambda row: row.model in (VEIN if vein else MODELS),
            threads=threads,
            progress=advance,
        )
    return files.finish(found, show_published, page="schild.report.rescue:published_html", table="arrest.csv")


def _number(text: str | None, unit: str, option: str, example: str) -> float | None:
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix(unit).strip())
    except ValueError:
        raise InputError(f"{option} is {text!r}; expected a number of {unit}. Write {option} '{example}'.") from None
