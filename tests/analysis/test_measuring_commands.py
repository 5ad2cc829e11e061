"""The commands that measure, on networks so small that it takes next to no time."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner

from npmobilenet.cli import main

SMALL = ("mobilenet_v1_0.25_128", "--input", "32")


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Limits of the machine measured in a moment, as nobody looks at them."""
    monkeypatch.setattr("npmobilenet.analysis.roofs._SHORT", 1e-5)


def run(*arguments, status=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def test_profile_prints_layers_and_their_sum():
    text = run("profile", *SMALL, "--seconds", 0).stdout
    assert "conv_pw_13" in text
    assert "separable 3x3/2" in text
    assert "of one call of the whole" in text
    assert "1 MAC = 2 FLOP" in text


def test_profile_as_json_of_every_layer():
    data = json.loads(run("profile", *SMALL, "--unfused", "--seconds", 0, "--json").stdout)
    assert data["fused"] is False
    assert data["seconds_by_fusing"].keys() == {"fused", "unfused"}
    assert data["seconds_by_fusing"]["unfused"] == data["seconds"]
    assert len(data["layers"]) == 30
    assert sum(layer["share_of_time"] for layer in data["layers"]) == pytest.approx(1)


def test_profile_of_a_file_with_threads(keras_weights):
    path = keras_weights / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    arguments = (path, "--input", "64x32", "--threads", 2, "--seconds", 0, "--json")
    data = json.loads(run("profile", *arguments).stdout)
    assert data["input_shape"] == [64, 32, 3]
    assert data["threads"] == 2


def test_profile_draws(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "profile.svg"
    run("profile", *SMALL, "--seconds", 0, "--plot", path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("name", "message"),
    [("times.docx", "does not end in .png or .svg"), ("missing/times.png", "there is no folder")],
)
def test_figures_are_refused_before_anything_is_measured(tmp_path, name, message):
    assert message in run("profile", *SMALL, "--plot", tmp_path / name, status=2).stderr


def test_roofline_prints_machine_layers_and_where_the_time_goes(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "roofline.png"
    text = run("roofline", *SMALL, "--seconds", 0, "--plot", path).stdout
    for expected in ("FMA peak", "memory", "conv_pw_13", "bound by", "unfused"):
        assert expected in text
    assert path.read_bytes().startswith(b"\x89PNG")


def test_roofline_of_the_machine_alone():
    data = json.loads(run("roofline", "--json").stdout)
    assert [level["name"] for level in data["levels"]] == ["L1", "L2", "L3", "memory"]
    assert "ridge op/B" in run("roofline").stdout


def test_roofline_as_json():
    data = json.loads(run("roofline", *SMALL, "--seconds", 0, "--json").stdout)
    assert data.keys() == {"roofs", "fused", "unfused"}
    assert len(data["fused"]["layers"]) == 17
    assert len(data["unfused"]["layers"]) == 30


def test_a_roofline_figure_needs_a_network(tmp_path):
    text = run("roofline", "--plot", tmp_path / "roofs.png", status=2).stderr
    assert "--plot needs a network" in text


def test_blocks_prints_ratios_and_reasons(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "blocks.png"
    shapes = ("6x6x16", "5x4x8")
    text = run("blocks", *shapes, "--filters", 24, "--seconds", 0, "--plot", path).stdout
    for expected in ("6x6x16 to 24 channels", "5x4x8", "1/N + 1/9 = 0.153", "bound by"):
        assert expected in text
    assert path.read_bytes().startswith(b"\x89PNG")


def test_blocks_as_json():
    arguments = ("5x4x8", "--kernel", 5, "--stride", 2, "--expansion", 2, "--threads", 2)
    (data,) = json.loads(run("blocks", *arguments, "--seconds", 0, "--json").stdout)
    assert data["threads"] == 2
    ratio = data["ratios"][0]
    assert ratio["formula"] == "1/N + 1/25"
    assert ratio["macs"] == pytest.approx(1 / 8 + 1 / 25)


def test_blocks_of_a_whole_network():
    name, *size = SMALL
    text = run("blocks", "--network", name, *size, "--seconds", 0).stdout
    assert "mobilenet_0.25_32, input 32x32x3" in text
    assert "separable to standard" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("6x6x16", "--network", "mobilenet_v1_0.25_128"), "not both"),
        (("--input", "32"), "--input is for --network"),
        (("6x6",), "no height, width and channels"),
    ],
)
def test_blocks_refuses_what_makes_no_sense(arguments, message):
    assert message in run("blocks", *arguments, status=2).stderr


def test_sweep_of_chosen_widths_and_resolutions(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "sweep.png"
    arguments = ("v1", "--alpha", 0.25, "--resolution", 32, "--resolution", 48, "--seconds", 0)
    text = run("sweep", *arguments, "--plot", path).stdout
    assert "MobileNet V1, 1 thread" in text
    assert "MobileNet V2" not in text
    assert path.read_bytes().startswith(b"\x89PNG")
    (data,) = json.loads(run("sweep", *arguments, "--json").stdout)
    assert [point["resolution"] for point in data["points"]] == [32, 48]


def test_sweep_of_what_does_not_exist():
    assert "v3" in run("sweep", "v3", status=2).stderr
