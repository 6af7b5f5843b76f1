"""``schild schema``, ``doctor``, ``bench`` and ``cite``."""

from __future__ import annotations

import os
import platform
import sys
import timeit
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from schild import __version__
from schild.cli.console import out
from schild.cli.options import Data, Json
from schild.errors import SchildError
from schild.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

_CORE = ("numpy", "scipy", "numba", "pydantic", "pint", "pandas", "matplotlib", "rich", "cyclopts")
_EXTRAS = (
    ("sbml", ("antimony", "python-libsbml"), "checks and writes SBML (schild export sbml, petab)"),
    ("io", ("pyarrow",), "Parquet and Feather tables"),
    ("structure", ("rdkit",), "structures compared (schild structure)"),
    ("sensitivity", ("SALib",), "Morris and Sobol indices (schild sensitivity)"),
    ("xarray", ("xarray",), "a result as a labelled array (Result.to_xarray)"),
    ("stats", ("statsmodels", "duckdb"), "analysis of virtual trials and their parts on disk (schild trial)"),
)
_SAMPLE = "naltrexone 50 mg po q24h x7"


def schema(what: Literal["run", "trial", "outputs"], /, *, data: Data = Data()) -> int:
    """Print a JSON Schema.

    Parameters
    ----------
    what
        run: the run file, which is also the body of a request; trial: the trial file; outputs: the object "outputs"
        that --json prints for a run.
    """
    from schild.simulation.registry import schema as outputs
    from schild.simulation.runfile import Run
    from schild.trial.trialfile import Trial

    make: dict[str, Callable[[], dict[str, Any]]] = {
        "run": Run.model_json_schema,
        "trial": Trial.model_json_schema,
        "outputs": lambda: outputs(data.catalogue),
    }
    print(dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **make[what]()}, indent=2))
    return 0


def doctor(*, json: Json = False) -> int:
    """Check this installation: versions, extras, cache, threads, speed.

    The command exits with status 1 if something does not work.
    """
    heads, rows = ("part", "name", "state", "value"), list(_findings())
    good = all(state != "fails" for _, _, state, _ in rows)
    if json:
        print(dumps({"ok": good, "findings": [dict(zip(heads, row, strict=True)) for row in rows]}))
        return 0 if good else 1
    console = out()
    console.print(table(f"schild {__version__}", heads, rows, left=heads))
    console.print("Everything needed works." if good else "Something does not work: see the lines that say fails.")
    return 0 if good else 1


def _findings() -> Any:
    from schild.catalog import load
    from schild.catalog.audit import audit
    from schild.engine.run import threads_available
    from schild.simulation import simulate

    yield "program", "schild", "ok", f"{__version__} in {Path(__file__).resolve().parents[1]}"
    yield "program", "python", "ok", f"{platform.python_version()} ({sys.implementation.name}), {platform.platform()}"
    for name in _CORE:
        version = _version(name)
        yield "needed", name, "ok" if version else "fails", version or "not installed; install schild again"
    for extra, packages, adds in _EXTRAS:
        missing = [name for name in packages if _version(name) is None]
        have = ", ".join(f"{name} {_version(name)}" for name in packages if name not in missing)
        if missing:
            yield "extra", extra, "absent", f"adds: {adds}; install it with pip install 'schild[{extra}]'"
        else:
            yield "extra", extra, "ok", f"{have}; adds: {adds}"
    yield "machine", "threads", "ok", str(threads_available())
    try:
        catalogue = load()
        found = audit(catalogue)
        said = f"{len(catalogue.drugs)} drugs, {found.counts.get('numbers', 0)} numbers, {len(found.findings)} findings"
        yield "catalogue", "audit", "ok" if found.ok else "fails", said
        first, again = timeit.repeat(lambda: simulate(_SAMPLE, until="14 d"), number=1, repeat=2)
        yield "engine", "first run", "ok", f"{first:.2f} s, with making or reading its code"
        yield "engine", "next run", "ok", f"{1000 * again:.0f} ms for one person over two weeks"
    except SchildError as error:
        yield "engine", "run", "fails", str(error)
        return
    from schild.engine.portable import VARIABLE, is_native, object_file

    kept = object_file("run_groups")
    if not is_native("run_groups"):
        why = (
            f"{VARIABLE} is numba" if os.environ.get(VARIABLE) == "numba"
            else "the package has no code for this machine and these sources"
        )  # fmt: skip
        told = f"{why}, so Numba compiles: half a minute, once"
        yield "engine", "compiled code", "slow", told
    elif kept.is_file():
        yield "engine", "compiled code", "ok", str(kept)
    else:
        told = f"{kept.parent} cannot be written, so every start takes two seconds more: set NUMBA_CACHE_DIR"
        yield "engine", "compiled code", "slow", told


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def bench(*, json: Json = False) -> int:
    """Time a few standard runs on this machine.

    From a checkout, `make bench` measures more: accuracy beside speed, and other programs.
    """
    from schild.simulation import simulate

    simulate(_SAMPLE, until="1 d")  # compiled code is loaded before the clock runs
    runs: tuple[tuple[str, int, Callable[[], Any]], ...] = (
        ("one person, 50 mg a day for a week, 14 d", 1, lambda: simulate(_SAMPLE, until="14 d")),
        ("one person, monthly injection, 42 d", 1, lambda: simulate("naltrexone 380 mg im_depot", until="42 d")),
        ("1,000 people, 50 mg a day for a week, 14 d", 1000, lambda: simulate(_SAMPLE, until="14 d", n=1000)),
    )
    found = []
    for label, people, call in runs:
        seconds = min(timeit.repeat(call, number=1, repeat=3 if people == 1 else 1))
        found.append({"run": label, "seconds": seconds, "people_per_second": people / seconds})
    reference = timeit.timeit(_reference, number=1)
    if json:
        print(dumps({"runs": found, "reference_s": reference, "schild": __version__}))
        return 0
    console = out()
    rows = [(entry["run"], f"{entry['seconds']:.3f}", f"{entry['people_per_second']:,.0f}") for entry in found]
    console.print(table("Time on this machine", ("run", "time [s]", "people per second"), rows))
    console.print(f"A fixed loop in plain Python takes {reference:.2f} s here: divide by it to compare machines.")
    console.print("More, with accuracy, from a checkout: make bench")
    return 0


def _reference() -> float:
    total = 0.0
    for k in range(2_000_000):
        total += (k % 7) * 0.5
    return total


def cite(*what: Annotated[str, Parameter(name="RUN.toml|REGIMEN")], data: Data = Data()) -> int:
    """Print how to cite schild, and the sources of a run.

    Parameters
    ----------
    what
        A run file, or regimens in words: prints the sources of every number that the run uses.
    """
    if not what:
        print(
            f"The schild developers. schild: the mechanism of action of opioid antagonists, made executable.\n"
            f"Version {__version__}. Software, Apache 2.0.\n\n"
            "@software{schild,\n"
            "  author = {{The schild developers}},\n"
            "  title = {schild: the mechanism of action of opioid antagonists, made executable},\n"
            f"  version = {{{__version__}}}\n"
            "}\n\n"
            'Cite the papers behind a result too: schild cite "naltrexone 50 mg po" lists them.'
        )
        return 0
    from schild.cli.simulate import read_run
    from schild.results import source_lines
    from schild.simulation import model_of

    catalogue = data.catalogue
    built = model_of(read_run(what), catalogue=catalogue)
    print(source_lines(built.values.uses.sources, catalogue))
    return 0
