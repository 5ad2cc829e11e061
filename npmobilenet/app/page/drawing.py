"""Arrays as pictures that a browser shows."""

import base64
import io
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from npmobilenet.analysis.inside import ClassActivationMap, overlay

LONGEST_SIDE = 640
"""Pixels of a picture that a map is drawn over; a photograph of 20 megapixels shows no more."""


def png_address(pixels: NDArray[np.uint8]) -> str:
    """A picture ``(height, width, 3)`` as a ``data:`` address, without loss."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def map_over_picture(picture: NDArray[np.uint8], found: ClassActivationMap) -> NDArray[np.uint8]:
    """The map over its picture, at no more than 640 pixels a side."""
    height, width = picture.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    if scale == 1.0:
        return overlay(picture, found)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = np.asarray(Image.fromarray(picture).resize(size[::-1]))
    return overlay(small, replace(found, picture_shape=size, box=_scaled(found.box, scale, size)))


def _scaled(
    box: tuple[int, int, int, int], scale: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    top, left = round(box[0] * scale), round(box[1] * scale)
    height, width = max(1, round(box[2] * scale)), max(1, round(box[3] * scale))
    return top, left, min(height, size[0] - top), min(width, size[1] - left)
