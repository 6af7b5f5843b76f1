"""Speed and accuracy of the engine, measured beside other solvers on the same machine: ``python -m benchmarks``."""

import sys
from pathlib import Path

# The plain reading of a model, which the kernel is measured against, stands with the tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
