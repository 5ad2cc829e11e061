"""Standard convolution: filters and mixes the channels in one step."""

import numpy as np

from npmobilenet.architecture.padding import Padding
from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.windows import Pair, windows


@on_floats
def convolution(
    images: FloatArray,
    kernel: FloatArray,
    bias: FloatArray | None = None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
) -> FloatArray:
    """Slide a kernel over the images.

    ``output[n, y, x, k] = sum_{i, j, c} windows[i, j, n, y, x, c] * kernel[i, j, c, k] + bias[k]``

    That is one matrix product, with what the window sees at each pixel as the rows of the left
    matrix (im2col). It costs ``H * W * C * K * (kernel area)`` multiplications: the baseline that
    the depthwise separable convolution replaces (arXiv 1704.04861, section 3.1).
    Source: ``tf.nn.conv2d``.

    Parameters
    ----------
    images : array (N, H, W, C)
    kernel : array (kernel height, kernel width, C, K)
    bias : array (K,), optional
    strides, padding, dilation
        As in :func:`~npmobilenet.reference.windows.windows`.

    Returns
    -------
    array (N, output height, output width, K)
    """
    exact = images.astype(np.float64, copy=False)
    seen = windows(exact, kernel.shape[:2], strides, padding, dilation)
    output = np.tensordot(seen, kernel, axes=((0, 1, 5), (0, 1, 2)))
    if bias is not None:
        output += bias
    return output.astype(images.dtype, copy=False)
