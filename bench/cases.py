"""What is run: the networks of the tables, and one-layer networks for single operations."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from npmobilenet.analysis.calibrated import natural_images
from npmobilenet.architecture import (
    AveragePooling2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    Layer,
    MaxPooling2D,
    Network,
    NetworkBuilder,
    mobilenet_v1,
    mobilenet_v2,
)

DISTINCT_IMAGES = 4  # a batch repeats them, so that all its outputs are checked at little cost


@dataclass(frozen=True)
class Case:
    """A network, how many images it takes at a time, and where real weights may be found.

    Parameters
    ----------
    title : str
        As the tables show it.
    build : callable
        Makes the network.
    batch_size : int
    pretrained : str, optional
        Name in npmobilenet's catalogue.
    """

    title: str
    build: Callable[[], Network]
    batch_size: int = 1
    pretrained: str | None = None


_V1 = partial(mobilenet_v1, (224, 224, 3))
_V2 = partial(mobilenet_v2, (224, 224, 3))
_SMALL = partial(mobilenet_v1, (128, 128, 3), alpha=0.25)

NETWORKS = {
    "v1": Case("V1 1.0-224", _V1, pretrained="mobilenet_v1_1.0_224"),
    "v2": Case("V2 1.0-224", _V2, pretrained="mobilenet_v2_1.0_224"),
    "v1-small": Case("V1 0.25-128", _SMALL, pretrained="mobilenet_v1_0.25_128"),
    "v1-batch32": Case("V1 1.0-224, batch 32", _V1, 32, "mobilenet_v1_1.0_224"),
    "v2-batch32": Case("V2 1.0-224, batch 32", _V2, 32, "mobilenet_v2_1.0_224"),
}


def _operation(shape: tuple[int, ...], layer: Layer) -> Case:
    """A network of one layer; the title tells the layer and the shape of its input."""

    def build() -> Network:
        return NetworkBuilder(Input(name="input_layer", shape=shape)).build(name).followed_by(layer)

    size = "x".join(map(str, shape))
    name = f"{layer.name}_{size}"  # TensorFlow takes no spaces
    return Case(f"{layer.name} {size}", build)


def _pointwise(filters: int) -> Layer:
    return Conv2D(name=f"pointwise_{filters}", filters=filters, kernel_size=(1, 1))


def _depthwise(kernel: int, stride: int) -> Layer:
    return DepthwiseConv2D(
        name=f"depthwise_{kernel}x{kernel}_s{stride}",
        kernel_size=(kernel, kernel),
        strides=(stride, stride),
        padding="same",
    )


def _standard(filters: int, stride: int = 1) -> Layer:
    return Conv2D(
        name=f"conv_3x3_{filters}_s{stride}",
        filters=filters,
        kernel_size=(3, 3),
        strides=(stride, stride),
        padding="same",
    )


def _pooling(kind: type[MaxPooling2D] | type[AveragePooling2D]) -> Layer:
    name = "max_pooling" if kind is MaxPooling2D else "average_pooling"
    return kind(name=f"{name}_2x2", kernel_size=(2, 2), strides=(2, 2))


# Layers of MobileNet V1 where it has such a layer, and the 5 x 5 of later MobileNets.
OPERATIONS = {
    case.title: case
    for case in (
        _operation((112, 112, 32), _pointwise(64)),
        _operation((28, 28, 256), _pointwise(256)),
        _operation((14, 14, 512), _pointwise(512)),
        _operation((7, 7, 1024), _pointwise(1024)),
        _operation((112, 112, 32), _depthwise(3, 1)),
        _operation((112, 112, 64), _depthwise(3, 2)),
        _operation((14, 14, 512), _depthwise(3, 1)),
        _operation((28, 28, 256), _depthwise(5, 1)),
        _operation((28, 28, 256), _depthwise(5, 2)),
        _operation((224, 224, 3), _standard(32, stride=2)),
        _operation((56, 56, 64), _standard(64)),
        _operation((28, 28, 128), _standard(128)),
        _operation((56, 56, 128), _pooling(MaxPooling2D)),
        _operation((56, 56, 128), _pooling(AveragePooling2D)),
        _operation((7, 7, 1024), GlobalAveragePooling2D(name="global_average_pooling")),
        _operation((1024,), Dense(name="dense_1000", units=1000)),
    )
}


def images(case: Case) -> np.ndarray:
    """A prepared float32 batch of the case's size."""
    distinct = natural_images(case.build(), min(case.batch_size, DISTINCT_IMAGES))
    return distinct[np.arange(case.batch_size) % len(distinct)]
