"""A small model in a file, pictures, and the application over it."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.server import create_app
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import warm_up
from npmobilenet.formats import write_keras_model
from npmobilenet.loading import load_model

NAMES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")


def encoded(pixels, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@pytest.fixture(scope="session")
def model_file(tmp_path_factory, lively_weights):
    network = mobilenet_v1((32, 32, 3), 0.25, classes=len(NAMES))
    path = tmp_path_factory.mktemp("model") / "zoo.h5"
    write_keras_model(path, network, lively_weights(network), NAMES)
    return path


@pytest.fixture(scope="session")
def model(model_file):
    warm_up()  # no request shall wait for kernels being compiled
    return load_model(model_file)


@pytest.fixture(scope="session")
def pictures():
    """Contents of files of several kinds and sizes."""
    rng = np.random.default_rng(3)
    kinds = ("PNG", "JPEG", "BMP", "WEBP")
    return [
        encoded(rng.integers(0, 256, (40 + 3 * i, 60 - i, 3), np.uint8), kinds[i % len(kinds)])
        for i in range(12)
    ]


@pytest.fixture(scope="session")
def limits():
    return Limits(upload_bytes=200_000, pixels=50_000, pictures=12, topk=5)


@pytest.fixture(scope="session")
def settings(model_file, limits):
    return Settings(models=(model_file,), api_only=True, limits=limits)


@pytest.fixture(scope="session")
def client(settings, model):
    with TestClient(
        create_app(settings), base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        yield client
