"""Depthwise separable convolution: the building block of MobileNet."""

from npmobilenet.architecture.padding import Padding
from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.depthwise import depthwise_convolution
from npmobilenet.reference.pointwise import pointwise_convolution
from npmobilenet.reference.windows import Pair


@on_floats
def separable_convolution(
    images: FloatArray,
    depthwise_kernel: FloatArray,
    pointwise_kernel: FloatArray,
    bias: FloatArray | None = None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
) -> FloatArray:
    """Filter each channel, then mix the channels, with nothing in between.

    With one kernel a channel it costs ``1 / K + 1 / (kernel area)`` of the standard convolution
    with ``K`` filters (arXiv 1704.04861, section 3.1). Source: ``tf.nn.separable_conv2d``.

    Parameters
    ----------
    images : array (N, H, W, C)
    depthwise_kernel : array (kernel height, kernel width, C, M)
    pointwise_kernel : array (C * M, K) or (1, 1, C * M, K)
    bias : array (K,), optional
    strides, padding, dilation
        Of the depthwise step, as in :func:`~npmobilenet.reference.windows.windows`.

    Returns
    -------
    array (N, output height, output width, K)
    """
    filtered = depthwise_convolution(
        images, depthwise_kernel, strides=strides, padding=padding, dilation=dilation
    )
    return pointwise_convolution(filtered, pointwise_kernel, bias)
