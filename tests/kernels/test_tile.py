"""The register tile against the same arithmetic in NumPy."""

import numpy as np
import pytest
from numba import njit

from npmobilenet.kernels.blocks import pack_norm
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.tile import (
    HALF,
    tile_add,
    tile_bias,
    tile_clamp,
    tile_max,
    tile_minus,
    tile_outer,
    tile_plus,
    tile_scale,
    tile_store,
    tile_window,
    tile_zero,
)

WIDE = 2 * LANES


def floats(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@njit
def store_bias(bias, out, lanes):
    tile_store(tile_bias(3, WIDE, bias, 1), out, 2, 100, lanes)


@pytest.mark.parametrize("lanes", [1, LANES - 1, LANES])
def test_bias_fills_rows_and_store_leaves_other_lanes_alone(rng, lanes):
    bias, out = floats(rng, WIDE + 1), np.full(400, 7, np.float32)
    store_bias(bias, out, lanes)
    expected = np.full(400, 7, np.float32)
    for row in range(3):
        begin = 2 + 100 * row
        expected[begin : begin + LANES + lanes] = bias[1 : 1 + LANES + lanes]
    np.testing.assert_array_equal(out, expected)


@njit
def multiply(a, w, bias, out, depth):
    tile = tile_bias(3, WIDE, bias, 0)
    for k in range(depth):
        tile = tile_outer(tile, a, k, depth, w, k * 2 * LANES)
    tile_store(tile, out, 0, 2 * LANES, LANES)


def test_outer_products_make_a_matrix_product(rng):
    a, w, bias = floats(rng, 3, 5), floats(rng, 5, WIDE), floats(rng, WIDE)
    out = np.empty((3, WIDE), np.float32)
    multiply(a.ravel(), w.ravel(), bias, out.ravel(), 5)
    np.testing.assert_allclose(out, a.astype(float) @ w + bias, rtol=1e-5, atol=1e-6)


def make_window(stride, taps):
    @njit
    def slide(x, column, width, w, bias, out):
        tile = tile_bias(4, LANES, bias, 0)
        tile = tile_window(tile, x, (LANES,), 0, column, width, LANES, 0, stride, taps, w, 0, LANES)
        tile_store(tile, out, 0, LANES, LANES)

    return slide


@pytest.mark.parametrize(("stride", "taps"), [(1, 1), (1, 3), (2, 3), (1, 5), (2, 5)])
def test_window_slides_over_a_row_with_zeros_around_it(rng, stride, taps):
    slide = make_window(stride, taps)
    width, places, margin = 12, 3 * stride + taps, max(1, taps // 2)
    zeros, row = np.zeros(LANES, np.float32), floats(rng, width, LANES)
    w, bias = floats(rng, taps, LANES), floats(rng, LANES)
    last = width - places + margin
    for column in (-margin, -1, 0, 1, last - 1, last):
        out = np.empty((4, LANES), np.float32)
        slide(np.concatenate([zeros, row.ravel()]), column, width, w.ravel(), bias, out.ravel())
        expected = np.tile(bias.astype(float), (4, 1))
        for i in range(4):
            for tap in range(taps):
                at = column + i * stride + tap
                if 0 <= at < width:
                    expected[i] += row[at].astype(float) * w[tap]
        np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


@njit
def add_and_clamp(bias, a, low, high, out):
    tile = tile_add(tile_bias(2, LANES, bias, 0), a, 0, LANES)
    tile_store(tile_clamp(tile, low, high), out, 0, LANES, LANES)


@pytest.mark.parametrize("limits", [(-np.inf, np.inf), (0.0, np.inf), (0.0, 6.0)])
def test_add_then_clamp(rng, limits):
    bias, a = 5 * floats(rng, LANES), 5 * floats(rng, 2, LANES)
    a[1, 1] = np.nan
    low, high = (np.float32(limit) for limit in limits)
    out = np.empty((2, LANES), np.float32)
    add_and_clamp(bias, a.ravel(), low, high, out.ravel())
    np.testing.assert_array_equal(out, np.clip(bias + a, low, high))


@njit
def larger(a, b, out):
    tile = tile_add(tile_zero(2, WIDE), a, 0, WIDE)
    tile_store(tile_max(tile, b, 0, WIDE), out, 0, WIDE, LANES)


def test_larger_of_two_with_nan_as_the_largest(rng):
    a, b = floats(rng, 2, WIDE), floats(rng, 2, WIDE)
    a[0, 1] = b[1, 2] = np.nan
    b[0, 3] = -np.inf
    out = np.empty((2, WIDE), np.float32)
    larger(a.ravel(), b.ravel(), out.ravel())
    np.testing.assert_array_equal(out, np.maximum(a, b))


@njit
def add_tiles(a, b, out):
    tile_store(tile_plus(tile_bias(1, WIDE, a, 0), tile_bias(1, WIDE, b, 0)), out, 0, 0, LANES)


def test_sum_of_two_tiles(rng):
    a, b, out = floats(rng, WIDE), floats(rng, WIDE), np.empty(WIDE, np.float32)
    add_tiles(a, b, out)
    np.testing.assert_array_equal(out, a + b)


@njit
def subtract_tiles(a, b, out):
    tile_store(tile_minus(tile_bias(1, WIDE, a, 0), tile_bias(1, WIDE, b, 0)), out, 0, 0, LANES)


def test_difference_of_two_tiles(rng):
    a, b, out = floats(rng, WIDE), floats(rng, WIDE), np.empty(WIDE, np.float32)
    subtract_tiles(a, b, out)
    np.testing.assert_array_equal(out, a - b)


@njit
def scale(a, norm, out):
    tile = tile_add(tile_zero(2, WIDE), a, 0, WIDE)
    tile_store(tile_scale(tile, norm, 0), out, 0, WIDE, LANES)


def test_scale_and_shift_of_each_lane(rng):
    a, shift, factor = floats(rng, 2, WIDE), floats(rng, WIDE), floats(rng, WIDE)
    out = np.zeros((2, WIDE), np.float32)
    scale(a.ravel(), pack_norm(shift, factor), out.ravel())
    np.testing.assert_allclose(out, a * factor.astype(float) + shift, rtol=1e-6, atol=1e-7)


def make_all(width):
    """Every operation one after another, on a tile so wide."""

    @njit
    def everything(a, w, norm, out, lanes):
        tile = tile_plus(tile_zero(3, width), tile_bias(3, width, w, 0))
        tile = tile_outer(tile, a, 0, WIDE, w, WIDE)
        tile = tile_window(tile, a, (WIDE,), 0, -1, 4, WIDE, 0, 1, 3, w, 0, WIDE)
        tile = tile_max(tile_add(tile, a, 0, WIDE), a, WIDE, WIDE)
        tile = tile_clamp(tile_scale(tile, norm, 0), np.float32(-1), np.float32(6))
        tile = tile_minus(tile, tile_bias(3, width, w, 2 * WIDE))
        tile_store(tile, out, 0, WIDE, lanes)

    return everything


@pytest.mark.parametrize("width", [HALF, LANES + HALF])
@pytest.mark.parametrize("missing", [0, 1, HALF - 1])
def test_half_a_vector_holds_the_first_lanes_of_a_whole_one(rng, width, missing):
    a, w, norm = floats(rng, 5 * WIDE), floats(rng, 3 * WIDE), floats(rng, 2 * WIDE)
    a[:WIDE] = 0  # zeros of the window
    whole, part = np.zeros((3, WIDE), np.float32), np.zeros((3, WIDE), np.float32)
    make_all(WIDE)(a, w, norm, whole.ravel(), LANES)
    make_all(width)(a, w, norm, part.ravel(), HALF - missing)
    np.testing.assert_array_equal(part[:, : width - missing], whole[:, : width - missing])
    assert not part[:, width - missing :].any()


@pytest.mark.parametrize("width", [0, HALF - 1, LANES + 1])
def test_other_widths_are_refused(width):
    with pytest.raises(ValueError, match="whole and half vectors"):
        make_all(width)(*[np.zeros(0, np.float32)] * 4, 1)
