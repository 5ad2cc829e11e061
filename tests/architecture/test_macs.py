"""Multiply-adds against the published tables, in millions."""

import pytest

from npmobilenet.architecture import (
    Conv2D,
    Dense,
    DepthwiseConv2D,
    SeparableConv2D,
    macs,
    mobilenet_v1,
    mobilenet_v2,
    network_macs,
)

# Exact counts: alpha -> MACs at 224, 192, 160, 128 (paper tables 6 and 7, TF-Slim's checkpoints).
V1 = {
    1.0: (568.7, 418.1, 290.7, 186.4),
    0.75: (325.4, 239.3, 166.4, 106.8),
    0.5: (149.5, 110.0, 76.5, 49.2),
    0.25: (41.0, 30.2, 21.1, 13.6),
}
# TF-Slim prints the floor: alpha -> MACs at 224, 192, 160, 128, 96.
V2 = {
    1.4: (582,),
    1.3: (509,),
    1.0: (300, 221, 154, 99, 56),
    0.75: (209, 153, 107, 69, 39),
    0.5: (97, 71, 50, 32, 18),
    0.35: (59, 43, 30, 20, 11),
}


@pytest.mark.parametrize("alpha", V1)
def test_v1(alpha):
    totals = [total(mobilenet_v1((size, size, 3), alpha)) for size in (224, 192, 160, 128)]
    assert tuple(round(value / 1e6, 1) for value in totals) == V1[alpha]


@pytest.mark.parametrize("alpha", V2)
def test_v2(alpha):
    sizes = (224, 192, 160, 128, 96)[: len(V2[alpha])]
    totals = [total(mobilenet_v2((size, size, 3), alpha)) for size in sizes]
    assert tuple(int(value // 1e6) for value in totals) == V2[alpha]


def test_v1_by_type_of_layer():
    counts = network_macs(mobilenet_v1())
    assert sum(counts.values()) == 568_740_352
    assert sum(n for name, n in counts.items() if name.startswith("conv_pw")) == 539_492_352
    assert sum(n for name, n in counts.items() if name.startswith("conv_dw")) == 17_385_984
    assert counts["conv1"] == 10_838_016
    assert counts["conv_preds"] == 1_024_000


def test_one_layer_of_table_3():
    image = (14, 14, 512)
    standard = Conv2D(name="c", filters=512, kernel_size=(3, 3), padding="same")
    separable = SeparableConv2D(name="s", filters=512, kernel_size=(3, 3), padding="same")
    depthwise = DepthwiseConv2D(name="d", kernel_size=(3, 3), padding="same")
    pointwise = Conv2D(name="p", filters=512, kernel_size=(1, 1))
    assert round(macs(standard, image) / 1e6) == 462
    assert round(macs(separable, image) / 1e6, 1) == 52.3
    assert macs(separable, image) == macs(depthwise, image) + macs(pointwise, image)


def test_dense_counts_every_position():
    assert macs(Dense(name="d", units=10), (7, 7, 4)) == 7 * 7 * 4 * 10


def test_unknown_size_is_refused():
    with pytest.raises(ValueError, match="must be known"):
        network_macs(mobilenet_v1((None, None, 3), include_top=False))


def total(network):
    return sum(network_macs(network).values())
