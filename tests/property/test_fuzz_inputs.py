"""Whatever is typed or written, it runs or is refused in words: no other error, ever.

Every case follows from the seed and its number, so a failure names what brings it back.
"""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path

import numpy as np
import pytest

from fuzzing import VALID, catalogue, file_text, history, mutated, sentence, table_text, words
from schild.errors import InputError
from schild.regimen import parse_regimen, read_nonmem_rows
from schild.simulation import Run, events_of, model_of, simulate_run
from schild.simulation.runfile import history_words, parse_history

SEED = 20250609
QUICK = 500
MANY = 10_000

#: What is given to the engine stays this small, so that ten thousand cases take minutes.
MOST_EVENTS = 60
MOST_TIMES = 50
MOST_PEOPLE = 5

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
            people, _ = read_nonmem_rows(file, {1: ("naltrexone", "oral")}, amount_unit=rng.choice(("mg", "mg", None)))
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
