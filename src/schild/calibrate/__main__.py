"""Refit every fitted number: ``python -m schild.calibrate [--write]``."""

from __future__ import annotations

import sys
import time

from schild.calibrate import Fit, Fitted, depot, oral, receptors
from schild.calibrate.files import write_numbers
from schild.catalog import load


def refit() -> tuple[Fit, ...]:
    """Run all fits, each on top of the ones before."""
    kinetics = oral.fit()
    base = {f"{n.drug}.{n.name}": n.value for n in kinetics.numbers}
    shape = depot.fit(base)
    return kinetics, shape, receptors.fit(base)


def differs(number: Fitted) -> bool:
    """Whether the catalogue's value differs in the first three digits, or is not marked as fitted."""
    have = load().drug(number.drug).number(number.name)
    return have.chosen.basis != "fitted" or f"{have.value:.3g}" != f"{number.value:.3g}"


def main(arguments: list[str] | None = None) -> int:
    """Refit, print, compare; 0 if the catalogue holds the same numbers to three digits."""
    arguments = sys.argv[1:] if arguments is None else arguments
    begin = time.perf_counter()
    fits = refit()
    bad = 0
    for fit in fits:
        print(f"\n== {fit.title}")
        for line in fit.lines:
            print(line)
        for number in fit.numbers:
            have = load().drug(number.drug).number(number.name)
            wrong = differs(number)
            bad += wrong
            spread = "" if number.cv is None else f" (uncertainty CV {number.cv:.3f})"
            print(
                f"  {number.drug}.{number.name:46s} refit {number.value:<10.5g} catalogue {have.value:<10.5g}"
                f"{'DIFFERS' if wrong else 'same'}{spread}"
            )
    default = load().drug("naltrexone").default_structure
    chosen = receptors.choose(fits[-1].scores)
    if default is None or default.key != chosen:
        bad += 1
        print(f"\nThe catalogue's default structure is {default.key if default else None}; the rule says {chosen}.")
    if "--write" in arguments:
        write_numbers([n for f in fits for n in f.numbers])
        print("\nWritten to the catalogue.")
        bad = 0
    print(f"\n{sum(len(f.numbers) for f in fits)} fitted numbers, {bad} differ; {time.perf_counter() - begin:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
