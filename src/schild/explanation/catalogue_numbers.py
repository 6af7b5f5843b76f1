"""Numbers of a drug as tables and in words: binding, kinetics, and values that lie far apart."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from schild.catalog import Catalogue, Drug
from schild.evidence import Number, Value
from schild.report.parts import source_words

#: Caption, columns, rows.
Table = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
#: Words of receptors, routes, roles, numbers and measured quantities.
WORDS: Mapping[str, Mapping[str, Any]] = tomllib.loads(
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


def capitalised(text: str) -> str:
    """Return a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def figures(value: float, digits: int = 3) -> str:
    """Write a number with its significant digits, without an exponent and without zeros at its end.

    >>> figures(10170.0), figures(0.05), figures(0.763452, 2)
    ('10,200', '0.05', '0.76')
    """
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def _sources(value: Value) -> str:
    """Kind and sources of a value; what was computed or assumed here has no other source."""
    names = [source_words(key) for key in value.source if key not in ("schild", "Recalled")]
    return ", ".join(["recalled" if "Recalled" in value.source else value.basis, *names])


def _said(number: Number) -> str:
    unit = "" if number.unit == "1" else f" {number.unit}"
    return f"{figures(number.chosen.value)}{unit} ({_sources(number.chosen)})"


def _rivals(number: Number) -> str:
    return "; ".join(f"{figures(v.value)} ({_sources(v)})" for v in number.rivals) or "none"


def binding_table(drug: Drug) -> Table:
    """Tabulate affinities in use, rival values and efficacies of a drug at each receptor."""
    default = drug.default_structure
    key = None if default is None else default.key
    rows = []
    for receptor, b in drug.binding.items():
        name = RECEPTOR_WORDS.get(receptor, receptor)
        efficacy = "none" if b.efficacy is None else figures(drug.number(b.efficacy, key).value, 2)
        if b.kd is not None:
            number = drug.number(b.kd, key)
            rows.append((name, f"Kd {_said(number)}", _rivals(number), efficacy))
        elif b.ki is not None and b.factor is not None:
            ki, factor = drug.number(b.ki), drug.number(b.factor, key)
            kd = ki.value * factor.value
            rows.append(
                (name, f"Kd {figures(kd)} nM = Ki {_said(ki)} × {figures(factor.value)}", _rivals(ki), efficacy)
            )
        elif b.e0 is not None:
            rows.append((name, f"basal load {_said(drug.number(b.e0))}", _rivals(drug.number(b.e0)), efficacy))
    return "Binding", ("receptor", "in use", "rival values", "efficacy"), tuple(rows)


def kinetics_table(drug: Drug, catalogue: Catalogue) -> Table:
    """Tabulate clearance, volumes, unbound fraction, exchange with the brain, and routes of a drug."""
    numbers = in_use(drug, catalogue)
    rows = [
        (capitalised(WORDS["numbers"][name]), _said(numbers[name]), _rivals(numbers[name]))
        for name in ("vmax", "km", "cl", "vc", "q", "vp", "fu", "ke0")
        if name in numbers
    ]
    rows += [
        (f"{capitalised(_place(route.key))}: {route.product}", f"doses are stated as the {route.salt or 'base'}", "")
        for route in drug.routes.values()
    ]
    return "Kinetics", ("number or route", "in use", "rival values"), tuple(rows)


def _place(key: str) -> str:
    """Where a number applies, or how a drug is given, in words."""
    return WORDS["places"].get(key) or RECEPTOR_WORDS.get(key) or WAYS.get(key) or key.replace("_", " ")


def in_use(drug: Drug, catalogue: Catalogue) -> dict[str, Number]:
    """Return the numbers of a drug in use: of rival structures only those of the one that is the default.

    >>> from schild.catalog import load
    >>> [name for name in in_use(load().drug("beta_naltrexol"), load()) if "ke0" in name]
    ['ke0']
    """
    owner = catalogue.drug(drug.follows) if drug.follows else drug
    default = owner.default_structure.key if owner.default_structure else None
    found = {name: n for name, n in drug.numbers.items() if name.partition(".")[0] not in owner.structures}
    if default:
        own = len(default) + 1
        found |= {name[own:]: n for name, n in drug.numbers.items() if name.startswith(f"{default}.")}
    for name, number in found.items():
        entry, _, first = (number.same_as or drug.key).partition(":")
        if entry not in catalogue.drugs:  # the same substance, as alcohol is for ethanol: its own sources
            found[name] = catalogue.numbers_of(entry)[first]
    return found


def in_words(names: Iterable[str], drugs: Mapping[str, Drug] | None = None) -> str:
    """Write names of numbers in words, each once; ``drugs``: names of metabolites.

    >>> in_words(["cl", "mor.koff", "kor.koff", "oral.f", "reference.weight"])
    'clearance; dissociation rate (mu, kappa); bioavailability (by mouth); usual body weight'
    >>> in_words(["fm.morphine", "fm.morphine.pm", "oral.f.liver_severe"])
    'fraction that becomes (morphine, morphine in poor metabolisers); change with severe liver disease (by mouth)'
    """
    grouped: dict[str, list[str]] = {}
    for name in names:
        *places, last = name.split(".")
        if (places and places[0] == "fm") or last in (drugs or ()):
            made = next(key for key in (*places, last) if key != "fm" and key not in WAYS)
            said = drugs[made].name if drugs and made in drugs else made.replace("_", "-")
            where = [said + (f" {WORDS['metabolisers'][last]}" if last in WORDS["metabolisers"] else "")]
            what = WORDS["numbers"]["fm"]
        else:
            where = [said for said in map(_place, places) if said != "-"]
            what = WORDS["numbers"].get(last, last.replace("_", " "))
        grouped.setdefault(what, []).extend([" ".join(where)] if where else [])
    return "; ".join(
        f"{what} ({', '.join(dict.fromkeys(where))})" if where else what for what, where in grouped.items()
    )


def far_apart(drug: Drug, catalogue: Catalogue) -> list[str]:
    """Return numbers whose rival values lie more than three-fold apart, with the range."""
    found = []
    for name, number in in_use(drug, catalogue).items():
        values = [v.value for v in number.values if v.value > 0 and v.basis in ("reported", "digitised")]
        if len(values) > 1 and max(values) > 3 * min(values):
            unit = "" if number.unit == "1" else f" {number.unit}"
            found.append(f"{in_words([name])}, {figures(min(values))} to {figures(max(values))}{unit}")
    return found
