"""Measuring, drawing and printing ladders; no test looks at how fast anything is."""

import dataclasses
import json
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from threading import BrokenBarrierError

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from npmobilenet.analysis import ladder as measuring
from npmobilenet.analysis.ladder import DEFAULT_SHAPES, measure_ladder
from npmobilenet.cli.ladder import OPERATIONS, ladder
from npmobilenet.kernels.ladder import LADDERS

SMALL = (4, 5, 8)


def run(*arguments, status=0):
    result = CliRunner().invoke(ladder, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


@pytest.mark.parametrize(
    ("operation", "filters", "macs"),
    [
        ("depthwise", None, 2 * 3 * 9 * 8),
        ("standard", 24, 2 * 3 * 9 * 8 * 24),
        ("separable", 24, 2 * 3 * 8 * (9 + 24)),
    ],
)
def test_a_row_for_each_rung(operation, filters, macs):
    rows = measure_ladder(operation, SMALL, filters=filters, stride=2, rounds=2)
    assert [row.name for row in rows] == [rung.name for rung in LADDERS[operation]]
    for row in rows:
        assert (row.shape, row.stride, row.threads, row.macs) == (SMALL, 2, 1, macs)
        assert row.filters == (filters or 8)
        assert row.flops == pytest.approx(2 * macs / row.seconds)
        assert row.share == pytest.approx(row.flops / row.peak)
        assert 0 < row.error < 1e-5
    assert len({row.peak for row in rows}) == 1


def test_threads_add_up():
    rows = measure_ladder("pointwise", SMALL, threads=2, rounds=2)
    for row in rows:
        assert row.threads == 2
        assert row.flops == pytest.approx(2 * 2 * row.macs / row.seconds)


def test_a_wrong_rung_is_not_measured(monkeypatch):
    def prepare(_window, _kernel):
        return lambda _image, output: output.fill(1.0)

    wrong = dataclasses.replace(LADDERS["pointwise"][1], prepare=prepare)
    monkeypatch.setitem(measuring.LADDERS, "pointwise", (wrong,))
    with pytest.raises(RuntimeError, match=r"pointwise rung 2 \(reordered\) differs"):
        measure_ladder("pointwise", SMALL)


def test_nan_is_wrong_too(monkeypatch):
    def prepare(_window, _kernel):
        return lambda _image, output: output.fill(np.nan)

    wrong = dataclasses.replace(LADDERS["pointwise"][0], prepare=prepare)
    monkeypatch.setitem(measuring.LADDERS, "pointwise", (wrong,))
    with pytest.raises(RuntimeError, match="differs from the reference by nan"):
        measure_ladder("pointwise", SMALL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("winograd",), "no ladder 'winograd', but depthwise, pointwise"),
        (("depthwise", SMALL, 9, 1), "8 channels has as many filters"),
        (("pointwise", SMALL, None, 2), "stride 1, not 2"),
        (("standard", SMALL, None, 3), "stride is 3"),
    ],
)
def test_what_does_not_exist_is_refused(arguments, message):
    operation, shape, filters, stride = (*arguments, *(None, None, 1)[len(arguments) - 1 :])
    with pytest.raises(ValueError, match=message):
        measure_ladder(operation, shape, filters=filters, stride=stride)


def test_commands_know_all_ladders():
    assert tuple(LADDERS) == OPERATIONS
    assert DEFAULT_SHAPES.keys() == LADDERS.keys()


def test_command_prints_a_table_of_rungs():
    text = run("pointwise", "--shape", "4x5x8", "--filters", 24).stdout
    assert "pointwise convolution, 4x5x8 to 24 channels, stride 1, 1 thread" in text
    for rung in LADDERS["pointwise"]:
        assert f"{rung.number} {rung.name}" in text
    assert "1 MAC = 2 FLOP" in text


def test_command_measures_all_operations_and_shapes():
    arguments = ("--shape", "4x5x8", "--shape", "3x3x4", "--filters", 7, "--stride", 2, "--json")
    data = json.loads(run(*arguments).stdout)
    assert data["flop_per_mac"] == 2
    found = {(row["operation"], tuple(row["shape"])) for row in data["rungs"]}
    assert found == {(name, shape) for name in OPERATIONS for shape in (SMALL, (3, 3, 4))}
    for row in data["rungs"]:
        assert row["filters"] == (row["shape"][2] if row["operation"] == "depthwise" else 7)
        assert row["stride"] == (1 if row["operation"] == "pointwise" else 2)
        assert row["share"] == pytest.approx(row["flops"] / row["peak"])


def test_command_draws_png(tmp_path):
    path = tmp_path / "rungs.png"
    run("separable", "--shape", "4x5x8", "--plot", path)
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert list(tmp_path.iterdir()) == [path]


def test_command_draws_svg(tmp_path):
    path = tmp_path / "rungs.svg"
    run("separable", "--shape", "4x5x8", "--plot", path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.parametrize("shape", ["4x5", "4x5x0", "axbxc", "4x5x8x2", "-4x5x8"])
def test_command_refuses_bad_shapes(shape):
    assert "is no height, width and channels" in run("--shape", shape, status=2).stderr


def test_command_refuses_other_figures_before_measuring():
    assert "does not end in .png or .svg" in run("--plot", "rungs.docx", status=2).stderr


@pytest.mark.timeout(60)
def test_nobody_waits_for_a_thread_that_cannot_be_started(one_more_thread):
    with (
        ThreadPoolExecutor(3) as pool,
        pytest.raises(RuntimeError, match="can't start new thread"),
    ):
        measuring._rate(pool, [lambda: None] * 3, 1)


@pytest.mark.timeout(60)
def test_nobody_waits_for_a_thread_that_fails():
    def fail():
        raise MemoryError

    with ThreadPoolExecutor(2) as pool, pytest.raises((MemoryError, BrokenBarrierError)):
        measuring._rate(pool, [lambda: None, fail], 2)
