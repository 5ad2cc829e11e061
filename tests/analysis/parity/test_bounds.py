"""The bound holds for any order of a float32 sum, and catches what no order explains."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.analysis.parity.bounds import Bounded, bounded_layer, gamma
from npmobilenet.architecture import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    ReLU,
    SeparableConv2D,
)
from npmobilenet.engine import NumbaProgram
from npmobilenet.interpreter import run_layer
from npmobilenet.reference import ACTIVATIONS

seeds = st.integers(0, 2**32 - 1)


def float32_sum(terms: np.ndarray, rng: np.random.Generator) -> np.float32:
    """One by one in a random order, or two halves at a time."""
    terms = rng.permutation(terms).astype(np.float32)
    if rng.integers(2):
        while len(terms) > 1:
            half = len(terms) // 2
            terms = np.concatenate([terms[:half] + terms[half : 2 * half], terms[2 * half :]])
        return terms[0]
    total = np.float32(0)
    for term in terms:
        total += term
    return total


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 300), st.sampled_from([0.0, 3.0]))
def test_any_order_of_a_sum_is_within_the_bound(seed, terms, offset):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(1, terms)) + offset).astype(np.float32)
    kernel = rng.normal(size=(terms, 1)).astype(np.float32)
    bias = rng.normal(size=1).astype(np.float32)
    layer = Dense(name="dense", units=1)
    found = bounded_layer(layer, {"kernel": kernel, "bias": bias}, Bounded.exact(x))
    products = x[0] * kernel[:, 0]
    total = float32_sum(np.append(products, bias), rng)
    assert abs(float(total) - found.value[0, 0]) <= found.error[0, 0]


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 3), st.integers(1, 5), st.sampled_from([0.0, 3.0]))
def test_wide_layers_are_within_the_bound_of_their_pairs(seed, height, width, offset):
    """A pixel of zeros beside others is not exactly its bias, as any sum of its own would be."""
    rng = np.random.default_rng(seed)
    layer = Conv2D(name="wide", filters=512, kernel_size=(1, 1), use_bias=False)
    x = (rng.normal(size=(1, height, width, 512)) + offset).astype(np.float32)
    x[0, height // 2, width // 2] = 0
    kernel = rng.normal(size=(1, 1, 512, 512)).astype(np.float32)
    net = NetworkBuilder(Input(name="input", shape=x.shape[1:]))
    net.add(layer)
    program = NumbaProgram(net.build("net"), {"wide/kernel": kernel.copy()})
    found = bounded_layer(layer, {"kernel": kernel}, Bounded.exact(x))
    assert (np.abs(program(x) - found.value) <= found.error).all()
    kernel[0, 0, :, 5] += 0.01 * np.sign(x[0, 0, 0])  # which adds up, whatever the sum was
    other = bounded_layer(layer, {"kernel": kernel}, Bounded.exact(x))
    wrong = (np.abs(program(x) - other.value) > other.error).any(axis=(0, 1, 2))
    assert wrong[5] == x.any()
    assert wrong.sum() == wrong[5]


def test_the_bound_is_gamma_times_the_sum_of_magnitudes(rng):
    x, kernel = rng.normal(size=(3, 50)), rng.normal(size=(50, 4))
    layer = Dense(name="dense", units=4, use_bias=False)
    found = bounded_layer(layer, {"kernel": kernel}, Bounded.exact(x))
    np.testing.assert_allclose(found.value, x @ kernel, rtol=1e-12)
    np.testing.assert_allclose(found.error, gamma(58) * np.abs(x) @ np.abs(kernel), rtol=1e-12)


def test_inherited_errors_pass_through_the_magnitudes(rng):
    x, kernel = rng.normal(size=(2, 30)), rng.normal(size=(30, 3))
    layer = Dense(name="dense", units=3, use_bias=False)
    inherited = np.full_like(x, 0.01)
    found = bounded_layer(layer, {"kernel": kernel}, Bounded(x, inherited))
    off = (x + rng.choice([-0.01, 0.01], x.shape)) @ kernel
    assert (np.abs(off - x @ kernel) <= found.error).all()
    assert (found.error >= 0.01 * np.abs(kernel).sum(axis=0)).all()


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_batch_norm_may_be_folded_into_weights(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(2, 1, (1, 1, 1, 40)).astype(np.float32)
    kernel = rng.normal(size=(1, 1, 40, 1)).astype(np.float32)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    norm = {name: rng.uniform(0.1, 2, 1).astype(np.float32) for name in names}
    convolution = Conv2D(name="conv", filters=1, kernel_size=(1, 1), use_bias=False)
    summed = bounded_layer(convolution, {"kernel": kernel}, Bounded.exact(x))
    found = bounded_layer(BatchNormalization(name="bn", epsilon=1e-3), norm, summed)
    scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + np.float32(1e-3))
    folded = (kernel[0, 0, :, 0] * scale).astype(np.float32)
    bias = norm["beta"] - norm["moving_mean"] * scale
    total = bias[0]
    for product in x[0, 0, 0] * folded:
        total += product
    assert abs(float(total) - found.value.item()) <= found.error.item()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_stay_within_the_bound(name, rng):
    x = rng.normal(0, 4, (50, 20))
    error = np.full_like(x, 1e-3)
    found = bounded_layer(Activation(name="a", activation=name), {}, Bounded(x, error))
    for _ in range(20):
        inside = (x + error * rng.uniform(-1, 1, x.shape)).astype(np.float32)
        shifted = ACTIVATIONS[name](inside)
        slack = np.abs(inside - x).max() * 1e-3  # of the rounding of inside itself
        assert (np.abs(shifted - found.value) <= found.error + slack).all()


def test_what_only_chooses_adds_nothing(rng):
    x = rng.normal(size=(1, 4, 4, 3)).astype(np.float32)
    for layer in (ReLU(name="r", max_value=6.0), MaxPooling2D(name="m", kernel_size=(2, 2))):
        found = bounded_layer(layer, {}, Bounded.exact(x))
        np.testing.assert_array_equal(found.value, run_layer(layer, {}, x))
        assert not found.error.any()


def test_a_dead_value_stays_dead():
    layer = ReLU(name="r", max_value=6.0)
    x = Bounded(np.array([-1.0, 0.0, 3.0, 7.0]), np.full(4, 0.1))
    np.testing.assert_allclose(bounded_layer(layer, {}, x).error, [0, 0.1, 0.1, 0])


def test_global_average_counts_its_pixels(rng):
    x = rng.normal(size=(1, 5, 7, 2))
    found = bounded_layer(GlobalAveragePooling2D(name="g"), {}, Bounded.exact(x))
    np.testing.assert_allclose(found.error, gamma(43) * np.abs(x).mean(axis=(1, 2)), rtol=1e-12)


def test_separable_is_two_layers(rng):
    layer = SeparableConv2D(name="s", filters=4, kernel_size=(3, 3), padding="same")
    variables = {
        "depthwise_kernel": rng.normal(size=(3, 3, 2, 1)),
        "pointwise_kernel": rng.normal(size=(1, 1, 2, 4)),
        "bias": rng.normal(size=4),
    }
    x = rng.normal(size=(1, 5, 5, 2))
    found = bounded_layer(layer, variables, Bounded.exact(x))
    np.testing.assert_allclose(found.value, run_layer(layer, variables, x), rtol=1e-12)
    in_float32 = run_layer(
        layer,
        {name: value.astype(np.float32) for name, value in variables.items()},
        x.astype(np.float32),
    )
    # The inputs were rounded too: that is one more rounding of each factor.
    assert (np.abs(in_float32 - found.value) <= found.error).all()
