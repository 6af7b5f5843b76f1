"""Page of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schild.report.parts import Raw, bibliography, charts_svg, figure, foot_of, notice, page, paragraph, section, table
from schild.tables import too_small

if TYPE_CHECKING:
    from schild.catalog import Catalogue
    from schild.simulation import Result

#: Advice on every page.
ADVICE = "For research and education. This is not medical advice: talk to a clinician or a pharmacist."

#: Rows of a course that the download of a figure keeps.
ROWS = 400


def simulation_html(result: Result) -> str:
    """Write a run as one self-contained page.

    ``result``: of one person or many. Returns HTML with a sentence, figures with their numbers, metrics, warnings,
    sources and the manifest.

    >>> import schild
    >>> text = simulation_html(schild.simulate("naltrexone 50 mg po", until="24 h"))
    >>> text.startswith("<!DOCTYPE html>"), "<script" in text
    (True, False)
    """
    from schild.simulation.aloud import aloud
    from schild.simulation.result import default_names

    names = default_names(result.outputs) or list(result.outputs)
    words = aloud(result)
    parts: list[str] = [paragraph(words, kind="answer")] if words else []
    parts += [notice(w, kind="warning", title="Warning.") for w in result.warnings]
    groups = {
        "Plasma": [n for n in names if n.startswith("plasma_")],
        "Receptors": [n for n in names if not n.startswith("plasma_")],
        "Effects": [n for n in result.outputs if result.catalogue is not None and n in result.catalogue.effects],
    }
    who = "One typical person." if result.n == 1 else f"Median of {result.n:,}, with the middle 50 % and 90 %."
    foot = foot_of("; ".join(result.manifest["regimens"]) or "A run of schild", result.sources)
    for k, (title, wanted) in enumerate(groups.items()):
        if not wanted:
            continue
        # The alternative text lists the outputs; the table beside the figure has the numbers.
        said = f"{title} over time: {', '.join(result[name].kind.words for name in wanted)}."
        svg = charts_svg(result.picture(*wanted).charts, f"run{k}", said, foot)
        parts.append(section(title, figure(svg, caption=who, data=columns(result, wanted), name=title.lower())))
    if result.metrics:
        parts.append(section("Metrics", _metrics(result.metrics)))
    parts.append(section("Sources of the numbers", sources(result.sources, result.catalogue)))
    manifest = [(key, str(value)) for key, value in result.manifest.items()]
    parts.append(section("To repeat this run", table(("entry", "value"), manifest, caption="Manifest")))
    return page(result.title or "A run of schild", *parts, lead="A simulation by schild.", foot=ADVICE)


def columns(result: Result, names: Sequence[str]) -> dict[str, list[Any]]:
    """Courses as columns with units, thinned to the size of a table."""
    shown = result.shown
    first = shown[names[0]]
    rows = {*range(0, len(first.time_h), max(1, -(-len(first.time_h) // ROWS)))}
    kept = sorted(rows.union(*({int(shown[n].value.argmax()), int(shown[n].value.argmin())} for n in names)))
    found: dict[str, list[Any]] = {"time [h]": [float(t) for t in first.time_h[kept]]}
    for name in names:
        o = shown[name]
        unit = f" [{o.unit}]"
        if result.n == 1:
            found[name + unit] = [float(v) for v in o.values[0][kept]]
        else:
            for label, q in (("5 %", 0.05), ("median", 0.5), ("95 %", 0.95)):
                found[f"{name} {label}{unit}"] = [float(v) for v in o.quantile(q)[kept]]
    return found


def sources(used: Mapping[str, Sequence[str]], catalogue: Catalogue | None) -> Raw:
    """Bibliography of the numbers used, with their names."""
    entries = []
    for key, numbers in sorted(used.items()):
        reference = None if catalogue is None else catalogue.references.get(key)
        label = "" if reference is None else reference.label
        address = "" if reference is None else reference.address
        entries.append((key, label, address, f"for {', '.join(numbers)}"))
    return bibliography(entries)


def _metrics(metrics: Mapping[str, Any]) -> Raw:
    if any(isinstance(v, Mapping) for v in metrics.values()):
        many = {
            name: [v.get("q05"), v.get("q50"), v.get("q95")] if isinstance(v, Mapping) else [None, v, None]
            for name, v in metrics.items()
        }
        rows = [(name, *(too_small(name, v) or v for v in values)) for name, values in many.items()]
        return table(("metric", "5 %", "median", "95 %"), rows, caption="Over people", numeric=(1, 2, 3))
    rows = [(name, too_small(name, value) or value) for name, value in metrics.items()]
    return table(("metric", "value"), rows, caption="Of this person", numeric=(1,))
