"""Files that a user names: regular, plain, bounded; TOML that would choke its parser is refused before."""

from __future__ import annotations

import os
import time

import pytest

from schild.errors import InputError
from schild.simulation import Run
from schild.textfile import read_text, read_toml
from schild.trial import Trial

GOOD = '[[dose]]\nregimen = "naltrexone 50 mg po"\n'


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null", "/dev/urandom"])
@pytest.mark.parametrize("read", [Run.from_toml, Trial.read, lambda path: read_text(path, "a table")])
def test_devices_are_refused_at_once(device, read):
    start = time.process_time()
    with pytest.raises(InputError, match="is a device or a pipe"):
        read(device)
    assert time.process_time() - start < 5


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a device or a pipe"):
        Run.from_toml(pipe)


HOSTILE = {
    "deep key": ".".join(["a"] * 2000) + " = 1",
    "deep quoted key": ".".join(['"a b"'] * 2000) + " = 1",
    "deep table": "[" + ".".join(["a"] * 2000) + "]",
    "deep table of tables": "[[" + " . ".join(["a"] * 2000) + "]]",
    "deep inline key": "x = { " + ".".join(["a"] * 2000) + " = 1 }",
    "many deep tables": "\n".join("[" + ".".join(["a"] * k) + "]" for k in range(1, 400)),
    "long number": "x = " + "9" * 5000,
    "long hexadecimal": "x = 0x" + "f" * 5000,
    "long number with underscores": "x = " + "9_" * 5000 + "9",
    "long fraction": "x = 0." + "1" * 5000,
    "nested lists": "x = " + "[" * 5000,
    "nested tables": "x = " + "{a=" * 5000,
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("read", [Run.from_toml, Trial.read])
def test_toml_that_chokes_a_parser_is_refused_at_once(tmp_path, case, read):
    path = tmp_path / "x.toml"
    path.write_text(GOOD + HOSTILE[case] + "\n", encoding="utf-8")
    start = time.process_time()
    with pytest.raises(InputError, match=r"x\.toml"):
        read(path)
    assert time.process_time() - start < 5


def test_what_is_read_and_what_is_not(tmp_path):
    path = tmp_path / "run.toml"
    for raw in (
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
    ):
        path.write_bytes(raw)
        assert read_toml(path, "a run file") == {"dose": [{"regimen": "naltrexone 50 mg po"}]}
    path.write_bytes(GOOD.replace("naltrexone", "naltr\u00e9xone").encode("cp1252"))
    with pytest.raises(InputError, match="line 2: the byte 0xe9 is not UTF-8, which is 'é' in Windows-1252"):
        read_toml(path, "a run file")
    path.write_text("x" * 100, encoding="utf-8")
    with pytest.raises(InputError, match="expected a run file of at most 5e-05 MB"):
        read_toml(path, "a run file", most=50)
    with pytest.raises(InputError, match="is not a file but a directory"):
        read_toml(tmp_path, "a run file")
    with pytest.raises(InputError, match="No such file"):
        read_toml(tmp_path / "none.toml", "a run file")
