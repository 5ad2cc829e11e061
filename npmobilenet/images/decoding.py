"""A picture of any kind as a uint8 array of grey, RGB or RGBA."""

from os import PathLike, fspath
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from npmobilenet.errors import ImageError
from npmobilenet.images.opening import MAX_PIXELS, check_size, image_errors, open_image

OneImage = str | PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray
"""A path, the bytes of a file, an open binary file, a PIL image or an array."""

# How to turn a picture upright, by its EXIF orientation (1 is upright; EXIF 2.32, tag 0x0112).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's name for pictures of so many channels."""


def decode_image(
    source: OneImage, *, channels: int = 3, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """A picture as an array of red, green and blue, or of grey, or with alpha.

    The EXIF orientation is applied. Grey and palette pictures become RGB; alpha is dropped, not
    blended, as Keras' ``load_img`` does; CMYK is converted by Pillow; 16 bit grey is scaled by
    255 / 65535 and rounded (Pillow alone would clip it at 255); of an animation the first frame
    is taken. Colours become grey by the weights of ITU-R 601-2, and pictures without alpha are
    opaque, as with ``load_img(color_mode=...)``.

    Parameters
    ----------
    source : path, bytes, binary file, PIL image or array
        Arrays are ``(height, width)``, or ``(height, width, channels)`` with 1, 3 or 4 channels,
        of dtype uint8, or uint16 for 16 bit.
    channels : {1, 3, 4}
        Of the result: grey, RGB or RGBA.
    max_pixels : int
        Larger pictures are refused before they are decoded.

    Returns
    -------
    ndarray of shape (height, width, channels), uint8

    Raises
    ------
    ImageError
        If it is missing, empty, damaged, no picture or too large.
    ValueError
        If pictures cannot have so many channels.
    """
    if channels not in MODES:
        raise ValueError(f"channels must be 1, 3 or 4, found {channels!r}")
    if isinstance(source, np.ndarray):
        return _whole_numbers(source, channels)
    name = describe(source)
    if isinstance(source, Image.Image):
        with image_errors(name):
            check_size(source, name, max_pixels)
            source.load()
        image = source
    elif isinstance(source, (str, PathLike, bytes)) or hasattr(source, "read"):
        image = open_image(source, name, max_pixels)
    else:
        raise ImageError(
            f"found {type(source).__name__}, expected a path, bytes, a PIL image or an array"
        )
    with image_errors(name):
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        if turn is not None:
            image = image.transpose(turn)
        return _pixels(image, channels, name)


def describe(source: object) -> str:
    """What to call a picture in an error: its path, if it has one."""
    if isinstance(source, (str, PathLike)):
        return fspath(source)
    path = getattr(source, "filename", None) or getattr(source, "name", None)
    return path if isinstance(path, str) else f"picture from {type(source).__name__}"


def one_array(array: np.ndarray) -> np.ndarray:
    """An array of one picture as ``(height, width, channels)``, with 1, 3 or 4 channels.

    Raises
    ------
    ImageError
        If it has no such shape, or no pixels.
    """
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in MODES or array.size == 0:
        raise ImageError(
            f"found an array of shape {array.shape}, expected (height, width) or "
            "(height, width, channels) with 1, 3 or 4 channels"
        )
    return array


def with_channels(array: np.ndarray, channels: int) -> np.ndarray:
    """A picture as `one_array` gives it, with so many channels; values of 0 to 255, or 16 bit.

    Grey is repeated and alpha dropped or opaque, as in :func:`decode_image`.
    """
    found = array.shape[2]
    if channels == found:
        return array
    if channels == 1:
        return _grey(array[..., :3])
    colours = array.repeat(3, axis=2) if found == 1 else array[..., :3]
    if channels == 3:
        return colours
    opaque = 65535 if array.dtype == np.uint16 else 255
    alpha = np.full((*array.shape[:2], 1), opaque, array.dtype)
    return np.concatenate([colours, alpha], axis=2)


def _grey(colours: np.ndarray) -> np.ndarray:
    """Luma by ITU-R 601-2; of whole numbers to the bit as Pillow's ``convert("L")``."""
    if colours.dtype.kind == "f":
        grey: np.ndarray = colours @ np.array([0.299, 0.587, 0.114], colours.dtype)
        return grey[..., np.newaxis]
    weighted = colours.astype(np.uint64) @ np.array([19595, 38470, 7471], np.uint64)
    return ((weighted + 0x8000) >> 16).astype(colours.dtype)[..., np.newaxis]


def _whole_numbers(array: np.ndarray, channels: int) -> np.ndarray:
    pixels = with_channels(one_array(array), channels)
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"found an array of {array.dtype}, expected uint8 or uint16")
    return _from_16_bit(pixels) if pixels.dtype == np.uint16 else pixels.copy()


def _pixels(image: Image.Image, channels: int, name: str) -> np.ndarray:
    if image.mode.startswith("I"):  # I;16, I;16B, ..., and I, as which Pillow 10 opens 16 bit PNG
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise ImageError(
                f"{name}: found grey values from {grey.min()} to {grey.max()}, "
                "expected at most 16 bit"
            )
        return with_channels(_from_16_bit(grey)[..., np.newaxis], channels)
    if image.mode == "F":
        raise ImageError(f"{name}: found floating-point pixels, expected 8 or 16 bit")
    mode = MODES[channels]
    pixels = np.array(image if image.mode == mode else image.convert(mode))  # no copy in vain
    return pixels[..., np.newaxis] if channels == 1 else pixels


def _from_16_bit(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 = 255 x 257
