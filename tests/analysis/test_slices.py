"""V2's block in slices: the same values in less memory, as predicted."""

import json
import tracemalloc

import numpy as np
import pytest
from click.testing import CliRunner

from npmobilenet.analysis.slices import (
    block_name,
    blocks,
    measure_slices,
    peak_bytes,
    read_block,
    run_in_slices,
)
from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.cli.slices import slices_command
from npmobilenet.formats import write_keras_model
from npmobilenet.interpreter import NumpyProgram


@pytest.fixture(scope="module")
def network():
    return mobilenet_v2((64, 64, 3), 0.5)


@pytest.fixture(scope="module")
def weights(network):
    rng = np.random.default_rng(1)
    weights = {}
    for name, shape in network.variables.items():
        if name.endswith("kernel"):
            depthwise = "depthwise" in name
            taps = np.prod(shape[:2] if depthwise else shape[:-1])
            weights[name] = rng.normal(0, taps**-0.5, shape)
        elif name.endswith(("variance", "gamma")):
            weights[name] = rng.uniform(0.5, 1.5, shape)
        else:
            weights[name] = rng.normal(0, 0.5, shape)
        weights[name] = weights[name].astype(np.float32)
    return weights


@pytest.fixture(scope="module")
def every_block(network, weights):
    return {block_name(stage): read_block(network, weights, stage) for stage in blocks(network)}


def test_every_block_with_an_expansion_is_found(every_block):
    assert list(every_block) == [f"block_{index}" for index in range(1, 17)]
    assert every_block["block_1"].frame == ((0, 1), (0, 1))
    assert every_block["block_1"].strides == (2, 2)
    assert every_block["block_2"].residual
    assert not every_block["block_3"].residual
    assert not blocks(mobilenet_v1((32, 32, 3)))


@pytest.mark.parametrize("name", ["block_1", "block_2", "block_6", "block_16"])
@pytest.mark.parametrize("t", [1, 2, 5, "all"])
def test_slices_give_what_the_network_gives(network, weights, every_block, name, t):
    block = every_block[name]
    images = np.random.default_rng(2).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    values = NumpyProgram(network, weights).activations(images)
    found = run_in_slices(block, values[block.source][0], block.expanded if t == "all" else t)
    expected = values[block.nodes[-1].name][0]
    largest = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * largest)


def test_memory_is_what_is_predicted(network, weights):
    found = measure_slices(network, weights)
    assert found.block == "block_1"
    assert found.expanded == 48
    assert [row.t for row in found.rows] == [1, 2, 3, 4, 6, 8, 12, 16, 24, 48]
    for row in found.rows:
        assert row.paper_bytes <= row.predicted_bytes
        # Beside the arrays there are Python's objects and one buffer of einsum.
        assert row.predicted_bytes <= row.measured_bytes <= row.predicted_bytes + 50_000
        assert row.error < 2e-6
        assert row.seconds > 0
    whole, *_, last = found.rows
    assert last.measured_bytes < 0.3 * whole.measured_bytes


def test_the_papers_equation_by_hand(network, weights):
    (row,) = measure_slices(network, weights, "block_2", [3]).rows
    # 16 x 16 x 16 in and out, 96 channels expanded, a slice of 32 before and behind.
    assert row.channels == 32
    assert row.paper_bytes == 4 * (2 * 16 * 16 * 16 + 2 * 16 * 16 * 32)


def test_measuring_leaves_a_running_trace_alone(every_block):
    block = every_block["block_2"]
    x = np.zeros(block.input_shape, np.float32)
    alone = peak_bytes(block, x, 2)
    tracemalloc.start()
    try:
        kept = np.zeros(10**6)
        again = peak_bytes(block, x, 2)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert abs(again - alone) < 20_000
    assert kept.nbytes > again


def test_senseless_requests_are_refused(network, weights, every_block):
    block = every_block["block_1"]
    x = np.zeros(block.input_shape, np.float32)
    for t in (0, block.expanded + 1):
        with pytest.raises(ValueError, match="t must be from 1 to 48"):
            run_in_slices(block, x, t)
    with pytest.raises(ValueError, match="takes an image of shape"):
        run_in_slices(block, x[1:], 1)
    with pytest.raises(ValueError, match="block must be one of block_1"):
        measure_slices(network, weights, "block_0")
    v1 = mobilenet_v1((32, 32, 3), 0.25)
    with pytest.raises(ValueError, match="no inverted residual"):
        measure_slices(v1, {})


def test_command(network, weights, tmp_path):
    pytest.importorskip("matplotlib")
    path, plot = tmp_path / "v2.h5", tmp_path / "slices.png"
    write_keras_model(path, network, weights)
    arguments = [str(path), "--block", "block_2", "--t", "1,4"]
    result = CliRunner().invoke(slices_command, [*arguments, "--plot", str(plot)])
    assert result.exit_code == 0, result.output
    assert "block_2: 16 x 16 x 16, 96 channels, 16 x 16 x 16" in result.stdout
    assert plot.read_bytes().startswith(b"\x89PNG")
    result = CliRunner().invoke(slices_command, [*arguments, "--json"])
    data = json.loads(result.stdout)
    assert [row["t"] for row in data["rows"]] == [1, 4]
    assert CliRunner().invoke(slices_command, ["--t", "1,b"]).exit_code == 2


def test_command_with_a_name_needs_no_weights():
    arguments = ["mobilenet_v2_0.35_96", "--t", "1", "--json"]
    result = CliRunner().invoke(slices_command, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["block"] == "block_1"
