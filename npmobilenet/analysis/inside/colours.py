"""Values as colours, for pictures that need no plotting library."""

import numpy as np
from numpy.typing import NDArray

from npmobilenet.reference import FloatArray

_STOPS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
# Dark blue, blue, white, red, dark red: zero is seen as such, and both signs in grey print too.
_SIGNED = np.array(
    [(5, 48, 97), (67, 147, 195), (247, 247, 247), (214, 96, 77), (103, 0, 31)], np.float64
)


def signed_colours(values: FloatArray) -> NDArray[np.uint8]:
    """Blue for -1 over white for 0 to red for 1; what is beyond is cut off.

    ``(...)`` to ``(..., 3)``.
    """
    bands = [np.interp(values, _STOPS, _SIGNED[:, band]) for band in range(3)]
    return np.round(np.stack(bands, axis=-1)).astype(np.uint8)


def grey_levels(values: FloatArray) -> NDArray[np.uint8]:
    """Black for 0 to white for 1; what is beyond is cut off. ``(...)`` to ``(..., 3)``."""
    level = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return np.repeat(level[..., np.newaxis], 3, axis=-1)
