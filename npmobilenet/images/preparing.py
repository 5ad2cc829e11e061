"""Pictures of any kind as the float32 batch that a model takes."""

import warnings
from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from os import PathLike
from typing import cast

import numpy as np
from PIL import Image

from npmobilenet.errors import ImageError
from npmobilenet.images.crop import central_crop
from npmobilenet.images.decoding import OneImage, decode_image, one_array, with_channels
from npmobilenet.images.input_range import InputRangeWarning
from npmobilenet.images.opening import MAX_PIXELS
from npmobilenet.images.resize_modes import resize as resize_image

ImageSource = OneImage | Iterable[OneImage]
"""One picture or several: a sequence, a generator, an array of paths or one of four axes."""

_PATHS = "OU"  # kinds of arrays of paths, as scikit-learn and pandas hand them on

PIXEL_RANGE = (0.0, 255.0)


def prepare(
    images: ImageSource,
    size: tuple[int, int],
    resize: str = "pil-bilinear",
    crop: float | None = 0.875,
    input_range: tuple[float, float] = (-1.0, 1.0),
    *,
    channels: int = 3,
    float_range: tuple[float, float] = PIXEL_RANGE,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Decode, crop, resize and scale pictures.

    Parameters
    ----------
    images : path, bytes, binary file, PIL image, array, or several of these
        As :func:`decode_image` takes them; moreover arrays of float. Several come in a sequence,
        a generator, an array of paths, or one array ``(pictures, height, width, channels)``.
    size : tuple
        ``(height, width)`` of the batch.
    resize : str
        A key of ``RESIZE_MODES``.
    crop : float, optional
        Fraction of the height and width that is kept around the centre; ``None`` keeps all.
    input_range : tuple
        What 0 and 255 become: -1 and 1 for MobileNet V1 and V2.
    channels : {1, 3, 4}
        Of the batch: grey, RGB or RGBA, as with Keras' ``load_img(color_mode=...)``.
    float_range : tuple
        What black and white are in arrays of float. By default 0 and 255 as in other arrays;
        arrays that look like 0 to 1 are still read so, but with a warning. Say ``(0, 1)`` or
        ``(-1, 1)`` for such arrays. Files and integer arrays do not depend on it.
    max_pixels : int
        Larger pictures are refused.

    Returns
    -------
    ndarray of shape (pictures, height, width, channels), float32

    Raises
    ------
    ImageError
        If a picture cannot be decoded, or values of a float array are out of ``float_range``.
    ValueError
        If an argument has no such value.

    Warns
    -----
    InputRangeWarning
        If a float array has nothing above 1 and ``float_range`` is 0 to 255.
    """
    pictures = list(one_by_one(images))
    if not pictures:
        raise ImageError("found no pictures, expected at least one")
    batch = np.empty((len(pictures), *size, channels), np.float32)
    for row, picture in zip(batch, pictures, strict=True):
        if isinstance(picture, np.ndarray) and np.issubdtype(picture.dtype, np.floating):
            pixels = _from_floats(picture, float_range, channels)
        else:
            pixels = decode_image(picture, channels=channels, max_pixels=max_pixels)
        if crop is not None:
            pixels = central_crop(pixels, crop)
        row[:] = resize_image(pixels, size, resize)
    low, high = input_range
    batch /= (PIXEL_RANGE[1] - PIXEL_RANGE[0]) / (high - low)
    batch += low
    return batch


def one_by_one(images: ImageSource) -> Iterator[OneImage]:
    """Each picture of what may be one or several, none of them before it is asked for."""
    if not _are_several(images):
        yield cast(OneImage, images)
    elif isinstance(images, np.ndarray) and images.dtype.kind in _PATHS:
        yield from images.ravel().tolist()
    else:
        yield from cast(Iterable[OneImage], images)


def how_many(images: ImageSource) -> int | None:
    """How many pictures there are; ``None`` for a generator, which does not say it."""
    if not _are_several(images):
        return 1
    if isinstance(images, np.ndarray):
        return images.size if images.dtype.kind in _PATHS else len(images)
    return len(images) if isinstance(images, Sized) else None


def _are_several(images: ImageSource) -> bool:
    if isinstance(images, np.ndarray):
        return images.dtype.kind in _PATHS or images.ndim == 4
    single = isinstance(images, str | bytes | PathLike | Image.Image) or hasattr(images, "read")
    return isinstance(images, Iterable) and not single


def in_batches(images: ImageSource, size: int) -> Iterator[list[OneImage]]:
    """Pictures in lists of ``size``, so that a generator's need not be in memory together."""
    pictures = one_by_one(images)
    while part := list(islice(pictures, size)):
        yield part


def _from_floats(array: np.ndarray, float_range: tuple[float, float], channels: int) -> np.ndarray:
    own = one_array(array)
    pixels = (own if channels == 4 else own[..., :3]).astype(np.float32)
    found_low, found_high = float(pixels.min()), float(pixels.max())
    low, high = float_range
    if not (low <= found_low and found_high <= high):  # NaN too
        raise ImageError(
            f"found an array of {array.dtype} with values from {found_low:g} to {found_high:g}, "
            f"expected float_range = {low:g} to {high:g}"
        )
    if float_range == PIXEL_RANGE and 0.0 < found_high <= 1.0:
        warnings.warn(
            f"an array of {array.dtype} has values from {found_low:g} to {found_high:g}; they are "
            "taken as 0 to 255, almost black: say float_range=(0, 1) if 1 is white",
            InputRangeWarning,
            stacklevel=3,
        )
    pixels -= low
    pixels *= (PIXEL_RANGE[1] - PIXEL_RANGE[0]) / (high - low)
    return with_channels(pixels, channels)
