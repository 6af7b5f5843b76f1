"""What the answer tells: people before the model, a miss always marked, numbers as short tables."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from schild.catalog import Card, Test, load
from schild.errors import InputError
from schild.explanation.answer import Explanation, Finding
from schild.explanation.lab import Lab, Outcome
from schild.explanation.panels import Drawn
from schild.explanation.show import _row, number_tables, number_words


def finding(predicted: float, many=None, **criterion) -> Finding:
    test = Test(
        id="A1.1", statement="Held.", run="occupancy", options={}, evidence="checked", unit="%",
        observed="95 % in people", **criterion,
    )  # fmt: skip
    return Finding(claim="A1", test=test, outcome=Outcome(predicted=predicted, many=many))


def answer(found: Finding) -> Explanation:
    book = load().claims["naltrexone"]
    card = Card(id="a", question="How much?", says="Scans show it.", number="A1.1", shows="of receptors held")
    return Explanation(
        name="naltrexone", book=replace(book, answer=("It holds {A1.1}.",), cards=(card,), steps=(), claims=()),
        findings=(found,), tables=(), lab=Lab(catalogue=load(), n=1, draws=1),
    )  # fmt: skip


def printed(found: Finding) -> str:
    console = Console(file=StringIO(), width=200)
    answer(found).to_text(console)
    return console.file.getvalue()


def test_a_number_that_misses_is_told_with_what_people_showed():
    missed = finding(40.0, op="at_least", value=90.0)
    assert "Human data: 95 % in people. The model gives 40 % of receptors held: a miss." in printed(missed)
    assert answer(missed).paragraphs == ("It holds 95 % in people (the model gives 40 %, a miss).",)


def test_a_number_that_holds_is_told_with_its_band_once():
    said = printed(finding(95.0, np.linspace(90.0, 98.0, 101), op="at_least", value=90.0))
    assert "Model: 95 % of receptors held. 90 % of virtual people: 90 to 98 %." in said
    assert "a miss" not in said
    assert "not medical advice" in said
    assert "can kill" in said
    assert "--all" in said


def test_a_note_that_begins_with_a_word_of_one_letter_keeps_its_space():
    noted = finding(95.0, op="at_least", value=90.0, why="a fifth is left. ", note="9 studies")
    assert _row(noted, {})["notes"] == "A fifth is left. 9 studies."


def test_an_answer_without_its_claims_says_so_and_is_no_page():
    missed = finding(40.0, op="at_least", value=90.0)
    short, console = replace(answer(missed), whole=False), Console(file=StringIO(), width=200)
    short.to_text(console)
    said = console.file.getvalue()
    assert "the model misses A1.1, as marked above" in said
    assert f"{len(short.book.known)} are known to miss" in said
    assert "--claims" in said
    assert "Held:" not in said
    for shown in (short.to_html, short.to_json):
        with pytest.raises(InputError, match="claims=True"):
            shown()


@pytest.mark.parametrize(
    ("low", "high", "value", "bar"),
    [(0.0, 100.0, 50.0, (0.05, 0.95, 0.5)), (-10.0, 10.0, 0.0, (0.0, 1.0, 0.5))],
)
def test_the_bar_has_a_whole_scale(low, high, value, bar):
    told = number_words(finding(value, np.linspace(low, high, 2001)))
    assert told["bar"] == pytest.approx(bar, abs=0.002)


def test_numbers_behind_a_curve_are_five_points_with_their_band():
    hours = [float(k) for k in range(101)]
    data = {"time [h]": hours, "mu": hours, "mu 5 %": [h / 2 for h in hours], "mu 95 %": [h * 2 for h in hours]}
    ((title, columns, rows),) = number_tables(
        Drawn(alt="", panels=(), legend=(), legend_title="", caption="", data=data)
    )
    assert (title, columns) == ("", [])
    assert rows == [
        ["time [h]", "0", "25", "50", "75", "100"],
        ["mu", "0", "25 (12 to 50)", "50 (25 to 100)", "75 (38 to 150)", "100 (50 to 200)"],
    ]
