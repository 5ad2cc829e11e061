"""Every kernel against its plain NumPy twin, over odd shapes and channels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.architecture import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    ReLU,
    SeparableConv2D,
)
from npmobilenet.engine import NumbaProgram

sizes = st.integers(5, 23)
channels = st.sampled_from([1, 3, 8, 15, 16, 17, 24, 31, 32, 33, 40, 63, 65])
paddings = st.sampled_from(["same", "valid", ((0, 1), (0, 1)), ((2, 0), (1, 3))])
strides = st.sampled_from([(1, 1), (2, 2), (1, 2), (3, 1)])
many = settings(deadline=None, max_examples=150)


@many
@given(
    sizes, sizes, channels, channels, st.integers(1, 5), st.integers(1, 5), strides, paddings,
    st.sampled_from([(1, 1), (1, 1), (2, 1), (1, 2)])
)  # fmt: skip
def test_convolution(
    compare, height, width, depth, filters, kernel_height, kernel_width, strides, padding, dilation
):
    if padding == "valid":
        height += (kernel_height - 1) * dilation[0]
        width += (kernel_width - 1) * dilation[1]
    layer = Conv2D(
        name="convolution",
        filters=filters,
        kernel_size=(kernel_height, kernel_width),
        strides=strides,
        padding=padding,
        dilation=dilation,
        activation="relu6",
    )
    compare((height + 4, width + 4, depth), layer)


@pytest.mark.parametrize("filters", [16, 20, 24, 40])
@pytest.mark.parametrize(
    ("depth", "kernel", "strides", "dilation"),
    [
        (520, (3, 3), (1, 1), (1, 1)),
        (700, (2, 3), (2, 2), (1, 1)),
        (1100, (4, 1), (1, 2), (1, 1)),
        (600, (3, 3), (1, 1), (2, 2)),
        (4200, (1, 1), (2, 1), (1, 1)),
    ],
)
def test_convolution_with_a_panel_beyond_l2(compare, filters, depth, kernel, strides, dilation):
    layer = Conv2D(
        name="convolution",
        filters=filters,
        kernel_size=kernel,
        strides=strides,
        padding="same",
        dilation=dilation,
        activation="relu6",
    )
    compare((6, 7, depth), layer)


@many
@given(sizes, sizes, channels, channels, st.integers(1, 3))
def test_pointwise(compare, height, width, depth, filters, batch):
    compare(
        (height, width, depth),
        Conv2D(name="pointwise", filters=filters, kernel_size=(1, 1)),
        batch=batch,
    )


@many
@given(
    sizes, sizes, channels, st.sampled_from([(3, 3), (5, 5), (3, 5), (2, 7), (1, 1)]), strides,
    paddings, st.sampled_from([(1, 1), (1, 1), (2, 2), (1, 3)]), st.sampled_from([1, 1, 2, 3])
)  # fmt: skip
def test_depthwise(compare, height, width, depth, kernel, strides, padding, dilation, multiplier):
    if padding == "valid":
        height += (kernel[0] - 1) * dilation[0]
        width += (kernel[1] - 1) * dilation[1]
    layer = DepthwiseConv2D(
        name="depthwise",
        kernel_size=kernel,
        strides=strides,
        padding=padding,
        dilation=dilation,
        depth_multiplier=multiplier,
    )
    compare((height + 16, width + 16, depth), layer, ReLU(name="relu"))


@many
@given(
    sizes, sizes, channels, channels, st.sampled_from([3, 5]), strides, paddings,
    st.sampled_from([1, 1, 2, 4])
)  # fmt: skip
def test_separable(compare, height, width, depth, filters, kernel, strides, padding, multiplier):
    compare(
        (height, width, depth),
        DepthwiseConv2D(
            name="depthwise",
            kernel_size=(kernel, kernel),
            strides=strides,
            padding=padding,
            depth_multiplier=multiplier,
        ),
        BatchNormalization(name="depthwise_bn"),
        ReLU(name="depthwise_relu", max_value=6.0),
        Conv2D(name="pointwise", filters=filters, kernel_size=(1, 1), use_bias=False),
        BatchNormalization(name="pointwise_bn"),
        ReLU(name="pointwise_relu", max_value=6.0),
    )


@pytest.mark.parametrize("spread", [1, 3])
@many
@given(sizes, sizes, channels, channels, channels, st.sampled_from([3, 5]), strides, paddings)
def test_inverted_residual(
    compare, spread, height, width, depth, expanded, filters, kernel, strides, padding
):
    # Small images are computed a panel of channels at a time, large ones by rows.
    compare(
        (spread * height, spread * width, depth),
        Conv2D(name="expand", filters=expanded, kernel_size=(1, 1), activation="relu6"),
        DepthwiseConv2D(
            name="depthwise", kernel_size=(kernel, kernel), strides=strides, padding=padding
        ),
        ReLU(name="relu", max_value=6.0),
        Conv2D(name="project", filters=filters, kernel_size=(1, 1)),
    )


@many
@given(sizes, channels, channels, st.sampled_from([1, 2]))
def test_separable_layer_of_keras(compare, size, depth, filters, multiplier):
    layer = SeparableConv2D(
        name="separable",
        filters=filters,
        kernel_size=(3, 3),
        padding="same",
        depth_multiplier=multiplier,
    )
    compare((size, size, depth), layer)


@many
@given(
    sizes, sizes, channels, st.sampled_from([(2, 2), (3, 3), (2, 5), (4, 2)]), strides,
    st.sampled_from(["same", "valid", ((0, 1), (0, 0))]), st.sampled_from([(1, 1), (1, 1), (2, 1)]),
    st.sampled_from([MaxPooling2D, AveragePooling2D]), st.booleans()
)  # fmt: skip
def test_pooling(
    compare, height, width, depth, window, strides, padding, dilation, pooling, normed
):
    compare(
        (height + 4, width, depth),
        pooling(
            name="pool",
            kernel_size=window,
            strides=strides,
            padding=padding,
            dilation=dilation,
        ),
        *([BatchNormalization(name="norm")] if normed else []),
        batch=2,
    )


@many
@given(sizes, sizes, channels, st.integers(1, 70), st.integers(1, 5), st.booleans())
def test_head(compare, height, width, depth, units, batch, largest):
    pool = GlobalMaxPooling2D if largest else GlobalAveragePooling2D
    compare(
        (height, width, depth),
        Conv2D(name="stem", filters=depth, kernel_size=(3, 3), strides=(2, 2)),
        pool(name="pool"),
        Dense(name="hidden", units=depth, activation="relu"),
        Dense(name="dense", units=units),
        Activation(name="softmax", activation="softmax"),
        batch=batch,
    )


@many
@given(sizes, sizes, channels)
def test_batch_norm_and_relu_by_themselves(compare, height, width, depth):
    compare(
        (height, width, depth),
        BatchNormalization(name="norm"),
        ReLU(name="relu", max_value=1.0),
        BatchNormalization(name="again"),
    )


@pytest.mark.parametrize("side", [7, 56, 112])
@pytest.mark.parametrize("windowed", [False, True])
def test_means_of_many_pixels_round_like_numpy(rng, side, windowed):
    """Sums of sums: one chain over all pixels was 12 to 24 times as far off."""
    layer = GlobalAveragePooling2D(name="pool")
    if windowed:
        layer = AveragePooling2D(name="pool", kernel_size=(side, side))
    net = NetworkBuilder(Input(name="input", shape=(side, side, 70)))
    net.add(layer)
    network = net.build("mean")
    x = rng.uniform(0, 6, (4, side, side, 70)).astype(np.float32)
    exact = x.astype(np.float64).mean((1, 2)).reshape(4, 70)
    found = NumbaProgram(network, {})(x).reshape(4, 70)
    # NumPy's own float32 mean, pairwise where the pixels of a channel lie next to each other.
    theirs = np.ascontiguousarray(x.transpose(0, 3, 1, 2)).reshape(4, 70, -1).mean(2)
    error, allowed = (np.abs(value - exact).max() for value in (found, theirs))
    assert error <= 2 * allowed + 1e-7 * exact.max()
