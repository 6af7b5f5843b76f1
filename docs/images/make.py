"""Draw the pictures of the README: ``python docs/images/make.py``."""

from pathlib import Path

import matplotlib as mpl

import schild

mpl.rcParams["svg.hashsalt"] = "schild"  # the same picture gives the same file

title = "Naltrexone 50 mg daily for a week, 400 people"
result = schild.simulate("naltrexone 50 mg po q24h x7", until="14 d", every="2 h", n=400, title=title)
receptors = [f"{r}_pet_occupancy" for r in ("mor", "kor", "dor")]
figure = result.plot("plasma_naltrexone", "plasma_beta_naltrexol", *receptors)
figure.savefig(Path(__file__).parent / "naltrexone.svg", metadata={"Date": None})
