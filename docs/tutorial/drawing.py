"""How the chapters show what the library draws."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from IPython.display import SVG
from IPython.display import Image as Bitmap
from PIL import Image

GAP = 8  # white pixels between pictures


def figure(plot: Callable[..., None], *data: Any, kind: str = "svg") -> SVG | Bitmap:
    """What a function of ``npmobilenet.analysis.plots`` saves for these data."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"figure.{kind}"
        plot(*data, path)
        return SVG(path) if kind == "svg" else Bitmap(path)


def pictures(*arrays: np.ndarray, height: int | None = None) -> Image.Image:
    """Pictures side by side.

    Parameters
    ----------
    *arrays : (height, width) or (height, width, 3)
        uint8 is shown as it is; of other numbers, the smallest is black and the largest white.
    height : int, optional
        Of the row in pixels; by default that of the first picture.
    """
    drawn = [_image(array) for array in arrays]
    height = height or drawn[0].height
    drawn = [
        image.resize((round(image.width * height / image.height), height), Image.Resampling.NEAREST)
        for image in drawn
    ]
    width = sum(image.width for image in drawn) + GAP * (len(drawn) - 1)
    row = Image.new("RGB", (width, height), "white")
    left = 0
    for image in drawn:
        row.paste(image, (left, 0))
        left += image.width + GAP
    return row


def _image(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = np.round((array - low) / (high - low or 1.0) * 255).astype(np.uint8)
    return Image.fromarray(array).convert("RGB")
