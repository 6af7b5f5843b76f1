"""Draw the structures that an answer shows, so that no page needs RDKit: ``python docs/images/make_structures.py``.

Writes ``src/schild/catalog/data/drawn_structures.json``: compounds, the hash of their structures, drawing and table.
"""

import json
import re
from pathlib import Path

import rdkit

from schild.compounds import drawing_key, structure

SHOWN = ("naltrexone", "oxymorphone", "naloxone", "nalorphine")
PLACE = Path(__file__).parents[2] / "src/schild/catalog/data/drawn_structures.json"


CELL, ROW = (300, 270), 3  # of a molecule in the drawing of RDKit


def small(svg: str, names: list[str]) -> str:
    """Write a drawing of RDKit two molecules a row, with one path for each colour and names as text."""
    cells: dict[int, dict[str, list[str]]] = {}
    for shape in re.findall(r"<(?:path|ellipse) .*?/>", svg, re.DOTALL):
        if "class='legend'" in shape:
            continue
        styled = re.search(r"style='([^']*)'", shape)
        style = dict(p.split(":") for p in styled[1].strip(";").split(";")) if styled else {"fill": "#000000"}
        if "class=" not in shape and "ellipse" not in shape and style.get("stroke-width") is None:
            continue
        fill = re.search(r" fill='([^']*)'", shape)
        ink = style.get("stroke") or (fill[1] if fill else style["fill"])
        ink = {"#000000": "currentColor"}.get(ink, ink)
        wide = style.get("stroke-width", "0").removesuffix("px").removesuffix(".0")
        if shape.startswith("<ellipse"):
            x, y, r = (float(re.search(rf" {name}='([\d.]+)'", shape)[1]) for name in ("cx", "cy", "rx"))
            d = f"M{x - r:.0f} {y:.0f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0"
        else:
            d = re.sub(r"\s*([MLQCZ])\s*", r"\1", re.search(r" d='([^']*)'", shape)[1]).replace(",", " ").strip()
            d = re.sub(r"\s+", " ", re.sub(r"\d+\.\d+", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), d))
            if not d:
                continue
            x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", d).groups())
        solid = style["fill"] != "none"
        kind = f'fill="{ink if solid else "none"}"' + ("" if wide == "0" else f' stroke="{ink}" stroke-width="{wide}"')
        cell = int(y // CELL[1]) * ROW + int(x // CELL[0])
        cells.setdefault(cell, {}).setdefault(kind, []).append(d)
    made = []
    for k, name in enumerate(names):
        move = (k % 2 - k % ROW) * CELL[0], (k // 2 - k // ROW) * CELL[1]
        paths = "".join(f'<path {kind} d="{"".join(parts)}"/>' for kind, parts in cells[k].items())
        made.append(f'<g transform="translate({move[0]} {move[1]})">{paths}</g>')
        x, y = (k % 2 + 0.5) * CELL[0], (k // 2 + 1) * CELL[1] - 12
        made.append(f'<text x="{x:g}" y="{y:g}" font-size="20" text-anchor="middle">{name}</text>')
    return f'<svg viewBox="0 0 600 {CELL[1] * -(-len(names) // 2)}" fill="currentColor">{"".join(made)}</svg>'


found = structure(*SHOWN)
table = {
    "compound": [c.name for c in found.compounds],
    "on the nitrogen": [d.nitrogen for d in found.descriptions],
    f"likeness to {found.compounds[0].name}": [round(float(v), 2) for v in found.similarity[0]],
}
content = {"compounds": SHOWN, "key": drawing_key(SHOWN), "rdkit": rdkit.__version__, "table": table}
PLACE.write_text(
    json.dumps({**content, "svg": small(found.svg(), [c.name for c in found.compounds])}, indent=1) + "\n",
    encoding="utf-8",
)
print(f"{PLACE.name}: {PLACE.stat().st_size} bytes")
