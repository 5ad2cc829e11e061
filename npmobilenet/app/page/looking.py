"""What *Inside* draws of one picture."""

import base64
import io
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from npmobilenet.analysis.inside import (
    ClassActivationMap,
    class_activation_map,
    feature_maps,
    image_grid,
    overlay,
)
from npmobilenet.model import Model

LONGEST_SIDE = 640
"""Pixels of a picture that a map is drawn over; a photograph of 20 megapixels shows no more."""
MOST_MAPS = 256
"""Channels that are drawn; more would be too small to be seen."""


@dataclass(frozen=True)
class Drawing:
    """A picture as a ``data:`` address, and what it shows."""

    address: str
    caption: str


def evidence(model: Model, picture: NDArray[np.uint8], class_index: int | None) -> Drawing:
    """The class activation map over the picture.

    Raises
    ------
    ValueError
        If the model is no classifier, or has a head that cannot be taken apart.
    """
    found = class_activation_map(model, picture, class_index)
    return Drawing(
        _address(map_over_picture(picture, found)),
        f"{found.label.replace('_', ' ')}, logit {found.logit:.1f}. Red speaks for it, blue "
        "against it; the darker rim is not seen by the network.",
    )


def maps(model: Model, picture: NDArray[np.uint8], layer: str) -> Drawing:
    """The feature maps of a layer side by side, each scaled to its own largest value.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    found = feature_maps(model, picture, layer)
    height, width, channels = found.shape
    drawn = min(channels, MOST_MAPS)
    which = f"{channels} channels" if drawn == channels else f"{drawn} of {channels} channels"
    signs = "blue is negative, red positive" if found.min() < 0 else "black is 0"
    return Drawing(
        _address(image_grid(found[..., :drawn])),
        f"{layer}: {which} of {height} x {width}, each to its own largest value; {signs}.",
    )


def map_over_picture(picture: NDArray[np.uint8], found: ClassActivationMap) -> NDArray[np.uint8]:
    """The map over its picture, at no more than 640 pixels a side.

    The map is found on the whole picture and only drawn on a small one.
    """
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
    top, left = int(box[0] * scale), int(box[1] * scale)
    height, width = max(1, int(box[2] * scale)), max(1, int(box[3] * scale))
    return top, left, min(height, size[0] - top), min(width, size[1] - left)


def _address(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
