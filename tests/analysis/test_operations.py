"""Other operations of each kind of layer, by hand."""

import pytest

from npmobilenet.analysis.operations import other_operations
from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    MaxPooling2D,
    Normalization,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
)
from npmobilenet.architecture.activations import FACTS
from npmobilenet.reference.activations import ACTIVATIONS

IMAGE = (4, 4, 3)
VALUES = 48
NAME = {"name": "layer"}
WINDOW = {"kernel_size": (2, 2), "strides": (2, 2)}

CASES = [
    (Conv2D(**NAME, filters=5, **WINDOW), 2 * 2 * 5),
    (Conv2D(**NAME, filters=5, **WINDOW, use_bias=False), 0),
    (Conv2D(**NAME, filters=5, **WINDOW, activation="relu6"), 3 * 2 * 2 * 5),
    (DepthwiseConv2D(**NAME, **WINDOW, depth_multiplier=2), 2 * 2 * 6),
    (SeparableConv2D(**NAME, filters=7, **WINDOW), 2 * 2 * 7),
    (Dense(**NAME, units=5, activation="softmax"), 4 * 4 * 5 * 6),
    (BatchNormalization(**NAME), 2 * VALUES),
    (ReLU(**NAME), VALUES),
    (ReLU(**NAME, max_value=6.0), 2 * VALUES),
    (Activation(**NAME, activation="softmax"), 5 * VALUES),
    (MaxPooling2D(**NAME, **WINDOW), 2 * 2 * 3 * 3),
    (AveragePooling2D(**NAME, **WINDOW), 2 * 2 * 3 * 4),
    (GlobalMaxPooling2D(**NAME), VALUES - 3),
    (GlobalAveragePooling2D(**NAME), VALUES),
    (Rescaling(**NAME, scale=0.5), 2 * VALUES),
    (Normalization(**NAME), 2 * VALUES),
    (ZeroPadding2D(**NAME, padding=((1, 1), (1, 1))), 0),
    (Flatten(**NAME), 0),
    (Reshape(**NAME, target_shape=(-1,)), 0),
    (Dropout(**NAME, rate=0.5), 0),
    (Identity(**NAME), 0),
]


@pytest.mark.parametrize(("layer", "expected"), CASES)
def test_by_hand(layer, expected):
    assert other_operations(layer, IMAGE) == expected


def test_sum_of_three():
    assert other_operations(Add(name="add"), IMAGE, IMAGE, IMAGE) == 2 * VALUES


def test_every_activation_that_runs_has_a_count():
    assert set(FACTS) == set(ACTIVATIONS)


def test_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="no activation 'sparkle'"):
        other_operations(Activation(name="a", activation="sparkle"), IMAGE)
