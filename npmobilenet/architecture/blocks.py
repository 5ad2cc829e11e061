"""One block alone as a network: what V1 and V2 are made of, for any shape."""

from npmobilenet.architecture.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Input,
    ReLU,
)
from npmobilenet.architecture.network import Network, NetworkBuilder
from npmobilenet.architecture.shapes import Shape, channels
from npmobilenet.architecture.variants import full_convolution


def separable_block(shape: Shape, filters: int, kernel: int = 3, stride: int = 1) -> Network:
    """V1's block: depthwise, then pointwise, each with batch norm and ReLU6 (Figure 3).

    Parameters
    ----------
    shape : (height, width, channels)
    filters : int
        Output channels.
    kernel, stride : int
        Of the depthwise convolution; SAME padding.
    """
    net = NetworkBuilder(Input(name="input_layer", shape=shape))
    _depthwise(net, "conv_dw", kernel, stride)
    _pointwise(net, "conv_pw", filters)
    net.add(ReLU(name="conv_pw_relu", max_value=6.0))
    return net.build("separable")


def standard_block(shape: Shape, filters: int, kernel: int = 3, stride: int = 1) -> Network:
    """The standard convolution that a separable block stands for. Parameters as there."""
    return full_convolution(separable_block(shape, filters, kernel, stride))


def inverted_block(
    shape: Shape, filters: int, kernel: int = 3, stride: int = 1, expansion: int = 6
) -> Network:
    """V2's block: expand, depthwise, project, and a residual where shapes allow (Figure 3b).

    Parameters as of :func:`separable_block`; ``expansion`` is t, expanded over input channels.
    """
    net = NetworkBuilder(Input(name="input_layer", shape=shape))
    _pointwise(net, "expand", expansion * channels(shape))
    net.add(ReLU(name="expand_relu", max_value=6.0))
    _depthwise(net, "depthwise", kernel, stride)
    projected = _pointwise(net, "project", filters)
    if stride == 1 and filters == channels(shape):
        net.add(Add(name="add"), "input_layer", projected)
    return net.build("inverted residual")


def _depthwise(net: NetworkBuilder, name: str, kernel: int, stride: int) -> None:
    net.add(
        DepthwiseConv2D(
            name=name,
            kernel_size=(kernel, kernel),
            strides=(stride, stride),
            padding="same",
            use_bias=False,
        )
    )
    net.add(BatchNormalization(name=f"{name}_bn"))
    net.add(ReLU(name=f"{name}_relu", max_value=6.0))


def _pointwise(net: NetworkBuilder, name: str, filters: int) -> str:
    net.add(Conv2D(name=name, filters=filters, kernel_size=(1, 1), use_bias=False))
    return net.add(BatchNormalization(name=f"{name}_bn"))
