"""The sliding window: what convolutions and poolings have in common."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from npmobilenet.architecture.padding import Padding, explicit_padding, window_extent
from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.padding import pad

Pair = tuple[int, int]


@on_floats
def windows(
    images: FloatArray,
    kernel_size: Pair,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
    *,
    fill: float = 0.0,
) -> FloatArray:
    """The images as each tap of a sliding window sees them.

    While the window slides, its tap ``(i, j)`` passes over the padded image ``p`` like this::

        windows[i, j, n, y, x, c] = p[n, y * stride + i * dilation, x * stride + j * dilation, c]

    For one tap that is nothing but a shifted and strided view: no value is copied, and a
    convolution is a sum over the few taps of the kernel instead of a loop over the pixels.

    Parameters
    ----------
    images : array (N, H, W, C)
    kernel_size, strides, dilation : pair of int
        Of height and width.
    padding : {"same", "valid"} or ((top, bottom), (left, right))
    fill : float
        The value of the padding.

    Returns
    -------
    array (kernel height, kernel width, N, output height, output width, C)
        A read-only view.

    Raises
    ------
    ValueError
        If the window does not fit into the padded images.
    """
    frame = explicit_padding(padding, images.shape[1:3], kernel_size, strides, dilation)
    padded = pad(images, frame, fill)
    extent = tuple(map(window_extent, kernel_size, dilation))
    every = sliding_window_view(padded, extent, axis=(1, 2))
    chosen = every[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    return np.moveaxis(chosen, (4, 5), (0, 1))
