"""Pictures of any kind as the float32 batch that a model takes."""

import warnings
from collections.abc import Sequence

import numpy as np

from npmobilenet.errors import ImageError
from npmobilenet.images.crop import central_crop
from npmobilenet.images.decoding import OneImage, decode_image, require_channels
from npmobilenet.images.input_range import InputRangeWarning
from npmobilenet.images.opening import MAX_PIXELS
from npmobilenet.images.resize_modes import resize as resize_image

ImageSource = OneImage | Sequence[OneImage]
"""One picture or several; an array of four axes is several."""

PIXEL_RANGE = (0.0, 255.0)


def prepare(
    images: ImageSource,
    size: tuple[int, int],
    resize: str = "pil-bilinear",
    crop: float | None = 0.875,
    input_range: tuple[float, float] = (-1.0, 1.0),
    *,
    float_range: tuple[float, float] = PIXEL_RANGE,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Decode, crop, resize and scale pictures.

    Parameters
    ----------
    images : path, bytes, binary file, PIL image, array, or a sequence of these
        As :func:`decode_image` takes them; moreover arrays of float, and arrays
        ``(pictures, height, width, channels)``.
    size : tuple
        ``(height, width)`` of the batch.
    resize : str
        A key of ``RESIZE_MODES``.
    crop : float, optional
        Fraction of the height and width that is kept around the centre; ``None`` keeps all.
    input_range : tuple
        What 0 and 255 become: -1 and 1 for MobileNet V1 and V2.
    float_range : tuple
        What black and white are in arrays of float. By default 0 and 255 as in other arrays;
        arrays that look like 0 to 1 are still read so, but with a warning. Say ``(0, 1)`` or
        ``(-1, 1)`` for such arrays. Files and integer arrays do not depend on it.
    max_pixels : int
        Larger pictures are refused.

    Returns
    -------
    ndarray of shape (pictures, height, width, 3), float32

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
    pictures = _one_by_one(images)
    batch = np.empty((len(pictures), *size, 3), np.float32)
    for row, picture in zip(batch, pictures, strict=True):
        if isinstance(picture, np.ndarray) and np.issubdtype(picture.dtype, np.floating):
            pixels = _from_floats(picture, float_range)
        else:
            pixels = decode_image(picture, max_pixels=max_pixels)
        if crop is not None:
            pixels = central_crop(pixels, crop)
        row[:] = resize_image(pixels, size, resize)
    low, high = input_range
    batch /= (PIXEL_RANGE[1] - PIXEL_RANGE[0]) / (high - low)
    batch += low
    return batch


def _one_by_one(images: ImageSource) -> Sequence[OneImage]:
    if isinstance(images, np.ndarray):
        pictures: Sequence[OneImage] = list(images) if images.ndim == 4 else [images]
    elif isinstance(images, (list, tuple)):
        pictures = images
    else:
        pictures = [images]  # type: ignore[list-item]
    if len(pictures) == 0:
        raise ImageError("found no pictures, expected at least one")
    return pictures


def _from_floats(array: np.ndarray, float_range: tuple[float, float]) -> np.ndarray:
    pixels = require_channels(array).astype(np.float32)
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
    return pixels
