"""``npmobilenet inside`` as a user types it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from npmobilenet.cli.inside import inside


@pytest.fixture
def files(small_v1, picture, tmp_path, monkeypatch):
    """A model file and a picture in the current folder."""
    monkeypatch.chdir(tmp_path)
    small_v1.save_weights("model.h5")
    Image.fromarray(picture).save("picture.png")
    return tmp_path


def run(*arguments, status=0):
    result = CliRunner().invoke(inside, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.stdout if not status else result.stderr


def test_cam(files):
    text = run("cam", "model.h5", "picture.png", "--class", "2", "--image", "map.png")
    assert "(class 2), logit" in text
    with Image.open("map.png") as drawn:
        assert drawn.size == (70, 90)


def test_cam_as_json(files):
    data = json.loads(run("cam", "model.h5", "picture.png", "--crop", "1", "--json"))
    assert data["box"] == {"top": 0, "left": 0, "height": 90, "width": 70}
    assert np.mean(data["values"]) + data["offset"] == pytest.approx(data["logit"], rel=1e-9)


def test_features(files):
    text = run("features", "model.h5", "picture.png", "--layer", "conv_dw_2", "--image", "grid.png")
    assert "conv_dw_2, 16 channels of 56 x 56" in text
    with Image.open("grid.png") as grid:
        assert grid.size == (4 * 57 + 1, 4 * 57 + 1)


def test_features_of_some_channels(files):
    arguments = ("model.h5", "picture.png", "--layer", "conv1_relu", "--channel", 3, "--channel", 1)
    data = json.loads(run("features", *arguments, "--json"))
    assert [row["channel"] for row in data["channels"]] == [3, 1]
    assert data["channels"][0]["maximum"] == 0
    assert data["channels"][1]["maximum"] > 0
    result = CliRunner().invoke(inside, ["features", *map(str, arguments[:-1]), "99"])
    assert "channels 0 to 7" in str(result.exception)


def test_filters(files):
    assert "conv_dw_13" in run("filters", "model.h5")
    text = run("filters", "model.h5", "--layer", "conv_dw_1", "--image", "filters.png")
    assert "conv_dw_1" in text
    assert "conv_dw_13" not in text
    with Image.open("filters.png") as grid:
        assert grid.size[0] == 3 * (3 * 11 + 1) + 1
    assert "--layer" in run("filters", "model.h5", "--plot", "filters.png", status=2)


def test_channels(files):
    assert "conv_preds" in run("channels", "model.h5", "picture.png")
    assert "dead" in run("channels", "model.h5", "picture.png", "--layer", "conv1_relu")
    rows = json.loads(run("channels", "model.h5", "picture.png", "picture.png", "--json"))
    first = next(row for row in rows if row["layer"] == "conv1_relu")
    assert first["pictures"] == 2
    assert 3 in first["dead"]
    assert len(first["zeros"]) == 8


def test_checkpoint(files):
    text = run("checkpoint", "model.h5")
    assert "variance < 1e-6" in text
    assert "0 subnormal values, 0 not finite" in text
    data = json.loads(run("checkpoint", "model.h5", "--json"))
    assert data["kernels"][0]["silent"] == [3]
    assert data["silent"] >= 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("cam", "model.h5", "picture.png"),
        ("features", "model.h5", "picture.png", "--layer", "conv1"),
        ("filters", "model.h5", "--layer", "conv1"),
        ("channels", "model.h5", "picture.png"),
        ("channels", "model.h5", "picture.png", "--layer", "conv1_relu"),
        ("checkpoint", "model.h5"),
    ],
)
def test_figures(files, arguments):
    pytest.importorskip("matplotlib")
    run(*arguments, "--plot", "figure.svg")
    assert (files / "figure.svg").read_text().startswith("<?xml")


def test_files_of_another_kind_are_refused_first(files):
    assert ".png or .svg" in run("checkpoint", "missing.h5", "--plot", "a.gif", status=2)
    assert ".png" in run("filters", "missing.h5", "--layer", "x", "--image", "a.svg", status=2)


def test_the_command_starts_without_heavy_packages():
    code = (
        "import sys, npmobilenet.cli.inside\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'matplotlib', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
