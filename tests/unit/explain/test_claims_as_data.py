"""A claim of one's own needs no code; what its first try gets wrong is named with file, line and the nearest names."""

import json

import pytest

from schild.catalog import load
from schild.catalog.audit import audit
from schild.errors import CatalogueError
from schild.explanation import check_book, explain
from schild.explanation.experiments import EXPERIMENTS, run_test
from schild.explanation.lab import Lab
from schild.explanation.options import options_taken
from schild.explanation.panels import PANELS, draw
from schild.people import Overrides

CLAIMS = """drug = "naloxone"
question = "What does naloxone do?"
answer = ["Ten minutes after an ampoule it holds {N1.1} of the mu receptors; {N1.2} of a small pupil is blocked."]

[defaults]
regimen = "naloxone 0.4 mg iv"

[[claim]]
id = "N1"
statement = "It holds mu receptors, for a short time."

[claim.figure]
alt = "Mu occupancy over hours after an ampoule."
caption = "Typical person and {runs} runs."

[[claim.figure.panel]]
draw = "courses"
title = "one ampoule"
until = "6 h"
every = "0.1 h"
unit = "h"
lines = [{ regimen = "naloxone 0.4 mg iv", output = "mor_pet_occupancy", label = "mu" }]

[[claim.test]]
id = "N1.1"
statement = "Ten minutes after an ampoule most receptors are held."
run = "occupancy"
receptor = "mor"
at = "10 min"
unit = "%"
op = "at_least"
value = 30
observed = "reverses"
evidence = "predicted"
source = ["Own2026"]

[[claim.test]]
id = "N1.2"
statement = "It blocks the small pupil of morphine."
run = "block"
challenge = "morphine 10 mg iv"
at = "10 min"
effect = "pupil"
unit = "%"
evidence = "predicted"
source = ["Own2026"]

[[reference]]
key = "Own2026"
label = "A study of one's own"
"""

#: What is written in place of what, the line that is named, and the words that help.
SLIPS = {
    "experiment": ('run = "occupancy"', 'run = "occupanzy"', 27, "Did you mean 'occupancy'"),
    "option": ('receptor = "mor"\nat', 'receptro = "mor"\nat', 28, "no option 'receptro'. Did you mean 'receptor'"),
    "missing": ('at = "10 min"\nunit = "%"\nop', 'unit = "%"\nop', 24, "lacks an option: at, a time with its unit"),
    "time": ('at = "10 min"\nunit', 'at = "10 minuts"\nunit', 29, "expected a time with its unit"),
    "receptor": ('receptor = "mor"\nat', 'receptor = "mo"\nat', 28, "No receptor is called 'mo'"),
    "effect": ('effect = "pupil"', 'effect = "pupils"', 43, "Did you mean 'pupil'"),
    "drug": ('"morphine 10 mg iv"', '"morfine 10 mg iv"', 41, "called 'morfine'"),
    "unit": ('unit = "%"\nop', 'unit = "mg"\nop', 30, "gives %"),
    "default": ('regimen = "naloxone 0.4 mg iv"\n\n', 'regimen = "naloxon 0.4 mg iv"\n\n', 24, "called 'naloxon'"),
    "panel": ('draw = "courses"', 'draw = "course"', 17, "Did you mean 'courses'"),
    "panel option": ('until = "6 h"', 'untill = "6 h"', 19, "Did you mean 'until'"),
    "words of marks": (
        'until = "6 h"',
        'until = "6 h"\nxticks = [0, 1]\nxlabels = ["a"]',
        21,
        "1 xlabels for 2 xticks",
    ),
    "legend": ('until = "6 h"', 'until = "6 h"\nlegend = "above"', 20, "one of '', 'below', 'best', 'upper right'"),
    "line": ('label = "mu" }', 'lable = "mu" }', 22, "Did you mean 'label'"),
}


def book(folder, text=CLAIMS):
    (folder / "own_claims.toml").write_text(text, encoding="utf-8")
    return load(folder)


def test_a_claim_as_data_is_run_and_its_figure_drawn(tmp_path):
    catalogue = book(tmp_path)
    answer = explain("naloxone", quick=True, catalogue=catalogue)
    found = {f.test.id: f for f in answer.findings}
    assert found["N1.1"].holds == "yes"
    assert 0 < found["N1.2"].outcome.predicted < 100
    assert "{" not in answer.paragraphs[0]
    (claim,) = answer.book.claims
    drawn = draw(claim.figure, answer.lab, "own", claim.places, answer.book.defaults)
    assert max(drawn.data["mu"]) == pytest.approx(found["N1.1"].outcome.predicted, rel=0.5)
    assert "20 runs" in drawn.caption
    assert json.loads(answer.to_json())["summary"]["drug"] == "naloxone"
    assert not load().claims.get("naloxone")


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_its_line_and_the_nearest_names(tmp_path, slip):
    right, wrong, line, words = SLIPS[slip]
    assert CLAIMS.count(right) == 1
    catalogue = book(tmp_path, CLAIMS.replace(right, wrong))
    with pytest.raises(CatalogueError) as caught:
        check_book(catalogue.claims["naloxone"], catalogue)
    assert f"line {line}:" in str(caught.value)
    assert words in str(caught.value)
    assert [f.kind for f in audit(catalogue, check_book).findings] == ["unreadable"]
    with pytest.raises(CatalogueError):
        explain("naloxone", quick=True, catalogue=catalogue)


def test_a_default_that_nothing_takes_is_an_error(tmp_path):
    catalogue = book(
        tmp_path, CLAIMS.replace("[defaults]\n", '[defaults]\nregimens = "naloxone 0.4 mg iv"\nregimne = 1\n')
    )
    with pytest.raises(CatalogueError, match="Did you mean 'regimen'"):
        check_book(catalogue.claims["naloxone"], catalogue)


@pytest.mark.parametrize(
    ("key", "overrides"),
    [
        ("M2.2", {"naltrexone.cl": "20 L/h"}),  # a run
        ("M3.3", {"endogenous.mor.e0": 0.2}),  # constants of equilibrium
        ("M12.2", {"response_two_state.tau_slow_down": "1000 h"}),  # adaptation
        ("M13.21", {"alcohol.reward.share": 0.5}),
        ("M13.23", {"alcohol.reward.share": 0.5}),
        ("M17.2", {"naltrexone.cl": "20 L/h"}),  # a published row
    ],
)
def test_numbers_given_move_what_rests_on_them(key, overrides):
    catalogue = load()
    book = catalogue.claims["naltrexone"]
    test = next(t for t in book.tests if t.id == key)
    lab = Lab(catalogue=catalogue, n=2, draws=2)
    moved = Lab(catalogue=catalogue, n=2, draws=2, overrides=Overrides.of(overrides, catalogue))
    assert run_test(moved, test, book).predicted != run_test(lab, test, book).predicted


def test_every_experiment_and_panel_says_what_it_does():
    for function in (*EXPERIMENTS.values(), *PANELS.values()):
        assert function.__doc__
    assert {"regimen", "receptor", "at"} <= options_taken(*EXPERIMENTS.values())


def test_no_experiment_names_a_dose():
    """Amounts stand in the claims: the code of experiments and figures has none."""
    import re
    from pathlib import Path

    import schild.explanation.lab

    for file in Path(schild.explanation.lab.__file__).parent.glob("*.py"):
        code = re.sub(r'""".*?"""', "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.findall(r"\b[a-z]{4,} [\d.]+ mg\b", code), file
