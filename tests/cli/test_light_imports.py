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


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_a_run_imports_neither_numba_nor_scipy():
    # The engine comes as code of the package: nothing is compiled, and what a compilation needs is not loaded.
    code = (
        "import sys\nfrom schild.cli import main\nmain(['simulate', 'naltrexone 50 mg po', '--until', '2 h'])\n"
        "print('loaded', sorted({'scipy.linalg', 'pandas', 'matplotlib', 'numba', 'jinja2'} & set(sys.modules)))"
    )
    run("from schild.engine.portable import entry; entry('run_groups'); print()")  # the first makes the code
    assert run(code) == "loaded []"


def test_an_answer_that_was_kept_runs_nothing(tmp_path):
    code = (
        f"import os, sys\nos.environ['SCHILD_CACHE'] = {str(tmp_path)!r}\nimport schild.explanation as e\n"
        "from schild.explanation.answer import Outcome\nfrom schild.cli import main\n"
        "e._run = lambda *_: Outcome(predicted=1.0)\ne._block_table = lambda *_: ()\n"
        "e.check_book = e._check_tests = lambda *_: None\n"
        "main(['explain', 'naltrexone'])\nprint('loaded', sorted({'scipy', 'numba', 'matplotlib'} & set(sys.modules)))"
    )
    assert run(code) == "loaded []"


def test_what_computes_answers_leaves_the_statistics_of_scipy_alone():
    # The module takes half a second to import; what an answer needs of it stands in scipy.special.
    code = (
        "import sys\nimport schild.explanation.figures, schild.validation\nfrom schild.drinking.effect_size import "
        "hedges_g\nhedges_g([1.0, 2.0], [2.0, 4.0], paired=True)\n"
        "from schild.figures import Chart\nchart = Chart(200.0)\nchart.line([0, 1], [0, 1], color='#0072B2')\n"
        "chart.svg('a', 'a line')\n"
        "print('loaded', sorted({'scipy.stats', 'scipy.optimize', 'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    assert run(code) == "loaded []"
