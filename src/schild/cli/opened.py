"""``schild open``: the numbers of a link of a live page."""

from __future__ import annotations

from pathlib import Path

from schild.cli.console import err, out, warn, writable, write
from schild.cli.options import Data, Json


def open_link(link: str, /, *, run_file: Path | None = None, json: Json = False, data: Data = Data()) -> int:
    """Run the scenario in a link of a live page; the numbers are those of the page.

    schild open "naltrexone.html#give=naltrexone+tablet&mg=50&n=7&every_h=24&until_h=336&missed=3"

    Parameters
    ----------
    link
        The link, in quotes, or the part after its "#".
    run_file
        File for the run as TOML, which `schild simulate` takes.
    """
    from schild import __version__
    from schild.cli.challenge import show_challenge
    from schild.cli.summary import show_result
    from schild.web.scenario import Scenario
    from schild.web.scenes import band_words

    scenario = Scenario.of(link)
    writable(run_file)
    if scenario.version and scenario.version != __version__:
        err().print(f"The link was written by schild {scenario.version}; this is {__version__}: numbers may differ.")
    result = scenario.simulate(catalogue=data.catalogue)
    challenged = scenario.challenged(catalogue=data.catalogue)
    band = scenario.band(catalogue=data.catalogue).results
    if run_file is not None:
        write(run_file, result.run_file())
    if json:
        from schild.results import json_text

        found = {
            "run": result.to_dict(), "challenge": None if challenged is None else challenged.to_dict(),
            "page": {"results": scenario.results(catalogue=data.catalogue), "band": band},
        }  # fmt: skip
        print(json_text(found))
        return 0
    console = out()
    warn(console, result.warnings)
    show_result(result, console)
    console.print(band_words([*band], band))
    if challenged is not None:
        warn(console, challenged.warnings)
        show_challenge(challenged, console)
    return 0
