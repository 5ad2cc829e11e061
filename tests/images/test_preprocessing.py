"""`preprocess_input` and the warning about ranges."""

import warnings

import numpy as np
import pytest

from npmobilenet.images import InputRangeWarning, check_input_range, preprocess_input

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_equals_keras(rng, mode, data_format, dtype, batch):
    shape = (3, 5, 6) if data_format == "channels_first" else (5, 6, 3)
    x = rng.integers(0, 256, (*batch, *shape)).astype(dtype)
    before = x.copy()
    found = preprocess_input(x, data_format, mode)
    np.testing.assert_array_equal(x, before)
    expected = keras.applications.imagenet_utils.preprocess_input(x.copy(), data_format, mode)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_equals_the_modules_of_both_networks(rng):
    x = rng.integers(0, 256, (1, 7, 7, 3)).astype(np.uint8)
    for module in (keras.applications.mobilenet, keras.applications.mobilenet_v2):
        np.testing.assert_array_equal(preprocess_input(x), module.preprocess_input(x))


def test_takes_lists_and_read_only_arrays():
    x = np.zeros((1, 1, 3), np.float32)
    x.flags.writeable = False
    np.testing.assert_array_equal(preprocess_input(x), -np.ones_like(x))
    np.testing.assert_array_equal(preprocess_input([[[0, 255, 0]]]), [[[-1, 1, -1]]])


def test_refuses():
    with pytest.raises(ValueError, match="mode"):
        preprocess_input(np.zeros((1, 1, 3)), mode="keras")
    with pytest.raises(ValueError, match="data_format"):
        preprocess_input(np.zeros((1, 1, 3)), data_format="last")


@pytest.mark.parametrize(
    ("values", "input_range", "advice"),
    [
        ([0.0, 255.0], (-1, 1), "preprocess_input"),
        ([-2.1, 2.6], (-1, 1), "preprocess_input"),
        ([-0.99, 1.0], (0, 255), "as they are"),
        ([0.0, 1.0], (0, 255), "as they are"),
        ([-123.0, 150.0], (0, 255), "as they are"),
        ([0.0, float("nan")], (-1, 1), "nan"),
    ],
)
def test_warns(values, input_range, advice):
    with pytest.warns(InputRangeWarning, match=advice):
        check_input_range(np.array(values, np.float32), input_range)


@pytest.mark.parametrize(
    ("values", "input_range"),
    [
        ([-1.0, 1.0], (-1, 1)),
        ([-1.001, 1.001], (-1, 1)),
        ([0.0, 0.0], (-1, 1)),
        ([0.0, 255.0], (0, 255)),
        ([0.0, 0.0], (0, 255)),
        ([0.0, 1.0], (0, 1)),
        ([], (-1, 1)),
    ],
)
def test_does_not_warn(values, input_range):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_input_range(np.array(values, np.float32), input_range)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_of_a_large_batch_no_channel_is_overlooked(rng, channel):
    x = rng.uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_input_range(x, (-1, 1))
    x[:, :, 100:130, channel] = 3
    with pytest.warns(InputRangeWarning, match="preprocess_input"):
        check_input_range(x, (-1, 1))
