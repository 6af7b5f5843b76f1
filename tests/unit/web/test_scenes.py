"""Scenes of a page: at their first setting in Python, and in a browser when a control is moved."""

import gzip
import json
import re
import shutil
from base64 import b64decode, b64encode

import pytest

from schild.web.controls import controls
from schild.web.scenario import Scenario
from schild.web.scenes import band_words, engine_of, scenes_of, shown

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>scenes</title><body>{sections}
<script type="text/plain" id="schild-engine">{e.module}</script>
<script type="text/plain" id="schild-pack">{e.pack}</script>
<script type="text/plain" id="schild-script">{e.script}</script>
<script>{e.start}</script></body></html>"""
SECTION = """<section data-scene="{s.key}" data-scenario="{scenario}" data-controls="{names}" data-gives="{gives}">
<p class="says">{says}</p><p class="spread"></p>
<div class="controls-place"></div><figure hidden><div class="chart"></div><figcaption></figcaption>
<details open><table><tbody></tbody></table></details></figure><p class="note" role="status"></p></section>"""


def _page(drug):
    sections = "".join(
        SECTION.format(
            s=found.scene, scenario=found.scene.scenario.replace("&", "&amp;"), names=" ".join(found.scene.controls),
            gives=",".join(found.scene.gives),
            says="".join(f'<span data-value="{name}">{text}</span>' if name else text for text, name in found.parts),
        )
        for found in scenes_of(drug)
    )  # fmt: skip
    return PAGE.format(sections=sections, e=engine_of(drug))


def test_every_scene_can_be_run_and_its_controls_are_known():
    for scene in controls().scenes:
        scenario = Scenario.of(scene.scenario)
        assert scenario.give.startswith(scene.drug)
        assert set(scene.controls) <= set(controls().named)
        assert "{" not in re.sub(r"\{\w+\}", "", scene.says)


def test_no_control_gives_the_dose_of_an_opioid():
    opioids = {c.words.split()[0] for c in controls().challenges}
    assert not opioids & {d.drug for d in controls().dosings}
    assert not any("opioid" in name or "agonist" in name for name in controls().named)


def test_a_sentence_is_filled_and_has_no_place_left():
    found = scenes_of("naloxone")
    said = "".join(text for text, _ in found[0].parts)
    assert re.search(r" 0\.4 mg into a vein occupies at most \d+ % ", said), said
    assert re.search(r"highest occupancy \d+ to \d+ %", found[0].band), found[0].band


def _sentence(scene, scenario):
    results = scenario.results()
    return re.sub(r"\{(\w+)\}", lambda m: shown(m[1], scenario, results), scene.says)


@pytest.mark.slow
def test_sentences_follow_the_controls_as_python_computes_them(tmp_path):
    """Each text is waited for: how soon it comes depends on the machine, what it says does not."""
    api = pytest.importorskip("playwright.sync_api")
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs Chromium")
    file = tmp_path / "page.html"
    file.write_text(_page("naltrexone"), encoding="utf-8")
    tablet, doses = (next(s for s in controls().scenes if s.key == key) for key in ("one-tablet", "missed-doses"))
    first = Scenario.of(tablet.scenario)
    moved = Scenario.of(tablet.scenario.replace("mg=50", "mg=100") + "&liver=severe")
    injected = Scenario.of("give=naltrexone+injection&mg=380&n=3&every_h=672&until_h=2688&missed=2")
    shorter = Scenario.of("give=naltrexone+tablet&mg=50&n=5&every_h=24&until_h=216")
    fragment = "give=naltrexone+tablet&mg=25&n=5&every_h=24&until_h=200&missed=2,3"
    errors = []
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
        )
        page = chromium.new_page(viewport={"width": 390, "height": 844})
        page.on("console", lambda m: errors.append(m.text))
        page.on("pageerror", lambda e: errors.append(str(e)))

        def says(key, what, text):
            page.wait_for_function(
                "([key, what, text]) => document.querySelector(`[data-scene=${key}] ${what}`).textContent === text",
                arg=[key, what, text],
            )

        page.goto(file.as_uri())
        page.wait_for_function("document.querySelector('[data-scene=one-tablet]').dataset.done")
        says("one-tablet", ".says", _sentence(tablet, first))
        page.evaluate(
            "() => { const s = document.getElementById('one-tablet-mg'); s.value = 100;"
            " s.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
        page.select_option("#one-tablet-liver", "severe")
        says("one-tablet", ".says", _sentence(tablet, moved))
        names = re.findall(r"\{(\w+)\}", tablet.says)
        says("one-tablet", ".spread", band_words(names, moved.band().results))
        at_rest = json.loads(page.evaluate("document.querySelector('[data-scene=one-tablet]').dataset.done"))
        title = page.inner_text("[data-scene=one-tablet] figcaption")
        drawn = page.inner_text("[data-scene=one-tablet] .chart")
        page.evaluate(
            "() => { const s = document.getElementById('missed-doses-n'); s.value = 5;"
            " s.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
        says("missed-doses", ".says", _sentence(doses, shorter))
        page.wait_for_function(
            "document.querySelectorAll('[data-scene=missed-doses] input[type=checkbox]').length === 4"
        )
        page.check("[data-scene=missed-doses] input[value='3']")
        page.select_option("#missed-doses-give", "naltrexone injection")
        says("missed-doses", ".says", _sentence(doses, injected))
        page.goto(f"{file.as_uri()}#scene=missed-doses&{fragment}")
        page.reload()
        says("missed-doses", ".says", _sentence(doses, Scenario.of(fragment)))
        assert errors == []
        script = re.search(r'id="schild-script">([^<]*)<', file.read_text(encoding="utf-8"))[1]
        broken = gzip.decompress(b64decode(script)).replace(b"run({dosing,", b"run({other,", 1)
        spoilt = file.read_text(encoding="utf-8").replace(script, b64encode(gzip.compress(broken)).decode())
        file.write_text(spoilt, encoding="utf-8")
        page.goto(file.as_uri())
        says("one-tablet", ".note", "The engine stopped: dosing is not defined")
        assert set(errors) == {"dosing is not defined"}
        chromium.close()
    assert at_rest == pytest.approx(moved.results(), rel=1e-6, abs=1e-8)  # a moving control is answered more coarsely
    for words in ("100 mg of naltrexone by mouth", "liver severe", "90 % of 28 virtual people like this one."):
        assert words in title
    assert "100 mg of naltrexone by mouth" in drawn  # a picture of the screen says what was given, and where from
    assert "schild.readthedocs.io" in drawn
