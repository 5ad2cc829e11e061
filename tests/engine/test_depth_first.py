"""Chains: layers that run some rows at a time give the values of layers that run one by one."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from npmobilenet.architecture import (
    Conv2D,
    DepthwiseConv2D,
    Input,
    NetworkBuilder,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.engine import depth_first
from npmobilenet.engine.compiled import CompiledNetwork
from npmobilenet.engine.table import HELD, LAST

paddings = st.sampled_from(["same", "valid", ((0, 1), (0, 1)), ((2, 0), (1, 3))])
windows = st.fixed_dictionaries(
    {
        "kernel_size": st.sampled_from([(1, 1), (2, 2), (3, 3), (5, 5), (3, 1), (4, 5)]),
        "strides": st.sampled_from([(1, 1), (2, 2), (1, 2), (3, 1)]),
        "dilation": st.sampled_from([(1, 1), (2, 2), (3, 1)]),
        "padding": paddings,
    }
)

_POINT = {"kernel_size": (1, 1), "strides": (2, 2), "dilation": (1, 1), "padding": "same"}
_WIDE = _POINT | {"kernel_size": (3, 3)}
_ZEROS_ALONE = _POINT | {"kernel_size": (2, 2), "padding": ((2, 0), (1, 3))}


def results(network, weights, x):
    """With chains and without, for one thread, and how many steps read rings."""
    compiled = CompiledNetwork(network, weights)
    found = []
    for chains in (True, False):
        ready = compiled._make_plan(x.shape[1:], len(x), 1, chains=chains)
        found.append(compiled._run(ready, x, 1)[0])
        rings = {row[LAST] for row in ready.plan.table if row[HELD]}
        assert chains or not rings
        found.append(len(rings))
    return found[:3]


@pytest.mark.parametrize(("build", "members"), [(mobilenet_v1, 4), (mobilenet_v2, 2)])
def test_published_networks(build, members, random_weights, rng):
    network = build((224, 224, 3))
    x = rng.uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
    chained, rings, plain = results(network, random_weights(network), x)
    np.testing.assert_array_equal(chained, plain)
    assert rings == members - 1


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.booleans(),
    st.lists(windows, min_size=2, max_size=4),
    st.sampled_from([1, 40, 224]),
    st.sampled_from([1, 40, 896]),
)
@example(3, 1, False, [_POINT, _POINT], 1, 1)  # rows that nobody wants
@example(5, 1, False, [_POINT, _POINT, _WIDE, _ZEROS_ALONE], 1, 1)  # a step that nobody reads
def test_any_windows(random_weights, height, width, begins, window, pixels, most):
    """Of maps of any size, some rows of the last at a time and some in one call of a kernel."""
    net = NetworkBuilder(Input(name="input", shape=(height, width, 5)))
    assume(not begins or window[0]["kernel_size"] != (1, 1))
    try:
        for number, one in enumerate(window):
            if one["strides"] != (1, 1):
                one = one | {"dilation": (1, 1)}
            if number == 0 and begins:
                net.add(Conv2D(name="conv", filters=9, **one))
            else:
                net.add(DepthwiseConv2D(name=f"dw_{number}", **one))
                net.add(Conv2D(name=f"pw_{number}", filters=9, kernel_size=(1, 1)))
    except ValueError:  # the window is larger than what it slides over
        assume(False)
    network = net.build("chain")
    x = np.random.default_rng(1).uniform(-1, 1, (2, height, width, 5)).astype(np.float32)
    with (
        mock.patch.object(depth_first, "_LARGE", 0),
        mock.patch.object(depth_first, "_AT_ONCE", pixels),
        mock.patch.object(depth_first, "_MOST", most),
    ):
        chained, rings, plain = results(network, random_weights(network), x)
    np.testing.assert_array_equal(chained, plain)
    assert 1 <= rings < len(window)  # fewer where a window sees nothing but zeros


def test_what_is_read_twice_stays(random_weights):
    """A step that adds a residual reads what lies before the step before."""
    network = mobilenet_v2((64, 64, 3), 0.35)
    x = np.zeros((1, 64, 64, 3), np.float32)
    with mock.patch.object(depth_first, "_LARGE", 0):
        _, rings, _ = results(network, random_weights(network), x)
    assert rings == 1  # between the first convolution and the first block
