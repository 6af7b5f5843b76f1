"""Settings shared by all tests: linear algebra on one thread, and the seed of the property tests."""

from __future__ import annotations

import os
import random

# The oracles solve small dense systems; threads of the linear algebra only wait for each other there.
for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Tests compute: results that an earlier call has kept would hide what the code does now.
os.environ["SCHILD_CACHE"] = "off"

import pytest  # noqa: E402  (nothing may load NumPy before)
from hypothesis import HealthCheck, settings  # noqa: E402

#: Set it to choose the seed of the property tests. Without it CI takes 0, and every other run one of its own.
SEED = "SCHILD_TEST_SEED"

# The first example of a property may compile the kernel, and the machine may be busy: no test has a deadline. The seed
# below decides the examples everywhere, also where Hypothesis finds that it runs in CI.
_common = {"deadline": None, "derandomize": False, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=50, **_common)
settings.register_profile("ci", max_examples=100, database=None, print_blob=True, **_common)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the property tests one seed, in this process and its workers."""
    if config.option.hypothesis_seed is None:
        chosen = os.environ.get(SEED) or ("0" if os.environ.get("CI") else str(random.SystemRandom().randrange(2**32)))
        config.option.hypothesis_seed = chosen


def _again(config: pytest.Config) -> str:
    return f"seed of the property tests: {config.option.hypothesis_seed} (again with --hypothesis-seed or {SEED})"


def pytest_report_header(config: pytest.Config) -> str:
    """Say the seed before the tests."""
    return _again(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say it again after a failure, where -q hides the header."""
    if terminalreporter.stats.get("failed"):
        terminalreporter.write_line(_again(config))
