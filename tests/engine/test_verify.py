"""The verifier finds plans that would read or write the wrong memory."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.architecture import (
    AveragePooling2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    SeparableConv2D,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.engine import NumbaProgram, table
from npmobilenet.engine.fold import fold
from npmobilenet.engine.fuse import fuse
from npmobilenet.engine.packing import pack
from npmobilenet.engine.plan import Planner
from npmobilenet.engine.results import PlanError
from npmobilenet.engine.steps import name_whole_layers
from npmobilenet.engine.strassen import choose_strassen
from npmobilenet.engine.verify import Subject, verify


def odd_ones():
    net = NetworkBuilder(Input(name="input", shape=(12, 11, 3)))
    net.add(MaxPooling2D(name="first", kernel_size=(2, 2), strides=(1, 1)))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3), depth_multiplier=3, padding="same"))
    net.add(SeparableConv2D(name="separable", filters=6, kernel_size=(3, 3), depth_multiplier=2))
    net.add(AveragePooling2D(name="average", kernel_size=(2, 2), strides=(2, 2)))
    net.add(Conv2D(name="conv", filters=9, kernel_size=(3, 3), dilation=(1, 1), padding="same"))
    net.add(Flatten(name="flatten"))
    net.add(Dense(name="dense", units=5, activation="softmax"))
    return net.build("odd ones")


NETWORKS = {
    "v1": lambda: mobilenet_v1((128, 128, 3), 0.25),
    "v1 wide": lambda: mobilenet_v1((64, 64, 3), 1.0),
    "v2": lambda: mobilenet_v2((64, 64, 3), 0.35, classes=7),
    "odd ones": odd_ones,
}


def planned(network, weights, batch, threads, *, fused=True, **how):
    """A plan, and what it was made for."""
    steps = fold(network, weights)
    steps = fuse(steps) if fused else steps
    name_whole_layers(steps)
    choose_strassen(steps, network.shapes, network.input_shape[-1])
    packed, places = pack(steps)
    planner = Planner(steps, places, network.shapes, network.input_shape)
    subject = Subject(steps, places, packed.size, network.shapes, network.input_shape, batch)
    return planner.plan(batch, threads, **how), subject


@pytest.fixture(scope="module")
def plans(random_weights):
    """Of each network on one thread and on two, and unfused."""
    found = {}
    for name, make in NETWORKS.items():
        network = make()
        weights = random_weights(network)
        found[name, "serial"] = planned(network, weights, 1, 1)
        found[name, "two threads"] = planned(network, weights, 3, 2)
        found[name, "unfused"] = planned(network, weights, 1, 2, fused=False, keep=True)
    return found


WAYS = [(name, way) for name in NETWORKS for way in ("serial", "two threads", "unfused")]


@pytest.mark.parametrize("which", WAYS, ids=" ".join)
def test_sound_plans_pass(plans, which):
    verify(*plans[which])


@pytest.mark.parametrize("which", WAYS, ids=" ".join)
def test_a_store_that_is_too_small(plans, which):
    """Whichever region the room is taken from."""
    plan, subject = plans[which]
    for change in (
        {"store_size": plan.slots + plan.slot_size * (plan.threads if plan.bulk else 1) + 1},
        {"slots": plan.slots - 1},
        {"slot_size": plan.slot_size // 2, "store_size": plan.store_size - plan.slot_size // 2},
    )[: 2 if which[1] == "unfused" else 3]:  # where all is kept, nothing is in the slots
        with pytest.raises(PlanError):
            verify(replace(plan, **change), subject)


def used_columns(kind, row):
    """Columns that the kernel of a row reads; of others any value is right."""
    window = list(range(table.WINDOW, table.WINDOW + 13))
    span = [table.BEGIN]
    source, out = list(range(2, 4)), list(range(5, 7))
    weights = {
        table.CONVOLUTION: [table.LAST],
        table.PRODUCT: [table.LAST],
        table.DENSE: [table.LAST],
        table.DEPTHWISE: [table.MIDDLE],
        table.SEPARABLE: [table.MIDDLE, table.LAST],
        table.EXPAND: [table.FIRST, table.MIDDLE],
        table.INVERTED: [table.FIRST, table.MIDDLE, table.LAST],
    }.get(kind, [])
    used = [table.KIND, table.UNITS, *source, *out]
    used += [column + i for column in weights for i in range(3)]
    if kind in (
        table.CONVOLUTION,
        table.DEPTHWISE,
        table.SEPARABLE,
        table.INVERTED,
        table.AVERAGE,
        table.LARGEST,
    ):
        used += window + span
    if kind == table.EXPAND:
        used += [*window, table.BLOCK, table.DEPTH, table.PACKED]
    if kind == table.PRODUCT:
        used += [*span, table.PIXELS, table.COLUMNS, table.DEPTH, table.BLOCK]
    if kind == table.DENSE:
        used += [table.PIXELS, table.COLUMNS, table.DEPTH, table.BLOCK]
    if kind in (table.SEPARABLE, table.INVERTED, table.CONVOLUTION, table.SOFTMAX, table.COPY):
        used += [table.COLUMNS]
    if kind in (table.DEPTHWISE, table.SEPARABLE):
        used += [table.PACKED, table.MULTIPLIER]
    if row[table.SKIP] != table.NONE:
        used += [table.SKIP, table.SKIP + 1]
    return used


@pytest.mark.parametrize("which", WAYS, ids=" ".join)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_number_of_the_table_wrong(plans, which, data):
    """Any number that a kernel uses, off by any amount."""
    plan, subject = plans[which]
    number = data.draw(st.integers(0, len(plan.table) - 1), "row")
    row = plan.table[number]
    column = data.draw(st.sampled_from(used_columns(row[table.KIND], row)), "column")
    values = st.integers(-70000, 70000) if column in (3, 6, 9) else st.integers(-3, 70)
    value = data.draw(values.filter(lambda value: value != row[column]), "value")
    changed = plan.table.copy()
    changed[number, column] = value
    other = replace(
        plan, table=changed, serial=changed if plan.serial is plan.table else plan.serial
    )
    with pytest.raises(PlanError):
        verify(other, subject)


@pytest.mark.parametrize("which", WAYS, ids=" ".join)
def test_rows_that_nobody_computes(plans, which):
    plan, subject = plans[which]
    for number in np.flatnonzero(plan.table[:, table.TOTAL] > 1):
        changed = plan.table.copy()
        changed[number, table.TOTAL] //= 2
        with pytest.raises(PlanError):
            verify(replace(plan, table=changed, serial=changed), subject)


def test_weights_of_another_layer(plans):
    plan, subject = plans["v1", "serial"]
    rows = np.flatnonzero(plan.table[:, table.KIND] == table.SEPARABLE)
    changed = plan.table.copy()
    columns = slice(table.LAST, table.LAST + 3)
    changed[rows[0], columns] = plan.table[rows[-1], columns]
    with pytest.raises(PlanError):
        verify(replace(plan, table=changed, serial=changed), subject)


@pytest.mark.parametrize("which", WAYS, ids=" ".join)
def test_operations_in_another_order(plans, which):
    """Whoever reads what is not written yet is named."""
    plan, subject = plans[which]
    for first in range(len(plan.table) - 1):
        order = list(range(len(plan.table)))
        order[first], order[first + 1] = order[first + 1], order[first]
        names = tuple(plan.steps[number] for number in order)
        changed = plan.table[order]
        serial = plan.serial is plan.table or np.array_equal(plan.serial, plan.table)
        other = replace(
            plan,
            table=changed,
            steps=names,
            serial=changed if serial else plan.serial,
            serial_steps=names if serial else plan.serial_steps,
        )
        with pytest.raises(PlanError):
            verify(other, subject)


def test_two_values_in_one_place(plans):
    """A result where the residual lies that a later step adds."""
    plan, subject = plans["v2", "serial"]
    adds = np.flatnonzero(plan.table[:, table.SKIP] == table.MEMORY)
    changed = plan.table.copy()
    changed[adds[0] - 1, table.OUT + 1] = plan.table[adds[0], table.SKIP + 1]
    changed[adds[0], table.SOURCE + 1] = plan.table[adds[0], table.SKIP + 1]
    with pytest.raises(PlanError, match="while it reads"):
        verify(replace(plan, table=changed, serial=changed), subject)


def test_every_plan_is_followed(random_weights, monkeypatch):
    """With NPMOBILENET_CHECK, which these tests set, a program verifies what it runs."""
    monkeypatch.setenv("NPMOBILENET_CHECK", "plans")
    network = odd_ones()
    program = NumbaProgram(network, random_weights(network))
    x = np.zeros((1, *network.input_shape), np.float32)
    seen = []
    monkeypatch.setattr("npmobilenet.engine.compiled.verify", lambda *args: seen.append(args))
    program(x, threads=1)
    assert len(seen) == 1
    program(x, threads=1)
    assert len(seen) == 1
    monkeypatch.setenv("NPMOBILENET_CHECK", "0")
    program(x, threads=2)
    assert len(seen) == 1
