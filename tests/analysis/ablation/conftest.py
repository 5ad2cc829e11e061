"""A small classifier with pictures to run it on."""

import numpy as np
import pytest
from PIL import Image

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.labels import Labels
from npmobilenet.model import Model


@pytest.fixture(scope="session")
def small_model() -> Model:
    """MobileNet V1 with random weights under which values neither vanish nor sit at 6."""
    network = mobilenet_v1((32, 32, 3), 0.25, classes=6)
    rng = np.random.default_rng(11)
    weights = {}
    for name, shape in network.variables.items():
        if name.endswith("kernel"):
            taps = np.prod(shape[:2]) if shape[3] == 1 and shape[2] > 1 else np.prod(shape[:3])
            values = rng.normal(0, np.sqrt(2 / taps), shape)
        elif name.endswith(("variance", "gamma")):
            values = rng.uniform(0.5, 1.5, shape)
        else:
            values = rng.normal(0, 0.3, shape)
        weights[name] = values.astype(np.float32)
    weights["conv_preds/kernel"] *= np.float32(3)
    labels = Labels(tuple("abcdef"), ("n01", "n02", "n03", "n04", "n05", "n06"))
    return Model(network, weights, backend="numpy", labels=labels)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Six pictures whose names say the class."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(12)
    for index in range(6):
        pixels = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        image = Image.fromarray(pixels).resize((50, 44), Image.Resampling.BICUBIC)
        image.save(folder / f"n0{index + 1}_name.png")
    return folder
