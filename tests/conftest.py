"""Fixtures that every test may use: where the real files are, and random numbers with a seed."""

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes hide real output
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # parity is claimed for the CPU

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights, images and labels beside a checkout; it is never committed."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (real weights, images and labels), which is not here")
    return SHARED


@pytest.fixture(scope="session")
def keras_weights(shared: Path) -> Path:
    """Real Keras weight files."""
    return shared / "weights" / "keras"


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def lively_weights():
    """Random weights that keep the size of activations from layer to layer (He et al., 2015)."""

    def weights_of(network):
        rng = np.random.default_rng(0)
        weights = {}
        for name, shape in network.variables.items():
            if name.endswith("kernel"):
                depthwise = "_dw_" in name or "depthwise" in name
                inputs = np.prod(shape[:2] if depthwise else shape[:-1])
                weights[name] = rng.normal(0, np.sqrt(2 / inputs), shape).astype(np.float32)
            else:
                ones = name.endswith(("gamma", "moving_variance"))
                weights[name] = np.full(shape, float(ones), np.float32)
        return weights

    return weights_of
