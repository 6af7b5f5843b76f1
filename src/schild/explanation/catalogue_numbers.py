"""Numbers of a drug as tables and in words: binding, kinetics, and values that lie far apart."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files

from schild.catalog import Drug
from schild.evidence import Number
from schild.report import source_words

__all__ = [
    "RECEPTOR_WORDS",
    "WAYS",
    "WORDS",
    "Table",
    "binding_table",
    "far_apart",
    "in_words",
    "kinetics_table",
    "regimen_words",
]

#: Caption, columns, rows.
Table = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
#: Words of receptors, routes, roles, numbers and measured quantities.
WORDS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    files("schild.explanation").joinpath("words.toml").read_text(encoding="utf-8")
)
RECEPTOR_WORDS, WAYS = WORDS["receptors"], WORDS["routes"]


def regimen_words(text: str) -> str:
    """Write regimens for reading.

    >>> regimen_words("naltrexone 50 mg po q24h x7; cocaine 25 mg iv at 2 h")
    'naltrexone 50 mg by mouth every 24 h, 7 doses; cocaine 25 mg into a vein at 2 h'
    """
    text = re.sub(r"(?<=g )(\w+)", lambda m: WAYS.get(m[1], m[1]), text)
    text = re.sub(r"\bq(\d+)h\b", r"every \1 h", text)
    return re.sub(r" x(\d+)\b", r", \1 doses", text).replace("beta_naltrexol", "6-beta-naltrexol")


def _said(number: Number) -> str:
    v = number.chosen
    unit = "" if number.unit == "1" else f" {number.unit}"
    return f"{v.value:.3g}{unit} ({v.basis}, {', '.join(map(source_words, v.source))})"


def _rivals(number: Number) -> str:
    return "; ".join(f"{v.value:.3g} ({', '.join(map(source_words, v.source))})" for v in number.rivals) or "none"


def binding_table(drug: Drug) -> Table:
    """Tabulate affinities in use, rival values and efficacies of a drug at each receptor."""
    default = drug.default_structure
    key = None if default is None else default.key
    rows = []
    for receptor, b in drug.binding.items():
        name = RECEPTOR_WORDS.get(receptor, receptor)
        efficacy = "none" if b.efficacy is None else f"{drug.number(b.efficacy, key).value:g}"
        if b.kd is not None:
            number = drug.number(b.kd, key)
            rows.append((name, f"Kd {_said(number)}", _rivals(number), efficacy))
        elif b.ki is not None and b.factor is not None:
            ki, factor = drug.number(b.ki), drug.number(b.factor, key)
            kd = ki.value * factor.value
            rows.append((name, f"Kd {kd:.3g} nM = Ki {_said(ki)} x {factor.value:.3g}", _rivals(ki), efficacy))
        elif b.e0 is not None:
            rows.append((name, f"basal load {_said(drug.number(b.e0))}", _rivals(drug.number(b.e0)), efficacy))
    return "What it binds", ("receptor", "chosen", "rival values", "efficacy"), tuple(rows)


def kinetics_table(drug: Drug) -> Table:
    """Tabulate clearance, volumes, unbound fraction, delay to the brain, and routes of a drug."""
    rows = [
        (name, _said(drug.numbers[name]), _rivals(drug.numbers[name]))
        for name in ("cl", "vc", "q", "vp", "fu", "ke0")
        if name in drug.numbers
    ]
    rows += [
        (f"{route.key}: {route.product}", f"a dose means the {route.salt or 'base'}", "")
        for route in drug.routes.values()
    ]
    return "How it moves", ("number or route", "chosen", "rival values"), tuple(rows)


def in_words(names: Sequence[str]) -> str:
    """Write names of numbers in words, each once.

    >>> in_words(["cl", "mor.koff", "kor.koff", "oral.f", "reference.weight"])
    'clearance; dissociation rate (mu, kappa); share that reaches the blood (by mouth); usual body weight'
    """
    grouped: dict[str, list[str]] = {}
    for name in names:
        place, _, last = name.rpartition(".")
        if place == "fm":
            grouped.setdefault("share that becomes", []).append(last.replace("_", "-"))
            continue
        if last not in WORDS["numbers"]:
            grouped.setdefault(name, [])
            continue
        place = "" if place in ("reference", "size", "cl", "salt", "start", "widmark") else place
        where = RECEPTOR_WORDS.get(place, WAYS.get(place, place.replace("_", " ").replace(".", " ")))
        grouped.setdefault(WORDS["numbers"][last], []).extend([where] if where else [])
    return "; ".join(
        f"{what} ({', '.join(dict.fromkeys(where))})" if where else what for what, where in grouped.items()
    )


def far_apart(drug: Drug) -> list[str]:
    """Return numbers whose rival values lie more than three-fold apart, with the range."""
    found = []
    for name, number in drug.numbers.items():
        values = [v.value for v in number.values if v.value > 0 and v.basis in ("reported", "digitised")]
        if len(values) > 1 and max(values) > 3 * min(values):
            unit = "" if number.unit == "1" else f" {number.unit}"
            found.append(f"{in_words([name])}, {min(values):.3g} to {max(values):.3g}{unit}")
    return found
