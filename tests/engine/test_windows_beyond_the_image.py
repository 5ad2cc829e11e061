"""Windows that lie in zeros alone: padding wider than the image, strides wider than the kernel."""

import numpy as np
import pytest

from npmobilenet.architecture import (
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    SeparableConv2D,
    ZeroPadding2D,
)
from npmobilenet.engine import NumbaProgram
from npmobilenet.interpreter import NumpyProgram


@pytest.fixture(autouse=True)
def _memory_is_looked_at(monkeypatch):
    monkeypatch.setenv("NPMOBILENET_CHECK", "1")


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("shape", "padding", "kernel", "strides"),
    [
        ((3, 2, 300), ((9, 0), (9, 0)), (1, 1), (5, 7)),
        ((1, 1, 100), ((9, 0), (9, 0)), (5, 5), (5, 7)),
        ((3, 2, 300), ((0, 0), (6, 0)), (3, 3), (5, 7)),
        ((1, 1, 7), ((0, 8), (0, 8)), (3, 3), (3, 3)),
        ((2, 1, 33), ((7, 0), (0, 7)), (2, 2), (2, 5)),
    ],
)
def test_zeros_stay_in_their_buffer(shape, padding, kernel, strides, fused, random_weights, rng):
    window = {"kernel_size": kernel, "strides": strides}
    for layer in (
        Conv2D(name="conv", filters=5, **window),
        DepthwiseConv2D(name="conv", depth_multiplier=2, **window),
    ):
        net = NetworkBuilder(Input(name="input", shape=shape))
        net.add(ZeroPadding2D(name="zeros", padding=padding))
        net.add(layer)
        net.add(SeparableConv2D(name="separable", filters=6, kernel_size=(1, 1)))
        net.add(GlobalAveragePooling2D(name="pool"))
        network = net.build("zeros")
        weights = random_weights(network)
        x = rng.uniform(-1, 1, (2, *shape)).astype(np.float32)
        exact = NumpyProgram(network, weights)(x.astype(np.float64))
        program = NumbaProgram(network, weights, fused=fused)
        for threads in (1, 2, 3):
            found = program(x, threads=threads)
            np.testing.assert_allclose(found, exact, rtol=0, atol=4e-6 * np.abs(exact).max())
