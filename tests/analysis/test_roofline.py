"""Roofs and what lies under them, with figures that are easy to work out."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import count

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.profile import Subject, profile, profile_together
from npmobilenet.analysis.roofline import (
    ARITHMETIC,
    MEMORY,
    NEITHER,
    Roofline,
    under_roofs,
)
from npmobilenet.analysis.roofs import Level, Roofs, measure_roofs
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.kernels.peak import cache_sizes

NETWORK = mobilenet_v1((32, 32, 3), 0.25)

ROOFS = Roofs(
    cpu="slow and simple",
    lanes=8,
    threads=1,
    peak=1000.0,
    levels=(
        Level("L1", 1 << 10, 400.0, 300.0),
        Level("L2", 1 << 20, 200.0, 200.0),
        Level("L3", 1 << 21, 100.0, 100.0),
        Level("memory", None, 10.0, 5.0),
    ),
    curve=((1 << 9, 400.0), (1 << 19, 200.0), (1 << 21, 100.0), (1 << 22, 10.0)),
)


def ticking():
    return count().__next__


def test_bandwidth_is_that_of_the_curve():
    for size, speed in ROOFS.curve:
        assert ROOFS.bandwidth(size) == speed
    assert ROOFS.bandwidth(1) == 400
    assert ROOFS.bandwidth(1 << 30) == 10
    assert ROOFS.bandwidth(1 << 14) == pytest.approx(300)  # half way, on a logarithmic axis
    assert ROOFS.bandwidth(1 << 20) == pytest.approx(150)


def test_levels_hold_what_fits():
    assert [ROOFS.level(size) for size in (1, 1 << 10, 1025, 1 << 21, 1 << 22)] == [
        "L1",
        "L1",
        "L2",
        "L3",
        "memory",
    ]


def test_ridges_are_where_both_limits_meet():
    assert [ROOFS.ridge(level) for level in ROOFS.levels] == [2.5, 5, 10, 100]


@pytest.mark.parametrize("threads", [1, 2])
def test_measured_roofs(threads):
    roofs = measure_roofs(threads, rounds=1)
    assert [level.name for level in roofs.levels] == ["L1", "L2", "L3", "memory"]
    sizes = cache_sizes()
    assert [level.capacity for level in roofs.levels] == [
        threads * sizes["L1"],
        threads * sizes["L2"],
        sizes["L3"],
        None,
    ]
    assert [size for size, _ in roofs.curve] == sorted(size for size, _ in roofs.curve)
    assert all(speed > 0 for _, speed in roofs.curve)
    assert {level.read for level in roofs.levels} <= {speed for _, speed in roofs.curve}
    assert roofs.threads == threads


@pytest.mark.parametrize("arguments", [{"threads": 0}, {"rounds": 0}])
def test_senseless_measurements_are_refused(arguments):
    with pytest.raises(ValueError, match="must be at least 1"):
        measure_roofs(**arguments)


@pytest.fixture(scope="module")
def unfused():
    return profile(NETWORK, fused=False, seconds=0, clock=ticking())


def test_limits_of_each_layer(unfused):
    found = under_roofs(unfused, ROOFS)
    counted = cost(NETWORK, fusing="convolutions")
    in_use = counted.weight_bytes + counted.peak_bytes
    assert [layer.time for layer in found.layers] == list(unfused.layers)
    for layer in found.layers:
        costs = layer.time.cost
        assert layer.arithmetic_seconds == (costs.flops + costs.operations) / 1000
        activations = (costs.read_bytes + costs.written_bytes) / ROOFS.bandwidth(costs.bytes)
        weights = costs.weight_bytes / ROOFS.bandwidth(in_use)
        assert layer.memory_seconds == pytest.approx(activations + weights)
        assert layer.roof_seconds == max(layer.arithmetic_seconds, layer.memory_seconds)
        assert layer.share_of_roof == layer.roof_seconds  # each takes one second
        assert layer.operations_per_second == costs.flops + costs.operations
        assert layer.weight_level == "L3"


def test_what_a_layer_is_bound_by(unfused):
    layer = under_roofs(unfused, ROOFS).layers[0]

    def bound(arithmetic, memory):
        return replace(layer, arithmetic_seconds=arithmetic, memory_seconds=memory).bound

    assert bound(0.8, 0.1) == ARITHMETIC
    assert bound(0.1, 0.8) == MEMORY
    assert bound(0.1, 0.5) == MEMORY
    assert bound(0.49, 0.1) == bound(0.1, 0.49) == NEITHER


def test_kinds_share_out_everything(unfused):
    found = under_roofs(unfused, ROOFS)
    kinds = {share.kind: share for share in found.kinds}
    assert {name: share.count for name, share in kinds.items()} == {
        "pointwise": 14,
        "depthwise": 13,
        "standard": 1,
        "global average pooling": 1,
        "softmax": 1,
    }
    for share in ("macs", "bytes", "time"):
        assert sum(getattr(kind, share) for kind in kinds.values()) == pytest.approx(1)
    assert sum(kind.seconds for kind in kinds.values()) == unfused.layers_seconds
    for kind in kinds.values():
        assert sum(kind.bound.values()) == pytest.approx(1)
    times = [share.seconds for share in found.kinds]
    assert times == sorted(times, reverse=True)


@pytest.fixture(scope="module")
def found():
    subjects = [Subject(NETWORK), Subject(NETWORK, fused=False)]
    ways = profile_together(subjects, seconds=0, clock=ticking())
    return Roofline(ROOFS, *(under_roofs(way, ROOFS) for way in ways))


def test_rooflines_are_data(found):
    data = json.loads(json.dumps(as_data(found)))
    assert data["roofs"]["levels"][1]["name"] == "L2"
    layer = data["fused"]["layers"][1]
    assert layer["bound"] in (ARITHMETIC, MEMORY, NEITHER)
    assert layer["time"]["kind"] == "separable 3x3"
    assert data["unfused"]["kinds"][0]["bound"].keys() == {ARITHMETIC, MEMORY, NEITHER}


def test_chart_numbers_its_blocks(found, tmp_path):
    pytest.importorskip("matplotlib")
    from npmobilenet.analysis.plots.roofline import plot_roofline

    path = tmp_path / "roofline.svg"
    plot_roofline(found, path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    texts = re.findall(r"<!-- (.*?) -->", path.read_text())
    # Blocks 7 to 11 cost the same and are one point; pooling and softmax are none.
    assert [text for text in texts if text.isdigit()] == [str(n) for n in range(1, 12)]
    assert any("conv_pw_7-11" in text for text in texts)


def test_labels_lie_on_nothing():
    pytest.importorskip("matplotlib")
    from npmobilenet.analysis.plots.figure import new_figure
    from npmobilenet.analysis.plots.labels import place_labels

    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    points = [(0.5, 0.5), (0.51, 0.5), (0.5, 0.52), (0.52, 0.49), (0.8, 0.2)]
    place_labels(axes, points, list("abcde"), obstacles=[(0.55, 0.5)])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 5
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
        assert not any(box.contains(*axes.transData.transform(point)) for point in points)
