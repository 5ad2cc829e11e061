import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.reference import depthwise_convolution, separable_convolution

tf = pytest.importorskip("tensorflow")


def tensorflow_depthwise(case, images, kernel, frame):
    """TensorFlow's depthwise convolution, also where its CPU version has no such stride.

    It wants equal strides, strides or dilation but not both, and no zeros of one's own. All of
    that is a window that stops everywhere over images padded before, of which some stops are left
    out.
    """
    (vertical, horizontal), dilation = case.strides, case.dilation
    if isinstance(case.padding, str) and vertical == horizontal and 1 in (vertical, max(dilation)):
        strides = (1, vertical, vertical, 1)
        return tf.nn.depthwise_conv2d(
            images, kernel, strides, case.padding.upper(), dilations=dilation
        )
    padded = tf.pad(images, ((0, 0), *frame, (0, 0)))
    everywhere = tf.nn.depthwise_conv2d(padded, kernel, (1, 1, 1, 1), "VALID", dilations=dilation)
    return everywhere[:, ::vertical, ::horizontal]


@settings(deadline=None, max_examples=300)
@given(data=st.data(), multiplier=st.integers(1, 3))
def test_depthwise_convolution_equals_tensorflow(data, multiplier, cases, naive, assert_near):
    case = data.draw(cases(smallest_batch=1))
    images = case.images()
    kernel = case.array(*case.kernel_size, case.channels, multiplier)
    bias = case.array(case.channels * multiplier)
    expected = tensorflow_depthwise(case, images, kernel, naive.frame(case))
    actual = depthwise_convolution(images, kernel, bias, **case.options)
    assert_near(actual, expected + bias, case.taps)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), multiplier=st.integers(1, 3))
def test_depthwise_convolution_equals_naive_loops(data, multiplier, cases, naive, assert_near):
    case = data.draw(cases())
    images = case.images()
    kernel = case.array(*case.kernel_size, case.channels, multiplier)
    actual = depthwise_convolution(images, kernel, **case.options)
    assert_near(actual, naive.depthwise(case, images, kernel), case.taps, case.dtype)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), multiplier=st.integers(1, 3), filters=st.integers(1, 5))
def test_separable_convolution_equals_tensorflow(
    data, multiplier, filters, cases, naive, assert_near
):
    case = data.draw(cases(smallest_batch=1))
    images = case.images()
    depthwise = case.array(*case.kernel_size, case.channels, multiplier)
    pointwise = case.array(1, 1, case.channels * multiplier, filters)
    bias = case.array(filters)
    filtered = tensorflow_depthwise(case, images, depthwise, naive.frame(case))
    expected = tf.nn.conv2d(filtered, pointwise, 1, "VALID") + bias
    actual = separable_convolution(images, depthwise, pointwise, bias, **case.options)
    assert_near(actual, expected, case.taps * case.channels * multiplier)


def test_separable_convolution_is_one_call_of_tensorflow(rng, assert_near):
    images = rng.standard_normal((2, 11, 8, 4))
    depthwise, pointwise = rng.standard_normal((3, 3, 4, 2)), rng.standard_normal((1, 1, 8, 5))
    expected = tf.nn.separable_conv2d(images, depthwise, pointwise, (1, 2, 2, 1), "SAME")
    actual = separable_convolution(images, depthwise, pointwise, strides=(2, 2), padding="same")
    assert_near(actual, expected, 72)


def test_float32_is_near_float64(rng, assert_near):
    images = rng.standard_normal((2, 9, 8, 64), np.float32)
    kernel = rng.standard_normal((5, 5, 64, 1), np.float32)
    exact = depthwise_convolution(images.astype(float), kernel.astype(float))
    assert_near(depthwise_convolution(images, kernel), exact, 25, np.float32)


def test_the_dtype_is_that_of_the_images():
    images = np.ones((1, 4, 4, 2), np.float32)
    assert depthwise_convolution(images, np.ones((3, 3, 2, 1))).dtype == np.float32


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_kernel_is_never_broadcast_over_channels(channels):
    with pytest.raises(ValueError, match=f"for {channels} channels over images of 3"):
        depthwise_convolution(np.ones((1, 5, 5, 3)), np.ones((3, 3, channels, 1)))
