"""How the chapters show what the library draws."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from IPython.display import SVG, Code
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


def source(function: Callable[..., Any]) -> Code:
    """The code of a function of the library, without its docstring."""
    text = textwrap.dedent(inspect.getsource(function))
    lines = text.splitlines()
    first = ast.parse(text).body[0].body[0]  # type: ignore[attr-defined]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        del lines[first.lineno - 1 : first.end_lineno]
    return Code("\n".join(lines), language="python")


def chart(drawn: Any) -> SVG:
    """A matplotlib figure that a function of the library returned."""
    return figure(drawn.savefig)
