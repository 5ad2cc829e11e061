"""Orders and precisions of sums against loops over single values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.analysis.ablation.arithmetic import Float64, NumPy, Ordered, runs_with
from npmobilenet.analysis.ablation.rounding import to_bfloat16, to_float16
from npmobilenet.analysis.ablation.sums import ORDERS, Accumulator
from npmobilenet.architecture import (
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    ReLU,
)
from npmobilenet.interpreter import run_layer
from npmobilenet.kernels.blocks import CHUNK

NO_BIAS = np.zeros(1, np.float32)

every_float32 = st.floats(width=32, allow_nan=False).map(np.float32)


@given(st.lists(every_float32, min_size=1, max_size=40))
def test_float16_is_numpys(values):
    x = np.array(values, np.float32)
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16).astype(np.float32)
    to_float16(x)
    np.testing.assert_array_equal(x, expected)


@given(st.lists(every_float32, min_size=1, max_size=40))
def test_bfloat16_is_the_nearest_with_eight_bits(values):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array(values, np.float32)
    expected = x.astype(ml_dtypes.bfloat16).astype(np.float32)
    to_bfloat16(x)
    np.testing.assert_array_equal(x, expected)


def test_ties_go_to_even():
    x = np.array([1 + 2**-8, 1 + 3 * 2**-8, -(1 + 2**-8)], np.float32)
    to_bfloat16(x)
    np.testing.assert_array_equal(x, np.array([1, 1 + 2**-6, -1], np.float32))


def looped(products: np.ndarray, order: str) -> np.float32:
    """The sum of float32 values in an order, one addition after the other."""
    if order == "pairwise":
        if len(products) == 1:
            return products[0]
        middle = len(products) // 2
        return looped(products[:middle], order) + looped(products[middle:], order)
    if order == "chunked":
        starts = range(0, len(products), CHUNK)
        parts = [looped(products[i : i + CHUNK], "sequential") for i in starts]
        return looped(np.array(parts), "sequential")
    total = np.float32(0)
    for product in products[::-1] if order == "reversed" else products:
        total = np.float32(total + product)
    return total


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), terms=st.sampled_from([1, 2, 7, CHUNK, CHUNK + 1, 300]))
def test_sums_have_their_order_to_the_bit(order, seed, terms):
    rng = np.random.default_rng(seed)
    left = rng.normal(size=(3, terms)).astype(np.float32)
    right = rng.normal(size=(terms, 2)).astype(np.float32)
    found = Ordered(Accumulator(order)).product(left, right, NO_BIAS)
    for row in range(3):
        for column in range(2):
            assert found[row, column] == looped(left[row] * right[:, column], order)


def test_many_outputs_are_summed_part_by_part(rng):
    """More than fit into the cache at a time."""
    left = rng.normal(size=(5000, 9)).astype(np.float32)
    right = rng.normal(size=(9, 20)).astype(np.float32)
    found = Ordered(Accumulator()).product(left, right, NO_BIAS)
    expected = np.zeros((5000, 20), np.float32)
    for term in range(9):
        expected += left[:, term, None] * right[term]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("precision", "type_name"), [("float16", "float16"), ("bfloat16", None)])
def test_partial_sums_are_rounded(precision, type_name, rng):
    dtype = type_name or pytest.importorskip("ml_dtypes").bfloat16
    left = rng.normal(size=(4, 60)).astype(np.float32)
    right = rng.normal(size=(60, 3)).astype(np.float32)
    found = Ordered(Accumulator(precision=precision)).product(left, right, NO_BIAS)
    total = np.zeros((4, 3), np.float32)
    for term in range(60):
        total = (total + left[:, term, None] * right[term]).astype(dtype).astype(np.float32)
    np.testing.assert_array_equal(found, total)


LAYERS = [
    Conv2D(
        name="conv",
        filters=4,
        kernel_size=(3, 2),
        strides=(2, 1),
        padding="same",
        activation="relu6",
    ),
    Conv2D(name="pointwise", filters=5, kernel_size=(1, 1), use_bias=False),
    Conv2D(name="dilated", filters=2, kernel_size=(2, 2), dilation=(2, 3)),
    DepthwiseConv2D(
        name="dw", kernel_size=(3, 3), depth_multiplier=2, padding=((1, 0), (0, 1)), strides=(2, 2)
    ),
    DepthwiseConv2D(name="dw1", kernel_size=(3, 3), padding="same", use_bias=False),
    Dense(name="dense", units=3, activation="softmax"),
    GlobalAveragePooling2D(name="mean"),
    GlobalAveragePooling2D(name="kept", keepdims=True),
    ReLU(name="relu"),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize(
    "arithmetic",
    [Float64(), NumPy(), *(Ordered(Accumulator(order)) for order in ORDERS)],
    ids=["float64", "numpy", *ORDERS],
)
def test_layers_are_the_references_to_rounding(layer, arithmetic, rng):
    x = rng.normal(size=(2, 9, 8, 3)).astype(np.float32)
    variables = {
        name: rng.normal(size=shape).astype(np.float32).astype(np.float64)
        for name, shape in layer.variables((9, 8, 3)).items()
    }
    found = runs_with(arithmetic)(layer, variables, x)
    expected = run_layer(layer, variables, x)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    if isinstance(arithmetic, Float64):  # another order in float64: the same float32, or the next
        np.testing.assert_allclose(found, expected, rtol=2.5e-7, atol=1e-12)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)
