"""Scenes of a page: at their first setting in Python, and in a browser when a control is moved."""

import re
import shutil

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
<table><tbody></tbody></table></figure><p class="note" role="status"></p></section>"""


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
    assert re.search(r" 0\.4 mg into a vein holds at most \d+ % ", said), said
    assert re.search(r"held at most \d+ to \d+ %", found[0].band), found[0].band


@pytest.mark.slow
def test_sentences_follow_the_controls_as_python_computes_them(tmp_path):
    api = pytest.importorskip("playwright.sync_api")
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs Chromium")
    file = tmp_path / "page.html"
    file.write_text(_page("naltrexone"), encoding="utf-8")
    errors = []
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
        )
        page = chromium.new_page(viewport={"width": 390, "height": 844})
        page.on("console", lambda m: errors.append(m.text))
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(file.as_uri())
        page.wait_for_function("document.documentElement.dataset.engine === 'ready'")
        page.wait_for_function(
            "document.querySelector('[data-scene=one-tablet]').dataset.done?.includes('block_liking')"
        )
        first = page.inner_text("[data-scene=one-tablet] .says")
        page.evaluate(
            "() => { const s = document.getElementById('one-tablet-mg'); s.value = 100;"
            " s.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
        page.select_option("#one-tablet-liver", "severe")
        page.wait_for_function(
            f"document.querySelector('[data-scene=one-tablet] .says').textContent !== {first!r}"
            " && document.querySelector('[data-scene=one-tablet] .says').textContent.includes('100 mg')"
        )
        page.wait_for_timeout(1000)
        moved = page.inner_text("[data-scene=one-tablet] .says")
        page.wait_for_function("document.querySelector('[data-scene=one-tablet] .spread').textContent")
        spread = page.inner_text("[data-scene=one-tablet] .spread")
        title = page.inner_text("[data-scene=one-tablet] figcaption")
        page.select_option("#missed-doses-give", "naltrexone injection")
        page.wait_for_function("document.querySelector('[data-scene=missed-doses] .says').textContent.includes('380')")
        given = page.inner_text("[data-scene=missed-doses] .says")
        page.goto(
            file.as_uri() + "#scene=missed-doses&give=naltrexone+tablet&mg=25&n=5&every_h=24&until_h=200&missed=2,3"
        )
        page.reload()
        page.wait_for_function("document.documentElement.dataset.engine === 'ready'")
        linked = page.inner_text("[data-scene=missed-doses] .says")
        chromium.close()
    assert errors == []
    scene = next(s for s in controls().scenes if s.key == "one-tablet")
    for said, scenario in (
        (first, Scenario.of(scene.scenario)),
        (moved, Scenario.of(scene.scenario.replace("mg=50", "mg=100") + "&liver=severe")),
    ):
        results = scenario.results()
        assert said == re.sub(r"\{(\w+)\}", lambda m: shown(m[1], scenario, results), scene.says)  # noqa: B023
    names = re.findall(r"\{(\w+)\}", scene.says)
    assert spread == band_words(names, scenario.band().results)  # of the changed scenario
    assert "100 mg of naltrexone by mouth" in title
    assert "liver severe" in title
    assert "90 % of 30 virtual people" in title
    assert given.startswith(
        "A typical person of 70 kg is due 3 doses of 380 mg of naltrexone as a depot injection, one"
    )
    assert linked.startswith(
        "A typical person of 70 kg is due 5 doses of 25 mg of naltrexone by mouth, one a day. 2 are"
    )
