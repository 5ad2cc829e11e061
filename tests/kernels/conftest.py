"""Runs a few layers with the kernels and with the reference."""

from collections.abc import Callable

import numpy as np
import pytest

from npmobilenet.architecture import Input, Layer, NetworkBuilder
from npmobilenet.engine import NumbaProgram
from npmobilenet.interpreter import NumpyProgram


def _compare(shape: tuple[int, ...], *layers: Layer, batch: int = 1, seed: int = 0) -> None:
    """Kernels on one and three threads agree to the bit, and with the float64 reference."""
    net = NetworkBuilder(Input(name="input", shape=shape))
    for layer in layers:
        net.add(layer)
    network = net.build("layers")
    rng = np.random.default_rng(seed)
    weights = {}
    for name, size in network.variables.items():
        values = rng.standard_normal(size) / np.sqrt(np.prod(size[:-1]))
        weights[name] = np.abs(values) + 0.5 if name.endswith("variance") else values
    x = rng.standard_normal((batch, *shape)).astype(np.float32)
    weights = {name: values.astype(np.float32) for name, values in weights.items()}
    program = NumbaProgram(network, weights)
    found = program(x, threads=1)
    expected = NumpyProgram(network, weights)(x.astype(np.float64))
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=4e-6 * scale)
    np.testing.assert_array_equal(program(x, threads=3), found)


@pytest.fixture(scope="session")
def compare() -> Callable[..., None]:
    return _compare
