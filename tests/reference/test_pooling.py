import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from npmobilenet.reference import (
    average_pooling,
    global_average_pooling,
    global_max_pooling,
    max_pooling,
    min_pooling,
)

tf = pytest.importorskip("tensorflow")

POOLINGS = [(max_pooling, np.max), (min_pooling, np.min), (average_pooling, np.mean)]


@settings(deadline=None, max_examples=300)
@given(data=st.data())
@pytest.mark.parametrize(
    ("operation", "twin"), [(max_pooling, tf.nn.max_pool2d), (average_pooling, tf.nn.avg_pool2d)]
)
def test_equals_tensorflow(operation, twin, data, cases, assert_near):
    case = data.draw(cases(smallest_batch=1, largest_dilation=1, paddings=("same", "valid")))
    images = case.images()
    expected = twin(tf.constant(images), case.kernel_size, case.strides, case.padding.upper())
    actual = operation(images, case.kernel_size, strides=case.strides, padding=case.padding)
    assert_near(actual, expected, case.taps)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
@pytest.mark.parametrize(("operation", "reduce"), POOLINGS)
def test_equals_naive_loops(operation, reduce, data, cases, naive, assert_near):
    case = data.draw(cases())
    images = case.images()
    expected = naive.pooling(case, images, reduce)
    assume(not np.isnan(expected).any())  # a window over nothing but padding has no value
    actual = operation(images, case.kernel_size, **case.options)
    assert_near(actual, expected, case.taps, case.dtype)


@pytest.mark.parametrize(("operation", "expected"), [(max_pooling, -1), (min_pooling, 1)])
def test_padding_never_wins(operation, expected):
    images = np.full((1, 3, 3, 2), expected, np.float32)
    np.testing.assert_array_equal(operation(images, (3, 3), padding="same"), images)


def test_padding_is_not_in_the_mean():
    images = np.full((1, 4, 5, 2), 7.0)
    np.testing.assert_array_equal(
        average_pooling(images, (3, 3), strides=(2, 2), padding="same"), np.full((1, 2, 3, 2), 7.0)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("operation", "twin"),
    [(global_average_pooling, tf.reduce_mean), (global_max_pooling, tf.reduce_max)],
)
@pytest.mark.parametrize("shape", [(2, 7, 7, 5), (1, 1, 1, 3), (3, 6, 1, 2), (0, 7, 7, 5)])
def test_global_pooling_equals_tensorflow(
    operation, twin, shape, keepdims, dtype, rng, assert_near
):
    images = rng.standard_normal(shape).astype(dtype)
    actual = operation(images, keepdims=keepdims)
    assert_near(actual, twin(images, (1, 2), keepdims=keepdims), shape[1] * shape[2])
