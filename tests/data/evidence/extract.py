"""Copy the rows that the repository cites out of the evidence tables: python tests/data/evidence/extract.py TABLES.

A citation reads ``folder/file.csv#row``, where row is the column ``id`` or, in a table without one, ``L`` and the line.
Run it again after an entry of the catalogue cites a new row, and commit the tables that it wrote.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CITED = re.compile(r"\b([a-z]+/[a-z_0-9]+\.csv)#([A-Z]+\d+)\b")
# Read whole: the time points of tomography, and one table of the trial with individual data.
WHOLE = ("naltrexone/time_points.csv", "outcomes/ctn0051_sows_category_by_day_from_first_injection.csv")


def cited() -> dict[str, set[str]]:
    """Rows that the sources, tests and documents of the repository cite, by table."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder, ending in (("src", "*.toml"), ("src", "*.py"), ("tests", "*.py"), ("docs", "*.md")):
        for path in (ROOT / folder).rglob(ending):
            for name, row in CITED.findall(path.read_text(encoding="utf-8")):
                found[name].add(row)
    return found


def main(tables: Path) -> int:
    """Write one table for each cited file; return 1 if a cited row is in none."""
    missing = []
    wanted: dict[str, set[str] | None] = {**cited(), **dict.fromkeys(WHOLE)}
    for name, keys in sorted(wanted.items()):
        with (tables / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        kept = rows
        if keys is not None:
            if "id" not in rows[0]:
                rows = [{"id": f"L{line}", **row} for line, row in enumerate(rows, start=2)]
            kept = [row for row in rows if row["id"] in keys]
            missing += [f"{name}#{key}" for key in sorted(keys - {row["id"] for row in rows})]
        to = HERE / name
        to.parent.mkdir(exist_ok=True)
        with to.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, fieldnames=list(kept[0]), lineterminator="\n")
            out.writeheader()
            out.writerows(kept)
        print(f"{name}: {len(kept)} of {len(rows)} rows, {to.stat().st_size / 1024:.0f} kB")
    for one in missing:
        print(f"Not in the tables: {one}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
