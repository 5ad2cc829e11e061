"""Pointwise convolution: 1 x 1, so nothing but a matrix product over the channels."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def pointwise_convolution(
    images: FloatArray, kernel: FloatArray, bias: FloatArray | None = None
) -> FloatArray:
    """Mix the channels of every pixel.

    ``output[n, y, x, k] = sum_c images[n, y, x, c] * kernel[c, k] + bias[k]``

    Every pixel is a row of one large matrix, which is why MobileNet spends 95 % of its
    multiplications here and needs no reordering of memory (arXiv 1704.04861, section 3.2).

    Parameters
    ----------
    images : array (N, H, W, C)
    kernel : array (C, K) or (1, 1, C, K)
    bias : array (K,), optional

    Returns
    -------
    array (N, H, W, K)
    """
    matrix = kernel.reshape(kernel.shape[-2:])
    pixels = images.reshape(-1, images.shape[-1])
    mixed: FloatArray = np.matmul(pixels, matrix, dtype=np.float64)
    if bias is not None:
        mixed += bias
    mixed = mixed.astype(images.dtype, copy=False)
    return mixed.reshape(*images.shape[:-1], kernel.shape[-1])
