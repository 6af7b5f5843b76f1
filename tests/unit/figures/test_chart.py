"""Charts of a column: their axes, what is cut, what is thinned, and that they need no chart library."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from schild.figures import WIDTH, Chart
from schild.figures.chart import Axis, _thinned, _wide, ticks_of

BLUE = "#0072B2"


class Parts(HTMLParser):
    """Elements of a drawing with their attributes, and its texts."""

    def __init__(self, svg):
        super().__init__()
        self.found, self.texts = [], {}
        self.feed(svg)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found[-1][0] == "text" and data.strip():
            self.texts[data] = self.found[-1][1]

    def paths(self, **wanted):
        return [a["d"] for tag, a in self.found if tag == "path" and all(a.get(k) == v for k, v in wanted.items())]


def points_of(d):
    """Every point of paths that were written in steps."""
    at, found = np.zeros(2), []
    for letter, said in re.findall(r"([Mmlhvz])([^Mmlhvz]*)", d):
        v = [float(x) for x in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", said)]
        at = {
            "M": lambda v, at: np.array(v), "m": lambda v, at: at + v, "l": lambda v, at: at + v,
            "h": lambda v, at: np.add(at, (v[0], 0)), "v": lambda v, at: np.add(at, (0, v[0])), "z": lambda v, at: at,
        }[letter](v, at)  # fmt: skip
        found.append(at)
    return np.array(found)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("low", "high"), [(0.02, 200.0), (1.0, 9.0), (3.1, 3.4), (0.95, 1e6), (1e-7, 3e-7)])
def test_marks_are_few_round_and_inside(low, high, log):
    marks = ticks_of(low, high, 300.0, log, room=6.0)
    places = np.array([v for v, _ in marks])
    assert 1 <= len(marks) <= 10
    assert (low <= places * (1 + 1e-9)).all()
    assert (places <= high * (1 + 1e-9)).all()
    assert len({words for _, words in marks}) == len(marks)
    if not log:
        assert np.diff(places) == pytest.approx(np.diff(places)[0])
        assert all(float(words.replace("−", "-")) == pytest.approx(v, abs=1e-12) for v, words in marks)


def test_words_side_by_side_have_room():
    marks = ticks_of(-12345.0, -12335.0, 200.0, room=6.0)
    step = (marks[1][0] - marks[0][0]) / 10.0 * 200.0
    assert max(_wide(words) for _, words in marks) + 6.0 <= step


def test_limits_leave_a_twentieth_but_not_below_bars():
    axis = Axis()
    axis.reach([0.0, 10.0], np.nan)
    assert axis.limits() == pytest.approx((-0.5, 10.5))
    axis.edges = {0.0}
    axis.lim = None, 20
    assert axis.limits() == (0.0, 20.0)
    assert Axis(log=True, seen=[np.array([-1.0, 1.0, 100.0])]).limits() == pytest.approx((10**-0.1, 10**2.1))


def test_a_line_is_cut_at_the_field_and_parted_by_what_is_no_number():
    chart = Chart(200.0)
    chart.line([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 9.0, 0.0, np.nan, 0.0, 1.0], color=BLUE)
    chart.x.lim, chart.y.lim = (0, 5), (0, 3)
    (d,) = Parts(chart.svg("a", "a")).paths(**{"class": "b"})
    points, (left, right), (bottom, top) = points_of(d), chart.x.ends, chart.y.ends
    assert d.count("M") == 3  # up, down again, after the gap
    assert points[:, 1].min() == pytest.approx(top - 1, abs=0.06)
    assert points[:, 1].max() <= bottom + 1
    # It crosses the upper end at a third of the way to its peak.
    assert points[1, 0] == pytest.approx(left + (right - left) / 15, abs=0.3)


def test_an_area_ends_where_the_field_ends():
    chart = Chart(200.0)
    chart.band([0.0, 1.0], [-5.0, -5.0], [1.0, 1.0], color=BLUE)
    chart.x.lim, chart.y.lim = (0.25, 2), (0, 2)
    points = points_of(Parts(chart.svg("a", "a")).paths(**{"class": "p"})[0])
    assert set(points[:, 1].tolist()) == {chart.y.ends[0], round(sum(chart.y.ends) / 2, 1)}
    assert points[:, 0].min() == pytest.approx(chart.x.ends[0], abs=0.06)


def test_thinning_stays_near_and_keeps_the_ends():
    x = np.linspace(0, 300, 2000)
    points = np.column_stack([x, 50 * np.sin(x / 20)])
    kept = points[_thinned(points, 0.3)]
    assert len(kept) < 120
    steepest = np.hypot(1, 50 / 20)
    assert np.abs(np.interp(x, *kept.T) - points[:, 1]).max() < 0.3 * steepest
    assert (kept[[0, -1]] == points[[0, -1]]).all()


def test_areas_that_touch_share_their_border():
    t = np.linspace(0, 1, 200)
    chart = Chart(200.0)
    chart.band(t, 0 * t, t**2, color="#111111", alpha=1.0)
    chart.band(t, t**2, 1 + 0 * t, color="#222222", alpha=1.0)
    parts = Parts(chart.svg("a", "a"))
    borders = [{tuple(p) for p in np.round(points_of(parts.paths(fill=c)[0]), 1)} for c in ("#111111", "#222222")]
    assert len(borders[0] & borders[1]) > 15


def test_a_legend_stands_out_of_the_way_and_is_as_faint_as_its_line():
    chart = Chart(200.0)
    chart.line([0.0, 1.0, 1.0], [1.0, 1.0, 0.0], color=BLUE, alpha=0.5, label="falls")
    chart.legend = "best"
    parts = Parts(chart.svg("a", "a"))
    assert float(parts.texts["falls"]["x"]) < WIDTH / 2
    assert float(parts.texts["falls"]["y"]) > 100
    (path,) = (a["d"] for tag, a in parts.found if a.get("stroke-opacity") == "0.5")  # they share it
    assert path.count("M") + path.count("m") == 2


def test_texts_are_escaped_stay_in_the_picture_and_have_no_controls():
    chart = Chart(200.0)
    chart.line([0, 1], [0, 1], color=BLUE)
    chart.title = "a < b & " + "long " * 9 + "long"
    chart.x.label = "x\x1b[2J"
    svg = chart.svg("a", "a")
    assert "a &lt; b &amp; long" in svg
    assert "\x1b" not in svg
    at = float(Parts(svg).texts[chart.title]["x"])
    assert 0 <= at < chart.x.ends[0]
    assert at + _wide(chart.title, 12.0) <= WIDTH + 1


def test_an_axis_may_be_turned_round_and_a_second_one_stand_at_the_right():
    chart = Chart(200.0)
    chart.line([0, 1], [0.0, -0.5], color=BLUE)
    chart.y.lim, chart.right = (-0.5, 0.0), ("held [%]", -200.0)
    texts = Parts(chart.svg("a", "a")).texts
    assert float(texts["100"]["y"]) == pytest.approx(float(texts["−0.5"]["y"]), abs=1)
    assert "held [%]" in texts
    chart = Chart(200.0)
    chart.marks([1.0, 2.0], [0, 1], color=BLUE, size=5)
    chart.y.lim, chart.y.ticks, chart.y.words = (1.5, -0.5), (0, 1), ("first", "second")
    texts = Parts(chart.svg("a", "a")).texts
    assert float(texts["first"]["y"]) < float(texts["second"]["y"])


def test_any_data_make_a_chart_without_a_warning():
    rng = np.random.default_rng(1)
    kinds = (
        lambda n: rng.normal(size=n), np.zeros, lambda n: 10 ** rng.uniform(-8, 8, n), lambda n: np.full(n, 7.5),
        lambda n: rng.choice([0.0, 1.0, np.nan, np.inf, -np.inf], n),
    )  # fmt: skip
    for k in range(120):
        chart, n = Chart(200.0), int(rng.choice([0, 1, 2, 40]))
        x, low, high = (kinds[rng.integers(len(kinds))](n) for _ in range(3))
        chart.line(x, low, color=BLUE, mark="o", label="line")
        chart.band(x, low, high, color=BLUE)
        chart.bars(x, x + 1, 0.0, high, color=BLUE)
        chart.whiskers(x, low, low, high, color=BLUE)
        chart.x.log, chart.y.log, chart.legend = k % 2 == 0, k % 3 == 0, "best"
        chart.y.lim = ((0, None), (3, 3), (5, 1), (None, None))[k % 4]
        svg = chart.svg("a", "a")
        assert "nan" not in svg
        assert "inf" not in svg
        for start in re.findall(r"M(-?[\d.]+) ?(-?[\d.]+)", svg):
            assert max(map(abs, map(float, start))) < 2 * WIDTH
