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


def test_every_layer_is_as_exact_as_tensorflow(twins, backend):
    judged = twins.judged
    every = list(judged)
    assert twins.listed[backend] == [name for name in every if name not in twins.fused[backend]]
    assert set(twins.listed["keras32"]) == set(every)
    assert twins.fused[backend] <= set(every)
    failures = []
    for name in twins.listed[backend]:
        layer = judged[name]
        assert layer.dtypes[backend] == {np.dtype(np.float32)}
        error, allowed, largest = layer.errors[backend], layer.errors["keras32"], layer.largest
        # Without this a mistake in the oracle would excuse the same mistake in float32.
        assert allowed <= 1e-4 * largest, f"{name}: TensorFlow is far from the oracle"
        if not error <= 1.5 * allowed + 1e-6 * largest:
            failures.append(f"{name}: {error:.3g}, TensorFlow {allowed:.3g}, values to {largest}")
    assert not failures, "\n".join(failures)


def test_the_last_layer_is_what_keras_predicts(twins, backend):
    output = compile_network(twins.network, twins.weights, backend)(twins.batch)
    expected = twins.model.predict(twins.batch, verbose=0)
    tolerance = 1e-5 if twins.include_top else 1e-4  # probabilities, or features up to 6
    np.testing.assert_allclose(output, expected, rtol=0, atol=tolerance)


def test_the_oracle_equals_keras_in_float64(twins):
    judged = twins.judged
    assert set(twins.listed["keras64"]) == set(judged)
    for name, layer in judged.items():
        assert layer.dtypes["keras64"] == {np.dtype(np.float64)}
        assert layer.errors["keras64"] <= 1e-12 * layer.largest, name


def test_activations_are_alive(twins):
    """A network whose values are all cut off would pass any comparison."""
    for name, layer in twins.judged.items():
        if name.endswith("relu"):
            assert np.mean(layer.alive) > 0.02, name
            assert np.mean(layer.spread) > 0.01, name
