"""``load_img``, ``img_to_array`` and ``smart_resize`` with the arguments of ``keras.utils``."""

import io
from collections.abc import Sequence
from os import PathLike, fsdecode

import numpy as np
import numpy.typing as npt
from PIL import Image

from npmobilenet.counts import whole_number
from npmobilenet.images.crop import aspect_box
from npmobilenet.images.decoding import describe
from npmobilenet.images.opening import MAX_PIXELS, image_errors, open_image
from npmobilenet.images.resize_modes import PIL_FILTERS, resize

_SIXTEEN_BIT = ("L", "I;16", "I")  # what Keras leaves as it is when asked for grey


def load_img(
    path: str | bytes | PathLike[str] | io.BytesIO,
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
    *,
    max_pixels: int = MAX_PIXELS,
) -> Image.Image:
    """A PIL image from a file, pixel for pixel what ``keras.utils.load_img`` gives.

    As in Keras, EXIF orientation is not applied and 16 bit pictures are clipped, not scaled, by
    the conversion to RGB; :func:`decode_image` does better.

    Parameters
    ----------
    path : str, path, bytes (a path too) or BytesIO
    color_mode : {"rgb", "rgba", "grayscale"}
    target_size : tuple, optional
        ``(height, width)``; as in Keras, what follows, such as channels, does not count.
    interpolation : {"nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"}
        Keras' default is ``"nearest"``; models were not trained with it.
    keep_aspect_ratio : bool
        Whether to resize only the largest central part with the target's aspect ratio.
    max_pixels : int
        Larger pictures are refused.

    Raises
    ------
    ImageError
        If the file is missing, damaged, no picture or too large.
    ValueError
        If an argument has no such value.
    """
    if color_mode not in ("grayscale", "rgb", "rgba"):
        raise ValueError(f"color_mode must be 'grayscale', 'rgb' or 'rgba', found {color_mode!r}")
    if interpolation not in PIL_FILTERS:
        raise ValueError(
            f"interpolation must be one of {', '.join(PIL_FILTERS)}; found {interpolation!r}"
        )
    source = fsdecode(path) if isinstance(path, bytes) else path
    name = describe(source)
    image = open_image(source, name, max_pixels)
    with image_errors(name):
        if color_mode == "grayscale":
            image = image if image.mode in _SIXTEEN_BIT else image.convert("L")
        else:
            image = image.convert(color_mode.upper())
    if target_size is None:
        return image
    if len(target_size) < 2:
        raise ValueError(f"target_size must be (height, width), found {target_size!r}")
    height, width = (whole_number(size, "each of target_size") for size in target_size[:2])
    if image.size == (width, height):
        return image
    box = None
    if keep_aspect_ratio:
        top, left, box_height, box_width = aspect_box((image.height, image.width), (height, width))
        box = (left, top, left + box_width, top + box_height)
    # Pillow's filters look beyond the box, so that cropping first would give other pixels.
    return image.resize((width, height), PIL_FILTERS[interpolation], box=box)


def img_to_array(
    img: Image.Image | npt.ArrayLike,
    data_format: str | None = None,
    dtype: npt.DTypeLike = "float32",
) -> np.ndarray:
    """A PIL image as an array, as ``keras.utils.img_to_array``.

    Parameters
    ----------
    img : PIL image or array of 2 or 3 axes
    data_format : {None, "channels_last", "channels_first"}
    dtype : dtype
        ``None`` stands for float32.

    Returns
    -------
    ndarray of shape (height, width, channels), or (channels, height, width)

    Raises
    ------
    ValueError
        If the array has other axes, or the data format is unknown.
    """
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"data_format must be 'channels_first' or 'channels_last', found {data_format!r}"
        )
    array = np.asarray(img, dtype=dtype or np.float32)
    if array.ndim == 2:
        array = array[..., np.newaxis]
    elif array.ndim != 3:
        raise ValueError(f"expected an image of 2 or 3 axes, found shape {array.shape}")
    elif data_format == "channels_first":
        return array.transpose(2, 0, 1)
    return array.transpose(2, 0, 1) if data_format == "channels_first" else array


def smart_resize(
    x: np.ndarray,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
) -> np.ndarray:
    """Resize without distortion, as ``keras.preprocessing.image.smart_resize``.

    The largest central part with the aspect ratio of ``size`` is cut out, then resized as
    ``tf.image.resize`` does.

    Parameters
    ----------
    x : ndarray of shape ([batch,] height, width, channels)
    size : tuple
        ``(height, width)`` of the result.
    interpolation : {"bilinear"}
    data_format : {"channels_last", "channels_first"}

    Returns
    -------
    ndarray of float32, as TensorFlow gives for every dtype

    Raises
    ------
    ValueError
        If ``x`` has other axes or an argument has no such value.
    """
    if interpolation != "bilinear":
        raise ValueError(f"interpolation must be 'bilinear', found {interpolation!r}")
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"data_format must be 'channels_first' or 'channels_last', found {data_format!r}"
        )
    if x.ndim not in (3, 4):
        raise ValueError(f"expected one image or a batch of them, found shape {x.shape}")
    last = np.moveaxis(x, -3, -1) if data_format == "channels_first" else x
    batch = last if x.ndim == 4 else last[np.newaxis]
    top, left, height, width = aspect_box((batch.shape[1], batch.shape[2]), size)
    batch = batch[:, top : top + height, left : left + width]
    resized = np.stack([resize(image, size, "tf-bilinear") for image in batch])
    resized = np.moveaxis(resized, -1, -3) if data_format == "channels_first" else resized
    return resized if x.ndim == 4 else resized[0]
