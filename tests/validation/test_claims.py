"""Claims are well formed, run, and come out as recorded."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from schild.catalog import load
from schild.errors import UnknownNameError
from schild.explain import explain
from schild.explain.claims import EVIDENCE, OPS, Test, book_of, known_misses
from schild.explain.experiments import EXPERIMENTS, Lab, challenge_of, equilibrium_curve, run_test
from schild.explain.figures import FIGURES
from webpage import check_self_contained

BOOK = book_of("naltrexone")
KEYS = {"id", "statement", "observed", "predicted", "low", "high", "evidence", "holds", "source"}

#: Verdicts of the first run of the criteria. A change of one changes what schild says: it belongs in the changelog.
MISSED = {"M2.4", "M3.3", "M17.4", "M17.10", "M17.11", "Q1.2", "Q1.3"}

#: Typical predictions, so that a change of a number is seen; three digits.
BASELINE = {
    "M1.1": 95.7, "M1.2": 21.1, "M1.3": 92.0, "M2.4": 0.466, "M2.5": 47.8, "M3.7": 11.9, "M3.8": 53.4, "M7.1": 38.3,
    "M7.4": 90.9, "M17.1": 13.1, "M17.2": 3.14, "M17.10": 1.95, "Q1.1": 17.0, "Q1.2": 36.8, "Q1.5": 5.84, "Q1.6": 1.01,
    "Q2.1": 93.8, "Q2.2": 87.9, "Q2.3": 62.1, "Q3.2": 28.2, "Q4.4": 68.1, "Q5.1": 77.5, "Q6.1": 88.5, "Q6.2": 84.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def answer():
    return explain("naltrexone", quick=True)


@pytest.fixture(scope="module")
def raw():
    return tomllib.loads(files("schild.explain").joinpath("claims", "naltrexone.toml").read_text(encoding="utf-8"))


def test_ids_are_unique_and_belong_to_their_claim():
    ids = [t.id for t in BOOK.tests]
    assert len(ids) == len(set(ids))
    for claim in BOOK.claims:
        assert claim.tests
        assert all(t.id.startswith(f"{claim.id}.") for t in claim.tests)


def test_every_sentence_is_run_or_listed_as_not_tested():
    named = {c.id for c in BOOK.claims} | {key for key, _, _ in BOOK.not_tested}
    assert {f"M{k}" for k in range(1, 20)} <= named


@pytest.mark.parametrize("test", BOOK.tests, ids=lambda t: t.id)
def test_a_claim_is_well_formed(test):
    assert test.run in EXPERIMENTS
    assert test.evidence in EVIDENCE
    assert test.unit
    assert test.source
    known = set(load().references) | set(BOOK.references)
    assert set(test.source) <= known
    if test.op:
        assert test.op in OPS
        assert test.observed
        assert (test.value is not None) or (test.low is not None and test.high is not None and test.low < test.high)
        assert test.tolerance is not None or test.op in ("between", "at_least", "at_most")
    else:
        assert test.evidence in ("predicted", "fitted")


def test_rows_that_were_fitted_are_never_called_checked():
    for test in BOOK.tests:
        if test.run == "observation":
            study = load().study(test.options["study"])
            row = next(o for o in study.observations if o.id == test.options["row"])
            assert row.role != "calibration" or test.evidence == "fitted", test.id


def test_every_claim_has_a_figure():
    assert {c.figure for c in BOOK.claims} <= set(FIGURES)


def test_places_in_the_answer_exist(raw):
    ids = {t.id for t in BOOK.tests}
    for said in raw["answer"]:
        assert set(re.findall(r"\{([^}]*)\}", said)) <= ids


def test_known_misses_have_reasons():
    assert set(known_misses("naltrexone")) == MISSED
    assert all(len(reason) > 20 for reason in known_misses("naltrexone").values())


def test_verdicts_are_the_recorded_ones(answer):
    assert {f.test.id for f in answer.misses} == MISSED
    assert answer.ok


def test_numbers_are_the_recorded_ones(answer):
    found = {f.test.id: f.outcome.predicted for f in answer.findings}
    for key, value in BASELINE.items():
        assert found[key] == pytest.approx(value, rel=0.006), key


def test_misses_come_first(answer):
    holds = [f.holds for f in answer.ordered]
    assert holds == sorted(holds, key=["no", "yes", "not tested"].index)


def test_json_keeps_the_contract(answer):
    data = json.loads(answer.to_json())
    assert {"manifest", "claims", "answer", "ok"} <= set(data)
    for claim in data["claims"]:
        assert set(claim) >= KEYS
        assert claim["holds"] in ("yes", "no", "not tested")
        assert claim["evidence"] in EVIDENCE
        assert isinstance(claim["source"], list)
    assert {key for key, _, _ in BOOK.not_tested} <= {c["id"] for c in data["claims"]}


def test_text_says_danger_advice_misses_and_limits(answer):
    console = Console(file=StringIO(), width=100)
    answer.to_text(console)
    said = console.file.getvalue()
    for words in (
        "Danger",
        "not medical advice",
        "clinician",
        "missed",
        "Not tested in this version",
        "What is not known",
    ):
        assert words in said
    assert "{" not in said


def test_html_is_self_contained(answer):
    text = answer.to_html()
    parsed = check_self_contained(text)
    assert len(parsed.named("svg")) == len(BOOK.claims)
    assert len(parsed.named("figcaption")) == len(BOOK.claims)
    assert "not medical advice" in text


def test_progress_is_told():
    told = []
    explain("m6g", quick=True, progress=lambda done, total: told.append((done, total)))
    assert told
    assert told[-1][0] == told[-1][1]


def test_an_unknown_drug_is_named():
    with pytest.raises(UnknownNameError, match="naltrexone"):
        explain("naltrexon")


@pytest.mark.parametrize("drug", ["naloxone", "fentanyl", "endogenous", "beta_naltrexol"])
def test_other_drugs_get_a_shorter_answer(drug):
    answer = explain(drug, quick=True)
    assert answer.paragraphs
    assert answer.unknown
    assert answer.tables
    assert "not medical advice" in answer.advice
    check_self_contained(answer.to_html())
    json.loads(answer.to_json())
    console = Console(file=StringIO(), width=100)
    answer.to_text(console)


def test_no_answer_draws_an_agonist_over_milligrams(answer):
    """Agonist curves under blockade are over C/Kd, and no experiment gives an agonist dose."""
    for test in BOOK.tests:
        text = json.dumps(dict(test.options))
        assert not any(f"{a} " in text and " mg" in text.split(a)[1][:8] for a in ("heroin", "morphine", "fentanyl"))
    assert "concentration / Kd" in answer.to_html()


@pytest.mark.parametrize(
    ("criterion", "value", "wanted"),
    [
        ({"op": "within", "value": 10, "tolerance": 1}, 11.0, True),
        ({"op": "within", "value": 10, "tolerance": 1}, 11.1, False),
        ({"op": "fold", "value": 10, "tolerance": 2}, 5.0, True),
        ({"op": "fold", "value": 10, "tolerance": 2}, 4.9, False),
        ({"op": "between", "low": 1, "high": 2}, 2.0, True),
        ({"op": "at_least", "value": 1}, 0.9, False),
        ({"op": "at_most", "value": 1}, 0.9, True),
        ({"op": "at_most", "value": 1}, float("nan"), False),
        ({}, 1.0, None),
    ],
)
def test_criteria(criterion, value, wanted):
    test = Test(id="x", statement="", run="", options={}, evidence="checked", unit="1", **criterion)
    assert test.holds(value) is wanted


def test_a_challenge_starts_at_its_run_and_ends_at_gaddum():
    """With a quick receptor the challenge after an hour is the equilibrium of the kernel's own state."""
    lab = Lab(catalogue=load(), n=1, draws=1)
    c = challenge_of(lab, "effect_compartment", "naltrexone 50 mg po", 24.0, "morphine")
    agonist = np.array([0.1, 1.0, 10.0, 100.0])
    antagonist = float((c.free[0, :2] / c.kd[1:3]).sum())
    assert c.curve(agonist) == pytest.approx(equilibrium_curve(agonist, antagonist, c.free[0, 2]), abs=1e-4)
    alone = c.start[0]
    assert alone[0] == pytest.approx(c.free[0, 0] / c.kd[1] / (1 + antagonist + c.free[0, 2]), rel=2e-2)


def test_the_sum_is_one_in_the_kernel():
    lab = Lab(catalogue=load(), n=1, draws=1)
    test = next(t for t in BOOK.tests if t.id == "M2.1")
    assert run_test(lab, test).predicted < 1e-9
