"""Weights whose columns, channels or variances are of very different size, beside TensorFlow.

Trained networks have such: batch norm undoes any factor of a column, so nothing keeps columns
alike. Here each channel is judged by itself, because a layer's largest value would hide the rest.
"""

import numpy as np
import pytest

from npmobilenet.architecture import BatchNormalization, Network, ReLU, ZeroPadding2D

pytestmark = pytest.mark.tensorflow


def batch_norms(network: Network):
    """Each with the convolution before it."""
    for node in network:
        if isinstance(node.layer, BatchNormalization):
            yield node.name, node.inputs[0]


def columns(network, weights):
    """Columns times 2^0 to 2^12, and batch norm undoes it: the same network but for epsilon."""
    rng, changed = np.random.default_rng(1), dict(weights)
    for norm, before in batch_norms(network):
        kernel = weights[f"{before}/kernel"]
        power = 2.0 ** rng.integers(0, 13, weights[f"{norm}/gamma"].shape)
        changed[f"{before}/kernel"] = kernel * power.reshape(_along(kernel, power))
        changed[f"{norm}/moving_mean"] = weights[f"{norm}/moving_mean"] * power
        changed[f"{norm}/moving_variance"] = weights[f"{norm}/moving_variance"] * power**2
    return as_float32(changed)


def channels(network, weights):
    """Channels divided by 2^0 to 2^12, and the weights of the next layer multiplied by that."""
    rng, changed = np.random.default_rng(2), dict(weights)
    readers = {}
    for node in network:
        for source in node.inputs:
            readers.setdefault(source, []).append(node)
    for norm, _ in batch_norms(network):
        after = readers.get(norm, [])
        while len(after) == 1 and isinstance(after[0].layer, ReLU | ZeroPadding2D):
            after = readers.get(after[0].name, [])
        if len(after) != 1 or f"{after[0].name}/kernel" not in weights:
            continue
        power = 2.0 ** -rng.integers(0, 13, weights[f"{norm}/gamma"].shape)
        for name in ("gamma", "beta"):
            changed[f"{norm}/{name}"] = changed[f"{norm}/{name}"] * power
        kernel = changed[f"{after[0].name}/kernel"]
        changed[f"{after[0].name}/kernel"] = kernel / power[:, None]
    return as_float32(changed)


def variances(network, weights):
    """Variances of batch norm from 1e-8 to 1e4; the sums before it are as large as they say."""
    rng, changed = np.random.default_rng(3), dict(weights)
    for norm, before in batch_norms(network):
        kernel = weights[f"{before}/kernel"]
        variance = 10.0 ** rng.uniform(-8, 4, weights[f"{norm}/gamma"].shape)
        factor = np.sqrt((variance + 1e-3) / (weights[f"{norm}/moving_variance"] + 1e-3))
        changed[f"{before}/kernel"] = kernel * factor.reshape(_along(kernel, factor))
        changed[f"{norm}/moving_mean"] = weights[f"{norm}/moving_mean"] * factor
        changed[f"{norm}/moving_variance"] = variance
    return as_float32(changed)


def _along(kernel, factor):
    """The shape in which a factor for each output channel goes with a kernel."""
    depthwise = kernel.shape[3] == 1 and kernel.shape[2] == factor.size
    return (factor.size, 1) if depthwise else (factor.size,)


def as_float32(weights):
    return {name: np.asarray(values, np.float32) for name, values in weights.items()}


_ENOUGH = 1000  # values of a channel: of fewer, a root mean square is luck
_RULE = {0.5: 1.25, 0.99: 1.5, 1.0: 4.0}
"""The share of channels whose error is at most so many times TensorFlow's, plus 1e-7 of the largest
value: a channel that is nearly always cut off has few values, and its error is luck."""

CASES = [
    {"version": 1, "alpha": 1.0, "size": (96, 96)},
    {"version": 1, "alpha": 1.0, "size": (224, 224), "file": "mobilenet_1_0_224_tf.h5"},
    {"version": 2, "alpha": 0.5, "size": (96, 64)},
]


QUICK = [(CASES[0], columns), (CASES[0], channels)]
LONG = [
    pytest.param(case, change, marks=pytest.mark.slow)
    for case in CASES
    for change in (columns, channels, variances)
    if (case, change) not in QUICK
]


@pytest.mark.parametrize(("case", "change"), [*QUICK, *LONG])
def test_every_channel_is_as_exact_as_tensorflow(twins_of, case, change):
    """Each layer by the rule for whole layers, and the root mean square error of its channels."""
    twins = twins_of(change=change, **case)
    judged, failures = twins.judged, []
    for name in twins.listed["numba"]:
        layer = judged[name]
        error, allowed, largest = layer.errors["numba"], layer.errors["keras32"], layer.largest
        if not error <= 1.5 * allowed + 1e-6 * largest:
            failures.append(f"{name}: {error:.3g}, TensorFlow {allowed:.3g}, values to {largest}")
        values = np.prod(twins.network.shapes[name][:-1], dtype=int) * len(twins.batch)
        if values < _ENOUGH:
            continue
        ours, theirs = (np.sqrt(layer.squares[who] / values) for who in ("numba", "keras32"))
        ratio = (ours + 1e-37) / (theirs + 1e-7 * layer.sizes + 1e-37)
        for share, most in _RULE.items():
            if np.quantile(ratio, share) > most:
                failures.append(f"{name}: {np.quantile(ratio, share):.3g} at {share} of channels")
    assert not failures, "\n".join(failures)


def test_the_weights_are_skewed(twins_of):
    """Otherwise the tests above would pass any kernel."""
    for change, name, axis in (
        (columns, "conv_pw_9/kernel", (0, 1, 2)),
        (channels, "conv_pw_9/kernel", (0, 1, 3)),
        (variances, "conv_pw_9/kernel", (0, 1, 2)),
    ):
        kernel = twins_of(change=change, **CASES[0]).weights[name]
        sizes = np.sqrt(np.square(kernel).mean(axis))
        assert sizes.max() / sizes.min() > 500
