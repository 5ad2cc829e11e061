"""Depthwise convolution: filters each channel by itself."""

import numpy as np

from npmobilenet.architecture.padding import Padding
from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.windows import Pair, windows


@on_floats
def depthwise_convolution(
    images: FloatArray,
    kernel: FloatArray,
    bias: FloatArray | None = None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
) -> FloatArray:
    """Slide one kernel, or ``M`` of them, over each channel.

    ``output[n, y, x, c * M + m] = sum_{i, j} windows[i, j, n, y, x, c] * kernel[i, j, c, m]``

    The channels do not meet: that is left to the pointwise convolution that follows (arXiv
    1704.04861, equation 3). Source: ``tf.nn.depthwise_conv2d``.

    Parameters
    ----------
    images : array (N, H, W, C)
    kernel : array (kernel height, kernel width, C, M)
        ``M`` is the depth multiplier.
    bias : array (C * M,), optional
    strides, padding, dilation
        As in :func:`~npmobilenet.reference.windows.windows`.

    Returns
    -------
    array (N, output height, output width, C * M)

    Raises
    ------
    ValueError
        If the kernel is not one for this number of channels.
    """
    height, width, channels, multiplier = kernel.shape
    if images.shape[-1] != channels:
        raise ValueError(f"a kernel for {channels} channels over images of {images.shape[-1]}")
    seen = windows(images, (height, width), strides, padding, dilation)
    output: FloatArray = np.einsum("ijnyxc,ijcm->nyxcm", seen, kernel, dtype=np.float64)
    output = output.reshape(*output.shape[:3], channels * multiplier)
    if bias is not None:
        output += bias
    return output.astype(images.dtype, copy=False)
