"""Pixels moved, chosen and blended."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.resampling import taps

Pair = tuple[int, int]
Box = tuple[int, int, int, int]


@on_floats
def resizing(
    images: FloatArray,
    size: Pair,
    interpolation: str = "bilinear",
    *,
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_value: float = 0.0,
) -> FloatArray:
    """Images at another size.

    Parameters
    ----------
    images : array (N, H, W, C)
    size : pair of int
        Height and width of the result.
    interpolation : str
        One of ``npmobilenet.reference.resampling.INTERPOLATIONS``.
    antialias : bool
        Whether filters widen as images shrink.
    crop_to_aspect_ratio : bool
        Keep the largest central part of the new aspect ratio, and resize that.
    pad_to_aspect_ratio : bool
        Add ``fill_value`` on both sides up to the new aspect ratio, and resize that.

    Returns
    -------
    array (N, *size, C)
        The argument itself where no size changes.

    Raises
    ------
    ValueError
        If there is no such interpolation.

    Notes
    -----
    Source: ``tf.image.resize``, ``keras.layers.Resizing``.
    """
    if crop_to_aspect_ratio:
        top, left, height, width = aspect_box(images.shape[1:3], size)
        images = images[:, top : top + height, left : left + width]
    elif pad_to_aspect_ratio:
        vertical, horizontal = aspect_margins(images.shape[1:3], size)
        sides = ((0, 0), (vertical, vertical), (horizontal, horizontal), (0, 0))
        images = np.pad(images, sides, constant_values=fill_value)
    if images.shape[1:3] == tuple(size):  # TensorFlow blends nothing then, not even gaussian
        return images
    blended = images
    for axis in axes_in_order(images.shape[1:3], size):
        blended = _blended(blended, size[axis], axis + 1, interpolation, antialias)
    return blended.astype(images.dtype)


def axes_in_order(image: tuple[int, ...], size: Pair) -> Pair:
    """The axes, 0 and 1, with the one first after which fewer pixels are left to blend."""
    return (0, 1) if size[0] * image[1] <= image[0] * size[1] else (1, 0)


def _blended(
    images: FloatArray, outputs: int, axis: int, interpolation: str, antialias: bool
) -> FloatArray:
    """Each line along an axis at another length, in float64."""
    picked, rounded = taps(images.shape[axis], outputs, interpolation, antialias)
    weights = rounded.astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)  # so that one colour stays what it is
    shape = [1] * images.ndim
    shape[axis] = outputs
    result = np.zeros((*images.shape[:axis], outputs, *images.shape[axis + 1 :]), np.float64)
    for index, weight in zip(picked.T, weights.T, strict=True):
        used = weight.reshape(shape)
        # A pixel that does not count must not spread its NaN.
        pixels = np.take(images, index, axis)
        result += np.where(used == 0, 0.0, pixels) * used
    return result


def aspect_box(size: tuple[int, ...], target: Pair) -> Box:
    """The largest central part of an image with the aspect ratio of the target, as Keras cuts it.

    Returns
    -------
    tuple
        ``(top, left, height, width)`` of the part.
    """
    height, width = size
    kept_height = max(min(height, _matching(width, target[0], target[1])), 1)
    kept_width = max(min(width, _matching(height, target[1], target[0])), 1)
    return (height - kept_height) // 2, (width - kept_width) // 2, kept_height, kept_width


def aspect_margins(size: tuple[int, ...], target: Pair) -> Pair:
    """Rows above and below, and columns left and right, that give an image an aspect ratio."""
    height, width = size
    whole_height = max(height, _matching(width, target[0], target[1]))
    whole_width = max(width, _matching(height, target[1], target[0]))
    return (whole_height - height) // 2, (whole_width - width) // 2


def _matching(other: int, own: int, others: int) -> int:
    return int(np.float32(other * own) / np.float32(others))  # as TensorFlow divides


@on_floats
def center_crop(images: FloatArray, size: Pair) -> FloatArray:
    """The middle of images ``(N, H, W, C)``; smaller ones are resized, cropped to the aspect ratio.

    Source: ``keras.layers.CenterCrop``.
    """
    height, width = images.shape[1:3]
    if height < size[0] or width < size[1]:
        return resizing(images, size, crop_to_aspect_ratio=True)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return images[:, top : top + size[0], left : left + size[1]]


@on_floats
def cropping(images: FloatArray, edges: tuple[Pair, Pair]) -> FloatArray:
    """Images ``(N, H, W, C)`` without their edges, ``((top, bottom), (left, right))``.

    Raises
    ------
    ValueError
        If nothing would be left.

    Notes
    -----
    Source: ``keras.layers.Cropping2D``.
    """
    (top, bottom), (left, right) = edges
    height, width = images.shape[1:3]
    if top + bottom >= height or left + right >= width:
        raise ValueError(f"cropping {edges} leaves nothing of {height} x {width} pixels")
    return images[:, top : height - bottom, left : width - right]


@on_floats
def upsampling(images: FloatArray, factors: Pair, interpolation: str = "nearest") -> FloatArray:
    """Images ``(N, H, W, C)`` enlarged by whole numbers. Source: ``keras.layers.UpSampling2D``."""
    height, width = images.shape[1:3]
    return resizing(images, (height * factors[0], width * factors[1]), interpolation)


@on_floats
def permute(x: FloatArray, dims: tuple[int, ...]) -> FloatArray:
    """The axes of each sample in another order, counted from 1. Source: ``keras.layers.Permute``.

    The result is a view.
    """
    return x.transpose(0, *dims)


@on_floats
def repeat_vector(x: FloatArray, n: int) -> FloatArray:
    """``(N, C)`` to ``(N, n, C)``. Source: ``keras.layers.RepeatVector``."""
    return np.repeat(x[:, np.newaxis], n, axis=1)
