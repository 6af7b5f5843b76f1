"""Compare every number that a user sees at another commit with now: ``python -m benchmarks.numbers COMMIT``.

Both trees run the same commands with ``--json`` and no results kept. A number is the same where it prints the same with
three digits, which is what answers, tables and pages show at most; differences below that are counted, others listed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COMMANDS = (
    ("simulate", "naltrexone 50 mg po q24h x7"),
    ("simulate", "naltrexone 50 mg po; heroin 25 mg iv at 24 h", "--n", "200"),
    ("simulate", "naltrexone 380 mg im_depot", "--until", "30 d"),
    ("challenge", "naltrexone 50 mg po", "--agonist", "heroin 25 mg iv", "--at", "24 h"),
    ("explain", "morphine"),
    ("explain", "naltrexone"),
    ("validate", "withdrawal_fitted", "withdrawal_checks", "agonist_effects"),
    ("validate",),
)
#: What names versions and not results.
_NAMES = ("manifest", "schild")


def numbers(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and word of a JSON object by its path; entries of lists by their ``id`` where they have one."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key not in _NAMES:
                yield from numbers(value, f"{path}/{key}")
    elif isinstance(data, list):
        for k, value in enumerate(data):
            name = value.get("id", k) if isinstance(value, dict) else k
            yield from numbers(value, f"{path}/{name}")
    else:
        yield path, data


def shown(value: Any) -> Any:
    """What is printed of a value."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.3g}" if abs(value) > 1e-9 else "0"
    return value


def run(tree: Path, command: tuple[str, ...]) -> tuple[dict[str, Any], float]:
    """Run a command of a tree; numbers by path, and CPU seconds."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "SCHILD_CACHE": "off", "OPENBLAS_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run(
        [sys.executable, "-m", "schild", *command, "--json"], env=environment, cwd=tree, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if found.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} at {tree}: {found.stderr}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return dict(numbers(json.loads(found.stdout))), spent


def main() -> int:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit", help="the commit to compare with")
    parser.add_argument("--only", help="the commands to run: those with this text, such as explain")
    asked = parser.parse_args()
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(base), asked.commit], cwd=ROOT, check=True)
        try:
            for command in COMMANDS:
                if asked.only is None or asked.only in " ".join(command):
                    (old, cpu), (new, now) = run(base, command), run(ROOT, command)
                    moved = [path for path in {**old, **new} if shown(old.get(path)) != shown(new.get(path))]
                    bits = sum(old[path] != new.get(path) for path in old)
                    differ += len(moved)
                    print(f"{' '.join(command)}: {len(new):,} values, {bits:,} differ in any digit, {len(moved):,} as "
                          f"printed; {cpu:.1f} s of CPU before, {now:.1f} now", flush=True)  # fmt: skip
                    for path in moved[:40]:
                        print(f"  {path}: {shown(old.get(path))} before, {shown(new.get(path))} now", flush=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(base)], cwd=ROOT, check=True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
