"""Comparisons: counts by the papers' formulas, and ratios that hold whatever the clock says."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from npmobilenet.analysis.blocks import (
    INVERTED,
    SEPARABLE,
    STANDARD,
    compare_blocks,
    compare_networks,
    explanation,
)
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.roofs import Level, Roofs
from npmobilenet.architecture import mobilenet_v1, network_macs
from npmobilenet.architecture.variants import full_convolution

ROOFS = Roofs(
    cpu="some machine",
    lanes=8,
    threads=1,
    peak=1e11,
    levels=tuple(Level(name, None, 1e10, 1e10) for name in ("L1", "L2", "L3", "memory")),
    curve=((1, 1e10),),
)
SHAPE = (6, 5, 16)


@pytest.fixture(scope="module")
def blocks():
    return compare_blocks(SHAPE, 24, roofs=ROOFS, stride=2, expansion=3, seconds=0)


def test_contenders_and_their_counts(blocks):
    standard, separable, inverted = blocks.contenders
    assert [one.name for one in blocks.contenders] == [STANDARD, SEPARABLE, INVERTED]
    assert standard.macs == 9 * 9 * 16 * 24
    assert separable.macs == 9 * 16 * (9 + 24)
    assert inverted.macs == 30 * 16 * 48 + 9 * 48 * (9 + 24)
    assert standard.parameters == 9 * 16 * 24
    assert separable.parameters == 16 * (9 + 24)
    assert inverted.parameters == 48 * (16 + 9 + 24)
    assert len(separable.fused.layers) == len(inverted.fused.layers) == 1
    assert [len(one.unfused.layers) for one in blocks.contenders] == [1, 2, 3]


def test_ratios_of_macs_and_the_formula(blocks):
    ratio = blocks.ratios[0]
    assert (ratio.name, ratio.against, ratio.formula) == (SEPARABLE, STANDARD, "1/N + 1/9")
    assert ratio.macs == pytest.approx(ratio.predicted) == pytest.approx(1 / 24 + 1 / 9)
    pairs = [(ratio.name, ratio.against) for ratio in blocks.ratios]
    assert pairs == [(SEPARABLE, STANDARD), (INVERTED, SEPARABLE), (INVERTED, STANDARD)]
    assert all(ratio.predicted is None for ratio in blocks.ratios[1:])


def test_times_are_macs_and_shares(blocks):
    seconds = {one.name: one.seconds for one in blocks.contenders}
    for ratio in blocks.ratios:
        assert ratio.seconds == pytest.approx(seconds[ratio.name] / seconds[ratio.against])
        assert ratio.seconds == pytest.approx(ratio.macs * ratio.shares)


def test_explanation_names_what_each_part_is_bound_by(blocks):
    lines = explanation(blocks)
    assert len(lines) == 6
    assert lines[0].startswith("separable against standard: 0.153 of the MACs in ")
    assert "depthwise 27.3% of the MACs in " in lines[4]
    for line in lines[3:]:
        assert "bound by" in line


def test_networks_at_equal_shapes():
    network = mobilenet_v1((32, 32, 3), 0.25)
    found = compare_networks(network, roofs=ROOFS, threads=2, seconds=0)
    standard, separable = found.contenders
    assert standard.macs == sum(network_macs(full_convolution(network)).values())
    assert separable.macs == sum(network_macs(network).values())
    assert standard.seconds == standard.fused.profile.seconds
    assert found.roofs.peak == standard.fused.profile.peak
    assert found.ratios[0].seconds == pytest.approx(separable.seconds / standard.seconds)


def test_comparisons_are_data(blocks):
    data = json.loads(json.dumps(as_data(blocks)))
    assert data["ratios"][0]["predicted"] == pytest.approx(1 / 24 + 1 / 9)
    assert data["contenders"][1]["unfused"]["layers"][0]["time"]["kind"] == "depthwise 3x3/2"


def test_what_is_no_size_is_refused():
    with pytest.raises(ValueError, match="must be at least 1"):
        compare_blocks(SHAPE, roofs=ROOFS, stride=0)


def test_figure(blocks, tmp_path):
    pytest.importorskip("matplotlib")
    from npmobilenet.analysis.plots.blocks import plot_blocks

    path = tmp_path / "blocks.svg"
    plot_blocks([blocks, blocks], path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert path.read_text().count("<!-- 6x5x16 to 24 channels, 3x3, stride 2 -->") == 2
