"""The resize modes, named after where they come from, because the same word differs by library.

Keras' "bilinear" is Pillow's, which widens its filter when shrinking; ``tf.image.resize``'s is
not; TensorFlow.js' aligns corners. On one photograph they give three different predictions.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from npmobilenet.images.tf_resize import resize_antialias, resize_bilinear

PIL_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "hamming": Image.Resampling.HAMMING,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}
"""Pillow's filters under the names that Keras gives them."""


def _resize_pil(image: np.ndarray, size: tuple[int, int], resample: Image.Resampling) -> np.ndarray:
    shape = (size[1], size[0])  # Pillow says width first
    if image.dtype == np.uint8 and image.shape[2] > 1:
        return np.array(Image.fromarray(image).resize(shape, resample))
    if image.dtype == np.uint8:
        return np.array(Image.fromarray(image[..., 0]).resize(shape, resample))[..., np.newaxis]
    planes = [
        np.asarray(Image.fromarray(plane).resize(shape, resample))
        for plane in image.astype(np.float32).transpose(2, 0, 1)
    ]
    return np.stack(planes, axis=-1)


RESIZE_MODES: dict[str, Callable[[np.ndarray, tuple[int, int]], np.ndarray]] = {
    **{f"pil-{name}": partial(_resize_pil, resample=kind) for name, kind in PIL_FILTERS.items()},
    "tf-bilinear": resize_bilinear,
    "tf-bilinear-antialias": resize_antialias,
    "tfjs-bilinear": partial(resize_bilinear, align_corners=True),
}
"""Every mode: ``pil-*`` as Keras' ``load_img``, ``tf-*`` as ``tf.image.resize``, ``tfjs-bilinear``
as TensorFlow.js' MobileNet."""


def resize(image: np.ndarray, size: tuple[int, int], mode: str = "pil-bilinear") -> np.ndarray:
    """A picture at another size.

    Parameters
    ----------
    image : ndarray of shape (height, width, channels), uint8 or float
        RGBA of uint8 with a ``pil-`` mode is resized as Pillow does, colours weighted by alpha.
    size : tuple
        ``(height, width)`` of the result.
    mode : str
        A key of ``RESIZE_MODES``.

    Returns
    -------
    ndarray of shape (size[0], size[1], channels)
        uint8 for uint8 with a ``pil-`` mode, which rounds as Pillow does; else float32.

    Raises
    ------
    ValueError
        If the mode is unknown or a size is not positive.
    """
    if mode not in RESIZE_MODES:
        raise ValueError(f"resize must be one of {', '.join(RESIZE_MODES)}; found {mode!r}")
    if min(size) < 1:
        raise ValueError(f"size must be positive, found {size}")
    if image.shape[:2] == tuple(size):
        return image if mode.startswith("pil-") else image.astype(np.float32)
    return RESIZE_MODES[mode](image, size)
