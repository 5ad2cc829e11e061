"""Names of classes, and from probabilities to predictions with names."""

from npmobilenet.labels.decoding import decode_predictions
from npmobilenet.labels.imagenet import imagenet_labels
from npmobilenet.labels.labels import Labels
from npmobilenet.labels.predictions import Prediction, top_predictions
from npmobilenet.labels.reading import LabelSource, as_labels, read_labels

__all__ = [
    "LabelSource",
    "Labels",
    "Prediction",
    "as_labels",
    "decode_predictions",
    "imagenet_labels",
    "read_labels",
    "top_predictions",
]
