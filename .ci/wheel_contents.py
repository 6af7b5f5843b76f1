"""Check that a wheel holds every file of src/schild: modules, py.typed, catalogue data."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path


def main(wheel: str) -> int:
    """Compare the wheel with the source folder and say what is missing."""
    source = Path(__file__).resolve().parent.parent / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "schild").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".nbi", ".nbc"}
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        entry_points = [archive.read(name).decode() for name in held if name.endswith("entry_points.txt")]
    missing = sorted(wanted - held)
    for name in missing:
        print(f"Not in the wheel: {name}", file=sys.stderr)
    if not any("schild = schild.cli:main" in text for text in entry_points):
        missing.append("entry point")
        print("The wheel has no `schild` command.", file=sys.stderr)
    strangers = sorted(name for name in held if not name.startswith(("schild/", "schild-")))
    for name in strangers:
        print(f"In the wheel, but not part of schild: {name}", file=sys.stderr)
    data = sorted(name for name in wanted if not name.endswith(".py"))
    print(f"{len(wanted)} files, of which {len(data)} are data.")
    return 1 if missing or strangers else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
