"""Every column of every row: whatever changes what a kernel does, the verifier notices."""

from dataclasses import replace

import numpy as np
import pytest

from npmobilenet.architecture import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    SeparableConv2D,
)
from npmobilenet.engine import table as t
from npmobilenet.engine.compiled import CompiledNetwork
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.plan import Planner
from npmobilenet.engine.results import PlanError
from npmobilenet.engine.verify import Subject, verify

BATCH = 3


@pytest.fixture(scope="module")
def network():
    """Every kind of operation but a copy; the pooling leaves a row out."""
    net = NetworkBuilder(Input(name="input", shape=(11, 9, 3)))
    net.add(Conv2D(name="conv", filters=40, kernel_size=(3, 3), padding="same"))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3), padding="same", depth_multiplier=2))
    net.add(Conv2D(name="pw", filters=16, kernel_size=(1, 1)))
    net.add(Conv2D(name="expand", filters=70, kernel_size=(1, 1)))
    net.add(DepthwiseConv2D(name="between", kernel_size=(3, 3), padding="same"))
    net.add(Conv2D(name="project", filters=16, kernel_size=(1, 1)))
    net.add(Add(name="add"), "project", "pw")
    net.add(MaxPooling2D(name="max", kernel_size=(2, 2), strides=(2, 2)))
    net.add(SeparableConv2D(name="separable", filters=33, kernel_size=(3, 3)))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=7, activation="softmax"))
    return net.build("every kind")


@pytest.fixture(scope="module", params=[True, False], ids=["fused", "unfused"])
def planned(request, network, random_weights):
    """A plan of three images on two threads, and what it was made for."""
    compiled = CompiledNetwork(network, random_weights(network), fused=request.param)
    plans = compiled._make_plan.__self__
    made_for = (compiled.steps, plans._places)
    shapes, shape = network.shapes, network.input_shape
    plan = Planner(*made_for, shapes, shape).plan(BATCH, 2)
    assert plan.bulk == 2
    subject = Subject(*made_for, plans._weights.size, shapes, shape, BATCH)
    verify(plan, subject)
    return plan, subject


def changed(plan, row, column, value):
    table = plan.table.copy()
    table[row, column] = value
    return replace(plan, table=table)


@pytest.mark.parametrize("column", [t.SUMS, t.MULTIPLIER])
def test_what_turns_an_operation_into_another(planned, column):
    """Kernels look at these two whatever the kind of the operation."""
    plan, subject = planned
    for row in range(len(plan.table)):
        with pytest.raises(PlanError):
            verify(changed(plan, row, column, plan.table[row, column] + 7), subject)


@pytest.mark.parametrize("name", ["table", "serial"])
def test_rows_that_nobody_reads_are_computed_all_the_same(planned, name):
    plan, subject = planned
    table = getattr(plan, name)
    local = plan.operations if name == "table" else plan.serial_operations
    rows = [row for row in range(local) if table[row, t.TOTAL] > 1]
    assert rows
    for row in rows:
        fewer = table.copy()
        fewer[row, t.TOTAL] -= 1
        with pytest.raises(PlanError):
            verify(replace(plan, **{name: fewer}), subject)


def test_what_is_for_all_images_and_what_is_for_one(planned):
    plan, subject = planned
    tail = plan.table[plan.operations :, t.KIND].tolist()
    assert tail == [t.DENSE, t.SOFTMAX]
    for change in (
        {"serial_operations": plan.serial_operations + 1},
        {"operations": plan.operations + 1},
        {"operations": plan.operations - 1},
    ):
        with pytest.raises(PlanError):
            verify(replace(plan, **change), subject)
    with pytest.raises(PlanError, match="one image at once"):
        verify(changed(plan, len(plan.table) - 1, t.UNITS, 1), subject)


@pytest.mark.parametrize("change", [{"threads": 0}, {"bulk": BATCH + 1}, {"bulk": -1}])
def test_nobody_to_do_it(planned, change):
    plan, subject = planned
    with pytest.raises(PlanError, match="threads"):
        verify(replace(plan, **change), subject)


def test_weights_of_two_layers_in_one_place(planned):
    plan, subject = planned
    ordered = sorted(subject.places.items(), key=lambda item: item[1].kernel)
    (_, first), (layer, second) = ordered[:2]
    moved = dict(subject.places)
    moved[layer] = Packed(first.limits + 1, second.norm, second.limits)
    with pytest.raises(PlanError, match="overlap"):
        verify(plan, replace(subject, places=moved))


def test_scratch_and_slots_that_are_smaller_than_what_is_taken(planned):
    plan, subject = planned
    for change in ({"scratch_size": 0}, {"scratch_size": 1000}, {"slot_size": 64}):
        with pytest.raises(PlanError):
            verify(replace(plan, **change), subject)
    places = np.flatnonzero(plan.table[:, t.BUFFER] > 0)
    for row in places:
        for value in (-1, plan.scratch_size):
            with pytest.raises(PlanError):
                verify(changed(plan, row, t.BUFFER, value), subject)
