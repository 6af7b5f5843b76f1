"""Refit every fitted number: ``python -m schild.calibrate [--write]``."""

from __future__ import annotations

import sys
import time

from schild.calibrate import Fit, Fitted, adaptation, alcohol, depot, effects, kinetics, oral, receptors, scans
from schild.calibrate.files import write_numbers
from schild.catalog import load
from schild.evidence import Number


def refit() -> tuple[Fit, ...]:
    """Run all fits, each on top of the ones before."""
    tablets = oral.fit()
    base = values(tablets)
    others = kinetics.fit()
    constants = scans.fit(values(others))
    on_top = values(others, constants)
    mu = receptors.fit(base)
    rest = (effects.fit(on_top), adaptation.fit(), alcohol.fit({**base, **values(mu)}))
    return tablets, depot.fit(base), mu, others, constants, *rest


def values(*fits: Fit) -> dict[str, float]:
    """Return the numbers of fits as overrides."""
    return {f"{n.drug}.{n.name}": n.value for fit in fits for n in fit.numbers}


def number_of(fitted: Fitted) -> Number:
    """Return the catalogue's entry of a fitted number: of a drug, an effect, a mechanism or alcohol."""
    if fitted.drug in load().effects:
        return load().effects[fitted.drug].numbers[fitted.name]
    if fitted.drug in load().adaptation:
        return load().adaptation[fitted.drug].numbers[fitted.name]
    if fitted.drug == "alcohol":
        return load().alcohol[fitted.name]
    return load().drug(fitted.drug).number(fitted.name)


def differs(number: Fitted) -> bool:
    """Whether the catalogue's value differs by half a unit of the third digit, or is not marked as fitted."""
    have = number_of(number)
    return have.chosen.basis not in ("fitted", "derived") or abs(number.value / have.value - 1.0) > 5e-4


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
            have = number_of(number)
            wrong = differs(number)
            bad += wrong
            spread = "" if number.cv is None else f" (uncertainty CV {number.cv:.3f})"
            print(
                f"  {number.drug}.{number.name:46s} refit {number.value:<10.5g} catalogue {have.value:<10.5g}"
                f"{'DIFFERS' if wrong else 'same'}{spread}"
            )
    default = load().drug("naltrexone").default_structure
    chosen = receptors.choose(fits[2].scores)
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
