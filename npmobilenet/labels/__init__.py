"""Names of classes, and from probabilities to predictions with names."""

from npmobilenet.labels.decoding import decode_predictions
from npmobilenet.labels.imagenet import imagenet_labels
from npmobilenet.labels.labels import Labels
from npmobilenet.labels.predictions import Prediction, top_predictions
from npmobilenet.labels.reading import read_labels

__all__ = [
    "Labels",
    "Prediction",
    "decode_predictions",
    "imagenet_labels",
    "read_labels",
    "top_predictions",
]
