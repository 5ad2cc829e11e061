"""A small network with every kind of layer that MobileNets and their heads have, and its faults."""

from dataclasses import replace

import numpy as np
import pytest

from npmobilenet.analysis.references import Outputs
from npmobilenet.architecture import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    Network,
    NetworkBuilder,
    Node,
    ReLU,
    Rescaling,
    ZeroPadding2D,
)
from npmobilenet.interpreter import NumpyProgram


@pytest.fixture(scope="session")
def tiny() -> Network:
    """A stem, an inverted residual, a strided separable block and a classifier."""
    net = NetworkBuilder(Input(name="image", shape=(12, 10, 3)))
    net.add(Rescaling(name="rescaling", scale=2.0, offset=-1.0))
    net.add(Conv2D(name="conv", filters=8, kernel_size=(3, 3), strides=(2, 2), padding="same"))
    net.add(BatchNormalization(name="bn"))
    block = net.add(ReLU(name="relu", max_value=6.0))
    net.add(Conv2D(name="expand", filters=24, kernel_size=(1, 1), use_bias=False))
    net.add(BatchNormalization(name="expand_bn", epsilon=1e-5))
    net.add(ReLU(name="expand_relu", max_value=6.0))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3), padding="same", use_bias=False))
    net.add(BatchNormalization(name="dw_bn"))
    net.add(ReLU(name="dw_relu"))
    net.add(Conv2D(name="project", filters=8, kernel_size=(1, 1), use_bias=False))
    end = net.add(BatchNormalization(name="project_bn"))
    net.add(Add(name="add"), block, end)
    net.add(ZeroPadding2D(name="pad", padding=((0, 1), (0, 1))))
    net.add(DepthwiseConv2D(name="strided", kernel_size=(3, 3), strides=(2, 2)))
    net.add(MaxPooling2D(name="pool", kernel_size=(2, 2)))
    net.add(GlobalAveragePooling2D(name="mean"))
    net.add(Dropout(name="dropout", rate=0.2))
    net.add(Dense(name="classes", units=5, activation="softmax"))
    return net.build("tiny")


@pytest.fixture(scope="session")
def tiny_weights(tiny) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    weights = {}
    for name, shape in tiny.variables.items():
        if name.endswith(("variance", "gamma")):
            weights[name] = rng.uniform(0.5, 1.5, shape).astype(np.float32)
        else:
            weights[name] = rng.normal(0, 0.5, shape).astype(np.float32)
    return weights


@pytest.fixture(scope="session")
def tiny_batch() -> np.ndarray:
    return np.random.default_rng(6).uniform(0, 1, (2, 12, 10, 3)).astype(np.float32)


@pytest.fixture(scope="session")
def outputs_with():
    """What an implementation that runs other layers or weights than it should gives."""

    def run(network, weights, batch, *, layer=None, variables=None) -> Outputs:
        nodes = [
            Node(layer, node.inputs) if layer and node.name == layer.name else node
            for node in network
        ]
        program = NumpyProgram(
            replace(network, nodes=tuple(nodes)), {**weights, **(variables or {})}
        )
        return Outputs("another", program.activations(batch))

    return run
