"""Whatever is typed or written, it runs or is refused in words: no other error, ever.

Every case follows from the seed and its number, so a failure names what brings it back.
"""

from __future__ import annotations

import json
import math
import random
import string
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schild.catalog import load
from schild.errors import InputError
from schild.regimen import parse_regimen, read_nonmem_people
from schild.simulation import Run, events_of, model_of, simulate_run
from schild.simulation.runfile import history_words, parse_history

SEED = 20250609
QUICK = 500
MANY = 10_000

#: What is given to the engine stays this small, so that ten thousand cases take minutes.
MOST_EVENTS = 60
MOST_TIMES = 50
MOST_PEOPLE = 5

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
    "d", "None", "🙂", "\u202e", "\u00a0", "\ufeff", "Ａ", "%s", "{0}", "{x", "\\", "'", "\"", "[bold]",
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------ making


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


COLUMNS = ("RATE", "DUR", "II", "ADDL", "SS", "EVID", "DRUG", "ROUTE", "AMTU", "BASIS", "DV", "ID")
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


# ----------------------------------------------------------------------------------------------------- running


def small(run: Run) -> bool:
    """Whether a run is small enough to be solved here. What makes it large is checked before anything is large."""
    until = run.until_tick
    events = sum(dose.count or 1 for dose in run.history) // 10
    for dose in run.doses:
        if dose.every_tick:
            room = max(0, until - dose.time_tick) // dose.every_tick + 1
            events += room if dose.count is None else min(room, dose.count)
        else:
            events += 1
    return events <= MOST_EVENTS


def people_in(run: Run) -> int:
    return 1 if run.population is None else run.population.n * max(run.population.uncertainty, 1)


def follow(run: Run, solve: bool) -> str:
    """Take a run as far as it goes, and say how far that was."""
    assert Run.parse(run.model_dump(exclude_unset=True)) == run
    run.who  # noqa: B018  (reads the words)
    if not small(run):
        return "large"
    events_of(run)
    model_of(run, catalogue=catalogue())
    if not solve or people_in(run) > MOST_PEOPLE or len(run.grid_tick) > MOST_TIMES:
        return "built"
    with np.errstate(all="ignore"):
        result = simulate_run(run, catalogue=catalogue(), threads=1)
    json.loads(result.to_json())
    good = result.status == 0
    for name, output in result.outputs.items():
        values = output.values[good]
        assert np.isfinite(values).all(), f"{name} is not finite"
        if "_occupancy_" in name or name in ("mor_free", "kor_free", "dor_free"):
            assert values.min(initial=0) >= -1e-3, name
            assert values.max(initial=0) <= 1 + 1e-3, name
    return "solved" if good.all() else "failed subjects"


def case(k: int, folder: Path) -> tuple[str, str]:
    """Run one case; give its text and what became of it."""
    rng = random.Random(f"{SEED}:{k}")
    kind = rng.random()
    solve = rng.random() < 0.25
    text = ""
    try:
        if kind < 0.40:
            text = words(rng) if rng.random() < 0.7 else sentence(rng)
            regimen = parse_regimen(text)
            assert parse_regimen(regimen.to_words()) == regimen
            texts = [text] if rng.random() < 0.7 else [text, rng.choice(VALID)]
            told = follow(Run.of(*texts, until=rng.choice(("1 d", "30 h", "3 d")), every="6 h"), solve)
        elif kind < 0.85:
            text = file_text(rng)
            file = folder / "run.toml"
            file.write_text(text, encoding="utf-8", errors="surrogatepass")
            run = Run.from_toml(file)
            file.write_text(run.to_toml(), encoding="utf-8")
            assert Run.from_toml(file) == run, "the run file that was written is another run"
            told = follow(run, solve)
        else:
            text = table_text(rng)
            file = folder / "table.csv"
            file.write_text(text, encoding="utf-8", errors="surrogatepass")
            people = read_nonmem_people(file, {1: ("naltrexone", "oral")}, amount_unit=rng.choice(("mg", "mg", None)))
            told = "read"
            for regimen in list(people.values())[:2]:
                if len(regimen) > 0:
                    told = follow(Run.of(*(dose.to_words() for dose in regimen), until="3 d", every="6 h"), solve)
    except InputError as error:
        message = str(error)
        assert len(message) > 20
        assert message.isascii() or "\ufffd" not in message
        told = "refused"
    except Exception as error:
        raise AssertionError(f"case {k}: {type(error).__name__}: {error}\n{text!r}") from error
    return text, told


def fuzz(numbers: range, folder: Path) -> dict[str, int]:
    told: dict[str, int] = {}
    for k in numbers:
        how = case(k, folder)[1]
        told[how] = told.get(how, 0) + 1
    return told


def test_some_inputs_run_or_are_refused_in_words(tmp_path):
    told = fuzz(range(QUICK), tmp_path)
    # A fuzz that only ever is refused, or never is, tests nothing.
    assert told["refused"] > QUICK // 5
    assert told["solved"] > QUICK // 100
    assert told["built"] > QUICK // 20


def test_histories_in_any_words_run_or_are_refused_in_words():
    told: dict[str, int] = {}
    for k in range(QUICK):
        rng = random.Random(f"{SEED}:history:{k}")
        past = [history(rng) for _ in range(rng.choice((1, 1, 2)))]
        try:
            run = Run.parse({"run": {"until": "1 d", "every": "6 h"}, "subject": {"history": past}})
            assert Run.parse(tomllib.loads(run.to_toml())) == run
            for dose in run.history:
                assert parse_history(history_words(dose)) == dose, dose
            how = follow(run, k % 8 == 0)
        except InputError as error:
            how = "refused" if len(str(error)) > 20 else "refused without a word"
        except Exception as error:
            raise AssertionError(f"case {k}: {type(error).__name__}: {error}\n{past!r}") from error
        told[how] = told.get(how, 0) + 1
    assert "refused without a word" not in told
    assert told["refused"] > QUICK // 10
    assert told["solved"] > QUICK // 50
    assert told["built"] > QUICK // 5


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_many_inputs_run_or_are_refused_in_words(tmp_path, part):
    step = MANY // 10
    fuzz(range(QUICK + part * step, QUICK + (part + 1) * step), tmp_path)


def test_the_command_line_leaves_with_two_or_nothing_else(tmp_path, capsys):
    """Words and files, through the parser and out again."""
    from schild.cli import main

    for k in range(60):
        rng = random.Random(f"{SEED}:cli:{k}")
        given = [words(rng) for _ in range(rng.choice((1, 1, 2)))]
        if rng.random() < 0.4:
            file = tmp_path / "run.toml"
            file.write_text(file_text(rng), encoding="utf-8", errors="surrogatepass")
            given = [str(file)]
        options = ["--dry-run"] if rng.random() < 0.7 else ["--until", "1d", "--every", "6h", "--json"]
        if rng.random() < 0.5:
            options += [
                rng.choice(("--until", "--every", "--n", "--seed", "--weight", "--outputs")),
                mutated(rng, "1 d"),
            ]
        if "--n" in options and options[options.index("--n") + 1].strip().isdecimal():
            continue
        if any("x" in text and "q" in text for text in given):
            continue  # may stand for a great many doses
        code = main(["simulate", *given, *options])
        told = capsys.readouterr()
        assert code in (0, 2), (k, given, options, told.err)
        assert "Traceback" not in told.err
        if code == 2:
            assert told.out == ""
            assert told.err.count("schild: ") == 1
