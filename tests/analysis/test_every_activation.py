"""What the analyses say of each activation holds, or they name the layer that they refuse."""

import numpy as np
import pytest

from npmobilenet.analysis.inside.local_slopes import local_slopes
from npmobilenet.analysis.inside.ranges import propagate
from npmobilenet.analysis.operations import other_operations
from npmobilenet.analysis.parity.bounds import Bounded, bounded_layer
from npmobilenet.analysis.references.onnx_export import onnx_model
from npmobilenet.architecture import Activation, Dense, Input, Network, Node, PReLU
from npmobilenet.architecture.activations import FACTS
from npmobilenet.formats.write_keras_model import write_keras_model
from npmobilenet.interpreter import NumpyProgram, run_layer

SPELLINGS = [
    *FACTS,
    "celu(0.3)",
    "elu(0.3)",
    "hard_shrink(0.3)",
    "leaky_relu(0.1)",
    "leaky_relu(1.5)",
    "sloped_relu(4.0, 0.2, 0.7)",
    "sloped_relu(inf, 0.0, 0.7)",
    "sloped_relu(0.5, 0.1, 1.0)",
    "soft_shrink(0.3)",
    "squareplus(2.0)",
]
SHARES = ("softmax", "log_softmax", "sparsemax")


def values():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.geomspace(1e-6, 60, 300), [0, 0.3, 0.5, 0.7, 1, 3, 6]])
    x = np.concatenate([x, -x, rng.normal(0, 2, 600)])
    return rng.permutation(x).astype(np.float32).reshape(-1, 1, 1, 2)


def layers(names=SPELLINGS):
    """Each activation, and PReLU with slopes that fall, rise and are steep."""
    return list(_layers(names))


def _layers(names):
    for name in names:
        yield pytest.param(Activation(name="act", activation=name), {}, id=name)
    for case, alpha in (("falls", -0.5), ("rises", 0.3), ("steep", 2.5)):
        layer = PReLU(name="act", shared_axes=(1, 2))
        yield pytest.param(layer, {"alpha": np.array([[[alpha, -alpha]]])}, id=f"prelu {case}")


@pytest.mark.parametrize(("layer", "variables"), layers())
def test_ranges_hold_every_value(layer, variables):
    x = values().astype(np.float64)
    for low, high in [(-9, 9), (-9, -1.2), (-1.2, -0.1), (-0.4, 0.2), (0.1, 7), (0.6, 5.5)]:
        inside = np.clip(x, low, high)
        found = run_layer(layer, variables, inside)
        ends = np.full(2, low, np.float64), np.full(2, high, np.float64)
        try:
            bounds = propagate(layer, variables, ends)
        except ValueError as error:
            assert layer.activation in str(error)  # noqa: PT017
            continue
        assert (found >= bounds[0] - 1e-12).all()
        assert (found <= bounds[1] + 1e-12).all()


@pytest.mark.parametrize(("layer", "variables"), layers())
def test_float32_stays_within_its_bounds(layer, variables):
    x = values()
    for noise in (0.0, 1e-3):
        moved = (x * np.float32(1 + noise)).astype(np.float32)
        given = Bounded(x.astype(np.float64), np.abs(moved.astype(np.float64) - x))
        try:
            bounded = bounded_layer(layer, variables, given)
        except ValueError as error:
            assert layer.activation in str(error)  # noqa: PT017
            continue
        error = np.abs(run_layer(layer, variables, moved).astype(np.float64) - bounded.value)
        worst = np.argmax(error - bounded.error)
        assert (error <= bounded.error).all(), x.flat[worst]


@pytest.mark.parametrize(("layer", "variables"), layers(n for n in SPELLINGS if n not in SHARES))
def test_tangents_touch(layer, variables):
    rng = np.random.default_rng(3)
    if isinstance(layer, PReLU):
        layer, variables = PReLU(name="act"), {"alpha": variables["alpha"].ravel()}
    nodes = (
        Node(Input(name="in", shape=(2,)), ()),
        Node(layer, ("in",)),
        Node(Dense(name="out", units=2), ("act",)),
    )
    network = Network("head", nodes)
    weights = {"out/kernel": rng.normal(size=(2, 2)), "out/bias": rng.normal(size=2)}
    weights |= {f"act/{name}": value for name, value in variables.items()}
    dense = {"kernel": weights["out/kernel"], "bias": weights["out/bias"]}

    def run(x):
        return run_layer(nodes[2].layer, dense, run_layer(layer, variables, x))[0, 1]

    for x in rng.normal(0, 2, (40, 1, 2)):
        slopes, offset = local_slopes(network, weights, x, 1)
        assert run(x) == pytest.approx(np.sum(slopes * x) + offset, abs=1e-6)
        for axis in (0, 1):
            step = np.zeros((1, 2))
            step[0, axis] = 1e-5
            quotient = (run(x + step) - run(x - step)) / 2e-5
            assert slopes[0, axis] == pytest.approx(quotient, abs=1e-4)


@pytest.mark.parametrize("name", SPELLINGS)
def test_each_has_a_count(name):
    count = other_operations(Activation(name="act", activation=name), (5, 4, 3))
    assert count == 60 * FACTS[name.partition("(")[0]].operations


def network_of(layer, shape):
    return Network("one", (Node(Input(name="in", shape=shape), ()), Node(layer, ("in",))))


@pytest.mark.parametrize("name", [*SPELLINGS, "prelu", "prelu shared"])
@pytest.mark.parametrize("shape", [(4, 5, 3), (5, 3), (6,)], ids=len)
def test_onnx_gives_the_same_or_refuses(name, shape, rng):
    """Values lie as (N, C, ...) there: what works along channels must name their axis."""
    runtime = pytest.importorskip("onnxruntime")
    if name == "linear":
        pytest.skip("an empty graph, which the runtime does not take")
    if name.startswith("prelu"):
        shared = (1,) if name == "prelu shared" and len(shape) > 1 else ()
        network = network_of(PReLU(name="act", shared_axes=shared), shape)
    else:
        network = network_of(Activation(name="act", activation=name), shape)
    weights = {
        key: rng.normal(0, 0.5, size).astype(np.float32) for key, size in network.variables.items()
    }
    x = rng.normal(0, 2, (2, *shape)).astype(np.float32)
    try:
        model, _ = onnx_model(network, weights, 2)
    except ValueError as error:
        assert "'act'" in str(error)  # noqa: PT017
        assert "cannot be written for ONNX" in str(error)  # noqa: PT017
        return
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"in": np.ascontiguousarray(np.moveaxis(x, -1, 1))})
    expected = NumpyProgram(network, weights)(x)
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [*SPELLINGS, "prelu", "prelu shared"])
def test_written_for_keras_it_means_the_same_or_is_refused(name, tmp_path, rng):
    keras = pytest.importorskip("keras")
    if name.startswith("prelu"):
        shared = (1, 2) if name == "prelu shared" else ()
        network = network_of(PReLU(name="act", shared_axes=shared), (3, 4, 3))
    else:
        network = network_of(Activation(name="act", activation=name), (3, 4, 3))
    weights = {
        key: rng.normal(0, 0.5, size).astype(np.float32) for key, size in network.variables.items()
    }
    x = rng.normal(0, 2, (2, 3, 4, 3)).astype(np.float32)
    path = tmp_path / "written.h5"
    try:
        write_keras_model(path, network, weights)
    except ValueError as error:
        assert "'act'" in str(error)  # noqa: PT017
        assert not path.exists()
        return
    found = keras.models.load_model(path, compile=False).layers[-1](x)
    np.testing.assert_allclose(found, NumpyProgram(network, weights)(x), rtol=1e-5, atol=1e-6)
