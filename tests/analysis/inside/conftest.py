"""Small models with natural weights and a picture to look at."""

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.images import preprocess_input
from npmobilenet.model import Model

_PLANTED = 3


def _natural_weights(network, rng):
    """He-normal kernels and statistics of batch norm that differ from channel to channel."""
    weights = {}
    for name, shape in network.variables.items():
        short = name.rpartition("/")[2]
        values = rng.standard_normal(shape)
        if short.endswith("kernel"):
            fan_in = np.prod(shape[:-1]) if "depthwise" not in short else np.prod(shape[:2])
            values *= np.sqrt(2 / fan_in)
        elif short in ("gamma", "moving_variance", "variance"):
            values = 0.5 + np.abs(values)
        else:
            values *= 0.3
        weights[name] = values.astype(np.float32)
    return weights


@pytest.fixture(scope="session")
def natural_weights():
    """A function that makes weights for a network."""
    return _natural_weights


@pytest.fixture(scope="session")
def small_v1():
    """V1 0.25 at 64 x 64 with five classes; channel 3 of its first convolution is dead."""
    network = mobilenet_v1((64, 64, 3), 0.25, classes=5)
    weights = _natural_weights(network, np.random.default_rng(1))
    weights["conv1_bn/gamma"] *= 8  # so that ReLU6 has something to clip
    weights["conv1/kernel"][..., _PLANTED] = 1e-13
    weights["conv1_bn/moving_variance"][_PLANTED] = 1e-26
    weights["conv1_bn/moving_mean"][_PLANTED] = 0
    weights["conv1_bn/beta"][_PLANTED] = -0.5
    return Model(network, weights, backend="numpy")


@pytest.fixture(scope="session")
def picture():
    """A photograph's place taken by smooth colours, higher than wide."""
    rows, columns = np.mgrid[0:90, 0:70]
    waves = [np.sin(rows / 9 + band) * np.cos(columns / (5 + band)) for band in range(3)]
    return np.round(127.5 + 127.5 * np.stack(waves, axis=-1)).astype(np.uint8)


@pytest.fixture(scope="session")
def prepared(small_v1, picture):
    """The picture as Keras' users would make a batch of it: 7 pixels off each side by hand."""
    from PIL import Image

    top, left = int(90 * 0.125 / 2), int(70 * 0.125 / 2)
    seen = Image.fromarray(picture[top : 90 - top, left : 70 - left])
    pixels = np.asarray(seen.resize((64, 64), Image.Resampling.BILINEAR))
    return preprocess_input(pixels[np.newaxis].astype(np.float32))
