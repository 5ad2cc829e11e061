"""MobileNet V2 (arXiv 1801.04381), as the paper's Table 2 with Keras' layer names."""

from npmobilenet.architecture.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    ReLU,
    ZeroPadding2D,
)
from npmobilenet.architecture.network import Network, NetworkBuilder
from npmobilenet.architecture.padding import explicit_padding
from npmobilenet.architecture.shapes import Shape, channels

STEM_FILTERS = 32
LAST_FILTERS = 1280

# Table 2: expansion t, output channels c, repeats n, stride s of the first repeat.
BOTTLENECKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``value``, never below 90 % of it (TF-Slim)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def mobilenet_v2(
    input_shape: Shape = (224, 224, 3),
    alpha: float = 1.0,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str = "softmax",
    name: str | None = None,
) -> Network:
    """MobileNet V2. Parameters as :func:`mobilenet_v1`; the last convolution never shrinks."""
    net = NetworkBuilder(Input(name="input_layer", shape=input_shape))
    net.add(
        Conv2D(
            name="Conv1",
            filters=make_divisible(STEM_FILTERS * alpha),
            kernel_size=(3, 3),
            strides=(2, 2),
            padding="same",
            use_bias=False,
        )
    )
    _normalize(net, "bn_Conv1", "Conv1_relu")
    block = 0
    for expansion, filters, repeats, first_stride in BOTTLENECKS:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            _inverted_residual(net, block, expansion, make_divisible(int(filters * alpha)), stride)
            block += 1
    net.add(
        Conv2D(
            name="Conv_1",
            filters=make_divisible(LAST_FILTERS * max(alpha, 1.0)),
            kernel_size=(1, 1),
            use_bias=False,
        )
    )
    _normalize(net, "Conv_1_bn", "out_relu")
    if include_top:
        net.add(GlobalAveragePooling2D(name="global_average_pooling2d"))
        net.add(Dense(name="predictions", units=classes, activation=classifier_activation))
    elif pooling == "avg":
        net.add(GlobalAveragePooling2D(name="global_average_pooling2d"))
    elif pooling == "max":
        net.add(GlobalMaxPooling2D(name="global_max_pooling2d"))
    return net.build(name or f"mobilenetv2_{alpha:0.2f}_{input_shape[0]}", input_range=(-1.0, 1.0))


def _inverted_residual(
    net: NetworkBuilder, block: int, expansion: int, filters: int, stride: int
) -> None:
    """Expand 1 x 1, depthwise 3 x 3, project 1 x 1 without activation (Table 1, Figure 3b)."""
    source, entry = net.last, net.shape
    prefix = f"block_{block}_" if block else "expanded_conv_"
    if block:  # the first block has t = 1 and nothing to expand
        net.add(
            Conv2D(
                name=f"{prefix}expand",
                filters=expansion * channels(entry),
                kernel_size=(1, 1),
                padding="same",
                use_bias=False,
            )
        )
        _normalize(net, f"{prefix}expand_BN", f"{prefix}expand_relu")
    if stride == 2:
        height, width, _ = entry
        # Keras works SAME out when the network is built; an unknown size counts as even.
        size = (2 if height is None else height, 2 if width is None else width)
        padding = explicit_padding("same", size, (3, 3), (2, 2))
        net.add(ZeroPadding2D(name=f"{prefix}pad", padding=padding))
    net.add(
        DepthwiseConv2D(
            name=f"{prefix}depthwise",
            kernel_size=(3, 3),
            strides=(stride, stride),
            padding="same" if stride == 1 else "valid",
            use_bias=False,
        )
    )
    _normalize(net, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
    net.add(
        Conv2D(
            name=f"{prefix}project",
            filters=filters,
            kernel_size=(1, 1),
            padding="same",
            use_bias=False,
        )
    )
    projected = net.add(BatchNormalization(name=f"{prefix}project_BN", momentum=0.999))
    if stride == 1 and channels(entry) == filters:
        net.add(Add(name=f"{prefix}add"), source, projected)


def _normalize(net: NetworkBuilder, norm: str, relu: str) -> None:
    net.add(BatchNormalization(name=norm, momentum=0.999))
    net.add(ReLU(name=relu, max_value=6.0))
