"""What the tests of the operations share: random cases, and a twin of naive loops."""

import itertools
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st


@dataclass
class Case:
    """A window over a batch of images, and random arrays that nobody may write to."""

    batch: int
    size: tuple[int, int]
    channels: int
    kernel_size: tuple[int, int]
    strides: tuple[int, int]
    padding: str | tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    dtype: type
    seed: int
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    @property
    def options(self):
        return {"strides": self.strides, "padding": self.padding, "dilation": self.dilation}

    @property
    def taps(self):
        return self.kernel_size[0] * self.kernel_size[1]

    def images(self):
        return self.array(self.batch, *self.size, self.channels)

    def array(self, *shape):
        values = self._rng.standard_normal(shape).astype(self.dtype)
        values.flags.writeable = False
        return values


@st.composite
def _cases(draw, smallest_batch=0, largest_dilation=3, paddings=("same", "valid", "explicit")):
    small = st.integers(1, 3)
    kernel_size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilation = draw(st.tuples(*[st.integers(1, largest_dilation)] * 2))
    extent = [(k - 1) * d + 1 for k, d in zip(kernel_size, dilation, strict=True)]
    padding = draw(st.sampled_from(paddings))
    if padding == "explicit":
        zeros = st.tuples(st.integers(0, 2), st.integers(0, 2))
        padding = draw(st.tuples(zeros, zeros))
        smallest = [max(1, e - sum(z)) for e, z in zip(extent, padding, strict=True)]
    else:
        smallest = [1, 1] if padding == "same" else extent
    return Case(
        batch=draw(st.integers(smallest_batch, 3)),
        size=tuple(s + draw(st.integers(0, 6)) for s in smallest),
        channels=draw(st.integers(1, 5)),
        kernel_size=kernel_size,
        strides=draw(st.tuples(small, small)),
        padding=padding,
        dilation=dilation,
        dtype=draw(st.sampled_from([np.float32, np.float64])),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@pytest.fixture(scope="session")
def cases():
    """Windows of any kernel size, stride, padding and dilation over images of any size."""
    return _cases


@pytest.fixture(scope="session")
def assert_near():
    """Equal up to rounding, for sums of ``terms`` products of standard normal values."""

    def check(actual, expected, terms=1, dtype=None):
        expected = np.asarray(expected)
        assert actual.shape == expected.shape
        assert actual.dtype == (dtype or expected.dtype)
        tolerance = 8 * np.finfo(actual.dtype).eps * (terms + 1)
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)

    return check


def naive_frame(case):
    """Padding as ((top, bottom), (left, right)), from the definition of the output size."""
    if case.padding == "valid":
        return (0, 0), (0, 0)
    if case.padding != "same":
        return case.padding
    frame = []
    for size, kernel, stride, dilation in zip(
        case.size, case.kernel_size, case.strides, case.dilation, strict=True
    ):
        last_window_starts_at = ((size + stride - 1) // stride - 1) * stride
        missing = max(0, last_window_starts_at + (kernel - 1) * dilation + 1 - size)
        frame.append((missing // 2, missing - missing // 2))
    return tuple(frame)


def naive_visits(case):
    """Output size, and ``y, x, i, j, row, column`` of every input pixel under every tap."""
    frame = naive_frame(case)
    output = [
        (size + sum(zeros) - (kernel - 1) * dilation - 1) // stride + 1
        for size, zeros, kernel, stride, dilation in zip(
            case.size, frame, case.kernel_size, case.strides, case.dilation, strict=True
        )
    ]
    visits = []
    for y, x, i, j in itertools.product(*map(range, (*output, *case.kernel_size))):
        row = y * case.strides[0] + i * case.dilation[0] - frame[0][0]
        column = x * case.strides[1] + j * case.dilation[1] - frame[1][0]
        if 0 <= row < case.size[0] and 0 <= column < case.size[1]:
            visits.append((y, x, i, j, row, column))
    return output, visits


def naive_convolution(case, images, kernel):
    output_size, visits = naive_visits(case)
    output = np.zeros((case.batch, *output_size, kernel.shape[-1]))
    for n in range(case.batch):
        for y, x, i, j, row, column in visits:
            for c in range(case.channels):
                output[n, y, x] += images[n, row, column, c] * kernel[i, j, c]
    return output


def naive_depthwise(case, images, kernel):
    output_size, visits = naive_visits(case)
    multiplier = kernel.shape[-1]
    output = np.zeros((case.batch, *output_size, case.channels * multiplier))
    for n in range(case.batch):
        for y, x, i, j, row, column in visits:
            for c in range(case.channels):
                for m in range(multiplier):
                    value = images[n, row, column, c] * kernel[i, j, c, m]
                    output[n, y, x, c * multiplier + m] += value
    return output


def naive_pooling(case, images, reduce):
    output_size, visits = naive_visits(case)
    pixels = {}
    for y, x, _, _, row, column in visits:
        pixels.setdefault((y, x), []).append((row, column))
    output = np.full((case.batch, *output_size, case.channels), np.nan)
    for n in range(case.batch):
        for (y, x), places in pixels.items():
            output[n, y, x] = reduce([images[n, row, column] for row, column in places], axis=0)
    return output


@pytest.fixture(scope="session")
def naive():
    """The operations once more, as slow and as plain as they can be: loops in float64."""
    return SimpleNamespace(
        frame=naive_frame,
        convolution=naive_convolution,
        depthwise=naive_depthwise,
        pooling=naive_pooling,
    )
