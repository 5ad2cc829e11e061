"""Networks with random weights that keep activations in a realistic range."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from npmobilenet.architecture import Network


def _random_weights(network: Network, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in network.variables.items():
        layer, variable = name.split("/")
        if "kernel" in variable:
            depthwise = "depthwise" in name or "_dw_" in layer
            fan_in = shape[0] * shape[1] if depthwise else np.prod(shape[:-1])
            values = rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        elif variable in ("gamma", "moving_variance", "variance"):
            values = rng.uniform(0.7, 1.3, shape)
        else:
            values = rng.standard_normal(shape) * 0.1
        weights[name] = values.astype(np.float32)
    return weights


@pytest.fixture(scope="session")
def random_weights() -> Callable[..., dict[str, NDArray[np.float32]]]:
    return _random_weights


@pytest.fixture
def many_cores(monkeypatch) -> None:
    """More helpers at work than there are cores: what may go wrong between them does so sooner."""
    monkeypatch.setattr("npmobilenet.engine.crew.usable_cores", lambda: 8)
