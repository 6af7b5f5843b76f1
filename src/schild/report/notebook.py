"""The live figures of a page in a notebook; needs the extra ``notebook`` (anywidget)."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from schild.catalog import Catalogue
from schild.errors import InputError, needed
from schild.report.parts import scene as scene_of
from schild.web.controls import controls
from schild.web.scenario import Scenario
from schild.web.scenes import engine_of, scenes_of


def live_figure(drug: str, scene: str = "", *, catalogue: Catalogue | None = None) -> Any:
    """Return a figure whose sentence, chart and band follow controls, as on the page of ``schild explain``.

    Parameters
    ----------
    drug : str
        Antagonist with scenes.
    scene : str
        Key of a scene; the first by default.
    catalogue : Catalogue, optional
        Another catalogue than the built-in one.

    Returns
    -------
    anywidget.AnyWidget
        Widget to show as the last line of a cell. ``link`` holds the setting of its controls for ``Scenario.of``.

    Raises
    ------
    InputError
        For a drug without scenes, a scene that it does not have, or without the extra.

    Examples
    --------
    >>> figure = live_figure("naloxone")                                           # doctest: +SKIP
    >>> Scenario.of(figure.link).results()["mor_peak"]                             # doctest: +SKIP
    """
    needed("notebook", "A live figure in a notebook", "anywidget", "traitlets")
    import anywidget
    import traitlets

    keys = [s.key for s in controls().scenes if s.drug == drug]
    if not keys:
        drugs = ", ".join(sorted({s.drug for s in controls().scenes}))
        raise InputError(f"{drug!r} has no live figure; expected one of {drugs}. Give another drug.")
    if scene and scene not in keys:
        raise InputError(f"{drug} has no scene {scene!r}; expected one of {', '.join(keys)}. Give one of them.")
    shown = next(s for s in scenes_of(drug, catalogue=catalogue) if s.scene.key == (scene or keys[0]))
    packed = engine_of(drug, catalogue=catalogue)
    parts = {} if packed is None else {"engine": packed.module, "pack": packed.pack, "script": packed.script}
    folder = files("schild.web")
    style = files("schild.report").joinpath("templates/style.css").read_text(encoding="utf-8")

    class LiveFigure(anywidget.AnyWidget):
        _esm = folder.joinpath("notebook.js").read_text(encoding="utf-8")
        _css = f".schild {{ {style.replace(':root', '&')} }}"  # nested, so that the notebook keeps its own style
        html = traitlets.Unicode(str(scene_of(shown))).tag(sync=True)
        engine = traitlets.Unicode(parts["engine"]).tag(sync=True)
        pack = traitlets.Unicode(parts["pack"]).tag(sync=True)
        script = traitlets.Unicode(parts["script"]).tag(sync=True)
        link = traitlets.Unicode(Scenario.of(shown.scene.scenario).fragment).tag(sync=True)

    return LiveFigure()
