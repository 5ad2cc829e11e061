"""Every resize mode against the library that it is named after."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from npmobilenet.images import RESIZE_MODES, central_crop, resize
from npmobilenet.images.resize_modes import PIL_FILTERS

tf = pytest.importorskip("tensorflow")

# Of values up to 255. TensorFlow may fuse a multiplication and an addition where NumPy does not.
BILINEAR_TOLERANCE = 1e-4
ANTIALIAS_TOLERANCE = 5e-4

TENSORFLOW = {
    "tf-bilinear": lambda x, size: tf.image.resize(x, size),
    "tf-bilinear-antialias": lambda x, size: tf.image.resize(x, size, antialias=True),
    "tfjs-bilinear": lambda x, size: tf.compat.v1.image.resize_bilinear(
        x[np.newaxis], size, align_corners=True
    )[0],
}

sizes = st.tuples(st.integers(1, 70), st.integers(1, 70))


def noise(shape: tuple[int, int], seed: int, dtype: type) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (*shape, 3)).astype(dtype)


@pytest.mark.parametrize("mode", TENSORFLOW)
@settings(max_examples=60, deadline=None)
@given(
    shape=sizes,
    size=sizes,
    seed=st.integers(0, 99),
    dtype=st.sampled_from([np.uint8, np.float32]),
)
def test_tensorflow_modes(mode, shape, size, seed, dtype):
    x = noise(shape, seed, dtype)
    found = resize(x, size, mode)
    expected = TENSORFLOW[mode](x, size).numpy()
    assert found.dtype == np.float32
    tolerance = ANTIALIAS_TOLERANCE if "antialias" in mode else BILINEAR_TOLERANCE
    np.testing.assert_allclose(found, expected.astype(np.float32), rtol=0, atol=tolerance)


@pytest.mark.parametrize("mode", TENSORFLOW)
@pytest.mark.parametrize("shape", [(720, 1280), (333, 500), (224, 224), (97, 31), (1, 1)])
def test_tensorflow_modes_at_the_size_of_networks(mode, shape):
    x = noise(shape, 3, np.uint8)
    expected = TENSORFLOW[mode](x, (224, 224)).numpy().astype(np.float32)
    tolerance = ANTIALIAS_TOLERANCE if "antialias" in mode else BILINEAR_TOLERANCE
    np.testing.assert_allclose(resize(x, (224, 224), mode), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", PIL_FILTERS)
@settings(max_examples=20, deadline=None)
@given(shape=sizes, size=sizes, seed=st.integers(0, 99))
def test_pillow_modes(name, shape, size, seed):
    x = noise(shape, seed, np.uint8)
    expected = Image.fromarray(x).resize(size[::-1], PIL_FILTERS[name])
    found = resize(x, size, f"pil-{name}")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.asarray(expected))


@pytest.mark.parametrize("name", PIL_FILTERS)
def test_pillow_modes_on_floats_only_lack_the_rounding(name):
    # Away from 0 and 255: between its two axes Pillow rounds and clips uint8.
    x = noise((50, 61), 5, np.uint8) // 4 + 96
    rounded = resize(x, (20, 90), f"pil-{name}")
    found = resize(x.astype(np.float64), (20, 90), f"pil-{name}")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, rounded, rtol=0, atol=1.5)


@pytest.mark.parametrize("mode", RESIZE_MODES)
def test_the_same_size_changes_nothing(mode):
    x = noise((9, 8), 1, np.uint8)
    np.testing.assert_array_equal(resize(x, (9, 8), mode), x)


def test_resize_refuses():
    with pytest.raises(ValueError, match="tfjs-bilinear"):
        resize(np.zeros((4, 4, 3)), (2, 2), "bilinear")
    with pytest.raises(ValueError, match="positive"):
        resize(np.zeros((4, 4, 3)), (0, 2))


@settings(max_examples=60, deadline=None)
@given(shape=sizes, fraction=st.one_of(st.just(0.875), st.floats(1e-3, 1.0)))
def test_central_crop(shape, fraction):
    x = noise(shape, 1, np.uint8)
    expected = tf.image.central_crop(x, fraction).numpy()
    np.testing.assert_array_equal(central_crop(x, fraction), expected)
    np.testing.assert_array_equal(central_crop(x[np.newaxis], fraction)[0], expected)


@pytest.mark.parametrize("fraction", [0.0, -1.0, 1.01, float("nan")])
def test_central_crop_refuses(fraction):
    with pytest.raises(ValueError, match="fraction"):
        central_crop(np.zeros((4, 4, 3)), fraction)
