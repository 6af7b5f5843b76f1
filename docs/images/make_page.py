"""Take the pictures of the page that the README shows: ``python docs/images/make_page.py out/naltrexone.html``.

Needs playwright and Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent

with sync_playwright() as playwright:
    place = shutil.which("chromium")
    browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox", "--disable-gpu"])
    address = Path(sys.argv[1]).resolve().as_uri()
    page = browser.new_page(viewport={"width": 1100, "height": 790})
    page.goto(address)
    page.screenshot(path=HERE / "page.png")
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(address)
    phone.screenshot(path=HERE / "page_phone.png")
    phone.wait_for_function("document.documentElement.dataset.engine === 'ready'")
    phone.locator("[data-scene=missed-doses] summary").first.click()
    phone.locator("[data-scene=missed-doses] input[type=checkbox]").nth(8).check()
    phone.wait_for_timeout(3000)
    phone.locator("[data-scene=missed-doses]").scroll_into_view_if_needed()
    phone.evaluate("document.querySelector('[data-scene=missed-doses]').scrollIntoView()")
    phone.screenshot(path=HERE / "page_live.png")
    browser.close()
