"""Between channels last (NHWC) and channels first (NCHW), for images; vectors stay as they are."""

import numpy as np


def channels_first(batch: np.ndarray) -> np.ndarray:
    """A batch as a contiguous NCHW array."""
    return np.ascontiguousarray(np.moveaxis(batch, -1, 1)) if batch.ndim == 4 else batch


def channels_last(output: np.ndarray) -> np.ndarray:
    """An NCHW output as an NHWC view: nothing is copied."""
    return np.moveaxis(output, 1, -1) if output.ndim == 4 else output
