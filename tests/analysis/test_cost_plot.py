"""Figures are saved whole or not at all."""

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.plots.cost import plot_cost
from npmobilenet.architecture import mobilenet_v1

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_saved(tmp_path, ending, start):
    path = tmp_path / f"cost.{ending}"
    plot_cost(cost(mobilenet_v1((64, 64, 3), 0.25), fusing="blocks"), path)
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_unknown_format_is_refused(tmp_path, small_network):
    with pytest.raises(ValueError, match="must end in one of"):
        plot_cost(cost(small_network), tmp_path / "cost.xyz")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there(tmp_path, small_network):
    with pytest.raises(FileNotFoundError):
        plot_cost(cost(small_network), tmp_path / "missing" / "cost.png")
