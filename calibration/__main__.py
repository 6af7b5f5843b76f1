"""Refit every fitted number: ``python -m calibration [--write]``."""

from __future__ import annotations

import sys
import time

from calibration import Fit, adaptation, alcohol, depot, effects, kinetics, oral, receptors, scans
from calibration.files import report
from schild.catalog import load


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


def main(arguments: list[str] | None = None) -> int:
    """Refit, print, compare; 0 if the catalogue has the same numbers to three digits."""
    arguments = sys.argv[1:] if arguments is None else arguments
    begin = time.perf_counter()
    fits = refit()
    bad = report(fits, "--write" in arguments)
    default = load().drug("naltrexone").default_structure
    chosen = receptors.choose(fits[2].scores)
    if default is None or default.key != chosen:
        bad += 1
        print(f"\nThe catalogue's default structure is {default.key if default else None}; the rule says {chosen}.")
    print(f"\n{sum(len(f.numbers) for f in fits)} fitted numbers, {bad} differ; {time.perf_counter() - begin:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
