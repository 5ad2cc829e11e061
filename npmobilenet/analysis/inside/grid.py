"""Many small images side by side."""

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.colours import grey_levels, signed_colours
from npmobilenet.reference import FloatArray

Scale = Literal["each", "all"]
SCALES: tuple[Scale, ...] = get_args(Scale)

_SMALLEST_TILE = 32  # pixels, below which tiles are enlarged
_FAINTEST = 1e-6  # of the largest value, below which a tile is drawn as zeros and not as noise
_GAP = 1
_GAP_COLOUR = (40, 44, 52)


def image_grid(
    maps: FloatArray,
    *,
    scale: Scale = "each",
    columns: int | None = None,
    zoom: int | None = None,
) -> NDArray[np.uint8]:
    """Draw every channel as a tile of one picture.

    Channels without negative values are grey, black for 0. If there are any negative values in
    ``maps``, blue is negative, white is 0 and red is positive.

    Parameters
    ----------
    maps : array (height, width, channels), or (height, width, 3, filters)
        With four axes, tiles are drawn in red, green and blue, mid-grey for 0.
    scale : {"each", "all"}
        Whether each tile has its own largest value, or all have the same. A tile whose values are
        below 1e-6 of the others' is drawn as zeros either way.
    columns : int, optional
        Tiles in a row; by default as many as make the grid about square.
    zoom : int, optional
        Pixels of the grid for one value; by default tiles have at least 32 pixels.

    Returns
    -------
    array (grid height, grid width, 3), uint8

    Raises
    ------
    ValueError
        If an argument makes no sense.
    """
    if maps.ndim not in (3, 4) or 0 in maps.shape or (maps.ndim == 4 and maps.shape[2] != 3):
        raise ValueError(
            "maps must be (height, width, channels) or (height, width, 3, filters), "
            f"found an array of shape {maps.shape}"
        )
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {SCALES}, found {scale!r}")
    height, width, count = maps.shape[0], maps.shape[1], maps.shape[-1]
    if columns is None:
        columns = max(1, min(count, math.ceil(math.sqrt(count * height / width))))
    if zoom is None:
        zoom = max(1, math.ceil(_SMALLEST_TILE / max(height, width)))
    if columns < 1 or zoom < 1:
        raise ValueError(f"columns and zoom must be at least 1, found {columns} and {zoom}")
    tiles = np.kron(_coloured(maps, scale), np.ones((1, zoom, zoom, 1), np.uint8))
    return _tiled(tiles, columns)


def _coloured(maps: FloatArray, scale: Scale) -> NDArray[np.uint8]:
    """One RGB tile a channel, first axis the channels."""
    tiles = np.moveaxis(np.nan_to_num(maps.astype(np.float64)), -1, 0)
    axes = None if scale == "all" else tuple(range(1, tiles.ndim))
    largest = np.abs(tiles).max(axis=axes, keepdims=True)
    signed = bool(tiles.min() < 0)
    visible = largest > _FAINTEST * largest.max()
    tiles = np.where(visible, tiles / np.where(visible, largest, 1.0), 0.0)
    if tiles.ndim == 4:
        return np.round(127.5 + 127.5 * tiles).astype(np.uint8)
    return signed_colours(tiles) if signed else grey_levels(tiles)


def _tiled(tiles: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    count, height, width, _ = tiles.shape
    rows = math.ceil(count / columns)
    step_down, step_right = height + _GAP, width + _GAP
    grid = np.empty((rows * step_down + _GAP, columns * step_right + _GAP, 3), np.uint8)
    grid[:] = _GAP_COLOUR
    for index, tile in enumerate(tiles):
        top = _GAP + index // columns * step_down
        left = _GAP + index % columns * step_right
        grid[top : top + height, left : left + width] = tile
    return grid
