"""Weights for a network that nobody has trained yet, as Keras initialises them."""

import math

import numpy as np

from npmobilenet.architecture import Network

_ONES = frozenset({"gamma", "moving_variance", "variance"})


def random_weights(network: Network, seed: int | None = None) -> dict[str, np.ndarray]:
    """Glorot uniform kernels, zero biases and batch norm that does nothing; float32.

    Parameters
    ----------
    network : Network
    seed : int, optional
        Of the random numbers; by default they differ from call to call.
    """
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in network.variables.items():
        short = name.rpartition("/")[2]
        if short.endswith("kernel"):
            weights[name] = _glorot_uniform(rng, shape)
        else:
            weights[name] = np.full(shape, short in _ONES, np.float32)
    return weights


def _glorot_uniform(rng: "np.random.Generator", shape: tuple[int, ...]) -> np.ndarray:
    taps = math.prod(shape[:-2])
    limit = math.sqrt(6.0 / (taps * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)
