"""Limits on the size of a run: estimated before anything is computed, and refused with a message if exceeded.

The number of doses is bounded where doses are expanded (``schild.regimen.expand``).
"""

from __future__ import annotations

from schild.errors import InputError

#: Largest block of values that is kept. [bytes]
MAX_BYTES = 3_000_000_000

#: Largest number of intervals between doses and output times, over all people: about a day on one processor.
MAX_STEPS = 5_000_000_000


def check_work(what: str, *, people: int, steps: int, byte: int, instead: str) -> None:
    """Refuse what needs too much time or memory; the message states the estimate and the bound (InputError).

    ``what``: the request in words; ``people``: people, or runs, that are followed; ``steps``: doses and output times,
    or days, of each; ``byte``: memory for the values kept of each [bytes]; ``instead``: advice on a smaller request.

    >>> check_work("10 people", people=10, steps=100, byte=8000, instead="Ask for fewer.")
    >>> check_work("1e6 people", people=10**6, steps=100, byte=8000, instead="Ask for fewer.")
    Traceback (most recent call last):
    schild.errors.InputError: 1e6 people need 8.0 GB of memory; expected at most 3 GB. Ask for fewer.
    """
    if people * byte > MAX_BYTES:
        need = people * byte / 1e9
        raise InputError(f"{what} need {need:.1f} GB of memory; expected at most {MAX_BYTES / 1e9:g} GB. {instead}")
    if people * steps > MAX_STEPS:
        raise InputError(
            f"{what} make {people * steps:,} steps from dose to dose and time to time; expected at most {MAX_STEPS:,}. "
            f"{instead}"
        )
