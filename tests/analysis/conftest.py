"""A small network whose cost can be worked out by hand, and random ones."""

import pytest

from npmobilenet.architecture import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    Input,
    NetworkBuilder,
    ReLU,
)
from tests.random_networks import random_networks as strategy


@pytest.fixture
def small_network():
    """An inverted residual and a classifier on an image of 4 x 4 x 2."""
    net = NetworkBuilder(Input(name="image", shape=(4, 4, 2)))
    net.add(Conv2D(name="expand", filters=6, kernel_size=(1, 1), use_bias=False))
    net.add(BatchNormalization(name="expand_bn"))
    net.add(ReLU(name="expand_relu", max_value=6.0))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3), padding="same", use_bias=False))
    net.add(BatchNormalization(name="dw_bn"))
    net.add(ReLU(name="dw_relu", max_value=6.0))
    net.add(Conv2D(name="project", filters=2, kernel_size=(1, 1), use_bias=False))
    net.add(BatchNormalization(name="project_bn"))
    net.add(Add(name="add"), "image", "project_bn")
    net.add(Flatten(name="flatten"))
    net.add(Dropout(name="dropout", rate=0.5))
    net.add(Activation(name="softmax", activation="softmax"))
    return net.build("small")


@pytest.fixture(scope="session")
def random_networks():
    """A Hypothesis strategy, to be drawn from with ``data.draw``."""
    return strategy()
