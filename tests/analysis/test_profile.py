"""Profiles: every layer once, and sums that a clock of our own foretells."""

import json
from itertools import count

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.profile import Subject, grouped_layers, profile, profile_together
from npmobilenet.analysis.rounds import FEWEST
from npmobilenet.architecture import (
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    SeparableConv2D,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.architecture.variants import full_convolution

V1 = mobilenet_v1((32, 32, 3), 0.25)
V2 = mobilenet_v2((32, 32, 3), 0.35)


def ticking():
    """A clock that is one second further on at every look: whatever is called takes one."""
    return count().__next__


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("network", [V1, V2, full_convolution(V1)], ids=lambda n: n.name)
def test_rows_cover_every_layer_once_and_the_whole_cost(network, fused):
    found = profile(network, fused=fused, seconds=0, clock=ticking())
    layers = [name for layer in found.layers for name in layer.cost.layers]
    assert layers == [node.name for node in network.nodes[1:]]
    assert found.macs == cost(network).macs
    whole = cost(network, fusing="blocks" if fused else "convolutions")
    # The engine adds a residual before it stores: the sum is neither written nor read by itself.
    saved = 2 * sum(layer.written_bytes for layer in whole.layers if layer.type == "Add")
    assert sum(row.cost.bytes for row in found.layers) == whole.bytes - saved
    assert sum(row.cost.operations for row in found.layers) == whole.operations


def test_times_are_those_of_the_clock():
    found = profile(V1, seconds=0, clock=ticking())
    assert found.rounds == FEWEST
    assert found.seconds == found.idle_seconds == 1
    assert {layer.seconds for layer in found.layers} == {1}
    assert found.layers_seconds == found.accounted == len(found.layers) == 17
    assert found.copy_seconds == 0
    for layer in found.layers:
        assert layer.flops_per_second == 2 * layer.cost.macs
        assert layer.bytes_per_second == layer.cost.bytes
        assert layer.share_of_peak == pytest.approx(2 * layer.cost.macs / found.peak)
        assert layer.share_of_time == pytest.approx(1 / 17)
    assert found.share_of_peak == pytest.approx(2 * found.macs / found.peak)


def test_kinds_are_named_as_in_the_papers():
    fused, unfused = profile_together(
        [Subject(V2), Subject(V2, fused=False)], seconds=0, clock=ticking()
    )
    kinds = {layer.cost.name: layer.kind for layer in fused.layers}
    assert kinds["Conv1"] == "standard 3x3/2"
    assert kinds["expanded_conv_project"] == "separable 3x3"
    assert kinds["block_1_project"] == "inverted residual 3x3/2"
    assert kinds["Conv_1"] == "pointwise"
    assert kinds["global_average_pooling2d"] == "global average pooling"
    kinds = {layer.cost.name: layer.kind for layer in unfused.layers}
    assert kinds["block_1_expand"] == kinds["block_1_project"] == "pointwise"
    assert kinds["block_1_depthwise"] == "depthwise 3x3/2"
    assert (fused.fused, unfused.fused) == (True, False)


def test_a_layer_of_two_steps_is_one_row():
    net = NetworkBuilder(Input(name="image", shape=(6, 6, 3)))
    net.add(SeparableConv2D(name="separable", filters=4, kernel_size=(3, 3)))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=5, activation="softmax"))
    found = profile(net.build("heads"), fused=False, seconds=0, clock=ticking())
    assert [(row.cost.name, row.seconds) for row in found.layers] == [
        ("separable", 1),
        ("pool", 1),
        ("dense", 1),
    ]
    assert found.copy_seconds == 1
    assert found.accounted == 4


def test_layers_in_no_piece_go_with_what_they_read():
    net = NetworkBuilder(Input(name="image", shape=(6, 6, 3)))
    net.add(Dropout(name="before", rate=0.5))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3)))
    net.add(Dropout(name="after", rate=0.5))
    network = net.build("views")
    rows = grouped_layers(network, [(), ("dw",)])
    assert rows == [(("before", "dw", "after"), 1)]


def test_profiles_are_data():
    found = profile(V1, seconds=0, clock=ticking())
    data = json.loads(json.dumps(as_data(found)))
    assert data["network"] == V1.name
    assert data["threads"] == 1
    assert data["accounted"] == 17
    row = data["layers"][1]
    assert row["kind"] == "separable 3x3"
    assert row["cost"]["layers"][0] == "conv_dw_1"
    assert row["flops_per_second"] == 2 * row["cost"]["macs"]


def test_a_size_is_needed():
    network = mobilenet_v1((None, None, 3), include_top=False)
    with pytest.raises(ValueError, match="takes any input size"):
        profile(network)


def test_a_thread_is_needed():
    with pytest.raises(ValueError, match="threads must be at least 1, found 0"):
        profile(V1, threads=0)
