"""Answers for drugs without claims: figures from runs, intervals, plain words, and nothing above published doses."""

from __future__ import annotations

import numpy as np
import pytest

from schild.catalog import load
from schild.explanation import explain
from schild.explanation.catalogue_figures import span_of
from schild.explanation.experiments import Lab
from schild.explanation.figures import EFFECT_WORDS
from schild.explanation.panels import draw
from webpage import check_self_contained

KINDS = {
    "fentanyl": {"course", "effects", "block", "affinities"},
    "heroin": {"course", "effects", "block", "affinities"},
    "naloxone": {"course", "effects", "waning", "affinities"},
    "nalmefene": {"course", "effects", "waning", "affinities"},
    "methylnaltrexone": {"course", "effects", "waning"},
    "m6g": {"course", "affinities"},
    "carfentanil": {"affinities"},
    "cocaine": {"course"},
    "endogenous": set(),
}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    import sys

    monkeypatch.setattr(sys.modules["schild.explanation"], "QUICK_PEOPLE", 2)
    monkeypatch.setattr(sys.modules["schild.explanation"], "QUICK_DRAWS", 2)


def answer(drug: str):
    return explain(drug, quick=True)


def pictures(found):
    """Figures that belong to no test, by key."""
    return {claim.id: claim.figure for claim in found.book.claims if not claim.tests}


@pytest.mark.parametrize("drug", KINDS)
def test_each_role_has_its_figures(drug):
    assert set(pictures(answer(drug))) == KINDS[drug]


@pytest.mark.parametrize("drug", ["fentanyl", "nalmefene", "cocaine"])
def test_a_page_loads_nothing_and_says_what_it_is(drug):
    found = answer(drug)
    page = found.to_html()
    parsed = check_self_contained(page)
    drawn = [attrs for attrs in parsed.named("svg") if attrs.get("class") == "plot"]
    assert {attrs["data-key"].split("-")[1] for attrs in drawn} == KINDS[drug]
    assert "What is not known" in page
    assert "not medical advice" in page


def test_bands_hold_the_quantiles_of_the_runs_they_are_drawn_from():
    found = answer("morphine")
    figure = pictures(found)["course"]
    data = draw(figure, found.lab, "course").data
    plasma, held = (panel["lines"] for panel in figure["panel"])
    assert (plasma[0]["output"], held[0]["output"]) == ("plasma_morphine", "mor_occupancy_morphine")
    span = float(figure["panel"][0]["until"].split()[0])
    values = found.lab.course(plasma[0]["regimen"], span, span / 240, "plasma_morphine", receptors=["mor"], many=True)[
        1
    ]
    assert data["plasma: morphine 95 %"] == pytest.approx(list(np.quantile(values, 0.95, axis=0)))
    assert max(data["receptors occupied: mu"]) > 1.0


def test_naltrexone_leaves_less_of_every_effect():
    found = answer("heroin")
    data = draw(pictures(found)["effects"], found.lab, "effects").data
    assert max(data["liking: 24 h after naltrexone 50 mg by mouth"]) < max(data["liking: alone"])
    assert min(len(c) for c in data.values()) == max(len(c) for c in data.values())


def test_blocks_come_with_an_interval_that_holds_the_median():
    found = answer("hydromorphone")
    data = draw(pictures(found)["block"], found.lab, "block").data
    for mid, low, high in zip(data["block [%]"], data["5 % [%]"], data["95 % [%]"], strict=True):
        assert mid == "" or low <= mid <= high
    (number,) = [f for f in found.findings if f.test.id == "block-number"]
    low, high = number.outcome.band
    assert low <= number.outcome.predicted <= high


def test_agonists_are_run_at_published_doses_only():
    """Every dose of a figure is one that the guard lets pass beside naltrexone; a larger one is refused by it."""
    catalogue = load()
    for drug in ("fentanyl", "heroin", "morphine", "buprenorphine", "methadone"):
        entry = catalogue.drug(drug)
        published = {
            f"{drug} {entry.number(str(r.challenge)).value:g} mg {k}" for k, r in entry.routes.items() if r.challenge
        }
        found = pictures(answer(drug))
        for panel in found["effects"]["panel"]:
            assert panel["lines"][0]["regimen"].removesuffix(" at 24 h") in published
        assert {dose for _, dose in found["block"]["panel"][0]["doses"]} <= published


def test_what_an_antagonist_does_by_itself_is_not_called_block():
    found = answer("nalmefene")
    (panel,) = pictures(found)["waning"]["panel"]
    assert "analgesia" not in panel["effects"]
    assert "by itself changes pain relief" in " ".join(card.says for card in found.book.cards)
    assert "does nothing there itself" not in " ".join(found.paragraphs)


def test_courses_are_followed_until_they_are_over():
    t = np.linspace(0, 168, 1681)
    assert span_of(t, np.zeros_like(t)) == 3.0
    assert span_of(t, np.exp(-t / 4)) == 24.0
    assert set(EFFECT_WORDS) <= set(load().effects)


def test_a_figure_without_points_to_block_says_so():
    lab = Lab(catalogue=load(), n=2, draws=2)
    panel = {
        "draw": "block_bars", "antagonist": "naltrexone 50 mg po", "at": "24 h",
        "doses": [("codeine", "codeine 0.01 mg oral")], "effects": ["pupil"],
    }  # fmt: skip
    drawn = draw({"alt": "x", "caption": "x", "panel": [panel]}, lab, "block")
    assert drawn.data["block [%]"] == [""]
    assert "too little to be blocked" in drawn.panels[0]


def test_a_block_in_one_person_of_many_is_not_told():
    from schild.challenges import Response
    from schild.explanation.figures import blocks

    without = np.array([10.0] + [0.0] * 299)
    lone = Response(time_h=0.0, effect="pupil", unit="mm", noise=1.0, without=without, with_=without / 2)
    assert blocks(lone).size == 0
    assert (
        blocks(Response(time_h=0.0, effect="pupil", unit="mm", noise=1.0, without=without[:10], with_=without[:10] / 2))
        == 50
    )
