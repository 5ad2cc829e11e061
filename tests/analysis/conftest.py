"""A small network whose cost can be worked out by hand, and random ones."""

import pytest
from hypothesis import strategies as st

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
    ZeroPadding2D,
)


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


@st.composite
def _random_networks(draw):
    """Graphs of every kind of layer that fusing looks at, read once, often or never."""
    net = NetworkBuilder(Input(name="input", shape=(6, 6, draw(st.integers(1, 3)))))
    shapes = {"input": net.shape}
    kinds = ("pointwise", "depthwise", "padded", "normalize", "relu", "dropout", "add")
    for index in range(draw(st.integers(1, 14))):
        # Mostly a chain, as real networks are; else anything before.
        names = list(shapes)
        source = names[-1] if draw(st.integers(0, 3)) else draw(st.sampled_from(names))
        kind, name = draw(st.sampled_from(kinds)), f"layer_{index}"
        if kind == "pointwise":
            filters = draw(st.integers(1, 4))
            bias = draw(st.booleans())
            layer = Conv2D(name=name, filters=filters, kernel_size=(1, 1), use_bias=bias)
        elif kind == "depthwise":
            layer = DepthwiseConv2D(name=name, kernel_size=(3, 3), padding="same", use_bias=False)
        elif kind == "padded":
            net.add(ZeroPadding2D(name=f"{name}_pad", padding=((0, 1), (1, 1))), source)
            shapes[f"{name}_pad"] = net.shape
            source = f"{name}_pad"
            layer = DepthwiseConv2D(name=name, kernel_size=(2, 3), use_bias=False)
        elif kind == "normalize":
            layer = BatchNormalization(name=name)
        elif kind == "relu":
            layer = ReLU(name=name)
        elif kind == "dropout":
            layer = Dropout(name=name, rate=0.1)
        else:
            alike = [other for other in names if shapes[other] == shapes[source]]
            layer = Add(name=name)
            net.add(layer, source, draw(st.sampled_from(alike)))
            shapes[name] = net.shape
            continue
        net.add(layer, source)
        shapes[name] = net.shape
    return net.build("random")


@pytest.fixture(scope="session")
def random_networks():
    """A Hypothesis strategy, to be drawn from with ``data.draw``."""
    return _random_networks()
