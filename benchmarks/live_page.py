"""How fast a live page is in Chromium, from a file and offline: python benchmarks/live_page.py PAGE.

First paint, and for each step of a slider the time from its event to the frame that shows its numbers, with the
processor slowed down four times (of the page; its workers keep their speed). Exit 1 where a bar is missed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

#: Bars: first paint, and the 95th percentile of a step. [ms]
PAINT_MS, STEP_MS, SLOWER, STEPS = 300.0, 50.0, 4, 40

DRAG = """async ([id, steps]) => {
  const slider = document.getElementById(id), found = [];
  const scene = slider.closest("[data-scene]"), shown = () => scene.dataset.moving ?? scene.dataset.done;
  slider.closest("details").open = true;
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  await new Promise((done) => setTimeout(done, 1500));
  for (let k = 0; k < steps; k++) {
    const low = Number(slider.min), wide = Number(slider.max) - low;
    slider.value = low + wide * (1 + (k * 5) % 11) / 12; // never the same twice, in any steps
    const begin = performance.now(), before = shown();
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    do await frame(); while (shown() === before && performance.now() - begin < 2000);
    found.push(performance.now() - begin);
    await new Promise((done) => setTimeout(done, 30));
  }
  return found;
}"""


def main(page_file: str) -> int:
    """Measure a page."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = chromium.new_context(viewport={"width": 390, "height": 844}, offline=True)
        page = context.new_page()
        page.goto(Path(page_file).resolve().as_uri())
        page.wait_for_function("document.documentElement.dataset.engine === 'ready'")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        sliders = page.evaluate("[...document.querySelectorAll('[data-scene] input[type=range]')].map((s) => s.id)")
        steps = {slider: sorted(page.evaluate(DRAG, [slider, STEPS])) for slider in sliders}
        chromium.close()
    print(f"first contentful paint: {paint:.0f} ms (at most {PAINT_MS:.0f})")
    late = 0
    for slider, found in steps.items():
        p95 = found[int(0.95 * (len(found) - 1))]
        late += p95 > STEP_MS
        middle = found[len(found) // 2]
        print(f"{slider}, {SLOWER}x slower: median {middle:.0f} ms, p95 {p95:.0f} ms (at most {STEP_MS:.0f})")
    return int(paint > PAINT_MS or late > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
