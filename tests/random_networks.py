"""Random networks for Hypothesis: graphs whose layers are read once, often or never."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    Layer,
    MaxPooling2D,
    Network,
    NetworkBuilder,
    Permute,
    ReLU,
    Rescaling,
    Reshape,
    Resizing,
    SeparableConv2D,
    UpSampling2D,
    ZeroPadding2D,
)

Shape = tuple[int, ...]
Draw = Callable[[st.SearchStrategy], object]


@dataclass(frozen=True)
class Sizes:
    """What sizes are drawn from: all inclusive."""

    side: tuple[int, int] = (6, 6)
    channels: tuple[int, int] = (1, 3)
    filters: tuple[int, int] = (1, 4)
    layers: tuple[int, int] = (1, 14)


def _pointwise(draw, name, shape, sizes):
    bias = draw(st.booleans())
    filters = draw(st.integers(*sizes.filters))
    return [Conv2D(name=name, filters=filters, kernel_size=(1, 1), use_bias=bias)]


def _depthwise(draw, name, shape, sizes):
    return [DepthwiseConv2D(name=name, kernel_size=(3, 3), padding="same", use_bias=False)]


def _padded(draw, name, shape, sizes):
    return [
        ZeroPadding2D(name=f"{name}_pad", padding=((0, 1), (1, 1))),
        DepthwiseConv2D(name=name, kernel_size=(2, 3), use_bias=False),
    ]


def _window(draw, shape):
    """A window that fits the image, of any kind."""
    padding = draw(st.sampled_from(["same", "valid"]))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(2))
    strides = (1, 1) if dilation != (1, 1) else (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    kernel = []
    for axis in (0, 1):
        most = 5 if padding == "same" else min(5, (shape[axis] - 1) // dilation[axis] + 1)
        kernel.append(draw(st.integers(1, most)))
    return {
        "kernel_size": tuple(kernel),
        "strides": strides,
        "padding": padding,
        "dilation": dilation,
    }


_ACTIVATIONS = st.sampled_from(["linear", "relu", "relu6"])


def _convolution(draw, name, shape, sizes):
    filters, activation = draw(st.integers(*sizes.filters)), draw(_ACTIVATIONS)
    return [Conv2D(name=name, filters=filters, activation=activation, **_window(draw, shape))]


def _windowed_depthwise(draw, name, shape, sizes):
    multiplier, activation = draw(st.integers(1, 3)), draw(_ACTIVATIONS)
    window = _window(draw, shape)
    return [
        DepthwiseConv2D(name=name, depth_multiplier=multiplier, activation=activation, **window)
    ]


def _separable(draw, name, shape, sizes):
    return [
        SeparableConv2D(
            name=name,
            filters=draw(st.integers(*sizes.filters)),
            depth_multiplier=draw(st.integers(1, 2)),
            activation=draw(_ACTIVATIONS),
            **_window(draw, shape),
        )
    ]


def _pooling(draw, name, shape, sizes):
    window = _window(draw, shape) | {"dilation": (1, 1)}
    kind = draw(st.sampled_from([MaxPooling2D, AveragePooling2D]))
    return [kind(name=name, **window)]


def _global_pooling(draw, name, shape, sizes):
    kind = draw(st.sampled_from([GlobalAveragePooling2D, GlobalMaxPooling2D]))
    return [kind(name=name, keepdims=draw(st.booleans()))]


def _dense(draw, name, shape, sizes):
    units = draw(st.integers(*sizes.filters))
    activation = draw(st.sampled_from(["linear", "relu", "softmax"]))
    return [Dense(name=name, units=units, activation=activation)]


def _rows(draw, name, shape, sizes):
    return [Reshape(name=name, target_shape=(-1, shape[-1]))]


def _image(draw, name, shape, sizes):
    return [Reshape(name=name, target_shape=(1, -1, shape[-1]))]


def _resizing(draw, name, shape, sizes):
    height, width = draw(st.integers(*sizes.side)), draw(st.integers(*sizes.side))
    kind = draw(st.sampled_from(["nearest", "bilinear", "bicubic"]))
    crops = draw(st.booleans())
    return [
        Resizing(
            name=name, height=height, width=width, interpolation=kind, crop_to_aspect_ratio=crops
        )
    ]


def _cropping(draw, name, shape, sizes):
    edges = []
    for size in shape[:2]:
        before = draw(st.integers(0, min(size - 1, 2)))
        edges.append((before, draw(st.integers(0, min(size - 1 - before, 2)))))
    return [Cropping2D(name=name, cropping=tuple(edges))]


def _upsampling(draw, name, shape, sizes):
    kind = draw(st.sampled_from(["nearest", "bilinear"]))
    return [
        UpSampling2D(name=name, size=draw(st.sampled_from([(1, 2), (2, 1)])), interpolation=kind)
    ]


def _permute(draw, name, shape, sizes):
    return [Permute(name=name, dims=tuple(draw(st.permutations(range(1, len(shape) + 1)))))]


_ANY = {
    "normalize": lambda draw, name, shape, sizes: [BatchNormalization(name=name)],
    "relu": lambda draw, name, shape, sizes: [ReLU(name=name)],
    "dropout": lambda draw, name, shape, sizes: [Dropout(name=name, rate=0.1)],
}
_ON_IMAGES = {"pointwise": _pointwise, "depthwise": _depthwise, "padded": _padded}
_MORE_ON_IMAGES = {
    "convolution": _convolution,
    "windowed depthwise": _windowed_depthwise,
    "separable": _separable,
    "pooling": _pooling,
    "global pooling": _global_pooling,
    "padding alone": lambda draw, name, shape, sizes: [
        ZeroPadding2D(name=name, padding=((1, 0), (0, 2)))
    ],
    "rows": _rows,
}
_MOVING_IMAGES = {"resizing": _resizing, "cropping": _cropping, "upsampling": _upsampling}
_MORE = {
    "dense": _dense,
    "flatten": lambda draw, name, shape, sizes: [Flatten(name=name)],
    "rescaling": lambda draw, name, shape, sizes: [Rescaling(name=name, scale=0.5, offset=0.1)],
    "relu6": lambda draw, name, shape, sizes: [ReLU(name=name, max_value=6.0)],
    "softmax": lambda draw, name, shape, sizes: [Activation(name=name, activation="softmax")],
    "sigmoid": lambda draw, name, shape, sizes: [Activation(name=name, activation="sigmoid")],
}


@st.composite
def random_networks(
    draw, *, every_kind: bool = False, moving: bool = False, sizes: Sizes = Sizes()
) -> Network:
    """Graphs of the layers that fusing looks at, or with ``every_kind`` of all that have kernels.

    With ``moving`` some layers move pixels, for which there are no kernels.
    """
    side = st.integers(*sizes.side)
    shape = (draw(side), draw(side), draw(st.integers(*sizes.channels)))
    net = NetworkBuilder(Input(name="input", shape=shape))
    shapes: dict[str, Shape] = {"input": shape}

    def add(layer: Layer, *sources: str) -> None:
        net.add(layer, *sources)
        shapes[layer.name] = net.shape

    for index in range(draw(st.integers(*sizes.layers))):
        # Mostly a chain, as real networks are; else anything before.
        names = list(shapes)
        source = names[-1] if draw(st.integers(0, 3)) else draw(st.sampled_from(names))
        kinds = {"add": None} | _ANY
        if every_kind:
            kinds |= _MORE | ({} if len(shapes[source]) == 3 else {"image": _image})
        if moving:
            kinds |= {"permute": _permute} | (_MOVING_IMAGES if len(shapes[source]) == 3 else {})
        if len(shapes[source]) == 3:
            kinds |= _ON_IMAGES | (_MORE_ON_IMAGES if every_kind else {})
        kind, name = draw(st.sampled_from(sorted(kinds))), f"layer_{index}"
        if kind == "add":
            alike = [other for other in names if shapes[other] == shapes[source]]
            add(Add(name=name), source, draw(st.sampled_from(alike)))
            continue
        for layer in kinds[kind](draw, name, shapes[source], sizes):
            add(layer, source)
            source = layer.name
    return net.build("random")
