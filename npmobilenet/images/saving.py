"""Arrays as picture files."""

from os import PathLike

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from npmobilenet.atomic import replacing


def save_png(path: str | PathLike[str], pixels: NDArray[np.uint8]) -> None:
    """Write a PNG, all of it or nothing.

    Parameters
    ----------
    path : str or path
    pixels : array (height, width, 3), uint8

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
