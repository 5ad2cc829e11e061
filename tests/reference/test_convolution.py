import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.reference import convolution, pointwise_convolution

tf = pytest.importorskip("tensorflow")


@settings(deadline=None, max_examples=300)
@given(data=st.data(), filters=st.integers(1, 5))
def test_convolution_equals_tensorflow(data, filters, cases, assert_near):
    # TensorFlow gives an empty batch a wrong number of channels, so its batches have an image.
    case = data.draw(cases(smallest_batch=1))
    images = case.images()
    kernel = case.array(*case.kernel_size, case.channels, filters)
    bias = case.array(filters)
    named = isinstance(case.padding, str)
    padding = case.padding.upper() if named else ((0, 0), *case.padding, (0, 0))
    expected = tf.nn.conv2d(images, kernel, case.strides, padding, dilations=case.dilation)
    actual = convolution(images, kernel, bias, **case.options)
    assert_near(actual, expected + bias, case.taps * case.channels)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), filters=st.integers(1, 5))
def test_convolution_equals_naive_loops(data, filters, cases, naive, assert_near):
    case = data.draw(cases())
    images = case.images()
    kernel = case.array(*case.kernel_size, case.channels, filters)
    actual = convolution(images, kernel, **case.options)
    expected = naive.convolution(case, images, kernel)
    assert_near(actual, expected, case.taps * case.channels, case.dtype)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), filters=st.integers(1, 5))
def test_pointwise_convolution_equals_tensorflow(data, filters, cases, assert_near):
    case = data.draw(cases(smallest_batch=1))
    images = case.images()
    kernel = case.array(1, 1, case.channels, filters)
    bias = case.array(filters)
    expected = tf.nn.conv2d(images, kernel, 1, "VALID")
    assert_near(pointwise_convolution(images, kernel), expected, case.channels)
    actual = pointwise_convolution(images, kernel[0, 0], bias)
    assert_near(actual, expected + bias, case.channels)


@pytest.mark.parametrize(
    ("operation", "kernel_shape"),
    [(convolution, (3, 3, 64, 16)), (pointwise_convolution, (64, 16))],
)
def test_float32_is_near_float64(operation, kernel_shape, rng, assert_near):
    images = rng.standard_normal((2, 9, 8, 64), np.float32)
    kernel = rng.standard_normal(kernel_shape, np.float32)
    exact = operation(images.astype(float), kernel.astype(float))
    assert_near(operation(images, kernel), exact, kernel[..., 0].size, np.float32)


@pytest.mark.parametrize("operation", [convolution, pointwise_convolution])
def test_the_dtype_is_that_of_the_images(operation):
    images = np.ones((1, 4, 4, 2), np.float32)
    assert operation(images, np.ones((1, 1, 2, 3))).dtype == np.float32


def test_an_empty_batch_keeps_its_shape():
    assert pointwise_convolution(np.ones((0, 5, 4, 3)), np.ones((3, 2))).shape == (0, 5, 4, 2)


@pytest.mark.parametrize("operation", [convolution, pointwise_convolution])
def test_channels_must_agree(operation):
    with pytest.raises(ValueError, match="mismatch"):
        operation(np.ones((1, 5, 5, 3)), np.ones((1, 1, 2, 4)))


def test_the_window_must_fit():
    with pytest.raises(ValueError, match="window"):
        convolution(np.ones((1, 2, 2, 1)), np.ones((3, 3, 1, 1)))
