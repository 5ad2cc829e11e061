"""MobileNet in pure NumPy: readable, at parity with TensorFlow, measured."""

from npmobilenet.errors import (
    DownloadError,
    ImageError,
    LabelsError,
    ModelFileError,
    NpMobileNetError,
    UnknownModelError,
    WeightsMismatchError,
)
from npmobilenet.loading import load, load_model, load_pretrained
from npmobilenet.mobilenet import MobileNet
from npmobilenet.mobilenet_v2 import MobileNetV2
from npmobilenet.model import Model
from npmobilenet.transfer.knn import KNNClassifier

__version__ = "0.1.0"

__all__ = [
    "DownloadError",
    "ImageError",
    "KNNClassifier",
    "LabelsError",
    "MobileNet",
    "MobileNetV2",
    "Model",
    "ModelFileError",
    "NpMobileNetError",
    "UnknownModelError",
    "WeightsMismatchError",
    "__version__",
    "load",
    "load_model",
    "load_pretrained",
]
