"""bfloat16: the upper half of a float32, for which NumPy has no type of its own."""

import numpy as np


def widened(bits: np.ndarray) -> np.ndarray:
    """Values as float32, which holds all of them.

    Parameters
    ----------
    bits : ndarray
        Any dtype of 2 bytes, little-endian.
    """
    return (bits.view("<u2").astype(np.uint32) << 16).view(np.float32)
