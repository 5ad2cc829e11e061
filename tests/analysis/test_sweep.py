"""Sweeps: the published grids, and ratios that a clock of our own foretells."""

import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import count

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.rounds import FEWEST
from npmobilenet.analysis.sweep import GRIDS, sweep
from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.pretrained.catalogue import CATALOGUE

GRID = ((0.25, 32), (0.25, 64), (0.35, 64))


@pytest.fixture(scope="module")
def found():
    return sweep(1, GRID, seconds=0, clock=count().__next__)


def test_grids_are_the_published_checkpoints():
    for version, kind in ((1, "mobilenet"), (2, "mobilenet_v2")):
        entries = [e for e in CATALOGUE.values() if e.kind == kind and e.include_top]
        assert sorted(GRIDS[version]) == sorted((e.alpha, e.resolution) for e in entries)


def test_points_are_the_grid(found):
    assert [(point.alpha, point.resolution) for point in found.points] == list(GRID)
    for point in found.points:
        counted = cost(mobilenet_v1((point.resolution, point.resolution, 3), point.alpha))
        assert point.macs == counted.macs
        assert point.parameters == counted.parameters_without_batch_norm


def test_times_and_ratios(found):
    assert found.rounds == FEWEST
    largest = max(point.macs for point in found.points)
    for point in found.points:
        assert point.seconds == point.time_ratio == 1
        assert point.macs_ratio == point.macs / largest
        assert point.share_of_peak == pytest.approx(2 * point.macs / found.peak)


def test_progress_goes_from_nothing_to_all():
    seen = []
    sweep(2, ((0.35, 32),), threads=2, seconds=0, progress=lambda *told: seen.append(told))
    assert seen[0] == ("preparing", 0)
    assert seen[-1] == ("measuring", 1)
    assert all(0 <= share <= 1 for _, share in seen)


@pytest.mark.parametrize(
    ("version", "grid", "message"),
    [
        (3, None, "must be 1 or 2"),
        (1, (), "at least one"),
        (1, ((0.03, 64),), "alpha must be 1/32 or more"),
        (2, ((0.5, 0),), "found 0.5 and 0"),
    ],
)
def test_what_makes_no_sense_is_refused(version, grid, message):
    with pytest.raises(ValueError, match=message):
        sweep(version, grid)


def test_sweeps_are_data_and_a_figure(found, tmp_path):
    data = json.loads(json.dumps(as_data(found)))
    assert data["points"][0]["alpha"] == 0.25
    pytest.importorskip("matplotlib")
    from npmobilenet.analysis.plots.sweep import plot_sweep

    path = tmp_path / "sweep.svg"
    plot_sweep([found, sweep(2, ((1.0, 32),), seconds=0)], path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    texts = re.findall(r"<!-- (.*?) -->", path.read_text())
    for label in ("V1 alpha 0.25", "V1 alpha 0.35", "V2 alpha 1", "64 pixels"):
        assert label in texts


def test_macs_of_v2():
    (point,) = sweep(2, ((1.0, 64),), seconds=0).points
    assert point.macs == cost(mobilenet_v2((64, 64, 3))).macs
