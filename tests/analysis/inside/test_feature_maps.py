"""Feature maps of every layer, and how they are drawn."""

import numpy as np
import pytest

from npmobilenet.analysis.inside import feature_maps, image_grid
from npmobilenet.model import Model


def test_every_layer_by_its_name(small_v1, picture, prepared):
    expected = small_v1.activations(prepared)
    for layer in small_v1.layers:
        maps = feature_maps(small_v1, picture, layer.name)
        assert maps.ndim == 3
        assert maps.dtype == np.float32
        np.testing.assert_array_equal(maps.ravel(), expected[layer.name].ravel())


def test_layers_that_the_kernels_fuse(small_v1, picture, prepared):
    model = Model(small_v1.network, small_v1.weights, backend="numba")
    stored = model.activations(prepared)
    for layer in ("conv_dw_1", "conv_dw_1_bn"):
        assert layer in stored.fused  # computed inside another: the engine cannot show it
        assert feature_maps(model, picture, layer).shape == (32, 32, 8)
    maps = feature_maps(model, picture, "conv_pw_1_relu")
    np.testing.assert_allclose(maps, stored["conv_pw_1_relu"][0], atol=1e-5)


def test_unknown_layers(small_v1, picture):
    with pytest.raises(ValueError, match="no layer named 'conv_99'"):
        feature_maps(small_v1, picture, "conv_99")


def test_several_pictures_are_refused(small_v1, picture):
    with pytest.raises(ValueError, match="found 2"):
        feature_maps(small_v1, [picture, picture], "conv1")


def test_a_grid_to_the_pixel():
    maps = np.zeros((1, 2, 3), np.float32)
    maps[0, :, 0] = (0, 2)  # grey, up to its own largest value
    maps[0, :, 1] = (4, 1)
    grid = image_grid(maps, columns=2, zoom=1)
    gap = (40, 44, 52)
    assert grid.shape == (2 * 2 + 1, 2 * 3 + 1, 3)
    expected = [gap, (0, 0, 0), (255, 255, 255), gap, (255, 255, 255), (64, 64, 64), gap]
    np.testing.assert_array_equal(grid[1], expected)
    np.testing.assert_array_equal(grid[3, :4], [gap, (0, 0, 0), (0, 0, 0), gap])
    np.testing.assert_array_equal(grid[3, 4:], [gap] * 3)  # no fourth channel
    together = image_grid(maps, columns=2, zoom=1, scale="all")
    np.testing.assert_array_equal(together[1, 1:3], [(0, 0, 0), (128, 128, 128)])


def test_signs_are_colours():
    maps = np.array([-1.0, 0.0, 1.0]).reshape(1, 3, 1)
    negative, zero, positive = image_grid(maps, zoom=1)[1, 1:4].astype(int)
    assert negative[2] > negative[0]
    assert zero.min() > 240
    assert positive[0] > positive[2]


def test_faint_tiles_are_not_drawn_as_noise():
    maps = np.ones((2, 2, 2)) * (1.0, -1e-9)
    grid = image_grid(maps, columns=2, zoom=1)
    np.testing.assert_array_equal(grid[1, 4], (247, 247, 247))  # signed: zero is white


def test_filters_over_colours():
    kernel = np.zeros((1, 1, 3, 2))
    kernel[0, 0, :, 0] = (2, 0, -2)
    grid = image_grid(kernel, columns=2, zoom=1)
    np.testing.assert_array_equal(grid[1, 1], (255, 128, 0))
    np.testing.assert_array_equal(grid[1, 3], (128, 128, 128))


def test_small_maps_are_enlarged():
    maps = np.arange(4.0).reshape(2, 2, 1)
    grid = image_grid(maps)
    assert grid.shape == (34, 34, 3)
    np.testing.assert_array_equal(grid[1:17, 17:33], np.broadcast_to(85, (16, 16, 3)))


def test_values_that_are_no_numbers_are_zeros():
    maps = np.array([np.nan, 1.0]).reshape(1, 2, 1)
    np.testing.assert_array_equal(image_grid(maps, zoom=1)[1, 1], (0, 0, 0))


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 4), {}, r"found an array of shape \(4, 4\)"),
        ((4, 4, 0), {}, "shape"),
        ((4, 4, 2, 5), {}, "shape"),
        ((4, 4, 1), {"scale": "some"}, "found 'some'"),
        ((4, 4, 1), {"columns": 0}, "at least 1, found 0"),
        ((4, 4, 1), {"zoom": 0}, "at least 1"),
    ],
)
def test_senseless_grids(shape, options, message):
    with pytest.raises(ValueError, match=message):
        image_grid(np.zeros(shape), **options)
