"""Counts of whole networks and of one worked out by hand."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.stages import FUSINGS
from npmobilenet.architecture import mobilenet_v1, mobilenet_v2, network_macs

# By hand, for one image of 4 x 4 x 2: 16 pixels. Bytes of float32, 4 each.
#            macs  other      params  weights  read   written
SMALL = {
    "expand": (192, 0, 12, 48, 128, 384),  # 2 x 6 a pixel
    "expand_bn": (0, 192, 24, 96, 384, 384),  # 96 values, 2 each; 4 vectors of 6
    "expand_relu": (0, 192, 0, 0, 384, 384),
    "dw": (864, 0, 54, 216, 384, 384),  # 9 x 6 a pixel
    "dw_bn": (0, 192, 24, 96, 384, 384),
    "dw_relu": (0, 192, 0, 0, 384, 384),
    "project": (192, 0, 12, 48, 384, 128),
    "project_bn": (0, 64, 8, 32, 128, 128),
    "add": (0, 32, 0, 0, 256, 128),
    "flatten": (0, 0, 0, 0, 0, 0),
    "dropout": (0, 0, 0, 0, 0, 0),
    "softmax": (0, 160, 0, 0, 128, 128),  # 32 values, 5 each
}
# The image, 128 bytes, waits for the sum.
SMALL_ALIVE = (512, 896, 896, 896, 896, 896, 640, 384, 384, 128, 128, 256)


def columns(layer):
    return (
        layer.macs,
        layer.operations,
        layer.parameters,
        layer.weight_bytes,
        layer.read_bytes,
        layer.written_bytes,
    )


def test_small_network_by_hand(small_network):
    found = cost(small_network)
    assert {layer.name: columns(layer) for layer in found.layers} == SMALL
    assert tuple(layer.live_bytes for layer in found.layers) == SMALL_ALIVE
    assert (found.peak_bytes, found.peak_layer) == (896, "expand_bn")
    assert (found.largest_tensor, found.largest_tensor_bytes) == ("expand", 384)
    assert (found.macs, found.flops, found.operations) == (1248, 2496, 1024)
    assert (found.parameters, found.parameters_without_batch_norm) == (134, 78)
    assert found.layers[0].intensity == 2 * 192 / (48 + 128 + 384)


def test_small_network_with_fused_convolutions(small_network):
    found = cost(small_network, fusing="convolutions")
    rows = {layer.name: columns(layer) for layer in found.layers}
    # Folded batch norm is a bias: an addition a value, a value a channel.
    assert rows == {
        "expand": (192, 96 + 192, 36, 48 + 24, 128, 384),
        "dw": (864, 96 + 192, 78, 216 + 24, 384, 384),
        "project": (192, 32, 20, 48 + 8, 384, 128),
        "add": SMALL["add"],
        "flatten": SMALL["flatten"],
        "dropout": SMALL["dropout"],
        "softmax": SMALL["softmax"],
    }
    assert found.layers[0].layers == ("expand", "expand_bn", "expand_relu")
    assert [layer.parameters_without_batch_norm for layer in found.layers[:3]] == [12, 54, 12]
    assert found.peak_bytes == 128 + 384 + 384


def test_small_network_with_fused_blocks(small_network):
    found = cost(small_network, fusing="blocks")
    block, *rest = found.layers
    assert block.layers == tuple(SMALL)[:9]
    assert columns(block) == (1248, 96 + 192 + 96 + 192 + 32 + 32, 134, 312 + 56, 128, 128)
    assert [layer.name for layer in rest] == ["flatten", "dropout", "softmax"]
    assert found.peak_bytes == 128 + 128


def test_values_of_two_bytes_take_half_of_everything(small_network):
    single, half = cost(small_network), cost(small_network, bytes_per_value=2)
    assert (half.bytes, half.peak_bytes) == (single.bytes // 2, single.peak_bytes // 2)
    assert half.macs == single.macs


@pytest.mark.parametrize("build", [mobilenet_v1, mobilenet_v2])
@pytest.mark.parametrize("fusing", FUSINGS)
def test_fusing_changes_no_arithmetic_of_kernels(build, fusing):
    network = build((96, 160, 3), 0.5)
    found = cost(network, fusing=fusing)
    assert found.macs == sum(network_macs(network).values())
    assert found.parameters == cost(network).parameters
    names = [name for layer in found.layers for name in layer.layers]
    assert sorted(names) == sorted(node.name for node in network.nodes[1:])


def test_blocks_of_the_papers():
    v1 = [len(layer.layers) for layer in cost(mobilenet_v1(), fusing="blocks").layers]
    # Stem, 13 separable blocks (4 of them with padding), then pooling, dropout, head, softmax.
    assert v1 == [3, *[7 if i in (2, 4, 6, 12) else 6 for i in range(1, 14)], 1, 1, 1, 1, 1]
    v2 = cost(mobilenet_v2(), fusing="blocks").layers
    assert [layer.name for layer in v2 if layer.layers[-1].endswith("_add")] == [
        f"block_{block}_project" for block in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)
    ]
    assert len(v2) == 1 + 17 + 3


def test_each_fusing_moves_and_keeps_less():
    for network in (mobilenet_v1(), mobilenet_v2()):
        none, convolutions, blocks = (cost(network, fusing=way) for way in FUSINGS)
        assert none.bytes > convolutions.bytes > blocks.bytes
        assert none.peak_bytes > convolutions.peak_bytes >= blocks.peak_bytes
        assert none.intensity < convolutions.intensity < blocks.intensity


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_totals_are_sums(random_networks, data):
    network = data.draw(random_networks)
    fusing = data.draw(st.sampled_from(FUSINGS))
    found = cost(network, fusing=fusing)
    assert found.parameters == sum(math.prod(shape) for shape in network.variables.values())
    assert found.macs == sum(network_macs(network).values())


def test_data_for_json(small_network):
    found = cost(small_network)
    data = json.loads(json.dumps(as_data(found)))
    assert data["macs"] == 1248
    assert data["peak_bytes"] == 896
    assert data["layers"][0]["name"] == "expand"
    assert data["layers"][0]["bytes"] == 48 + 128 + 384


def test_unknown_input_size_is_refused():
    with pytest.raises(ValueError, match="takes any input size"):
        cost(mobilenet_v1((None, None, 3), include_top=False))


def test_senseless_arguments_are_refused(small_network):
    with pytest.raises(ValueError, match="fusing must be one of"):
        cost(small_network, fusing="all")
    with pytest.raises(ValueError, match="bytes_per_value"):
        cost(small_network, bytes_per_value=0)
