"""Padding: a frame of one value around every image."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats

Frame = tuple[tuple[int, int], tuple[int, int]]


@on_floats
def pad(images: FloatArray, frame: Frame, value: float = 0.0) -> FloatArray:
    """Frame images of shape ``(N, H, W, C)`` with ``((top, bottom), (left, right))`` pixels.

    Returns the images themselves where the frame is empty.

    Source: ``tf.pad``.
    """
    (top, bottom), (left, right) = frame
    if frame == ((0, 0), (0, 0)):
        return images
    count, height, width, channels = images.shape
    shape = (count, top + height + bottom, left + width + right, channels)
    padded = np.full(shape, value, images.dtype)
    padded[:, top : top + height, left : left + width] = images
    return padded


@on_floats
def zero_padding(images: FloatArray, padding: Frame) -> FloatArray:
    """Zeros around images of shape ``(N, H, W, C)``, ``((top, bottom), (left, right))`` of them.

    Source: ``keras.layers.ZeroPadding2D``.
    """
    return pad(images, padding)
