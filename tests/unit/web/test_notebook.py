"""The live figure of a notebook: what it holds, what it refuses, and that it follows its controls in a browser."""

import shutil

import pytest

from schild.errors import InputError
from schild.web.scenario import Scenario

pytest.importorskip("anywidget", reason="needs the extra notebook")
from schild.report.notebook import live_figure


def test_it_begins_with_the_sentence_of_the_page():
    figure = live_figure("naloxone")
    assert "mg into a vein occupies at most" in figure.html.replace("</span>", "").replace('<span data-value="mg">', "")
    assert Scenario.of(figure.link).words == ["naloxone 0.4 mg iv"]
    assert figure._css.startswith(".schild {")


@pytest.mark.parametrize(("asked", "said"), [(("morphine",), "has no live figure"), (("naloxone", "a"), "one-dose")])
def test_what_has_no_scene_is_refused(asked, said):
    with pytest.raises(InputError, match=said):
        live_figure(*asked)


@pytest.mark.slow
def test_it_follows_its_controls_and_tells_python_the_setting():
    api = pytest.importorskip("playwright.sync_api")
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs Chromium")
    figure = live_figure("naloxone")
    given = {name: getattr(figure, name) for name in ("html", "engine", "pack", "script", "link")}
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page()
        errors = []
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.evaluate(
            """async ([esm, given]) => {
                const {default: widget} = await import(URL.createObjectURL(new Blob([esm], {type: "text/javascript"})));
                window.given = given;
                const model = {get: (name) => given[name], set: (name, v) => { given[name] = v; }, save_changes() {}};
                await widget.render({model, el: document.body});
            }""",
            [figure._esm, given],
        )
        page.wait_for_function("document.body.dataset.engine === 'ready'")
        page.evaluate(
            "() => { const s = document.getElementById('one-dose-mg'); s.value = 2;"
            " s.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
        page.wait_for_function(
            r"document.querySelector('.says').textContent.replaceAll('\u00a0', ' ').includes('2 mg')"
        )
        link = page.evaluate("window.given.link")
        chromium.close()
    assert errors == []
    assert Scenario.of(link).mg == 2
