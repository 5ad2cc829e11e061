"""How matrix products and convolutions are cut into tiles that fit the registers."""

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.host import FUSED, LANES, REGISTERS

# One tile holds ROWS x VECTORS sums, VECTORS weights and a factor: 31 of 32 registers, 15 of 16.
ROWS, VECTORS = (14, 2) if REGISTERS == 32 else (6, 2)

PANEL = VECTORS * LANES
"""Output channels of a full tile; weights are packed in panels of so many columns."""

CHUNK = 64 if FUSED else 16
"""Products added one after another. Longer sums are sums of such sums, which round less.

Where a multiply-add rounds twice, shorter ones make up for that.
"""


def round_up(size: int, unit: int) -> int:
    """The smallest multiple of ``unit`` that is not below ``size``."""
    return -(-size // unit) * unit


def pack_norm(shift: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift and scale of each channel, a vector of one after a vector of the other."""
    vectors = np.zeros((round_up(shift.size, LANES), 2), np.float32)
    vectors[: shift.size] = np.stack([shift, scale], axis=1)
    return vectors.reshape(-1, LANES, 2).swapaxes(1, 2).ravel()
