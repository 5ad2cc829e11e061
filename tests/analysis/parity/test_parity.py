"""Sound implementations pass, and a planted fault is found in its layer."""

from dataclasses import replace

import numpy as np
import pytest

from npmobilenet.analysis.parity import (
    Limits,
    backend_outputs,
    difference,
    layer_roundings,
    parity,
    stored_outputs,
)
from npmobilenet.analysis.references import Outputs
from npmobilenet.backends import BACKENDS
from npmobilenet.errors import ModelFileError


@pytest.mark.parametrize("backend", sorted(BACKENDS))
@pytest.mark.parametrize("against", ["numpy64", "tensorflow"])
def test_backends_pass(tiny, tiny_weights, tiny_batch, backend, against):
    pytest.importorskip("tensorflow")
    ours = backend_outputs(tiny, tiny_weights, tiny_batch, backend)
    found = parity(tiny, tiny_weights, tiny_batch, ours, against)
    assert found.passed
    assert found.first_divergence is found.reference_divergence is None
    names = [node.name for node in tiny.nodes[1:]]
    assert [row.name for row in found.layers] == names
    if backend == "numpy":
        assert [row.name for row in found.compared()] == names
    for row in found.layers:
        assert (row.ours is None) == (row.fused_into is not None)
        assert (row.reference is None) == (against == "numpy64")
    last = found.layers[-1]
    assert last.apart.max_absolute < 1e-6
    assert last.ours.ulp_percentiles[-1] < 64


def test_a_wrong_epsilon_is_found_where_it_is(tiny, tiny_weights, tiny_batch, outputs_with):
    wrong = replace(tiny["dw_bn"].layer, epsilon=1e-5)
    ours = outputs_with(tiny, tiny_weights, tiny_batch, layer=wrong)
    found = parity(tiny, tiny_weights, tiny_batch, ours, "numpy64")
    assert not found.passed
    assert found.first_divergence == "dw_bn"
    diverging = [row.name for row in found.layers if not row.our_rounding.explained]
    assert diverging == ["dw_bn"]  # what follows does its own work right
    assert "classes" in found.beyond_limits  # but the error goes on


def test_one_weight_is_found_where_it_is(tiny, tiny_weights, tiny_batch, outputs_with):
    kernel = tiny_weights["expand/kernel"].copy()
    kernel[0, 0, 3, 7] *= np.float32(1.001)
    ours = outputs_with(tiny, tiny_weights, tiny_batch, variables={"expand/kernel": kernel})
    assert parity(tiny, tiny_weights, tiny_batch, ours, "numpy64").first_divergence == "expand"


def test_rounding_to_bfloat16_is_not_explained_by_float32(tiny, tiny_weights, tiny_batch):
    ours = backend_outputs(tiny, tiny_weights, tiny_batch, "numpy")
    bits = ours.values["dw"].copy().view(np.uint32)
    bits &= np.uint32(0xFFFF0000)
    values = {**ours.values, "dw": bits.view(np.float32)}
    assert layer_roundings(tiny, tiny_weights, values)["dw"].bound_used > 10


def test_a_fault_inside_a_fused_block_is_found_at_its_end(
    tiny, tiny_weights, tiny_batch, outputs_with
):
    wrong = replace(tiny["expand_bn"].layer, epsilon=1e-3)
    every = outputs_with(tiny, tiny_weights, tiny_batch, layer=wrong)
    inside = ("expand", "expand_bn", "expand_relu", "dw", "dw_bn", "dw_relu", "project")
    stored = {name: value for name, value in every.values.items() if name not in inside}
    ours = Outputs("fused", stored, dict.fromkeys(inside, "project_bn"))
    found = parity(tiny, tiny_weights, tiny_batch, ours, "numpy64")
    assert found.first_divergence == "project_bn"
    assert [row.fused_into for row in found.layers if row.name == "dw"] == ["project_bn"]


def test_the_fault_of_a_reference_is_not_ours(tiny, tiny_weights, tiny_batch, outputs_with):
    wrong = replace(tiny["bn"].layer, epsilon=1e-5)
    reference = outputs_with(tiny, tiny_weights, tiny_batch, layer=wrong)
    ours = backend_outputs(tiny, tiny_weights, tiny_batch, "numpy")
    found = parity(tiny, tiny_weights, tiny_batch, ours, reference)
    assert found.passed
    assert found.reference_divergence == "bn"
    assert found.layers[-1].ratio < 1e-2


def test_values_that_are_no_numbers_diverge(tiny, tiny_weights, tiny_batch):
    ours = backend_outputs(tiny, tiny_weights, tiny_batch, "numpy")
    broken = ours.values["dw"].copy()
    broken[0, 0, 0, 0] = np.inf
    found = layer_roundings(tiny, tiny_weights, {**ours.values, "dw": broken})
    assert not found["dw"].explained
    assert found["expand"].explained


def test_limits_are_asked_of_every_layer(tiny, tiny_weights, tiny_batch):
    ours = backend_outputs(tiny, tiny_weights, tiny_batch, "numpy")
    found = parity(tiny, tiny_weights, tiny_batch, ours, "numpy64", limits=Limits(threshold=1e-9))
    assert found.first_divergence is None
    assert "classes" in found.beyond_limits
    assert not found.passed
    row = found.layers[-1]
    assert row.allowed == pytest.approx(1e-9 * row.largest)


def test_shapes_and_names_are_checked(tiny, tiny_weights, tiny_batch):
    ours = backend_outputs(tiny, tiny_weights, tiny_batch, "numpy")
    for values, message in (
        ({**ours.values, "dw": ours.values["dw"][:1]}, "'dw' has shape"),
        ({**ours.values, "other": ours.values["dw"]}, "no layer 'other'"),
        ({"image": tiny_batch}, "'classes' is missing"),
        ({**ours.values, "dw": ours.values["dw"] * np.float32(np.nan)}, "'dw' is the first with"),
    ):
        with pytest.raises(ValueError, match=message):
            parity(tiny, tiny_weights, tiny_batch, Outputs("x", values), "numpy64")
    with pytest.raises(ValueError, match="reference must be one of"):
        parity(tiny, tiny_weights, tiny_batch, ours, "numpy65")


def test_stored_outputs_of_another_implementation(tiny, tiny_weights, tiny_batch, tmp_path):
    every = backend_outputs(tiny, tiny_weights, tiny_batch, "numpy").values
    path = tmp_path / "theirs.npz"
    np.savez(path, add=every["add"], classes=every["classes"])
    found = stored_outputs(path, tiny, tiny_batch)
    assert list(found.values) == ["image", "add", "classes"]
    assert found.fused["dw"] == "add"
    assert found.fused["mean"] == "classes"
    assert parity(tiny, tiny_weights, tiny_batch, found, "numpy64").passed

    for arrays, message in (
        ({"other": every["add"]}, "no layer 'other'"),
        ({"add": every["add"].astype(np.float64)}, "'add' is float64"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(ModelFileError, match=message):
            stored_outputs(path, tiny, tiny_batch)
    path.write_bytes(b"no archive")
    with pytest.raises(ModelFileError, match=r"expected an \.npz"):
        stored_outputs(path, tiny, tiny_batch)


def test_difference_in_every_measure():
    other = np.array([3.0, -4.0, 0.0, 0.0])
    found = difference(np.array([3.0, -4.5, 0.0, 0.0], np.float32), other)
    assert found.max_absolute == 0.5
    assert found.mean_absolute == 0.125
    assert found.relative == 0.125
    assert found.rms_relative == pytest.approx(0.1)
    cosine = (9 + 18) / (5 * np.hypot(3, 4.5))
    assert found.one_minus_cosine == pytest.approx(1 - cosine)
    assert found.ulp_percentiles[-1] == 0.5 * 2**21  # spacing 2**-21 from 4 to 8
    assert sum(found.ulp_histogram) == 4
    assert found.ulp_histogram[0] == 3


def test_difference_of_nothing():
    zeros = np.zeros(3, np.float32)
    found = difference(zeros, zeros)
    assert found.relative == found.one_minus_cosine == found.rms_relative == 0
    assert difference(np.ones(3, np.float32), zeros).relative == np.inf
    for other in (np.zeros(4), np.zeros((3, 0))):
        with pytest.raises(ValueError, match="cannot be compared"):
            difference(np.zeros((3, 0), np.float32), other)
