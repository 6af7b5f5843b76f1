"""Whatever a file, a name or a number is, a command ends with its exit code and one message, in bounded time.

Every case follows from the seed and its number, so a failure names what brings it back. SCHILD_FUZZ sets how many are
tried, SCHILD_FUZZ_SEED another seed.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fuzzing import NUMBERS, UNITS, VALID, WORDS, damaged, mostly, mutated, sentence, toml, value, words
from schild import simulate
from schild.cli import main

SEED = os.environ.get("SCHILD_FUZZ_SEED", "20261129")
QUICK = 12
MANY = int(os.environ.get("SCHILD_FUZZ", "400"))

#: Processor time that a command may take here; the slowest take a tenth, but an answer with its page takes 45 [s].
MOST_S = 30.0
ANSWER_S = 90.0

OVERLAYS = sorted((Path(__file__).parents[1] / "data" / "overlay").glob("*.toml"))
MARKS = (
    "[/x]", "[bold red]", "\\[", ":smile:", "$\\frac{1$", "x_$%", "\x1b[2J", "\x07", "\r", "\u202e", "<b>&amp;</b>",
    "]]>", "{0}", "%s", "'\"", "\ud7ff", "\uffff", "日本", "🙂", "a" * 5000, "\n", "  ",
)  # fmt: skip
LONG = (
    "9" * 5000,
    "0x" + "f" * 5000,
    "1." + "9" * 5000,
    "1e" + "9" * 500,
    "9" * 390,
    "1e308",
    "5e-324",
    "-0",
    "nan",
    "inf",
)
#: What is inserted into a file: its nesting or length chokes a parser.
CHOKING = (
    ".".join(["a"] * 2000) + " = 1", "[" + ".".join(["b"] * 500) + "]", "c = " + "[" * 3000, "d = " + "{e = " * 2000,
    "f = " + "9" * 5000, "g = 0o" + "7" * 5000, 'h = "' + "x" * 100_000, "i = '''", "[[j]]\n" * 3000, "k = 1\nk = 2",
    "l = 1979-99-99", 'm = "\\ud800"', "\0", "\ufeff",
)  # fmt: skip
#: Endings of compressed files; what the file begins with may be that or not.
ENDINGS = ("toml", "csv", "gz", "zip", "xz", "zst", "tar", "bz2", "json", "", "TOML")
PACKED = (
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\0",
)


def mark(rng: random.Random) -> str:
    """Make a name or a title that nobody means."""
    return "".join(rng.choice((*MARKS, "a", "b c", rng.choice(WORDS))) for _ in range(rng.choice((1, 1, 2, 4))))


def number(rng: random.Random, good: tuple[Any, ...]) -> str:
    return str(mostly(rng, good, (*NUMBERS, *LONG), 0.3))


def save(rng: random.Random, folder: Path, text: str, ending: str) -> Path:
    """Write a file: mostly as it is, else damaged, compressed or under another ending."""
    raw = text.encode("utf-8", errors="surrogatepass")
    if rng.random() < 0.12:
        lines = text.split("\n")
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(CHOKING))
        raw = "\n".join(lines).encode("utf-8", errors="surrogatepass")
    elif rng.random() < 0.06:
        packed = gzip.compress(raw, mtime=0)
        raw = rng.choice((packed, rng.choice(PACKED) + raw, rng.randbytes(300), text.encode("utf-16"), b""))
    if rng.random() < 0.06:
        ending = rng.choice(ENDINGS)
    path = folder / f"file.{ending}"
    path.write_bytes(raw)
    return path


def tables(data: dict[str, Any]) -> str:
    return "\n".join(f"{json.dumps(name)} = {toml(entry)}" for name, entry in data.items()) + "\n"


def a_trial(rng: random.Random, folder: Path) -> list[str]:
    arm: dict[str, Any] = {
        "name": mark(rng),
        "drug": mostly(rng, ("naltrexone", "nalmefene"), ("morphine", "x", mark(rng))),
    }
    arm["amount"] = mostly(rng, ("50 mg", "18 mg"), ("1e15 kg", "-5 mg", "1e-300 mg", words(rng)), 0.2)
    extra = {
        "adherence": mostly(rng, (0.0, 0.5, 1.0), (math.nan, -1)),
        "counselling": mostly(rng, (-5, 5, 0.1), (1e308,)),
        "dosing": mostly(rng, ("daily", "as_needed"), ("schedule", "x")),
        "stop": mostly(rng, (0.0, 1.0), (2,)),
    }
    arm |= {name: entry for name, entry in extra.items() if rng.random() < 0.2}
    head = {
        "n": mostly(rng, (2, 3), (0, 1, 10**7, 10**18, -1), 0.15),
        "weeks": mostly(rng, (4, 5), (3, 10**7, 104)),
        "replicates": mostly(rng, (1, 2), (0, 10**7)),
        "title": mark(rng),
        "seed": mostly(rng, (0, 7), (2**63, -1)),
    }
    data: dict[str, Any] = {"trial": {name: entry for name, entry in head.items() if name == "n" or rng.random() < 0.6}}
    data["trial"].setdefault("weeks", 4)
    if rng.random() < 0.5:
        odds = (-20, 20, -3, 0)
        data["response"] = {
            "drinking": mostly(rng, odds, (math.nan, -21)),
            "heavy": mostly(rng, odds, (math.inf, 1e308)),
        }
    if rng.random() < 0.2:
        data["population"] = {
            rng.choice(("liver", "sex", "disorder", "reference", "x")): rng.choice(
                ("severe", "female", "adult", "opioid")
            )
        }
    data["arm"] = [arm, {"name": mostly(rng, ("placebo",), (arm["name"], mark(rng))), "placebo": True}][
        : rng.choice((1, 2, 2))
    ]
    text = tables(damaged(rng, data) if rng.random() < 0.3 else data)
    more = rng.choice(([], [], ["--json"], ["--n", number(rng, (2, 3))], ["--html", str(folder / "page.html")]))
    return ["trial", str(save(rng, folder, text, "toml")), *more]


def a_fit(rng: random.Random, folder: Path) -> list[str]:
    if rng.random() < 0.3:
        heads = ["antagonist [nM]", "dose_ratio"]
        rows = [[f"{b}", f"{1 + b / 5}"] for b in (3, 10, 30, 100)]
    else:
        heads = ["antagonist [nM]", "agonist [nM]", "response", rng.choice(("curve", "tissue", "sd"))]
        last = "1" if heads[3] == "sd" else mark(rng).replace("\n", " ")
        rows = [[f"{b}", f"{a}", f"{100 * a / (a + 10 + 2 * b)}", last] for b in (0, 20) for a in (1, 10, 100, 1000)]
        rows = [[*row[:3], f'"{row[3]}"' if '"' not in row[3] else "x"] for row in rows]
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice((*NUMBERS, *LONG, *MARKS))
    if rng.random() < 0.15:
        heads[rng.randrange(len(heads))] = rng.choice(
            (*MARKS, "response [/x]", "antagonist", "antagonist [mg/kg]", "dose")
        )
    given = {
        "--slope": (1, 0.9),
        "--top": (100, 120),
        "--bottom": (0, -1),
        "--molar-mass": (341.4,),
        "--antagonist-unit": ("nM", "mg/kg", *UNITS),
    }
    chosen = [f"{name}={number(rng, good)}" for name, good in given.items() if rng.random() < 0.12]
    if rng.random() < 0.3:
        chosen += [f"--title={mark(rng)}", f"--response-unit={mark(rng)}"]
    if rng.random() < 0.1:
        chosen += ["--plot", str(folder / "figure.svg")]
    text = "\n".join(",".join(row) for row in [heads, *rows])
    return ["fit", str(save(rng, folder, text, "csv")), *chosen, *rng.choice(([], ["--json"]))]


def a_run(rng: random.Random, folder: Path) -> list[str]:
    head = {"title": mark(rng), "until": mostly(rng, ("1 d", "6 h"), (f"{rng.choice(LONG)} d",)), "every": "6 h"}
    person = {
        "liver": "severe",
        "weight": "110 kg",
        "crcl": "20 mL/min",
        "age": "80 years",
        "sex": "female",
        "dependent": "yes",
    }
    data: dict[str, Any] = {
        "run": head,
        "subject": {name: entry for name, entry in person.items() if rng.random() < 0.2},
    }
    if rng.random() < 0.15:
        data["subject"]["history"] = many_courses(rng)
    data["dose"] = [
        {"regimen": mostly(rng, VALID, (f"naltrexone 1 ug po q1us x{rng.choice((20_000, 10**6))}", words(rng)), 0.2)}
    ]
    text = tables(damaged(rng, data) if rng.random() < 0.3 else data)
    how = rng.choice((["simulate", "--dry-run"], ["simulate", "--json"], ["export", "sbml"], ["cite"], ["simulate"]))
    return [*how, str(save(rng, folder, text, "toml"))]


def many_courses(rng: random.Random) -> list[str]:
    n = mostly(rng, (1, 3), (100, 300), 0.3)
    every = mostly(rng, ("6h", "8h", "24h"), ("1us", "1ms", "10s"), 0.2)
    return [f"morphine {k + 1} mg po q{every} for {k % 9 + 1} d stopped {k % 7} d" for k in range(n)]


def an_overlay(rng: random.Random, folder: Path) -> list[str]:
    text = rng.choice(OVERLAYS).read_text(encoding="utf-8")
    lines = text.split("\n")
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        k = rng.randrange(len(lines))
        name, equals, _ = lines[k].partition(" = ")
        entry = rng.choice((json.dumps(mark(rng)), rng.choice(LONG), rng.choice(NUMBERS), toml(value(rng))))
        lines[k] = (
            f"{name} = {entry}" if equals else rng.choice((lines[k], "", "[x]", "[[value]]", mutated(rng, lines[k])))
        )
    path = save(rng, folder, "\n".join(lines), "toml")
    command = rng.choice(
        (
            ["drugs"],
            ["drugs", "exantagonist"],
            ["drugs", "--audit"],
            ["simulate", "naltrexone 50 mg po", "--dry-run"],
            ["cite"],
        )
    )
    return [*command, "--catalogue", str(path)]


def a_size(rng: random.Random, folder: Path) -> list[str]:
    """Ask for more than anybody means, of every command."""
    n = rng.choice((10**7, 10**9, 10**18, 0, -1))
    count = rng.choice((20_000, 20_001, 10**6))
    courses = [word for course in many_courses(rng) for word in ("--history", course)]
    levels = ",".join(map(str, range(rng.choice((3, 51, 9000)))))
    clearance = f'naltrexone.cl="{number(rng, ("x",))} L/h"'
    opioid = "fentanyl 1.6 mg iv"
    return rng.choice((
        ["simulate", f"naltrexone 1 ug po q1us x{count}", "--until", "1 d", "--dry-run"],
        ["simulate", sentence(rng), "--n", f"{n}", "--dry-run"],
        ["simulate", "naltrexone 50 mg po", "--dry-run", *courses],
        ["laboratory", "bar", f"naltrexone {number(rng, ('1e15', '1e9'))} kg po"],
        ["laboratory", "bar", "--n", f"{n}"],
        ["curves", "naltrexone", "--agonist", "morphine", "--levels", levels],
        ["curves", "naltrexone", "--agonist", "morphine", f"--levels={number(rng, (1, 10))},1", "--json"],
        ["export", "sbml", f"naltrexone 1 ug po q1h x{count}"],
        ["export", "sbml", "naltrexone 50 mg po", *courses],
        ["rescue", "--opioid", opioid, "--n", f"{n}"],
        ["rescue", "--opioid", opioid, "--delay", ", ".join(f"{k} s" for k in range(1, 2000))],
        ["challenge", "naltrexone 50 mg po", "--agonist", "heroin 25 mg iv", "--at", "24 h", "--n", f"{n}"],
        ["plan", "--drug", "naltrexone", f"--target={number(rng, (2, -1))}", "--n", f"{n}"],
        ["simulate", "naltrexone 50 mg po", "--set", clearance, "--until", "6 h", "--json"],
        ["structure", mark(rng)], ["drugs", mark(rng)], ["validate", mark(rng)], ["explain", mark(rng)],
    ))  # fmt: skip


def a_person(rng: random.Random) -> list[str]:
    """Describe a person, mostly well, and now and then with more options that commands share."""
    good = {"--weight": "90 kg", "--age": "70 years", "--sex": "female", "--liver": "severe", "--crcl": "25 mL/min"}
    bad = ("0 kg", "1e9 years", "x", "", "-5 mL/min", "9" * 400)
    given = [f"{name}={mostly(rng, (value,), (*bad, mark(rng)), 0.2)}" for name, value in good.items()
             if rng.random() < 0.2]  # fmt: skip
    if rng.random() < 0.15:
        given.append(f"--seed={number(rng, (0, 7, 2**31))}")
    if rng.random() < 0.1:
        given.append(f"--catalogue={rng.choice(OVERLAYS)}")
    if rng.random() < 0.1:
        given.append(f"--set={rng.choice(('naltrexone.cl', 'naltrexone.oral.f', 'x', ''))}={number(rng, (1, 0.5))}")
    return [*given, *rng.choice(([], ["--json"]))]


def a_level(rng: random.Random) -> str:
    value = number(rng, (2, 3, 5))
    unit = mostly(rng, ("ng/mL", "ug/L"), ("nM", "mg", "", *UNITS), 0.15)
    time_ = mostly(rng, ("2 h", "3 h", "4 h"), ("-1 h", "1e9 d", "noon", "", mark(rng)), 0.15)
    return rng.choice(("", "", "<", "6-beta-naltrexol ", "water ")) + f"{value} {unit} at {time_}"


def a_table(rng: random.Random, folder: Path) -> Path:
    """Write a table of doses and levels, mostly as it should be."""
    heads = ["ID", "TIME", "AMT", "DV", "WT", "AMTU", "DRUG", "ROUTE"]
    rows = [[str(i), f"{t}", f"{a}", dv, f"{60 + 9 * i}", "mg", "naltrexone", "oral"]
            for i in (1, 2) for t, a, dv in ((0, 50, "."), (1, 0, "10"), (4, 0, "2.5"), (8, 0, "0.9"))]  # fmt: skip
    for _ in range(rng.choice((0, 0, 1, 2))):
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice((*NUMBERS, *LONG, mark(rng).replace("\n", " ").replace(",", ";")))
    if rng.random() < 0.15:
        heads[rng.randrange(len(heads))] = rng.choice(("ANALYTE", "CENS", "II", "SS", "x", "ID", "", mark(rng)))
    if rng.random() < 0.1:
        rows = rows[:: rng.choice((3, 9))]
    return save(rng, folder, "\n".join(",".join(row) for row in [heads, *rows]), "csv")


def ones_own(rng: random.Random, folder: Path) -> list[str]:
    """Ask the commands for one's own drug, data and patient."""
    regimen = mostly(rng, ("naltrexone 50 mg po", "naltrexone 50 mg po q24h x2", *VALID[:4]), (sentence(rng),), 0.2)
    n = f"--n={number(rng, (5, 8, 40))}"
    free = mostly(rng, ("naltrexone.cl", "naltrexone.oral.f"), ("naltrexone.x", "x", "", mark(rng)), 0.2)
    metric = mostly(rng, ("auc_naltrexone_ng_h_ml", "mor_pet_occupancy_mean"), ("x", "", mark(rng)), 0.15)
    until = f"--until={mostly(rng, ('1 d', '36 h'), ('0 h', '-1 d', '1e9 d', 'x', ''), 0.15)}"
    share = f"{rng.choice(('--target', '--share', '--error'))}={number(rng, (0.5, 0.8))}"
    hold = f"--hold={mostly(rng, ('4 h', '1 d'), ('0 h', '1e9 d', 'x'), 0.2)}"
    drug = mostly(rng, ("naltrexone", "nalmefene", "naloxone"), ("heroin", "buprenorphine", "", mark(rng)), 0.2)
    missed = f"--missed={mostly(rng, ('0', '0,1'), ('-1', '9999', '1e3', ',', '', mark(rng)), 0.3)}"
    vpc = rng.choice(([], [], [f"--vpc={number(rng, (10, 20))}"]))
    made = rng.choice((
        ["forecast", regimen, f"--level={a_level(rng)}", until, n, *rng.choice(([], [share]))],
        ["coverage", mostly(rng, ("naltrexone 50 mg po q24h x4",), (regimen,), 0.3), missed, n],
        ["sensitivity", regimen, f"--metric={metric}", until, n, f"--number={free}"],
        ["compare", regimen, VALID[0], until, f"--label={mark(rng)}", "--label=b"],
        ["compare", regimen, regimen, until, n, *rng.choice(([], ["--nca"]))],
        ["check", str(a_table(rng, folder)), *vpc],
        ["fit-levels", str(a_table(rng, folder)), f"--free={free}", f"--prior={rng.choice(('none', 'people', 'x'))}"],
        ["export", rng.choice(("rxode2", "mrgsolve", "nonmem-model")), regimen, until, f"--out={folder / 'x'}"],
        ["export", "petab", regimen, f"--times={rng.choice(('2 h, 4 h', '2 h', ',', '-1 h', 'x'))}", f"--free={free}",
         f"--error={number(rng, (0, 0.2))}", f"--out={folder / 'x'}"],
        ["induction", mostly(rng, ("heroin 25 mg iv q6h for 9 d",), (*many_courses(rng)[:1], mark(rng), regimen), 0.4),
         f"--added={number(rng, (5, 48))}", "--n=3", *rng.choice(([], [f"--drug={drug}"]))],
        ["plan", f"--drug={drug}", f"--target={number(rng, (0.6, 0.8))}", hold, n, "--uncertainty=1"],
    ))  # fmt: skip
    if made[0] != "export" and rng.random() < 0.08:
        made.append(f"--html={folder / 'page.html'}")
    if made[0] == "export":
        return [*made, *(word for word in a_person(rng) if word != "--json")]
    return [*made, *a_person(rng)] if made[0] not in ("check", "fit-levels") else [*made, *rng.choice(([], ["--json"]))]


def a_place(rng: random.Random, folder: Path) -> list[str]:
    """Name a file that is none, to read or to write."""
    pipe = folder / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
    place = rng.choice(
        (
            "/dev/zero",
            "/dev/full",
            "/dev/null",
            "/dev/urandom",
            "/proc/self/mem",
            "/",
            str(pipe),
            str(folder),
            "",
            " ",
            "x" * 300,
        )
    )
    (folder / "good.csv").write_text("antagonist [nM],dose_ratio\n1,1.2\n10,3\n100,21\n", encoding="utf-8")
    return rng.choice((
        ["simulate", place], ["trial", place], ["fit", place], ["cite", place], ["export", "sbml", place],
        ["import", "nonmem", place, "--cmt", "1=naltrexone oral"], ["drugs", "--catalogue", place],
        ["explain", "naltrexone", "--quick", "--html", place], ["validate", "naltrexone_pet", "--html", place],
        ["fit", str(folder / "good.csv"), "--plot", place],
        ["simulate", "naltrexone 50 mg po", "--plot", place],
        ["rescue", "--opioid", "fentanyl 1.6 mg iv", "--html", place],
    ))  # fmt: skip


KINDS: tuple[tuple[float, Callable[[random.Random, Path], list[str]]], ...] = (
    (0.1, a_trial), (0.15, a_fit), (0.15, a_run), (0.15, an_overlay), (0.15, a_size), (0.15, a_place), (0.15, ones_own),
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compile the kernel first: its seconds belong to no command."""
    simulate("naltrexone 50 mg po", until="1 d")


def case(k: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run one case; give its exit code."""
    rng = random.Random(f"{SEED}:{k}")
    make = rng.choices([kind for _, kind in KINDS], [share for share, _ in KINDS])[0]
    words = make(rng, folder)
    capsys.readouterr()
    began = time.process_time()
    try:
        code = main(words)
    except BaseException as error:
        raise AssertionError(f"case {k}: {type(error).__name__}: {error}\n{words!r}") from error
    took = time.process_time() - began
    told = capsys.readouterr()
    said = f"case {k}: {[word[:200] for word in words]!r} left with {code} after {took:.1f} s\n{told.err[:2000]}"
    # An audit that finds something wrong leaves with 1, and so does a plan that is not reached.
    allowed = (0, 1, 2) if "--audit" in words or words[0] in ("plan", "validate", "induction") else (0, 2)
    assert code in allowed, said
    assert took < (ANSWER_S if words[0] == "explain" else MOST_S), said
    assert "Traceback" not in told.err, said
    assert "bug" not in told.err, said
    assert not set(told.out + told.err) & {"\x1b", "\x07", "\u202e"}, said
    if code == 2:
        assert told.out == "", said
        assert told.err.startswith("schild: "), said
        assert len(told.err) < 4000, said
    elif "--json" in words:
        json.loads(told.out, parse_constant=lambda name: pytest.fail(f"{name} in {said}"))
    elif words[0] in ("trial", "fit", "curves", "simulate", "forecast", "coverage", "sensitivity", "compare", "plan"):
        assert not re.search(r"(?<![\w(])nan(?!\w)", told.out), said + told.out
    return code


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_some_commands_end_as_they_should(tmp_path, capsys):
    codes = [case(k, tmp_path, capsys) for k in range(QUICK)]
    assert codes.count(2) > QUICK // 4
    assert codes.count(0) > QUICK // 12


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("part", range(10))
def test_many_commands_end_as_they_should(tmp_path, capsys, part):
    step = MANY // 10
    for k in range(QUICK + part * step, QUICK + (part + 1) * step):
        case(k, tmp_path, capsys)
