"""``npmobilenet cost`` and ``npmobilenet papers`` as a user types them."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from npmobilenet.cli.cost import cost_command
from npmobilenet.cli.papers import papers


def run(command, *arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_cost_prints_layers_and_totals():
    text = run(cost_command, "mobilenet_v1_1.0_224")
    assert "conv_pw_13_relu" in text
    assert "MACs (1 MAC = 2 FLOP): 568,740,352" in text
    assert "Parameters: 4,253,864, without batch norm 4,210,088" in text
    assert "…" not in text


def test_cost_in_flops():
    text = run(cost_command, "mobilenet_v1_1.0_224", "--convention", "flops")
    assert "FLOPs (1 MAC = 2 FLOP): 1,137,480,704" in text


def test_cost_json_of_another_size():
    data = json.loads(run(cost_command, "mobilenet_v2_1.0_224", "--input", "96", "--json"))
    assert data["input_shape"] == [96, 96, 3]
    assert data["macs"] // 10**6 == 56
    peaks = data["peak_bytes_by_fusing"]
    assert peaks["none"] == data["peak_bytes"] > peaks["convolutions"] >= peaks["blocks"]


def test_cost_of_a_file(keras_weights):
    path = keras_weights / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    arguments = (path, "--input", "160x96", "--json", "--fusing", "blocks", "--bytes", "2")
    data = json.loads(run(cost_command, *arguments))
    assert data["input_shape"] == [160, 96, 3]
    assert data["parameters"] == 410_208
    assert data["bytes_per_value"] == 2


def test_cost_needs_a_size_where_a_file_has_none(keras_weights):
    path = keras_weights / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    result = CliRunner().invoke(cost_command, [str(path)])
    assert isinstance(result.exception, ValueError)
    assert "--input" in str(result.exception)


@pytest.mark.parametrize("size", ["0x10", "20x", "-5", "axb", "10x10x3"])
def test_senseless_sizes_are_refused(size):
    result = CliRunner().invoke(cost_command, ["mobilenet_v1_1.0_224", "--input", size])
    assert result.exit_code == 2


def test_cost_plot(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "cost.png"
    run(cost_command, "mobilenet_v1_0.25_128", "--plot", path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_papers_print_tables_and_reasons():
    text = run(papers, "v1")
    assert "Table 9" in text
    assert "differs (1)" in text
    assert "(1) leaves out the classifier, without which it is 4866.27" in text


def test_papers_errata_as_json():
    data = json.loads(run(papers, "slim", "--errata", "--json"))
    rows = {entry["row"]: entry for entry in data}
    assert rows["MobileNet_v1_0.75_224"]["published"] == "317"
    assert rows["MobileNet_v1_0.75_224"]["recounted"] == pytest.approx(325.400448)
    assert {entry["verdict"] for entry in data} == {"differs"}


def test_papers_as_markdown():
    assert run(papers, "v2", "--errata", "--markdown").startswith("## MobileNet V2")


def test_commands_start_without_heavy_packages():
    code = (
        "import sys, npmobilenet.cli.cost, npmobilenet.cli.papers\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'matplotlib', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
