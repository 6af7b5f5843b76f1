"""Types of arrays that many modules name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: In the precision of a run, which people choose: 32 or 64 bits.
AnyFloats = NDArray[np.floating]
