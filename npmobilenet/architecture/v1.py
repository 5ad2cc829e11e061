"""MobileNet V1 (arXiv 1704.04861), as the paper's Table 1 with Keras' layer names."""

from npmobilenet.architecture.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from npmobilenet.architecture.network import Network, NetworkBuilder
from npmobilenet.architecture.shapes import Shape

STEM_FILTERS = 32

# Pointwise filters and depthwise stride of each separable block. The paper prints s2 for the last
# one; its output size, and every implementation, say s1.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


def mobilenet_v1(
    input_shape: Shape = (224, 224, 3),
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str = "softmax",
    dropout: float = 1e-3,
    name: str | None = None,
) -> Network:
    """MobileNet V1.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``; height and width may be ``None`` without a top.
    alpha : float
        Width multiplier: every layer has ``int(alpha * filters)`` filters.
    depth_multiplier : int
        Depthwise outputs for each input channel.
    include_top : bool
        Whether global pooling, dropout and the classifier follow.
    pooling : {None, "avg", "max"}
        Without a top: what ends the network.
    classes, classifier_activation, dropout
        Of the top.
    name : str, optional
        By default Keras' name, ``"mobilenet_1.00_224"``.
    """
    net = NetworkBuilder(Input(name="input_layer", shape=input_shape))
    net.add(
        Conv2D(
            name="conv1",
            filters=int(STEM_FILTERS * alpha),
            kernel_size=(3, 3),
            strides=(2, 2),
            padding="same",
            use_bias=False,
        )
    )
    _normalize(net, "conv1")
    for block, (filters, stride) in enumerate(BLOCKS, start=1):
        _separable(net, block, int(filters * alpha), stride, depth_multiplier)
    if include_top:
        net.add(GlobalAveragePooling2D(name="global_average_pooling2d", keepdims=True))
        net.add(Dropout(name="dropout", rate=dropout))
        net.add(Conv2D(name="conv_preds", filters=classes, kernel_size=(1, 1), padding="same"))
        net.add(Reshape(name="reshape_2", target_shape=(classes,)))
        net.add(Activation(name="predictions", activation=classifier_activation))
    elif pooling == "avg":
        net.add(GlobalAveragePooling2D(name="global_average_pooling2d"))
    elif pooling == "max":
        net.add(GlobalMaxPooling2D(name="global_max_pooling2d"))
    return net.build(name or f"mobilenet_{alpha:0.2f}_{input_shape[0]}", input_range=(-1.0, 1.0))


def _separable(
    net: NetworkBuilder, block: int, filters: int, stride: int, depth_multiplier: int
) -> None:
    """Depthwise 3 x 3, then pointwise 1 x 1, each with batch norm and ReLU6 (Figure 3)."""
    if stride != 1:
        # Keras pads (0, 1) whatever the size; on odd sizes TensorFlow's SAME would pad (1, 1).
        net.add(ZeroPadding2D(name=f"conv_pad_{block}", padding=((0, 1), (0, 1))))
    net.add(
        DepthwiseConv2D(
            name=f"conv_dw_{block}",
            kernel_size=(3, 3),
            strides=(stride, stride),
            padding="same" if stride == 1 else "valid",
            depth_multiplier=depth_multiplier,
            use_bias=False,
        )
    )
    _normalize(net, f"conv_dw_{block}")
    net.add(
        Conv2D(
            name=f"conv_pw_{block}",
            filters=filters,
            kernel_size=(1, 1),
            padding="same",
            use_bias=False,
        )
    )
    _normalize(net, f"conv_pw_{block}")


def _normalize(net: NetworkBuilder, convolution: str) -> None:
    net.add(BatchNormalization(name=f"{convolution}_bn"))
    net.add(ReLU(name=f"{convolution}_relu", max_value=6.0))
