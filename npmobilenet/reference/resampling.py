"""Which pixels of a line make each pixel of a longer or shorter one, and how much of each.

Places and weights are computed in float32, as TensorFlow does: which pixel is the nearest may
depend on the last bit.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Taps = tuple[NDArray[np.intp], Float32]
"""Indices and weights, both ``(outputs, taps)``."""

_ONE, _HALF = np.float32(1), np.float32(0.5)
_STEPS = 1024  # TensorFlow looks bicubic weights up in a table


@dataclass(frozen=True)
class _Filter:
    """A function of the distance from a pixel, zero from ``radius`` on."""

    radius: float
    weight: Callable[[Float32], NDArray[np.floating]]


def _cubic(x: Float32) -> NDArray[np.floating]:
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _mitchell(x: Float32) -> NDArray[np.floating]:
    near = ((7 * x - 12) * x * x + 16 / 3) / 6
    far = (((-7 / 3 * x + 12) * x - 20) * x + 32 / 3) / 6
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> _Filter:
    return _Filter(radius, lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0))


_FILTERS: Mapping[str, _Filter] = {
    "bicubic": _Filter(2, _cubic),
    "bilinear": _Filter(1, lambda x: np.maximum(_ONE - x, 0)),
    "gaussian": _Filter(1.5, lambda x: np.where(x < 1.5, np.exp(-2 * x * x), 0)),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "mitchellcubic": _Filter(2, _mitchell),
}
INTERPOLATIONS = ("area", "nearest", *_FILTERS)
"""The names that Keras gives them."""

CONVEX = frozenset({"area", "bilinear", "gaussian", "nearest"})
"""Those that give nothing below the smallest or above the largest pixel."""


def taps(inputs: int, outputs: int, interpolation: str, antialias: bool = False) -> Taps:
    """The taps of ``tf.image.resize`` along one axis.

    Parameters
    ----------
    inputs, outputs : int
        Pixels of the line.
    interpolation : str
        One of ``INTERPOLATIONS``.
    antialias : bool
        Whether a filter widens as the line shrinks; means nothing to ``"area"`` and ``"nearest"``.

    Raises
    ------
    ValueError
        If there is no such interpolation.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"interpolation must be one of {', '.join(INTERPOLATIONS)}; found {interpolation!r}"
        )
    if interpolation == "nearest":
        position = (np.arange(outputs, dtype=np.float32) + _HALF) * _scale(inputs, outputs)
        nearest = np.minimum(np.floor(position).astype(np.intp), inputs - 1)
        return nearest[:, np.newaxis], np.ones((outputs, 1), np.float32)
    if interpolation == "area":
        return _area(inputs, outputs)
    if interpolation == "bilinear" and not antialias:
        lower, upper, distance = neighbours(inputs, outputs)
        return np.stack([lower, upper], 1), np.stack([_ONE - distance, distance], 1)
    if interpolation == "bicubic" and not antialias:
        return _bicubic(inputs, outputs)
    return filtered(inputs, outputs, interpolation, antialias)


def _scale(inputs: int, outputs: int) -> np.float32:
    return np.float32(inputs / np.float32(outputs))


def neighbours(
    inputs: int, outputs: int, align_corners: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.intp], Float32]:
    """Indices of the pixels on both sides of each output, and how far it is from the first.

    ``align_corners`` maps the centres of the corner pixels to each other.
    """
    index = np.arange(outputs, dtype=np.float32)
    if align_corners and outputs > 1:
        position = index * np.float32((inputs - 1) / np.float32(outputs - 1))
    elif align_corners:
        position = index
    else:
        position = (index + _HALF) * _scale(inputs, outputs) - _HALF
    floor = np.floor(position)
    lower = np.maximum(floor, 0).astype(np.intp)
    upper = np.minimum(np.ceil(position), inputs - 1).astype(np.intp)
    return np.minimum(lower, inputs - 1), upper, position - floor


def filtered(inputs: int, outputs: int, name: str, antialias: bool) -> Taps:
    """The taps of a filter around each output, as ``tf.image.ScaleAndTranslate`` has them."""
    kernel = _FILTERS[name]
    inverse_scale = _ONE / (np.float32(outputs) / np.float32(inputs))
    widening = np.maximum(inverse_scale, _ONE) if antialias else _ONE
    radius = np.float32(kernel.radius) * widening
    centre = (np.arange(outputs, dtype=np.float32) + _HALF) * inverse_scale
    first = np.maximum(np.ceil(centre - radius - _HALF), 0).astype(np.intp)
    last = np.minimum(np.floor(centre + radius - _HALF), inputs - 1).astype(np.intp)
    rows = first[:, np.newaxis] + np.arange((last - first).max() + 1)
    distance = np.abs(rows.astype(np.float32) + _HALF - centre[:, np.newaxis]) / widening
    weights = np.where(rows <= last[:, np.newaxis], kernel.weight(distance), 0)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.minimum(rows, inputs - 1), weights


def _bicubic(inputs: int, outputs: int) -> Taps:
    position = (np.arange(outputs, dtype=np.float32) + _HALF) * _scale(inputs, outputs) - _HALF
    floor = np.floor(position)
    step = np.rint((position - floor) * _STEPS)[:, np.newaxis] / np.float32(_STEPS)
    rows = floor.astype(np.intp)[:, np.newaxis] + np.arange(-1, 3)
    weights = _cubic(np.abs(np.arange(-1, 3, dtype=np.float32) - step))
    weights = np.where((rows >= 0) & (rows < inputs), weights, 0)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.clip(rows, 0, inputs - 1), weights


def _area(inputs: int, outputs: int) -> Taps:
    scale = _scale(inputs, outputs)
    start = np.arange(outputs, dtype=np.float32) * scale
    end = np.arange(1, outputs + 1, dtype=np.float32) * scale
    first = np.floor(start).astype(np.intp)
    longest = math.ceil(float(np.max(np.ceil(end) - first)))
    rows = first[:, np.newaxis] + np.arange(longest)
    covered = np.minimum(rows + 1, end[:, np.newaxis]) - np.maximum(rows, start[:, np.newaxis])
    weights = (np.maximum(covered, 0) / scale).astype(np.float32)
    return np.clip(rows, 0, inputs - 1), weights
