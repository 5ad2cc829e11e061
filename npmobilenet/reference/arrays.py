"""The type of every array here: float32 or float64, images as (batch, height, width, channels)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
