"""Which part of a picture is kept before it is resized."""

import numpy as np


def central_crop(image: np.ndarray, fraction: float) -> np.ndarray:
    """The middle of a picture, equal to ``tf.image.central_crop``.

    Parameters
    ----------
    image : ndarray of shape (..., height, width, channels)
    fraction : float
        Of height and of width, above 0 and at most 1.

    Returns
    -------
    ndarray
        A view; margins of both sides are equal.

    Raises
    ------
    ValueError
        If the fraction is out of range.
    """
    top, left, height, width = central_box(image.shape[-3:-1], fraction)
    return image[..., top : top + height, left : left + width, :]


def central_box(size: tuple[int, ...], fraction: float) -> tuple[int, int, int, int]:
    """What :func:`central_crop` keeps of a picture of ``(height, width)``.

    Returns
    -------
    tuple
        ``(top, left, height, width)`` of the part.

    Raises
    ------
    ValueError
        If the fraction is out of range.
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"fraction must be above 0 and at most 1, found {fraction!r}")
    height, width = size
    top = int((height - height * fraction) / 2)
    left = int((width - width * fraction) / 2)
    return top, left, height - 2 * top, width - 2 * left


def aspect_box(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest central part of a picture with the aspect ratio of the target.

    This is what Keras' ``keep_aspect_ratio`` keeps.

    Parameters
    ----------
    size, target : tuple
        ``(height, width)`` of the picture and of what it will be resized to.

    Returns
    -------
    tuple
        ``(top, left, height, width)`` of the part.
    """
    height, width = size
    target_height, target_width = target
    box_height = max(min(height, width * target_height // target_width), 1)
    box_width = max(min(width, height * target_width // target_height), 1)
    return (height - box_height) // 2, (width - box_width) // 2, box_height, box_width
