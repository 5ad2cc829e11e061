"""Drift of ablations on pictures, and the command that prints it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from npmobilenet.analysis.ablation import (
    ABLATIONS,
    SWITCHES,
    ablate,
    chosen,
    classes_of,
    find_pictures,
)
from npmobilenet.analysis.ablation.collecting import Collector
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.cli.ablate import ablate_command
from npmobilenet.errors import ImageError
from npmobilenet.formats import write_keras_model
from npmobilenet.initializers import random_weights
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.model import Model


@pytest.fixture(scope="module")
def found(small_model, pictures):
    steps = []
    every = find_pictures(pictures)
    found = ablate(small_model, every, chosen(), lambda *step: steps.append(step))
    assert steps[-1][0] == steps[-1][1] == len(steps)
    return {f"{row.switch} {row.setting}": row for row in found.rows} | {"all": found}


def test_every_ablation_has_a_row(found):
    assert len(found["all"].rows) == len(ABLATIONS)
    assert {row.switch for row in found["all"].rows} == set(SWITCHES)
    same = {name for name, row in found.items() if name != "all" and row.same}
    assert same == {"epsilon 0.001", "activation relu6", "resize pil-bilinear"}
    assert all((row.found is None) == row.same for row in found["all"].rows)


def test_what_changes_no_value_drifts_nowhere(found):
    for name in ("padding same", "padding keras", "depthwise full"):
        result = found[name].found
        assert result.top1_agreement == result.top5_agreement == result.top5_overlap == 1
        assert result.max_probability_change < 1e-7
        assert result.worst_layer.rms_relative < 1e-7


def test_small_and_large_causes(found):
    """Rounding is a million times smaller than another network."""
    for order in ("sequential", "reversed", "pairwise", "chunked", "numpy"):
        result = found[f"order {order}"].found
        assert 0 < result.median_layer < 1e-5
        assert result.top1_agreement == 1
    half, brain = found["accumulation float16"].found, found["accumulation bfloat16"].found
    assert 1e-4 < half.median_layer < brain.median_layer
    assert found["accumulation float64"].found.worst_layer.rms_relative < 1e-6
    assert found["padding symmetric"].found.median_layer > 1e-2
    assert found["accumulation float32"].found == found["order sequential"].found


def test_folding_is_compared_behind_the_activation(found, small_model):
    names = [layer.name for layer in found["folding weights"].found.layers]
    assert "conv1_relu" in names
    assert "conv1" not in names
    every = [node.name for node in small_model.network.nodes[1:]]
    assert [layer.name for layer in found["folding scale-shift"].found.layers] == every


def test_the_cost_is_said(found):
    assert found["depthwise full"].macs > 2 * found["all"].macs
    assert found["order numpy"].macs == found["all"].macs
    assert all(row.seconds > 0 for row in found["all"].rows if not row.same)


def test_accuracy_comes_from_names(found, small_model, pictures):
    every = find_pictures(pictures)
    assert classes_of(every, small_model.labels) == [0, 1, 2, 3, 4, 5]
    output = NumpyProgram(small_model.network, small_model.weights)(small_model.prepare(every))
    hits = np.mean(output.argmax(1) == np.arange(6))
    assert found["all"].top1_accuracy == hits
    assert found["order numpy"].found.top1_accuracy == hits


def test_classes_by_folder_and_none(small_model, tmp_path):
    inside = [tmp_path / "c" / "x.jpg", tmp_path / "n02" / "y.jpg"]
    assert classes_of(inside, small_model.labels) == [2, 1]
    assert classes_of([*inside, tmp_path / "z.jpg"], small_model.labels) is None


def test_pictures_are_spread_over_the_folder(pictures, tmp_path):
    assert [path.name[:3] for path in find_pictures(pictures, 3)] == ["n01", "n03", "n05"]
    assert len(find_pictures(pictures, 100)) == 6
    for folder, message in ((tmp_path / "no", "no such folder"), (tmp_path, "no pictures")):
        with pytest.raises(ImageError, match=message):
            find_pictures(folder)


def test_agreement_by_hand():
    base = np.eye(8)[[0, 1]] * 0.3 + np.arange(8)[::-1] / 100
    other = base.copy()
    other[1, 7] = 0.9  # another first class, and another of the five
    collector = Collector("p")
    collector.add({"x": base, "p": other}, {"x": base, "p": base}, {}, [0, 7])
    result = collector.result()
    assert result.top1_agreement == 0.5
    assert result.top5_agreement == 0.5
    assert result.top5_overlap == pytest.approx((1 + 0.8) / 2)
    assert result.max_probability_change == pytest.approx(0.9)
    assert result.mean_probability_change == pytest.approx(0.45)
    assert result.top1_accuracy == 1
    (layer,) = result.layers
    expected = np.linalg.norm(other - base) / np.linalg.norm(base)
    assert layer.rms_relative == pytest.approx(expected, rel=1e-6)


def test_what_is_no_classifier_is_refused(pictures):
    network = mobilenet_v1((32, 32, 3), 0.25, include_top=False)
    model = Model(network, random_weights(network, 0), backend="numpy")
    with pytest.raises(ValueError, match="no classifier"):
        ablate(model, find_pictures(pictures), chosen())
    with pytest.raises(ValueError, match="switch must be one of"):
        chosen(["paddings"])


def test_command(small_model, pictures, tmp_path):
    pytest.importorskip("matplotlib")
    model, plot = tmp_path / "small.h5", tmp_path / "ablations.svg"
    write_keras_model(model, small_model.network, small_model.weights)
    arguments = [str(model), "--images", str(pictures), "--limit", "2", "--switch", "folding"]
    result = CliRunner().invoke(ablate_command, [*arguments, "--plot", str(plot)])
    assert result.exit_code == 0, result.output
    assert "scale-shift" in result.stdout
    assert "…" not in result.stdout
    assert "<svg" in plot.read_text()
    result = CliRunner().invoke(ablate_command, [*arguments, "--switch", "padding", "--json"])
    data = json.loads(result.stdout)
    assert [row["switch"] for row in data["rows"]] == ["padding"] * 3 + ["folding"] * 2
    assert data["images"] == 2
