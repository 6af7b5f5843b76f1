"""Parts of a trial on disk, shards, the registry, questions in SQL, clusters: what is not done twice and never half."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import dask
import distributed
import duckdb
import pytest

import schild.trial.parts as parts_module
from programs import PATIENCE
from schild.errors import InputError
from schild.trial.partfile import REGISTRY, part_digest, query, read_part, rebuild_registry
from schild.trial.parts import run_parts
from schild.trial.trialfile import Trial
from schild.trial.workers import engine_of

ROOT = Path(__file__).parents[3]
ARM = {"name": "a", "drug": "naltrexone", "amount": "50 mg"}


def small(**head):
    return Trial.of(ARM, n=60, weeks=4, **head)


def test_shards_in_any_order_join_to_the_same_people(tmp_path):
    trial = small(replicates=2)
    whole = run_parts(trial)
    for k in (3, 1, 2):
        run_parts(trial, out=tmp_path, people=20, shard=(k, 3))
    made = {f.name: f.stat().st_mtime_ns for f in (tmp_path / "parts").iterdir()}
    joined = run_parts(trial, out=tmp_path, people=20)
    assert part_digest(joined) == part_digest(whole)
    assert {f.name: f.stat().st_mtime_ns for f in (tmp_path / "parts").iterdir()} == made


@pytest.mark.parametrize("change", ["heavy", "release", "person", "arm", "weekly"])
def test_a_part_whose_numbers_were_changed_is_found_out(tmp_path, change):
    trial = small()
    run_parts(trial, out=tmp_path)
    (file,) = (tmp_path / "parts").iterdir()
    with duckdb.connect() as base:
        ((head,),) = base.execute("select value from parquet_kv_metadata($1)", [str(file)]).fetchall()
        rows, told = base.execute("from read_parquet($1)", [str(file)]).fetchnumpy(), json.loads(head)
        if change == "weekly":
            told["weekly"][0][0][0] += 1
        else:
            rows[change][0] = "other" if change == "arm" else rows[change][0] + 1
        base.register("rows", rows)
        base.execute("copy (from rows) to $1 (format parquet, kv_metadata {schild: $2})", [str(file), json.dumps(told)])
    assert read_part(file, trial, 60) == f"{file.name} does not hold what was written"


def test_a_full_disk_is_said_and_leaves_no_half_part(tmp_path, monkeypatch):
    trial = small()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\).*Make room"):
        run_parts(trial, out=tmp_path)
    assert not list((tmp_path / "parts").iterdir())
    monkeypatch.undo()
    assert part_digest(run_parts(trial, out=tmp_path)) == part_digest(run_parts(trial))


def test_an_interrupt_while_a_part_is_written_leaves_no_half_part(tmp_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_parts(small(), out=tmp_path, people=20)
    assert not list((tmp_path / "parts").iterdir())


def test_a_part_that_another_run_has_just_finished_is_not_made_again(tmp_path, monkeypatch):
    trial = small()
    real, made = parts_module.follow, []

    def follow(t, a, b, **k):
        if a == 0 and not made:
            made.append("other")
            run_parts(trial, out=tmp_path, people=30)  # a second run on the same folder
        made.append((a, b))
        return real(t, a, b, **k)

    monkeypatch.setattr(parts_module, "follow", follow)
    found = run_parts(trial, out=tmp_path, people=30)
    assert made.count((30, 60)) == 1
    assert part_digest(found) == part_digest(run_parts(trial))


def test_the_registry_is_made_again_from_the_parts(tmp_path):
    trial = small()
    run_parts(trial, out=tmp_path, people=20)

    def rows():
        with closing(sqlite3.connect(tmp_path / REGISTRY)) as base:
            return base.execute("select * from part order by file").fetchall(), base.execute(
                "select * from run"
            ).fetchall()

    before = rows()
    assert [row[2:4] for row in sorted(before[0], key=lambda r: r[2])] == [(0, 20), (20, 40), (40, 60)]
    assert before[1][0][2:] == (3, 60)
    (tmp_path / REGISTRY).unlink()
    assert rebuild_registry(tmp_path) == 3
    assert rows() == before


def test_a_question_in_sql_is_answered_from_the_parts(tmp_path):
    trial = small()
    part = run_parts(trial, out=tmp_path, people=25)
    columns, rows, left_out = query(
        tmp_path, "select arm, count(*) n, sum(heavy) heavy from people group by arm order by arm"
    )
    assert (columns, left_out) == (["arm", "n", "heavy"], [])
    assert rows == [("a", 60, int(part.counts[:, 0, 2].sum())), ("placebo", 60, int(part.counts[:, 1, 2].sum()))]
    _, weeks, _ = query(tmp_path, "select week, heavy from weekly where arm = 'a' order by week")
    assert [row[1] for row in weeks] == pytest.approx(part.weekly[0, :, 2].tolist())
    for sql in (
        "drop table people",
        "select nothing from people",
        "insert into people values (1)",
        "select 1; select 2",
    ):
        with pytest.raises(InputError, match=r"not understood .* Columns of people: run, person, arm"):
            query(tmp_path, sql)
    with pytest.raises(InputError, match="holds no parts"):
        query(tmp_path / "parts", "select 1")
    assert query(tmp_path, "select 1.5, date '2026-01-02', null")[1] == [(1.5, "2026-01-02", None)]


@pytest.mark.parametrize("many", ["1000001", "100000000000"])
def test_a_question_with_too_many_rows_is_refused_before_memory_is_full(tmp_path, many):
    run_parts(small(), out=tmp_path, people=60)
    with pytest.raises(InputError, match=r"more than 1,000,000 rows, or takes more than 3GB; expected less"):
        query(tmp_path, f"select * from range({many})")


def test_a_question_names_a_damaged_part_and_leaves_it_out(tmp_path):
    trial = small()
    run_parts(trial, out=tmp_path, people=20)
    first, second, third = sorted((tmp_path / "parts").iterdir(), key=lambda f: int(f.stem.split("-")[1]))
    first.write_bytes(first.read_bytes()[:-30])
    third.write_bytes(second.read_bytes())
    _, rows, left_out = query(
        tmp_path, "select count(*), min(person), sum(n) from people, (select sum(people) n from run)"
    )
    assert rows[0][:2] == (40, 20)
    assert [note.partition(";")[0] for note in left_out] == [
        f"{first.name} cannot be read", f"{third.name} holds the part {second.stem!r}",
    ]  # fmt: skip


def test_trials_of_both_disorders_are_asked_in_one_folder(tmp_path):
    run_parts(small(), out=tmp_path)
    run_parts(Trial.of(ARM, disorder="opioid", n=5, weeks=4), out=tmp_path)
    asked = "select parts, count(heavy), count(week_4) from people join run using (run) group by run, parts order by 2"
    _, rows, _ = query(tmp_path, asked)
    assert rows == [(1, 0, 10), (1, 120, 0)]


def test_another_program_reads_a_part_by_itself(tmp_path):
    trial = small()
    part = run_parts(trial, out=tmp_path)
    (file,) = (tmp_path / "parts").iterdir()
    pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra `io`")
    table = pq.read_table(file)
    assert table.column("drinks").to_pylist() == part.counts[:, :, 3].ravel().tolist()
    assert json.loads(table.schema.metadata[b"schild"])["trial"] == trial.canonical()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"shard": (4, 3)}, "4/3 is not a shard"),
        ({"shard": (1, 2), "out": None}, "expected --out"),
        ({"shard": (9, 9)}, "fewer parts than 9 shards"),
        ({"cluster": "tcp://10.0.0.1:8786"}, "without TLS can run programs"),
        ({"cluster": "tcp://scheduler.example:8786"}, "without TLS can run programs"),
        ({"cluster": "scheduler"}, "not a cluster"),
        ({"cluster": "tls://127.0.0.1:99999"}, "not a cluster"),
        ({"cluster": "tls://127.0.0.1:8786"}, "asks for certificates"),
    ],
)
def test_shards_and_clusters_that_make_no_sense_are_refused(tmp_path, given, says):
    with pytest.raises(InputError, match=says):
        run_parts(small(), **{"out": tmp_path, **given})


def test_an_engine_gives_every_job_once():
    assert sorted(engine_of()(divmod, [(7, 2), (9, 4)])) == [(0, (3, 1)), (1, (2, 1))]


def certificates(folder, name):
    """Write an authority and a certificate of it; returns the configuration of Dask that uses them."""
    made = distributed.Security.temporary().get_tls_config_for_role("client")
    files = {}
    for what in ("ca_file", "cert", "key"):
        files[what] = folder / f"{name}_{what}.pem"
        files[what].write_text(made[what], encoding="ascii")
    tls = {f"{who}.{what}": str(files[what]) for who in ("scheduler", "worker", "client") for what in ("cert", "key")}
    return {f"distributed.comm.tls.{key}": value for key, value in (tls | {"ca-file": str(files["ca_file"])}).items()}


@contextmanager
def cluster(folder, protocol="tcp", config=None, workers=2):
    """A scheduler and workers on this machine: its address, and the processes, the scheduler first."""
    said = {f"DASK_{key.replace('.', '__').replace('-', '_').upper()}": value for key, value in (config or {}).items()}
    given = {"env": {**os.environ, **said}, "stderr": subprocess.DEVNULL}
    run = [
        sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
        "--protocol", protocol, "--scheduler-file", str(folder / "scheduler.json"),
    ]  # fmt: skip
    started = [subprocess.Popen(run, **given)]
    try:
        limit = time.monotonic() + PATIENCE
        while not (folder / "scheduler.json").exists() and time.monotonic() < limit:
            time.sleep(0.1)
        text = (folder / "scheduler.json").read_text(encoding="utf-8")
        address = re.search(rf"{protocol}://127\.0\.0\.1:\d+", text)
        assert address is not None
        for _ in range(workers):
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", address[0], "--nthreads", "1", "--no-nanny",
                      "--no-dashboard", "--local-directory", str(folder)]  # fmt: skip
            started.append(subprocess.Popen(worker, **given))
        yield address[0], started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_a_cluster_of_two_workers_gives_the_same_people_though_one_is_killed(tmp_path, capsys, protocol):
    """A scheduler and two workers on this machine; one worker is killed in the middle (by its own process id)."""
    trial = small(replicates=40)
    config = certificates(tmp_path, "own") if protocol == "tls" else {}
    out, killed = tmp_path / "out", []
    with cluster(tmp_path, protocol, config) as (address, started), dask.config.set(config):

        def watch(done, total):
            if done >= total // 4 and not killed:
                started[1].kill()
                killed.append(done)

        found = run_parts(trial, out=out, people=60, cluster=address, progress=watch)
    assert killed
    assert part_digest(found) == part_digest(run_parts(trial))
    assert len(list((out / "parts").glob("*.parquet"))) == 40
    with capsys.disabled():
        print(
            f"\n{protocol}: a worker was killed after {killed[0]} of {trial.size} people; 40 parts, same hash as on one"
            " processor"
        )


@pytest.mark.slow
def test_a_cluster_lets_in_nobody_without_a_certificate_of_its_authority(tmp_path, monkeypatch):
    monkeypatch.setattr("schild.trial.workers._WAIT_S", 5)
    own, other = certificates(tmp_path, "own"), certificates(tmp_path, "other")
    with cluster(tmp_path, "tls", own, workers=0) as (address, _):
        with pytest.raises(InputError, match=r"asks for certificates, .* names none"):
            run_parts(small(), out=tmp_path / "out", cluster=address)
        with dask.config.set(other), pytest.raises(InputError, match="No scheduler answers"):
            run_parts(small(), out=tmp_path / "out", cluster=address)
        with pytest.raises(InputError, match="No scheduler answers"):
            run_parts(small(), out=tmp_path / "out", cluster=address.replace("tls", "tcp"))
        with dask.config.set(own), pytest.raises(InputError, match=r"has no workers; .* dask worker tls://127"):
            run_parts(small(), out=tmp_path / "out", cluster=address)


@pytest.mark.slow
def test_the_commands_of_the_documentation_start_a_cluster_and_run_a_trial_on_it(tmp_path):
    """As they stand in docs/trials.md, but for the port and the number of people."""
    text = (ROOT / "docs" / "trials.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "dask scheduler" in b)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    assert "8786" in block
    assert "--n 4000" in block
    lines = [line for line in block.replace("8786", port).replace("--n 4000", "--n 40").splitlines()
             if not line.startswith("pip ")]  # fmt: skip
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    found = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE,
        check=False, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "40 people in each arm" in found.stdout
    assert list((tmp_path / "out" / "cluster" / "parts").glob("*.parquet"))


@pytest.mark.slow
def test_a_killed_supervisor_and_a_killed_worker_lose_no_finished_part(tmp_path, capsys):
    """kill -9 of a worker, then of the whole run; the rerun makes only what is missing and gives the same hash."""
    program = (
        "import sys; from pathlib import Path\n"
        "from schild.trial import Trial; from schild.trial.parts import run_parts\n"
        "if __name__ == '__main__':\n"
        "    trial = Trial.of({'name': 'a', 'drug': 'naltrexone', 'amount': '50 mg'}, n=500, weeks=12, replicates=40)\n"
        "    run_parts(trial, out=Path(sys.argv[1]), people=500, workers=2)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(program, encoding="utf-8")
    folder = tmp_path / "out"
    said = []
    for round_ in ("worker", "supervisor"):
        process = subprocess.Popen([sys.executable, str(script), str(folder)], stderr=subprocess.DEVNULL)
        limit = time.monotonic() + PATIENCE
        have = set((folder / "parts").glob("*.parquet")) if folder.exists() else set()
        while time.monotonic() < limit and process.poll() is None:
            now = set((folder / "parts").glob("*.parquet")) if folder.exists() else set()
            if len(now) >= len(have) + 3:
                break
            time.sleep(0.02)
        if round_ == "worker":
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
            os.kill(int(children[-1]), 9)
            process.wait(PATIENCE)
        else:
            process.kill()
            process.wait()
        said.append(f"{round_} killed with {len(list((folder / 'parts').glob('*.parquet')))} of 40 parts finished")
    kept = {f.name: f.stat().st_mtime_ns for f in (folder / "parts").glob("*.parquet")}
    assert 3 <= len(kept) < 40
    trial = Trial.of(ARM, n=500, weeks=12, replicates=40)
    found = run_parts(trial, out=folder, people=500)
    after = {f.name: f.stat().st_mtime_ns for f in (folder / "parts").glob("*.parquet")}
    assert len(after) == 40
    assert all(after[name] == when for name, when in kept.items())
    assert part_digest(found) == part_digest(run_parts(trial))
    with capsys.disabled():
        print(
            "\n"
            + "\n".join(said)
            + f"\nrerun made {40 - len(kept)} parts and kept {len(kept)}; same hash as in one run"
        )
