"""A picture of any kind as a uint8 RGB array."""

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


def decode_image(source: OneImage, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """A picture as an array of red, green and blue.

    The EXIF orientation is applied. Grey and palette pictures become RGB; alpha is dropped, not
    blended, as Keras' ``load_img`` does; CMYK is converted by Pillow; 16 bit grey is scaled by
    255 / 65535 and rounded (Pillow alone would clip it at 255); of an animation the first frame
    is taken.

    Parameters
    ----------
    source : path, bytes, binary file, PIL image or array
        Arrays are ``(height, width)``, or ``(height, width, channels)`` with 1, 3 or 4 channels,
        of dtype uint8, or uint16 for 16 bit.
    max_pixels : int
        Larger pictures are refused before they are decoded.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8

    Raises
    ------
    ImageError
        If it is missing, empty, damaged, no picture or too large.
    """
    if isinstance(source, np.ndarray):
        return _rgb_array(source)
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
        return _pixels(image, name)


def describe(source: object) -> str:
    """What to call a picture in an error: its path, if it has one."""
    if isinstance(source, (str, PathLike)):
        return fspath(source)
    path = getattr(source, "filename", None) or getattr(source, "name", None)
    return path if isinstance(path, str) else f"picture from {type(source).__name__}"


def require_channels(array: np.ndarray) -> np.ndarray:
    """An array of one picture as ``(height, width, 3)``: grey is repeated, alpha dropped.

    Raises
    ------
    ImageError
        If it has no such shape, or no pixels.
    """
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        raise ImageError(
            f"found an array of shape {array.shape}, expected (height, width) or "
            "(height, width, channels) with 1, 3 or 4 channels"
        )
    return array.repeat(3, axis=2) if array.shape[2] == 1 else array[..., :3]


def _rgb_array(array: np.ndarray) -> np.ndarray:
    rgb = require_channels(array)
    if rgb.dtype == np.uint16:
        return _from_16_bit(rgb)
    if rgb.dtype != np.uint8:
        raise ImageError(f"found an array of {rgb.dtype}, expected uint8 or uint16")
    return rgb.copy()


def _pixels(image: Image.Image, name: str) -> np.ndarray:
    if image.mode.startswith("I"):  # I;16, I;16B, ..., and I, as which Pillow 10 opens 16 bit PNG
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise ImageError(
                f"{name}: found grey values from {grey.min()} to {grey.max()}, "
                "expected at most 16 bit"
            )
        return _from_16_bit(grey)[..., np.newaxis].repeat(3, axis=2)
    if image.mode == "F":
        raise ImageError(f"{name}: found floating-point pixels, expected 8 or 16 bit")
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))  # no copy in vain


def _from_16_bit(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 = 255 x 257
