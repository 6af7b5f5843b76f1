"""Settings shared by all tests."""

from __future__ import annotations

import os

# The oracles solve small dense systems; threads of the linear algebra only wait for each other there.
for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from hypothesis import HealthCheck, settings  # noqa: E402  (nothing may load NumPy before)

# The first example of a property may compile the kernel, so there is no deadline and slow data is no failure.
_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=50, **_common)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_common)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
