"""``npmobilenet parity`` as a user types it."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from npmobilenet.cli.parity import parity_command
from npmobilenet.formats import write_keras_model
from npmobilenet.loading import load_model


@pytest.fixture
def model_file(tiny, tiny_weights, tmp_path):
    path = tmp_path / "tiny.h5"
    write_keras_model(path, tiny, tiny_weights)
    return path


@pytest.fixture
def picture(tmp_path, rng):
    path = tmp_path / "picture.png"
    Image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(path)
    return path


def run(*arguments):
    return CliRunner().invoke(parity_command, [str(argument) for argument in arguments])


def test_table_and_verdict(model_file, picture):
    result = run(model_file, "--against", "numpy64", "--backend", "numpy", "--image", picture)
    assert result.exit_code == 0, result.output
    assert "expand_bn" in result.stdout
    assert "Passed: every layer's difference is explained by rounding" in result.stdout
    assert "…" not in result.stdout


def test_a_fault_fails_and_is_named(
    model_file, picture, tiny, tiny_weights, outputs_with, tmp_path
):
    model = load_model(model_file, backend="numpy")
    wrong = replace(tiny["dw_bn"].layer, epsilon=1e-5)
    batch = model.prepare(picture)
    values = outputs_with(model.network, tiny_weights, batch, layer=wrong).values
    np.savez(tmp_path / "theirs.npz", **values)
    report = tmp_path / "report.html"
    arguments = ("--against", "numpy64", "--image", picture, "--outputs", tmp_path / "theirs.npz")
    result = run(model_file, *arguments, "--report", report)
    assert result.exit_code == 1
    assert "dw_bn is the first layer that rounding does not explain" in result.stdout
    assert "dw_bn is the first layer" in report.read_text()
    result = run(model_file, *arguments, "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert data["first_divergence"] == "dw_bn"
    assert data["passed"] is False


def test_a_threshold_gates(model_file, picture):
    arguments = (model_file, "--against", "numpy64", "--image", picture, "--json")
    passed = run(*arguments)
    assert passed.exit_code == 0
    data = json.loads(passed.stdout)
    assert data["layers"][0]["name"] == "rescaling"
    assert data["facts"]["numpy"] == np.__version__
    assert len(data["weights_digest"]) == 64
    failed = run(*arguments, "--threshold", "1e-12")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["beyond_limits"]


def test_reports_stand_alone(model_file, picture, tmp_path):
    pytest.importorskip("matplotlib")
    html, markdown = tmp_path / "page.html", tmp_path / "page.md"
    arguments = ("--against", "numpy64", "--image", picture, "--report", html, "--report", markdown)
    assert run(model_file, *arguments).exit_code == 0
    page = html.read_text()
    assert page.count("data:image/svg+xml;base64,") == 3
    assert "http" not in page.partition("</style>")[2].partition("<figure>")[0]
    text = markdown.read_text()
    for name in ("errors", "rounding", "ulps"):
        assert f"![{name}](page-{name}.png)" in text
        assert (tmp_path / f"page-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert str(model_file) in text


def test_wrong_reports_are_refused_before_anything_runs(model_file):
    result = run(model_file, "--report", "page.pdf")
    assert result.exit_code == 2
    assert ".html" in result.output


def test_real_weights_against_tensorflow(keras_weights, shared):
    pytest.importorskip("tensorflow")
    picture = next((shared / "images" / "open").glob("*.jpg"))
    result = run(keras_weights / "mobilenet_2_5_224_tf.h5", "--image", picture, "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["reference"] == "TensorFlow"
    assert data["reference_divergence"] is None
    assert data["layers"][-1]["apart"]["max_absolute"] < 1e-5
    assert "tensorflow" in data["facts"]


def test_the_command_starts_without_heavy_packages():
    code = (
        "import sys, npmobilenet.cli.parity\n"
        "heavy = ('tensorflow', 'keras', 'onnx', 'matplotlib', 'numba')\n"
        "sys.exit(any(name in sys.modules for name in heavy))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
