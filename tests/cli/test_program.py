"""The command as a program of its own: streams, signals, start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from programs import PATIENCE, started


def test_a_run_prints_json_on_a_clean_stream(shell):
    told = shell("simulate", "naltrexone 50 mg po", "--until", "1h", "--json")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith('{"manifest"')


def test_bad_input_is_one_message_and_two(shell):
    told = shell("simulate", "naltrexone 50 po")
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("schild: ")
    assert told.err.count("schild:") == 1
    assert "Traceback" not in told.err


@pytest.mark.skipif(os.name != "posix", reason="bytes that are no text come from a Unix command line")
def test_bytes_that_are_no_text(tmp_path):
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"schild", b"simulate", b"naltrexone \xff mg po"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert b"not text in UTF-8" in done.stderr


def test_a_terminal_without_unicode(shell):
    told = shell("drugs", "beta_naltrexol", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"})
    assert told.code == 0
    assert told.err == ""


@pytest.mark.skipif(os.name != "posix", reason="needs pipes that break")
@pytest.mark.parametrize(
    "words",
    [("drugs", "--json"), ("drugs", "naltrexone"), ("schema", "run"), ("--help",), ("trial", "--help"), ("--version",)],
    ids=" ".join,
)
def test_a_reader_that_leaves_early(tmp_path, words):
    with started(MAIN, *words, cwd=tmp_path) as running:
        running.stdout.close()
        running.wait(timeout=PATIENCE)
        assert running.stderr.read() == b""
        assert running.returncode == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")  # noqa: PTH110
def test_a_full_disk(tmp_path):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "schild", "schema", "run"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            cwd=tmp_path,
            timeout=PATIENCE,
        )
    assert done.returncode == 2
    assert done.stderr.count(b"schild:") == 1
    assert b"No space left" in done.stderr


MAIN = "from schild.cli import main\nraise SystemExit(main())"

# The run says how far it is, so that the interrupt comes while people are computed, however busy the machine is.
COUNTING = """
from pathlib import Path
import schild.simulation as package
whole = package.simulate_run

def simulate_run(run, **options):
    def note(done, total):
        Path("done.new").write_text(str(done))
        Path("done.new").replace("done")
    return whole(run, **options | {"progress": note})

package.simulate_run = simulate_run
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_interrupted_it_leaves_with_130(tmp_path):
    people = 200_000  # they would take minutes
    words = ("simulate", "naltrexone 50 mg po q24h x30", "--n", str(people), "--every", "30d", "--outputs", "mor_free")
    done = tmp_path / "done"
    with started(COUNTING + MAIN, *words, cwd=tmp_path) as running:
        began = time.monotonic()
        while not done.exists():
            assert running.poll() is None
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=PATIENCE)
        assert running.returncode == 130
    assert out == b""
    assert said.decode() == "schild: Interrupted; nothing more was written.\n"
    assert int(done.read_text()) < people / 2, "what had not begun was not left out"


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_interrupted_inside_an_exec_it_leaves_with_130_too(tmp_path):
    # CPython notes such an interrupt and kills the process with the signal, although the interrupt was caught.
    code = "import timeit\ntimeit.repeat = lambda *_, **__: exec('signal.raise_signal(2)', globals())\n"
    with started(code + MAIN, "bench", cwd=tmp_path) as running:
        out, said = running.communicate(timeout=PATIENCE)
        assert running.returncode == 130
    assert (out, said.decode()) == (b"", "schild: Interrupted; nothing more was written.\n")


def test_a_bug_is_one_line_and_seventy(call, monkeypatch):
    import schild.simulation as package

    def broken(*_, **__):
        raise ZeroDivisionError("something impossible")

    monkeypatch.setattr(package, "simulate_run", broken)
    told = call("simulate", "naltrexone 50 mg po", "--until", "1h")
    assert told.code == 70
    assert told.err.count("\n") == 1
    assert "This is a bug in schild: ZeroDivisionError: something impossible" in told.err
    assert "SCHILD_TRACEBACK=1" in told.err
    assert "Traceback" not in told.err
    monkeypatch.setenv("SCHILD_TRACEBACK", "1")
    assert "Traceback" in call("simulate", "naltrexone 50 mg po", "--until", "1h").err


def test_help_loads_no_engine(tmp_path):
    code = (
        "import sys\nfrom schild.cli import main\nmain(['--help'])\n"
        "heavy = {'numba', 'numpy', 'scipy', 'pandas', 'matplotlib', 'pint', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    with started(code, cwd=tmp_path) as running:
        _, said = running.communicate(timeout=PATIENCE)
        assert running.returncode == 0, said


def test_a_run_of_one_person_loads_no_tables_and_no_figures(tmp_path):
    code = (
        "import sys\nfrom schild.cli import main\nmain(['simulate', 'naltrexone 50 mg po', '--until', '1h'])\n"
        "heavy = {'pandas', 'matplotlib', 'pint', 'scipy.stats', 'scipy.special'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    with started(code, cwd=tmp_path) as running:
        _, said = running.communicate(timeout=PATIENCE)
    # numba asks for scipy.linalg, which brings parts of scipy along; the rest is ours to avoid.
    assert "loaded" not in said.decode().replace("'scipy.special'", ""), said
