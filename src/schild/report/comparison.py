"""Page of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.report.parts import charts_svg, figure, foot_of, notice, page, paragraph, section, table
from schild.report.simulation import ADVICE, columns, sources
from schild.tables import too_small

if TYPE_CHECKING:
    from schild.comparison import Comparison


def comparison_html(found: Comparison) -> str:
    """Write a comparison as one self-contained page.

    ``found``: from ``schild.compare``. Returns HTML with overlaid curves and their numbers, metrics with
    ratios, warnings, sources and the manifest of each arm.

    >>> import schild
    >>> arms = {"a": "naltrexone 50 mg po", "b": "naltrexone 100 mg po"}
    >>> "Ratio to a" in comparison_html(schild.compare(arms, until="6 h"))
    True
    """
    parts: list[str] = [paragraph(f"{found.about()}.", kind="answer")]
    parts += [notice(w, kind="warning", title="Warning.") for w in (*found.warnings, *found.said())]
    doses = [(label, *result.manifest["regimens"]) for label, result in found.results.items()]
    parts.append(
        section("Arms", table(("arm", "doses"), [(a, "; ".join(d)) for a, *d in doses], caption="Doses of each arm"))
    )
    names = found.drawn()
    if names:
        foot = foot_of(" or ".join(found.results), found.sources)
        svg = charts_svg(found.picture().charts, "compare", "Over time, each arm a line.", foot)
        data: dict[str, list[Any]] = {}
        for label, result in found.results.items():
            here = [name for name in names if name in result.outputs]
            if here:
                data |= {f"{label}: {column}": values for column, values in columns(result, here).items()}
        # Each arm has its own output times, at both sides of its doses.
        longest = max((len(values) for values in data.values()), default=0)
        data = {column: [*values, *[None] * (longest - len(values))] for column, values in data.items()}
        who = "One person." if found.n == 1 else f"Median of the same {found.n:,} people, with the middle 90 %."
        parts.append(section("Over time", figure(svg, caption=who, data=data, name="comparison")))
    many = found.n > 1
    quantiles = ("", "_q05", "_q95") if many else ("",)
    rows = [
        (
            row["metric"],
            row["arm"],
            *(too_small(row["metric"], v) or v for v in (row[f"value{q}"] for q in quantiles)),
            *(too_small("ratio", v) or v for v in (row.get(f"ratio{q}") for q in quantiles)),
        )
        for row in found.summary()
    ]
    ratio = f"Ratio to {found.reference}"
    heads = (
        ("metric", "arm", "median", "5 %", "95 %", ratio, "5 %", "95 %") if many else ("metric", "arm", "value", ratio)
    )
    caption = "Ratios are within each person." + (" Percentiles are of people." if many else "")
    parts.append(section("Metrics", table(heads, rows, caption=caption, numeric=tuple(range(2, len(heads))))))
    parts.append(section("Sources of the numbers", sources(found.sources, found.catalogue)))
    manifest = [(label, key, str(value)) for label, arm in found.manifest["arms"].items() for key, value in arm.items()]
    parts.append(section("To repeat it", table(("arm", "entry", "value"), manifest, caption="Manifest of each arm")))
    return page("Regimens compared", *parts, lead="A comparison by schild.", foot=ADVICE)
