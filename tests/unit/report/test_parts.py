"""Pages load nothing, escape everything, and can be read without seeing a figure."""

from __future__ import annotations

import csv
import re
from io import StringIO
from urllib.parse import unquote

import pytest

import schild
from schild.figures import Chart, Picture, plain_texts
from schild.figures.image import LONGEST
from schild.regimen import parse_regimen
from schild.report.parts import (
    Raw,
    charts_svg,
    esc,
    figure,
    foot_of,
    notice,
    number,
    page,
    paragraph,
    section,
    table,
)
from schild.report.simulation import simulation_html
from webpage import Page, check_self_contained

NASTY = "<script>alert('x')</script> & \"quotes\""


def drawn(key="f"):
    chart = Chart(200.0)
    chart.line([0, 1, 2], [0, 1, 4], color="#0072B2", label="square")
    return charts_svg([chart], key, "a curve & more", foot_of("squares", ["Lee1988"]))


def test_everything_is_escaped():
    text = page(
        NASTY,
        paragraph(NASTY),
        notice(NASTY, title=NASTY),
        section(NASTY, table((NASTY,), [(NASTY,)], caption=NASTY)),
        figure(drawn(), caption=NASTY, data={NASTY: [1.0]}, name=NASTY),
        lead=NASTY,
        foot=NASTY,
    )
    assert "<script" not in text
    check_self_contained(text)


def test_a_page_has_language_title_heading_and_schemes():
    parsed = Page(page("A title", paragraph("text")))
    assert parsed.named("html")[0]["lang"] == "en"
    assert len(parsed.named("h1")) == 1
    assert parsed.named("title")
    assert "prefers-color-scheme: dark" in page("t")
    assert "@media print" in page("t")


def test_what_no_assay_could_see_and_rounding_errors_are_words():
    data = {
        "plasma_x median [ng/mL]": [5.54e-217, -3.9e-14, 0.0, 2.5],
        "occupied [%]": [5.96e-6, -5.96e-6, 0.0, 91.5],
        "error of the sum": [2e-9, 0.0, 1e-9, 5e-9],
    }
    text = figure(drawn(), caption="c", data=data)
    cells = [row.split("<") for row in re.split('<td class="num"[^>]*>', text)[1:]]
    assert [row[0] for row in cells] == [
        *("&lt;0.0001", "2.00e-09", "&gt;-0.0001", "0", "0", "1.00e-09", "91.5", "5.00e-09"),
    ]
    assert text.count(">below quantification") == 2


def test_tables_have_scopes():
    parsed = Page(table(("a", "b"), [("x", 1.0), ("y", 2.0)], caption="c", numeric=(1,)))
    scopes = [attrs.get("scope") for attrs in parsed.named("th")]
    assert scopes == ["col", "col", "row", "row"]


def test_a_figure_says_what_it_shows_and_gives_its_numbers():
    data = {"time [h]": [0.0, 1.0, 2.0], "value [1]": [0.0, 1.0, 4.0]}
    text = figure(drawn(), caption="A square.", data=data, name="square")
    parsed = Page(text)
    svg = parsed.named("svg")[0]
    assert svg["role"] == "img"
    assert svg["aria-label"] == "a curve & more"
    assert parsed.named("figcaption")
    assert parsed.named("details")
    address = next(attrs["href"] for attrs in parsed.named("a"))
    rows = list(csv.reader(StringIO(unquote(address.removeprefix("data:text/csv;charset=utf-8,")))))
    assert rows == [["time [h]", "value [1]"], ["0", "0"], ["1", "1"], ["2", "4"]]


def test_each_chart_of_a_figure_says_what_it_shows_and_carries_source_and_version():
    charts = [Chart(200.0) for _ in range(3)]
    charts[1].title = "the second"
    for chart in charts:
        chart.line([k / 1000 for k in range(10001)], [(k % 7) * 1e-6 for k in range(10001)], color="#0072B2")
        chart.y.lim = (0, 1)
    svg = charts_svg(charts, "x", "Flat lines.", foot_of("lines", ["Lee1988", "schild"]))
    assert len(svg) < 9000  # thinned
    assert (
        svg.count(">lines. Lee 1988</text>") == svg.count(f">schild {schild.__version__}, schild.readthedocs.io<") == 3
    )
    labels = [attrs["aria-label"] for attrs in Page(svg).named("svg")]
    assert labels == ["Flat lines.", "the second. Flat lines.", "Flat lines. Chart 3."]


def test_sources_below_a_chart_fit_a_line():
    keys = [f"Somebody{year}" for year in range(1990, 2010)]
    for about in ("a", "b" * 30, "c" * 300):
        first, last = foot_of(about, keys)
        assert len(first) <= 54
        assert re.search(r"Somebody 1990.* and \d+ more$", first)
        assert last.startswith("schild ")


def test_a_dollar_sign_that_a_user_wrote_stays():
    chart = Chart(200.0)
    chart.title = "cost $5 or $6"
    assert "cost $5 or $6" in chart.svg("x", "nothing")


def test_powers_of_ten_on_an_axis_are_written_as_such():
    chart = Chart(200.0)
    chart.line([1e-3, 1e3], [1, 10], color="#0072B2")
    chart.x.log = True
    assert "10⁻³" in chart.svg("x", "a line")


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("42 % of people", "42\N{NO-BREAK SPACE}% of people"),
        (" % of people", "\N{NO-BREAK SPACE}% of people"),  # behind a number that the engine writes
        (
            "50 mg every 24 h, 2.5 ng/mL",
            "50\N{NO-BREAK SPACE}mg every 24\N{NO-BREAK SPACE}h, 2.5\N{NO-BREAK SPACE}ng/mL",
        ),
        ("in 2 groups, 3 more, mg 5", "in 2 groups, 3 more, mg 5"),
        ("3 to 5 h", "3\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}5\N{NO-BREAK SPACE}h"),
        ("0.5, 0.001 to -2", "0.5, 0.001\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}-2"),
        ("2 to take, from day 3 to the end", "2 to take, from day 3 to the end"),
        ("8 ng*h/mL", "8\N{NO-BREAK SPACE}ng·h/mL"),
    ],
)
def test_no_line_ends_inside_a_range_or_before_a_unit(text, joined):
    assert str(esc(text)) == joined
    assert joined in paragraph(text)
    assert f">{joined}<" in table(("a",), [(text,)])
    assert str(esc(Raw(text))) == text  # such as a drawing or a command to copy


def test_a_regimen_that_is_copied_from_a_page_is_read():
    assert (
        parse_regimen(str(esc("naltrexone 50 mg po at 2 h"))).doses == parse_regimen("naltrexone 50 mg po at 2 h").doses
    )


def test_ink_follows_light_and_dark():
    assert "#010203" not in drawn()
    assert ".t, .f { stroke: currentColor;" in page("t")


def test_drawing_is_repeatable():
    assert drawn() == drawn()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (1e-9, "1.00e-09"),
        (12345.6, "12,346"),
        (float("inf"), ""),
        (None, ""),
        (3, "3"),
        ("x", "x"),
        (-0.5, "-0.500"),
    ],
)
def test_numbers(value, said):
    assert number(value) == said


def test_long_tables_are_thinned_and_the_download_is_whole():
    data = {"x": [float(v) for v in range(1000)]}
    parsed = Page(figure(drawn(), caption="c", data=data))
    assert len(parsed.named("tr")) <= 42
    assert parsed.named("a")[0]["href"].count("%0A") == 1001


def test_raw_passes_and_text_does_not():
    assert esc(Raw("<b>")) == "<b>"
    assert esc("<b>") == "&lt;b&gt;"


@pytest.mark.parametrize("n", [None, 5])
def test_a_run_as_a_page(n):
    result = schild.simulate("naltrexone 50 mg po", until="24 h", n=n, title=NASTY)
    parsed = check_self_contained(simulation_html(result))
    assert len(parsed.named("svg")) == 2
    assert len(parsed.named("details")) == 2


def test_a_run_without_plasma_is_still_a_page():
    result = schild.simulate("naltrexone 50 mg po", until="24 h", outputs=["mor_free"])
    check_self_contained(simulation_html(result))


def test_a_line_that_would_fill_the_figure_is_cut():
    chart = Chart(200.0)
    chart.line([0, 1], [0, 1], color="#0072B2", label="a" * 5000)
    chart.title, chart.legend = "b" * LONGEST + "\n" + "c" * 300, "best"
    figure = Picture([chart]).image()
    (axis,) = figure.axes
    plain_texts(figure)
    assert axis.get_legend().get_texts()[0].get_text() == "a" * (LONGEST - 1) + "…"
    assert axis.get_title() == "b" * LONGEST + "\n" + "c" * (LONGEST - 1) + "…"
