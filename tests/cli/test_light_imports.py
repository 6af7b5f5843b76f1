"""Help and the bare package load no heavy library: what is slow to import waits until it is used."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "scipy", "matplotlib", "pandas", "numpy")


@pytest.mark.parametrize(
    "code",
    [
        "import schild",
        "from schild.cli import main; main(['--help'])",
        "from schild.cli import main; main(['--version'])",
    ],
)
def test_help_and_the_package_load_nothing_heavy(code):
    code += f"; import sys; print('loaded', sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"
