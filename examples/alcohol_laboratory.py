"""Alcohol in the laboratory, with placebo and with naltrexone.

    python examples/alcohol_laboratory.py

Forty virtual people sit twice: a drink, then up to eight drinks in two hours. One experiment of this size may well
miss an effect of naltrexone that is there; a thousand people show it.
"""

import schild

REGIMEN = "naltrexone 50 mg po q24h x6"

for people in (40, 1000):
    found = schild.laboratory("self_administration", REGIMEN, n=people, seed=1)
    print(f"{people} people, {REGIMEN}; mean occupancy of mu {found.occupancy.mean():.2f}")
    for row in found.summary():
        print(f"  {row['outcome']:12s} g {row['g']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f}), p {row['p']:.3f}")
