"""Pages in a browser: first screen, reading, phone, keyboard, print, weight, accessibility."""

from __future__ import annotations

import os
import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest

import schild
from schild.catalog import load
from schild.explanation import explain
from schild.report.comparison import comparison_html
from schild.report.rescue import rescue_html
from schild.report.result import result_html
from schild.report.simulation import simulation_html
from schild.report.trial import sizing_html, trial_html
from schild.trial.sizing import size_trial
from schild.validation.ledger import ledger
from schild.validation.show import html_page

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
#: A claim with an injection, missed tablets, ... is told in ten questions.
QUESTIONS = 10


@pytest.fixture(scope="module", params=["naltrexone", "nalmefene"])
def written(request, tmp_path_factory):
    """Drug and file of its page. ``SCHILD_PAGES`` names a folder with pages that were written before."""
    kept = Path(os.environ.get("SCHILD_PAGES", "-")) / f"{request.param}.html"
    if kept.is_file():
        return request.param, kept
    file = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    file.write_text(explain(request.param, quick=True).to_html(), encoding="utf-8")
    return request.param, file


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
    if CHROMIUM is None:
        pytest.skip("the page is tested in Chromium, which is not installed")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, written):
    """Open the page in a window of a size; errors of the page and requests are collected."""
    contexts = []

    def go(size=PHONE, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.errors, page.asked = [], []
        page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: page.errors.append(str(e)))
        page.on("request", lambda r: page.asked.append(r.url))
        page.goto(written[1].as_uri())
        return page

    yield go
    for context in contexts:
        context.close()


def grade(text: str) -> float:
    """Flesch-Kincaid grade of a text, with syllables counted as groups of vowels."""
    sentences = [s for s in re.split(r"[.!?]+(?:\s|$)|\n", text) if re.search(r"[A-Za-z]", s)]
    words = re.findall(r"[A-Za-z']+", text)
    syllables = 0
    for word in words:
        bare = re.sub(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$", "", word.lower())
        syllables += max(1, len(re.findall(r"[aeiouy]+", bare)))
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def test_the_grade_of_known_texts():
    assert grade("The cat sat on the mat.") < 2
    assert grade("Pharmacokinetic variability necessitates individualised administration intervals.") > 15


def test_the_first_screen_answers(opened, written):
    page = opened()
    answer = " ".join(page.locator("#answer .answer").all_inner_texts())
    assert len(answer.split()) <= 90
    if written[0] == "naltrexone":
        for words in ("opioid receptor antagonist", "competitive", "reversible", "opioid use disorder",
                      "alcohol use disorder", "mu receptors more than kappa and delta"):  # fmt: skip
            assert words in answer
    assert "opioid receptor antagonist" in answer
    assert page.locator("#answer .remember li").count() == 3
    box = page.locator("#answer .warning").bounding_box()
    assert box["y"] + box["height"] <= PHONE["height"]
    assert page.locator("#answer svg").count() == 0
    assert page.locator("#answer .badge").count() == 0  # no number whose claim is missed


def test_it_reads_easily(opened, written):
    page = opened()
    said = page.locator("#answer .answer, #answer .remember li, #answer .warning, .card > .says, .card > .miss")
    texts = said.all_inner_texts()
    if written[0] == "naltrexone":
        assert grade("\n".join(texts)) <= 9.0
    for text in page.locator("#answer .answer, .card > .says").all_inner_texts():
        for sentence in re.split(r"(?<=[.!?])\s", text):
            # A dose or a route in words is one number.
            assert len(re.findall(r"\d[\d.,]*", sentence)) <= (1 if written[0] == "naltrexone" else 3), sentence
    assert not re.search(r"\([^()]*\([^()]*\)", "\n".join(texts))


def test_each_question_is_near_the_contents(opened, written):
    page = opened()
    top = page.locator("nav").bounding_box()["y"]
    links = page.locator("nav a[href^='#card-']")
    cards = page.locator("article[data-card]")
    assert links.count() == cards.count() == (QUESTIONS if written[0] == "naltrexone" else cards.count())
    for link in links.all():
        assert link.bounding_box()["y"] - top <= 2 * PHONE["height"]
        target = page.locator(link.get_attribute("href"))
        link.click()
        assert 0 <= target.bounding_box()["y"] < PHONE["height"]


def test_nothing_is_asked_for_and_nothing_fails(opened, written):
    for size in (PHONE, DESKTOP):
        page = opened(size)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(1500)
        assert page.errors == []
        assert [url for url in page.asked if not url.startswith(("file:", "blob:", "data:"))] == []


def check_a_phone_is_wide_enough(page):
    """No part of a page that is open stands beyond the right edge."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    beyond = page.evaluate("""() => [...document.querySelectorAll('td, th, dd, p, li, figcaption, svg')]
        .filter(e => e.getBoundingClientRect().right > 391 && e.getBoundingClientRect().width > 1)
        .map(e => e.outerHTML.slice(0, 120))""")
    assert beyond == []


def check_text_of_charts(page):
    """Text of charts is at least 11 px high."""
    small = page.evaluate("""() => [...document.querySelectorAll('svg text')].map(t => {
        const m = t.getScreenCTM();
        return [Math.hypot(m.a, m.b) * parseFloat(getComputedStyle(t).fontSize), t.textContent];
    }).filter(([size]) => size < 10.9)""")
    assert small == []


def check_texts_of_charts_stay_inside(page):
    """No text of a chart is cut by its edge, and no text stands on another."""
    cut = page.evaluate("""() => [...document.querySelectorAll('svg.plot')].flatMap(svg => {
        const box = svg.getBoundingClientRect(), all = [...svg.querySelectorAll('text')];
        const off = all.map(t => [t.textContent, t.getBoundingClientRect()]).filter(([, r]) =>
            r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1);
        return off.map(([text]) => text);
    })""")
    assert cut == []
    over = page.evaluate("""() => [...document.querySelectorAll('svg.plot')].flatMap(svg => {
        const all = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
        return all.flatMap(([one, a], k) => all.slice(k + 1).filter(([, b]) =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4).map(([two]) => `${one} / ${two}`));
    })""")
    assert over == []


def check_accessibility(page):
    """Axe finds nothing against WCAG 2.1 A and AA."""
    api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = api.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert [(v["id"], [n["html"][:140] for n in v["nodes"]][:3]) for v in found.response["violations"]] == []


def test_it_fits_a_phone_with_everything_open(opened):
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    check_a_phone_is_wide_enough(page)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_text_of_charts_can_be_read(opened, size):
    page = opened(size)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    check_text_of_charts(page)
    check_texts_of_charts_stay_inside(page)


def test_every_number_that_misses_is_marked(opened):
    page = opened()
    for card in page.locator(".card").all():
        for told in card.locator(".miss").all_inner_texts():
            assert told.startswith(("Human data: ", "The label: "))
            assert "a miss" in told
    linked = page.locator(".number a[href]").evaluate_all("(all) => all.map(a => a.getAttribute('href'))")
    for target in linked:
        badge = page.locator(f"[id='{target[1:]}'] .badge").first
        assert "missed" not in (badge.text_content() or "")


def test_it_works_without_a_script(opened, written):
    page = opened(java_script_enabled=False)
    assert page.locator("h1").inner_text()
    assert page.locator("svg.plot").count() > 0
    summary = page.locator("details.claim > summary").first
    summary.click()
    assert summary.locator("xpath=..").get_attribute("open") is not None


def test_it_works_with_the_keyboard_alone(opened):
    page = opened(DESKTOP)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "A"
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")


def test_every_link_of_the_page_leads_somewhere(opened):
    page = opened()
    dangling = page.evaluate("""() => [...document.querySelectorAll("a[href^='#']")].map(a => a.getAttribute('href'))
        .filter(h => !document.getElementById(decodeURIComponent(h.slice(1))))""")
    assert dangling == []
    files = re.findall(r"[\w/-]+\.(?:csv|toml|md|py)\b", page.inner_text("main"))
    assert files == []  # no name of a file that the reader does not have
    outputs = [name for name in load().effects if "_" in name]
    assert not [name for name in outputs if name in page.inner_text("main")]


def test_it_prints_on_a_few_numbered_pages(opened, written):
    page = opened(DESKTOP)
    sheets = page.pdf(format="A4", prefer_css_page_size=True)
    count = len(re.findall(rb"/Type\s*/Page\b", BytesIO(sheets).getvalue()))
    assert 1 <= count <= 8
    assert "counter(page)" in written[1].read_text(encoding="utf-8")


def test_it_is_light(written):
    assert written[1].stat().st_size <= 600_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_accessibility(opened, size, scheme):
    page = opened(size, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(800)
    check_accessibility(page)


# -------------------------------------------------------------------------------------------- pages of other drugs

#: Names with a figure in them, and the length of an infusion, which belongs to its dose.
NAMES = re.compile(r"CYP2D6|\b[36]-\w+(?:-\w+)?|over \d+\smin")


@pytest.mark.parametrize("drug", [key for key in load().drugs if key != "naltrexone"])
def test_the_page_of_every_drug_holds_the_same_rules(browser, drug, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(explain(drug).to_html(), encoding="utf-8")
    assert file.stat().st_size <= 600_000
    given = load().drug(drug).role != "endogenous"  # the body's own opioids are never given: no danger, no chart
    for size, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        page = context.new_page()
        errors, asked = [], []
        page.on("console", lambda m, errors=errors: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e, errors=errors: errors.append(str(e)))
        page.on("request", lambda r, asked=asked: asked.append(r.url))
        page.goto(file.as_uri())
        if size is PHONE:
            check_first_screen(page, given)
            check_words(page)
        sheets = page.pdf(format="A4", prefer_css_page_size=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", sheets)) <= 8
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(500)
        if size is PHONE:
            check_a_phone_is_wide_enough(page)
        check_text_of_charts(page)
        check_texts_of_charts_stay_inside(page)
        check_accessibility(page)
        assert (page.locator("svg.plot").count() > 0) == given
        assert errors == []
        assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
        context.close()


def check_first_screen(page, given):
    """Answer, three lines and danger stand on the first screen; every card is in the contents."""
    assert len(" ".join(page.locator("#answer .answer").all_inner_texts()).split()) <= 90
    assert page.locator("#answer .remember li").count() == 3
    assert page.locator("#answer :is(svg, .badge)").count() == 0
    assert page.locator("#answer .warning").count() == given
    if given:
        box = page.locator("#answer .warning").bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"]
    assert page.locator("nav a[href^='#card-']").count() == page.locator("article[data-card]").count()


def check_words(page):
    """Sentences are plain: grade, one number each, no nested brackets; no name of a file, an output or a number."""
    said = page.locator("#answer .answer, #answer .remember li, #answer .warning, .card > .says, .card > .miss")
    texts = said.all_inner_texts()
    assert grade("\n".join(texts)) <= 9.0
    assert not re.search(r"\([^()]*\([^()]*\)", "\n".join(texts))
    for text in page.locator("#answer .answer, .card > .says").all_inner_texts():
        for sentence in re.split(r"(?<=[.!?])\s", text):
            assert len(re.findall(r"\d[\d.,]*", NAMES.sub("", sentence))) <= 1, sentence
    main = page.evaluate("""() => {
        const all = document.querySelector('main').cloneNode(true);
        all.querySelectorAll('code, svg, .sources').forEach(e => e.remove());
        all.querySelectorAll('*').forEach(e => e.append(' '));
        return all.textContent;
    }""")
    assert re.findall(r"\w+_\w+|[\w/-]+\.(?:csv|toml|md|py)\b|\d[eE][+-]\d|(?<![\d.])-0\b(?![.\d])", main) == []


# ----------------------------------------------------------------------------------------------- pages of results

NALTREXONE = {"name": "naltrexone", "drug": "naltrexone", "amount": "50 mg"}
DEPOT = {
    "name": "injection", "drug": "naltrexone", "amount": "380 mg", "route": "im_depot", "dosing": "schedule",
    "every": "28 d",
}  # fmt: skip
PLACEBO = {"name": "placebo", "placebo": True}
CURVES = {
    "antagonist": [0.0] * 5 + [9.0] * 5 + [99.0] * 5,
    "agonist": [1.0, 3.0, 10.0, 30.0, 100.0] * 3,
    "response": [x / (x + k) for k in (5.0, 50.0, 500.0) for x in (1.0, 3.0, 10.0, 30.0, 100.0)],
}
#: Every kind of page but the answers', from runs that take a second or two.
RESULTS = {
    "run": lambda: simulation_html(schild.simulate("naltrexone 50 mg po q24h x4", "heroin 25 mg iv at 3 d")),
    "people": lambda: simulation_html(schild.simulate("naltrexone 50 mg po", until="2 d", n=20)),
    "comparison": lambda: comparison_html(
        schild.compare({"a tablet": "naltrexone 50 mg po", "two tablets": "naltrexone 100 mg po"}, until="2 d", n=10)
    ),
    "rescue": lambda: rescue_html(schild.rescue("fentanyl 1.625 mg iv", ["none", "naloxone 4 mg in"], n=16)),
    "trial": lambda: trial_html(schild.run_trial(schild.Trial.of(NALTREXONE, PLACEBO, n=100, weeks=8))),
    "people of both arms": lambda: trial_html(
        schild.run_trial(schild.Trial.of(NALTREXONE, PLACEBO, n=100, weeks=8, people="shared"))
    ),
    "opioid trial": lambda: trial_html(
        schild.run_trial(schild.Trial.of(DEPOT, PLACEBO, disorder="opioid", n=40, weeks=12))
    ),
    "sizes": lambda: sizing_html(
        size_trial(schild.Trial.of(NALTREXONE, PLACEBO, weeks=4), endpoints=["percent_heavy_drinking_days"], sets=4)
    ),
    "validation": lambda: html_page(schild.validate("naltrexone_pet", "naloxone_pk", quick=True)),
    "predictions": lambda: result_html(ledger(), "Predictions"),
    "challenge": lambda: result_html(
        schild.challenge("naltrexone 50 mg po", agonist="heroin 25 mg iv", at="24 h"), "A challenge"
    ),
    "coverage": lambda: result_html(schild.coverage("naltrexone 50 mg po q24h x4", missed=[0, 1], n=8), "Protected"),
    "forecast": lambda: result_html(
        schild.forecast("naltrexone 50 mg po", levels=["5 ng/mL at 2 h"], n=60), "A forecast"
    ),
    "plan": lambda: result_html(schild.plan("naltrexone", target=0.7, receptor="mor", hold="4 h", n=40), "A plan"),
    "sensitivity": lambda: result_html(
        schild.sensitivity("naloxone 1 mg iv", metric="auc_naloxone_ng_h_ml", until="1 h", n=0), "What matters"
    ),
    "laboratory": lambda: result_html(schild.laboratory("bar", n=40), "A laboratory"),
    "fit": lambda: result_html(schild.schild_fit(CURVES, antagonist_unit="nM", agonist_unit="nM"), "A fit"),
    "structures": lambda: result_html(schild.structure("naltrexone", "methylnaltrexone", "naloxone"), "Structures"),
}


def check_sentences_of_results(page):
    """Numbers stand in tables and words, not in Python; one person is one; no range is of one value."""
    said = page.evaluate("""() => {
        const all = document.querySelector('main').cloneNode(true);
        all.querySelectorAll('svg').forEach(e => e.remove());
        for (const table of all.querySelectorAll('table'))
            if (table.caption && /^Manifest/.test(table.caption.textContent)) table.remove();
        all.querySelectorAll('*').forEach(e => e.append(' '));
        return all.textContent;
    }""")
    assert not re.search(r"\{'|\[\{|\b1 people\b|\(never to never\)|below to below|docs/[\w/-]+\.md", said)
    for chart in page.locator("svg.plot").all():
        assert len(chart.get_attribute("aria-label")) < 300  # a title, not the text of the page


@pytest.mark.parametrize("kind", RESULTS)
def test_pages_of_results_hold_the_same_rules(browser, kind, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(RESULTS[kind](), encoding="utf-8")
    assert file.stat().st_size <= 600_000
    for size, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        page = context.new_page()
        errors, asked = [], []
        page.on("console", lambda m, errors=errors: errors.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r, asked=asked: asked.append(r.url))
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        if size is PHONE:
            check_a_phone_is_wide_enough(page)
            folded = page.locator("td[data-label]").evaluate_all("(all) => all.map(e => getComputedStyle(e).display)")
            assert set(folded) <= {"flex", "none"}  # a card for each row; empty cells are left out
        check_text_of_charts(page)
        check_texts_of_charts_stay_inside(page)
        check_accessibility(page)
        assert page.locator("script").count() == 0
        assert errors == []
        assert [url for url in asked if not url.startswith("file:")] == []
        if size is PHONE:
            check_sentences_of_results(page)
        charts = page.locator("svg.plot")
        assert charts.count()
        for chart in charts.all():
            assert chart.get_attribute("aria-label")
            assert f"schild {schild.__version__}, " in chart.text_content()
            assert chart.bounding_box()["width"] >= (340 if size is PHONE else 320)
        for figure in page.locator("figure").all():
            assert figure.locator("table tbody tr").count()  # the numbers behind it
        assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")
        context.close()
