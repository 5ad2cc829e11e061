"""Networks as data: layers, graphs and the MobileNet tables. Nothing here computes on tensors."""

from npmobilenet.architecture.activation_layers import PReLU
from npmobilenet.architecture.geometry import (
    CenterCrop,
    Cropping2D,
    Permute,
    RepeatVector,
    Resizing,
    UpSampling2D,
)
from npmobilenet.architecture.layers import (
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
    Input,
    Layer,
    MaxPooling2D,
    Normalization,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
)
from npmobilenet.architecture.macs import macs, network_macs
from npmobilenet.architecture.network import Network, NetworkBuilder, Node
from npmobilenet.architecture.padding import Padding, explicit_padding, output_size
from npmobilenet.architecture.shapes import Shape
from npmobilenet.architecture.v1 import mobilenet_v1
from npmobilenet.architecture.v2 import make_divisible, mobilenet_v2

__all__ = [
    "Activation",
    "Add",
    "AveragePooling2D",
    "BatchNormalization",
    "CenterCrop",
    "Conv2D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Identity",
    "Input",
    "Layer",
    "MaxPooling2D",
    "Network",
    "NetworkBuilder",
    "Node",
    "Normalization",
    "PReLU",
    "Padding",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv2D",
    "Shape",
    "UpSampling2D",
    "ZeroPadding2D",
    "explicit_padding",
    "macs",
    "make_divisible",
    "mobilenet_v1",
    "mobilenet_v2",
    "network_macs",
    "output_size",
]
