"""Answers for drugs without claims: figures from runs, intervals, plain words, and nothing above published doses."""

from __future__ import annotations

import numpy as np
import pytest

from schild.catalog import load
from schild.explain.courses import BLOCKED, Picture, span_of
from schild.explain.experiments import Lab
from schild.explain.other import explain_entry
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


def answer(drug: str):
    catalogue = load()
    return explain_entry(catalogue.drug(drug), Lab(catalogue=catalogue, n=2, draws=2))


@pytest.mark.parametrize("drug", KINDS)
def test_each_role_has_its_figures(drug):
    assert {p.key for p in answer(drug).pictures} == KINDS[drug]


@pytest.mark.parametrize("drug", ["fentanyl", "nalmefene", "cocaine"])
def test_a_page_loads_nothing_and_says_what_it_is(drug):
    found = answer(drug)
    page = found.to_html()
    parsed = check_self_contained(page)
    assert len(parsed.named("svg")) == len(KINDS[drug])
    assert "What is not known" in page
    assert "not medical advice" in page


def test_bands_hold_the_quantiles_of_the_runs_they_are_drawn_from():
    found = answer("morphine")
    picture = next(p for p in found.pictures if p.key == "course")
    data = picture.draw(found.lab).data
    options = picture.options
    names = [f"plasma_{options['drug']}", *(f"{r}_occupancy_{options['drug']}" for r in options["receptors"])]
    span = options["span"]
    run = found.lab.run(options["regimen"], span, span / 240, names, receptors=options["receptors"], many=True)
    wanted = np.quantile(np.asarray(run[names[0]].values), 0.95, axis=0)
    assert data["plasma_morphine [ng/mL] 95 %"] == pytest.approx(list(wanted))
    assert max(data["mor_occupancy_morphine [%]"]) > 1.0


def test_naltrexone_leaves_less_of_every_effect():
    found = answer("heroin")
    data = next(p for p in found.pictures if p.key == "effects").draw(found.lab).data
    alone = next(n for n in data if n.startswith("liking, alone") and "%" not in n)
    blocked = next(n for n in data if n.startswith("liking, 24 h after") and " 5 %" not in n and "95 %" not in n)
    assert max(data[blocked]) < max(data[alone])
    assert min(len(c) for c in data.values()) == max(len(c) for c in data.values())


def test_blocks_come_with_an_interval_that_holds_the_median():
    found = answer("hydromorphone")
    data = next(p for p in found.pictures if p.key == "block").draw(found.lab).data
    for mid, low, high in zip(data["block [%]"], data["5 % [%]"], data["95 % [%]"], strict=True):
        assert mid == "" or low <= mid <= high
    assert "% (" in found.paragraphs[-1]


def test_agonists_are_run_at_published_doses_only():
    """Every dose of a figure is one that the guard lets pass beside naltrexone; a larger one is refused by it."""
    catalogue = load()
    for drug in ("fentanyl", "heroin", "morphine", "buprenorphine", "methadone"):
        entry = catalogue.drug(drug)
        published = {
            f"{drug} {entry.number(str(r.challenge)).value:g} mg {k}" for k, r in entry.routes.items() if r.challenge
        }
        for picture in answer(drug).pictures:
            if picture.key == "effects":
                assert picture.options["agonist"] in published
            if picture.key == "block":
                assert {dose for _, dose in picture.options["doses"]} <= published


def test_what_an_antagonist_does_by_itself_is_not_called_block():
    found = answer("nalmefene")
    waning = next(p for p in found.pictures if p.key == "waning")
    assert "analgesia" not in waning.options["names"]
    assert "pain relief by itself" in " ".join(found.paragraphs)
    assert "does nothing there itself" not in " ".join(found.paragraphs)


def test_courses_are_followed_until_they_are_over():
    t = np.linspace(0, 168, 1681)
    assert span_of(t, np.zeros_like(t)) == 3.0
    assert span_of(t, np.exp(-t / 4)) == 24.0
    assert set(BLOCKED) <= set(load().effects)


def test_a_picture_without_points_to_block_says_so():
    lab = Lab(catalogue=load(), n=2, draws=2)
    options = {
        "antagonist": "naltrexone 50 mg po", "at_h": 24.0, "doses": [("codeine", "codeine 0.01 mg oral")],
        "names": ("pupil",),
    }  # fmt: skip
    drawn = Picture(key="block", title="x", kind="block", options=options).draw(lab)
    assert drawn.data["block [%]"] == [""]
    assert "too little to be blocked" in drawn.svg


def test_a_block_in_one_person_of_many_is_not_told():
    from schild.challenge import Response
    from schild.explain.courses import blocks

    without = np.array([10.0] + [0.0] * 299)
    lone = Response(time_h=0.0, effect="pupil", unit="mm", noise=1.0, without=without, with_=without / 2)
    assert blocks(lone).size == 0
    assert (
        blocks(Response(time_h=0.0, effect="pupil", unit="mm", noise=1.0, without=without[:10], with_=without[:10] / 2))
        == 50
    )
