"""Every layer of whole networks against TensorFlow, and both against float64."""

import numpy as np
import pytest

from npmobilenet.backends import compile_network

REAL = [
    {"version": 1, "alpha": 1.0, "size": (224, 224), "file": "mobilenet_1_0_224_tf.h5"},
    {"version": 1, "alpha": 0.25, "size": (224, 224), "file": "mobilenet_2_5_224_tf.h5"},
    {
        "version": 2,
        "alpha": 1.0,
        "size": (224, 224),
        "file": "mobilenet_v2_1.0_224_folded_fcint8.h5",
    },
    {
        "version": 2,
        "alpha": 0.35,
        "size": (224, 224),
        "include_top": False,
        "file": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
    },
]
RANDOM = [
    {"version": 1, "alpha": 1.0, "size": (112, 144)},
    {"version": 1, "alpha": 0.75, "size": (97, 131)},
    {"version": 1, "alpha": 0.5, "size": (64, 49), "depth_multiplier": 2},
    {"version": 1, "alpha": 0.25, "size": (32, 32)},
    {"version": 2, "alpha": 1.0, "size": (96, 120)},
    {"version": 2, "alpha": 0.35, "size": (32, 32)},
    {"version": 2, "alpha": 1.3, "size": (75, 64)},
    {"version": 2, "alpha": 1.4, "size": (101, 75)},
]
PUBLISHED = [
    {"version": version, "alpha": alpha, "size": (side, side)}
    for version, alphas, sides in (
        (1, (0.25, 0.5, 0.75, 1.0), (128, 160, 192, 224)),
        (2, (0.35, 0.5, 0.75, 1.0, 1.3, 1.4), (96, 128, 160, 192, 224)),
    )
    for alpha in alphas
    for side in sides
]


def name_of(options):
    """Such as ``v2-1.4-101x75``."""
    height, width = options["size"]
    multiplier = f"-m{options['depth_multiplier']}" if "depth_multiplier" in options else ""
    kind = "-real" if "file" in options else ""
    return f"v{options['version']}-{options['alpha']}-{height}x{width}{multiplier}{kind}"


@pytest.fixture(
    scope="module",
    params=[*REAL, *RANDOM, *(pytest.param(p, marks=pytest.mark.slow) for p in PUBLISHED)],
    ids=name_of,
)
def twins(request, twins_of):
    return twins_of(**request.param)


def largest_error(values, exact):
    return float(np.max(np.abs(values - exact), initial=0))


def compared(twins, name, values):
    """The values that a layer is judged by: of probabilities their logarithm.

    The largest error of probabilities is that of the one or two large ones, in which luck decides
    between two implementations; that of logarithms is as steady as other layers'.
    """
    last = twins.network.nodes[-1]
    softmax = name == last.name and getattr(last.layer, "activation", None) == "softmax"
    return np.log(values) if softmax else values


def test_every_layer_is_as_exact_as_tensorflow(twins, backend):
    program = compile_network(twins.network, twins.weights, backend)
    activations = program.activations(twins.batch)
    fused = getattr(activations, "fused", {})  # layers that kernels compute on the way to another
    every = [node.name for node in twins.network]
    assert list(activations) == [name for name in every if name not in fused]
    assert set(every) == twins.keras_float32.keys() == activations.keys() | fused.keys()
    failures = []
    for name, ours in activations.items():
        exact, tensorflows = twins.exact[name], twins.keras_float32[name]
        assert ours.dtype == np.float32
        assert ours.shape == tensorflows.shape == exact.shape
        ours, tensorflows, exact = (compared(twins, name, v) for v in (ours, tensorflows, exact))
        error, allowed = largest_error(ours, exact), largest_error(tensorflows, exact)
        largest = float(np.max(np.abs(exact)))
        # Without this a mistake in the oracle would excuse the same mistake in float32.
        assert allowed <= 1e-4 * largest, f"{name}: TensorFlow is far from the oracle"
        if error > 1.5 * allowed + 1e-6 * largest:
            failures.append(f"{name}: {error:.3g}, TensorFlow {allowed:.3g}, values to {largest}")
    assert not failures, "\n".join(failures)


def test_the_last_layer_is_what_keras_predicts(twins, backend):
    output = compile_network(twins.network, twins.weights, backend)(twins.batch)
    expected = twins.model.predict(twins.batch, verbose=0)
    tolerance = 1e-5 if twins.include_top else 1e-4  # probabilities, or features up to 6
    np.testing.assert_allclose(output, expected, rtol=0, atol=tolerance)


def test_the_oracle_equals_keras_in_float64(twins):
    for name, expected in twins.keras_float64().items():
        assert expected.dtype == np.float64
        largest = float(np.max(np.abs(expected)))
        assert largest_error(twins.exact[name], expected) <= 1e-12 * largest, name


def test_activations_are_alive(twins):
    """A network whose values are all cut off would pass any comparison."""
    for name, exact in twins.exact.items():
        if name.endswith("relu"):
            assert np.mean((exact > 0) & (exact < 6)) > 0.02, name
            assert np.std(exact) > 0.01, name
