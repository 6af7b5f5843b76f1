"""The command as a program of its own: streams, signals, start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest


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
    )
    assert done.returncode == 2
    assert b"not text in UTF-8" in done.stderr


def test_a_terminal_without_unicode(shell):
    told = shell("drugs", "beta_naltrexol", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"})
    assert told.code == 0
    assert told.err == ""


@pytest.mark.skipif(os.name != "posix", reason="needs pipes that break")
@pytest.mark.parametrize("words", [("drugs", "--json"), ("drugs", "naltrexone"), ("schema", "run")])
def test_a_reader_that_leaves_early(tmp_path, words):
    with subprocess.Popen(
        [sys.executable, "-m", "schild", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
        code = running.wait(timeout=60)
    assert said == b""
    assert code == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")  # noqa: PTH110
def test_a_full_disk(tmp_path):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "schild", "schema", "run"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            cwd=tmp_path,
        )
    assert done.returncode == 2
    assert done.stderr.count(b"schild:") == 1
    assert b"No space left" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_interrupted_it_leaves_with_130(tmp_path):
    words = ("simulate", "naltrexone 50 mg po q24h x300", "--n", "200000", "--every", "300d", "--outputs", "mor_free")
    with subprocess.Popen(
        [sys.executable, "-m", "schild", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as running:
        time.sleep(4.0)
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, said = running.communicate(timeout=120)
        took = time.monotonic() - began
    assert running.returncode == 130
    assert out == b""
    assert said.decode() == "schild: Interrupted; nothing more was written.\n"
    assert took < 30, "what had not begun was not left out"


def test_a_bug_is_one_line_and_seventy(call, monkeypatch):
    import schild.simulate as package

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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_run_of_one_person_loads_no_tables_and_no_figures(tmp_path):
    code = (
        "import sys\nfrom schild.cli import main\nmain(['simulate', 'naltrexone 50 mg po', '--until', '1h'])\n"
        "heavy = {'pandas', 'matplotlib', 'pint', 'scipy.stats', 'scipy.special'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    # numba asks for scipy.linalg, which brings parts of scipy along; the rest is ours to avoid.
    assert "loaded" not in done.stderr.replace("'scipy.special'", ""), done.stderr
