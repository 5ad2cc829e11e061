"""SAME, VALID and explicit padding against TensorFlow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.architecture.padding import explicit_padding, output_size, same_padding

AXIS = {
    "size": st.integers(1, 40),
    "kernel": st.integers(1, 7),
    "stride": st.integers(1, 4),
    "dilation": st.integers(1, 3),
}


@given(**AXIS)
def test_same_gives_ceil_of_size_over_stride(size, kernel, stride, dilation):
    padding = same_padding(size, kernel, stride, dilation)
    assert padding[1] - padding[0] in (0, 1)  # the odd zero goes to the end
    outputs = output_size(size, kernel, stride, "same", dilation)
    assert outputs == -(-size // stride)
    extent = (kernel - 1) * dilation + 1
    if outputs > 1 or sum(padding):
        assert output_size(size, kernel, stride, padding, dilation) == outputs
        # No more zeros than the last window needs.
        assert (outputs - 1) * stride + extent <= size + sum(padding)


@pytest.mark.parametrize(
    ("size", "expected"), [(224, (0, 1)), (7, (1, 1)), (200, (0, 1)), (25, (1, 1))]
)
def test_stride_2_pads_one_side_of_even_sizes_only(size, expected):
    assert same_padding(size, kernel=3, stride=2) == expected


def test_tensorflow_agrees_on_the_output_size():
    tf = pytest.importorskip("tensorflow")
    for size in range(1, 12):
        for kernel in (1, 2, 3, 5):
            for stride in (1, 2, 3):
                image, taps = tf.zeros((1, size, 1, 1)), tf.ones((kernel, 1, 1, 1))
                theirs = tf.nn.conv2d(image, taps, stride, "SAME").shape[1]
                assert output_size(size, kernel, stride, "same") == theirs


def test_explicit_padding_of_an_image():
    assert explicit_padding("valid", (5, 6), (3, 3), (2, 2)) == ((0, 0), (0, 0))
    assert explicit_padding("same", (5, 6), (3, 3), (2, 2)) == ((1, 1), (0, 1))
    assert explicit_padding(((1, 2), (3, 4)), (5, 6), (3, 3), (2, 2)) == ((1, 2), (3, 4))
