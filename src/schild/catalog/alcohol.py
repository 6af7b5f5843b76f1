"""Names and units of the numbers of alcohol, release, reward and drinking (``data/alcohol.toml``)."""

from __future__ import annotations

from collections.abc import Mapping

#: Beginning of the names of standard drinks: ``drink.us`` and so on.
DRINK = "drink."

#: Switches for subgroups; off by default.
MODERATORS = ("a118g", "family_history", "reward_drinking")

_RATED = ("stimulation", "sedation", "mood", "craving")

#: Every number that the model needs, and the unit it counts in. Standard drinks come on top.
ALCOHOL_UNITS: Mapping[str, str] = {
    "vmax": "g/h",
    "km": "g/L",
    "cld": "L/h",
    "vc": "L",
    "vt": "L",
    "clr": "L/h",
    "vss": "L",
    "rho.vc.vt": "1",
    "widmark.male": "L/kg",
    "widmark.female": "L/kg",
    "ka.fasted": "1/h",
    "f.fasted": "1",
    "ka.fed": "1/h",
    "f.fed": "1",
    "breath.ratio": "1",
    "e0": "1",
    "release.rate": "1/h",
    "release.gain": "1",
    "release.c50": "g/L",
    "release.rise": "h*L/g",
    "reward.share": "1",
    "reward.c50": "g/L",
    "reward.tau": "h",
    **{f"{rated}.{what}": "1" for rated in _RATED for what in ("rest", "range", "sd")},
    "rating.within": "1",
    "sedation.c50": "g/L",
    "sedation.slope": "1",
    "sedation.occupied": "1",
    "mood.c50": "g/L",
    "mood.occupied": "1",
    "craving.start": "1",
    "craving.prime": "1",
    "craving.tau": "h",
    "craving.share": "1",
    "thirst.rate": "1/h",
    "thirst.scale": "1",
    "thirst.reward": "1",
    "thirst.sedation": "1",
    "thirst.craving": "1",
    "thirst.pause": "h",
    **{f"day.{day}.{through}": "1" for day in ("drink", "heavy") for through in ("reward", "aversion")},
    **{f"moderator.{key}": "1" for key in MODERATORS},
}
