"""Random input for fuzz tests: regimens in words, run files, histories and tables, mostly with a meaning."""

from __future__ import annotations

import json
import math
import random
import string
from collections.abc import Sequence
from functools import cache
from typing import Any

from schild.catalog import load

VALID = (
    "naltrexone 50 mg po",
    "naltrexone 50 mg po q24h x7",
    "naltrexone 50 mg po q24h x28 skip 5-8,20",
    "naltrexone 50 mg base po at 2 d",
    "naltrexone 380 mg im_depot q28d x2",
    "naltrexone 50 mg po q24h ss",
    "naloxone 4 mg in at 60 s",
    "naloxone 0.4mg iv",
    "morphine 2 mg/h iv for 6 h",
    "morphine 10 mg iv over 30 min q6h x4",
    "morphine 0.15 mg/kg iv",
    "morphine 30 mg oral q6h x10 from -2 d",
    "heroin 25 mg iv at 1 d",
    "fentanyl 100 mcg iv",
    "hydromorphone 4 mg po lag 30 min f 0.5",
    "beta_naltrexol 5 mg iv",
    "reset at 1 d",
    "naltrexone 50 mg po; morphine 5 mg iv at 1 d",
)
NUMBERS = (
    "0", "-0", "1", "-1", "2", "7", "24", "1e3", "1e-9", "1e-30", "1e30", "1e308", "1e309", "1e999", "-1e9",
    "nan", "inf", "-inf", "0.1", ".5", "5.", "1,000", "1_000", "0x10", "٣", "²", "½", "1e", "--1", "+3",
    "999999999999999999999999999999", "0.00000000000000000000000000000000000000001", "1/2", "1e+", "١",
)  # fmt: skip
UNITS = (
    "mg", "g", "ug", "mcg", "µg", "μg", "ng", "kg", "mol", "nmol", "mg/kg", "mg/h", "ug/kg/min", "ml", "L",
    "mL/min", "%", "IU", "h", "d", "s", "min", "wk", "us", "y", "days", "hours", "meter", "mg/", "/kg",
    "mg/kg/kg", "m", "M", "", "lb", "degC", "mg*2", "mg**2", "__import__",
)  # fmt: skip
WORDS = (
    "naltrexone", "naloxone", "morphine", "heroin", "fentanyl", "hydromorphone", "endogenous", "mam", "m6g",
    "ntx", "po", "oral", "iv", "im", "sc", "in", "sl", "im_depot", "implant", "transdermal", "smoked",
    "oral_er", "base", "hydrochloride", "hcl", "citrate", "q24h", "q0h", "q-1h", "q1us", "q", "qd", "bid",
    "prn", "x7", "x0", "x-1", "x99999999999", "x", "×3", "skip", "1-3", "3-1", "1,2,,3", "5-", "at", "from",
    "for", "over", "lag", "f", "ss", "ss2", "ss3", "reset", "then", "and", ";", "\n", "\t", "(", ")", "mg", "h",
    "p.o.", "b.i.d.", "daily", "every", "other", "day", "on", "@", "8am", "08:00", "Mon/Wed/Fri", "1/2", "2x", "gr",
    "LDN", "Narcan", "vivitrol",
    "d", "None", "🙂", "\u202e", "\u00a0", "\ufeff", "Ａ", "%s", "{0}", "{x", "\\", "'", "\"", "[bold]",
)  # fmt: skip


@cache
def catalogue() -> Any:
    return load()


def mutated(rng: random.Random, text: str) -> str:
    """Damage a text a little, by letters and by words."""
    for _ in range(rng.choice((0, 0, 0, 1, 1, 1, 2, 4))):
        words = text.split(" ")
        k = rng.randrange(len(words))
        at = rng.randrange(len(text) + 1)
        match rng.randrange(10):
            case 0:
                del words[k]
                text = " ".join(words)
            case 1:
                words.insert(k, rng.choice(WORDS))
                text = " ".join(words)
            case 2:
                words[k] = rng.choice(WORDS)
                text = " ".join(words)
            case 3:
                words[k] = rng.choice(NUMBERS)
                text = " ".join(words)
            case 4:
                words[k] = rng.choice(NUMBERS) + rng.choice(("", " ")) + rng.choice(UNITS)
                text = " ".join(words)
            case 5:
                j = rng.randrange(len(words))
                words[k], words[j] = words[j], words[k]
                text = " ".join(words)
            case 6:
                text = text[:at] + text[at + 1 :]
            case 7:
                text = text[:at] + rng.choice(string.printable) + text[at:]
            case 8:
                text = (
                    text[:at]
                    + chr(rng.choice((0, 7, 27, 127, 133, 160, 8232, 65279, 0x1F600, rng.randrange(0xD7FF))))
                    + text[at:]
                )
            case _:
                digits = [i for i, c in enumerate(text) if c.isdigit()]
                if digits:
                    i = rng.choice(digits)
                    text = text[:i] + rng.choice(NUMBERS) + text[i + 1 :]
        if not text:
            return text
    return text


def noise(rng: random.Random) -> str:
    """Say something in the words of the grammar, in no order."""
    parts = [rng.choice(rng.choice((WORDS, NUMBERS, UNITS, WORDS))) for _ in range(rng.randrange(12))]
    return rng.choice((" ", " ", "")).join(parts)


def mostly(rng: random.Random, good: Sequence[Any], bad: Sequence[Any], share: float = 0.06) -> Any:
    """Choose something good, and now and then something bad."""
    return rng.choice(bad) if rng.random() < share else rng.choice(good)


def sentence(rng: random.Random) -> str:
    """Make a regimen that means something, with clauses that may not go together and amounts that may be absurd."""
    drug = rng.choice([d for d in catalogue().drugs.values() if d.routes])
    route = mostly(rng, list(drug.routes), ["sl", "implant"])
    number = mostly(rng, ("50", "1", "0.4", "25"), ("1e-9", "1e-6", "1e9", "1e15", "0.000001"), 0.2)
    unit = mostly(rng, ("mg", "mg", "ug", "nmol", "mg/kg", "g"), UNITS)
    parts = [drug.key, f"{number} {unit}"]
    if rng.random() < 0.1:
        parts.append(mostly(rng, ["base", *drug.salts], ["citrate"]))
    clauses = {
        f"q{rng.choice(('24h', '6h', '12h', '7d', '28d', '90min', '1h', '10s'))}": 0.45,
        f"x{rng.choice((1, 2, 3, 7, 28))}": 0.35,
        f"skip {rng.choice(('1', '2', '2-3', '2,4', '9'))}": 0.1,
        f"over {rng.choice(('30 min', '6 h', '3 d', '1 us'))}": 0.1,
        rng.choice(("ss", "ss2")): 0.12,
        f"lag {rng.choice(('30 min', '2 d', '0 h'))}": 0.08,
        f"f {rng.choice(('0.5', '2', '1e-6', '1e6'))}": 0.08,
        "reset": 0.05,
        f"{rng.choice(('at', 'from'))} {rng.choice(('0 h', '1 d', '6 h', '-2 d', '-30 d', '23.5 h'))}": 0.4,
    }
    if rng.random() < 0.1:
        parts[1] = f"{number} {rng.choice(('mg/h', 'ug/min', 'ug/kg/h', 'mg/d'))}"
        clauses = {k: v for k, v in clauses.items() if not k.startswith("over")} | {
            f"for {rng.choice(('2 h', '1 d'))}": 0.8
        }
    parts.append(route)
    chosen = [clause for clause, share in clauses.items() if rng.random() < share]
    rng.shuffle(chosen)
    return " ".join((*parts, *chosen))


def words(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.1:
        return noise(rng)
    return mutated(rng, rng.choice(VALID)) if kind < 0.5 else sentence(rng)


def time(rng: random.Random) -> str:
    if rng.random() < 0.85:
        return rng.choice(("1 h", "6h", "1 d", "2 d", "36 h", "90 min", "0.5 d", "48 h", "-1 d", "0 h"))
    return rng.choice(NUMBERS) + rng.choice(("", " ")) + rng.choice(UNITS)


def value(rng: random.Random, depth: int = 0) -> Any:
    """Any value that TOML can hold."""
    match rng.randrange(9 if depth < 2 else 6):
        case 0:
            return rng.choice((0, 1, -1, 7, 2**31, 2**63 - 1, -(2**63), 10**9, rng.randrange(-100, 100)))
        case 1:
            return rng.choice((0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 1e308, 5e-324, rng.gauss(0, 100)))
        case 2:
            return rng.random() < 0.5
        case 3:
            return words(rng)
        case 4:
            return time(rng)
        case 5:
            return rng.choice(("", "mor", "kor", "naltrexone", "slow_receptor", "plasma_naltrexone", "70 kg", "female"))
        case 6:
            return [value(rng, depth + 1) for _ in range(rng.randrange(3))]
        case 7:
            return {
                rng.choice(("a", "drug", "naltrexone", "n", "")): value(rng, depth + 1) for _ in range(rng.randrange(3))
            }
        case _:
            return Raw(rng.choice(("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "0x1F", "1_000", "'''\nx'''")))


class Raw(str):
    """Something that stands in the file as it is."""


def plausible(rng: random.Random) -> dict[str, Any]:
    """Make a run file that means something, mostly."""
    number = rng.choice(NUMBERS)
    head: dict[str, Any] = {"until": mostly(rng, ("1 d", "36 h", "3 d", "6 h"), (time(rng),), 0.2)}
    if rng.random() < 0.8:
        head["every"] = mostly(rng, ("6 h", "12 h", "1 d"), (time(rng),), 0.2)
    structures = ("slow_receptor", "plasma_equilibrium", "effect_compartment", {"naltrexone": "slow_receptor"})
    options = {
        "seed": mostly(rng, (0, 1, 2**62), (-1, 2**63)),
        "structure": mostly(rng, structures, ("none", {"x": "y"}, {"morphine": "slow_receptor"}, {})),
        "receptors": mostly(rng, (["mor"], ["kor", "dor"], ["mor_gut", "mor"]), (["mor", "mor"], [], ["x"])),
        "outputs": mostly(rng, (["mor_free", "mor_pet_occupancy"],), (["mor_free", "mor_free"], [], ["x"])),
        "tone": rng.random() < 0.5,
        "without": mostly(rng, (["naltrexone"], ["beta_naltrexol", "naltrexone"], []), (["x"], ["endogenous"])),
        "title": words(rng),
    }
    head |= {name: entry for name, entry in options.items() if rng.random() < 0.15}
    data: dict[str, Any] = {"run": head}
    people = {
        "weight": mostly(rng, ("70 kg", "154 lb", "20 kg", "300 kg", "70000 g"), ("19 kg", f"{number} kg")),
        "age": mostly(rng, ("40 years", "12 y", "110 years"), ("11 years", f"{number} years")),
        "sex": mostly(rng, ("female", "male"), ("x",)),
        "liver": mostly(rng, ("normal", "mild", "moderate", "severe"), ("x",)),
        "crcl": mostly(rng, ("100 mL/min", "6 L/h", "1 mL/min", "300 mL/min"), (f"{number} mL/min",)),
        "dependent": mostly(rng, ("yes", "no"), ("x",)),
    }
    person = {name: entry for name, entry in people.items() if rng.random() < 0.25}
    if rng.random() < 0.3:
        data["population"] = {"n": mostly(rng, (1, 2, 3, 5), (0, 10**6, 10**9), 0.15), **person}
        if rng.random() < 0.3:
            data["population"] |= {"uncertainty": mostly(rng, (0, 1, 2), (-1,)), "variability": rng.random() < 0.5}
    elif person:
        data["subject"] = person
    doses: list[Any] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < 0.6:
            doses.append({"regimen": sentence(rng) if rng.random() < 0.8 else words(rng)})
            continue
        drug = rng.choice([d for d in catalogue().drugs.values() if d.routes])
        amounts = ("50 mg", "1 ug", "0.1 mg/kg", "100 nmol")
        dose: dict[str, Any] = {
            "drug": mostly(rng, (drug.key,), ("endogenous", "x")),
            "amount": mostly(rng, amounts, (f"{number} {rng.choice(UNITS)}",), 0.15),
            "route": mostly(rng, list(drug.routes), ("x", "sl")),
        }
        extra = {
            "time": time(rng),
            "duration": time(rng),
            "rate": mostly(rng, ("2 mg/h", "1 ug/kg/min"), (f"{number} mg/h",), 0.3),
            "every": time(rng),
            "count": mostly(rng, (1, 2, 7), (0, -1, 10**6, 10**12), 0.2),
            "skip": mostly(rng, ([2], [2, 3]), ([1], [0], [-1], [99]), 0.3),
            "salt": mostly(rng, ["base", *drug.salts], ("x", "")),
            "ss": rng.choice((0, 1, 2, 3)),
            "evid": rng.choice((1, 3, 4, 5)),
        }
        doses.append(dose | {name: entry for name, entry in extra.items() if rng.random() < 0.15})
    data["dose"] = doses
    if rng.random() < 0.15 and set(data) & {"subject", "population"}:
        who = "population" if "population" in data else "subject"
        data[who]["history"] = [history(rng) for _ in range(rng.choice((1, 1, 2)))]
        if rng.random() < 0.3:
            head["adaptation"] = mostly(rng, (True, False, "inhibitor"), ("x", 3, None), 0.2)
            head = {name: entry for name, entry in head.items() if entry is not None}
            data["run"] = head
        if rng.random() < 0.2:
            data["dose"] = []
    return data


HISTORIES = (
    "morphine 30 mg po q6h for 10 d stopped 3 d",
    "methadone 60 mg po q24h for 90 d",
    "heroin 25 mg iv q8h for 5 d, stopped 6 h ago",
    "morphine 2 mg/h iv for 3 h q12h for 4 d stopped 1 d",
)


def history(rng: random.Random) -> Any:
    """Make earlier use, in words or as a table, mostly with a meaning."""
    if rng.random() < 0.6:
        text = mutated(rng, rng.choice(HISTORIES))
        return text if rng.random() < 0.5 else {"words": text}
    drug = rng.choice([d for d in catalogue().drugs.values() if d.routes])
    entry: dict[str, Any] = {
        "drug": mostly(rng, (drug.key,), ("x",)),
        "amount": mostly(rng, ("10 mg", "100 ug", "0.1 mg/kg"), (rng.choice(NUMBERS),)),
        "route": mostly(rng, list(drug.routes), ("x",)),
        "every": mostly(rng, ("6 h", "24 h", "7 d"), (time(rng),), 0.2),
        "days": mostly(rng, (1, 7.5, 40), (0, -1, math.nan, math.inf, 1e9), 0.2),
        "stopped": mostly(rng, ("0 h", "3 d"), (time(rng),), 0.3),
    }
    return {name: value for name, value in entry.items() if rng.random() < 0.95}


def damaged(rng: random.Random, data: dict[str, Any]) -> dict[str, Any]:
    """Change a few entries: another type, another name, gone."""
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        place: Any = data
        while True:
            if isinstance(place, list):
                if not place:
                    break
                key: Any = rng.randrange(len(place))
            elif isinstance(place, dict) and place:
                key = rng.choice(list(place))
            else:
                break
            if isinstance(place[key], (dict, list)) and rng.random() < 0.8:
                place = place[key]
                continue
            match rng.randrange(4):
                case 0:
                    del place[key]
                case 1 if isinstance(place, dict):
                    place[rng.choice(("x", "seed", "n", "drug", "every", "a b", "ü", ""))] = value(rng)
                case _:
                    place[key] = value(rng)
            break
    return data


def toml(entry: Any) -> str:
    if isinstance(entry, Raw):
        return str(entry)
    if isinstance(entry, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in entry.items()) + "}"
    if isinstance(entry, list):
        return "[" + ", ".join(map(toml, entry)) + "]"
    if isinstance(entry, float) and not math.isfinite(entry):
        return "nan" if math.isnan(entry) else ("inf" if entry > 0 else "-inf")
    return json.dumps(entry, ensure_ascii=False).replace("\x7f", "\\u007f")


def file_text(rng: random.Random) -> str:
    data = damaged(rng, plausible(rng))
    text = "\n".join(f"{json.dumps(k)} = {toml(v)}" for k, v in data.items())
    return mutated(rng, text) if rng.random() < 0.1 else text


COLUMNS = (
    "RATE", "DUR", "II", "ADDL", "SS", "EVID", "DRUG", "ROUTE", "AMTU", "BASIS", "DV", "ID",
    "SUBJID", "OCC", "DAY", "DTC", "FLAG", "FORM", "CENS", "LIMIT", "MDV", "DVU",
)  # fmt: skip
_CELLS = {"CMT": "1", "EVID": "1", "II": "24", "DRUG": "naltrexone", "ROUTE": "oral", "AMTU": "mg", "ID": "1"}


def table_text(rng: random.Random) -> str:
    names = ["TIME", "AMT", "CMT", *(c for c in COLUMNS if rng.random() < 0.25)]
    if rng.random() < 0.08:
        names[rng.randrange(len(names))] = rng.choice((*COLUMNS, "DATE", "", "TIME"))
    rows = []
    for k in range(mostly(rng, (1, 2, 3, 5), (0,))):
        row = {"TIME": f"{12 * k}", "AMT": rng.choice(("5", "50", "0.1")), **_CELLS}
        rows.append([row.get(name, ".") for name in names])
    for _ in range(rng.choice((0, 0, 1, 2))):
        if rows:
            changed = rng.choice(rows)
            changed[rng.randrange(len(changed))] = rng.choice((*NUMBERS, *WORDS, *"01234.", "", "-1", "-2"))
    text = "\n".join(",".join(line) for line in [names, *rows])
    return mutated(rng, text) if rng.random() < 0.1 else text
