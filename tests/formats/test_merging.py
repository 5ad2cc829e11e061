"""Layers and calls of Keras that merge tensors, and normalisations, beside Keras."""

import warnings

import numpy as np
import pytest

from npmobilenet.analysis.inside.ranges import channel_ranges
from npmobilenet.architecture import (
    Conv2D,
    GlobalAveragePooling2D,
    Input,
    Multiply,
    NetworkBuilder,
    Subtract,
)
from npmobilenet.architecture.heads import embedding
from npmobilenet.engine import NumbaProgram
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.loading import load_model

pytestmark = pytest.mark.tensorflow


def squeezed(keras, x):
    """Squeeze-and-excite."""
    made = keras.layers
    y = made.GlobalAveragePooling2D(keepdims=True)(x)
    y = made.Conv2D(x.shape[-1], 1, activation="sigmoid")(y)
    return made.Multiply()([x, y])


def merges(keras):
    made = keras.layers

    def pair(merge):
        return lambda x: merge([made.Conv2D(4, 3, activation="relu")(x), made.Conv2D(4, 3)(x)])

    def single(layer):
        return lambda x: layer(made.Conv2D(4, 3)(x))

    gamma, beta = (keras.initializers.RandomUniform(0.5, 1.5, seed=seed) for seed in (1, 2))
    return {
        "multiply": pair(made.Multiply()),
        "subtract": pair(made.Subtract()),
        "average": pair(made.Average()),
        "maximum": pair(made.Maximum()),
        "minimum": pair(made.Minimum()),
        "concatenate": pair(made.Concatenate()),
        "concatenate rows": pair(made.Concatenate(axis=1)),
        "three": lambda x: made.Maximum()([made.Conv2D(4, 3)(x) for _ in range(3)]),
        "squeeze and excite": lambda x: made.Conv2D(3, 3)(squeezed(keras, made.Conv2D(8, 3)(x))),
        "operators": lambda x: made.Conv2D(4, 3)(x) * made.Conv2D(4, 3)(x) - made.Conv2D(4, 3)(x),
        "layer normalization": single(
            made.LayerNormalization(gamma_initializer=gamma, beta_initializer=beta)
        ),
        "layer normalization, plain": single(
            made.LayerNormalization(epsilon=1e-5, center=False, scale=False)
        ),
        "unit normalization": single(made.UnitNormalization()),
        "normalization of all": made.Normalization(axis=None, mean=120.0, variance=4000.0),
        "synchronised": single(made.BatchNormalization(synchronized=True)),
    }


CASES = [
    "average",
    "concatenate",
    "concatenate rows",
    "layer normalization",
    "layer normalization, plain",
    "maximum",
    "minimum",
    "multiply",
    "normalization of all",
    "operators",
    "squeeze and excite",
    "subtract",
    "synchronised",
    "three",
    "unit normalization",
]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("case", CASES)
def test_equals_keras(case, version, request, tmp_path):
    keras = request.getfixturevalue("keras" if version == 3 else "keras2")
    keras.utils.set_random_seed(1)
    inputs = keras.Input((9, 8, 3))
    model = keras.Model(inputs, merges(keras)[case](inputs))
    x = np.random.default_rng(0).normal(0, 2, (3, 9, 8, 3)).astype(np.float32)
    if case.startswith("normalization"):
        x = np.clip(120 + 50 * x, 0, 255)  # pictures, which the statistics are meant for
    expected = model.predict(x, verbose=0)
    for suffix in (".keras", ".h5") if version == 3 else (".h5",):
        path = tmp_path / f"model{suffix}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # HDF5 is called old
            model.save(path)
        for backend in ("numpy", "numba"):
            found = load_model(path, backend=backend).predict(x, threads=None)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_tensorflows_functions(keras2, tmp_path):
    tensorflow = pytest.importorskip("tensorflow")
    made = keras2.layers
    inputs = keras2.Input((9, 8, 3))
    one, other = (made.Conv2D(4, 3)(inputs) for _ in range(2))
    joined = tensorflow.concat(
        [tensorflow.maximum(one, other), tensorflow.math.minimum(one, other), one * other], axis=-1
    )
    model = keras2.Model(inputs, joined)
    x = np.random.default_rng(0).normal(0, 2, (2, 9, 8, 3)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "model.h5")
    found = load_model(tmp_path / "model.h5").predict(x)
    np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-5, atol=2e-6)


def excited():
    net = NetworkBuilder(Input(name="input", shape=(12, 12, 3)))
    net.add(Conv2D(name="conv", filters=6, kernel_size=(3, 3)))
    net.add(GlobalAveragePooling2D(name="squeeze", keepdims=True))
    net.add(Conv2D(name="excite", filters=6, kernel_size=(1, 1), activation="sigmoid"))
    net.add(Multiply(name="scaled"), "excite", "conv")
    net.add(Subtract(name="moved"), "scaled", "conv")
    net.add(Conv2D(name="last", filters=4, kernel_size=(3, 3), activation="relu"))
    return net


def test_squeeze_and_excite_within_compiled_parts():
    net = excited()
    net.add(GlobalAveragePooling2D(name="pool"))
    network = net.build("excited")
    rng = np.random.default_rng(0)
    weights = {k: rng.normal(0, 0.4, v).astype(np.float32) for k, v in network.variables.items()}
    x = rng.normal(0, 1, (2, 12, 12, 3)).astype(np.float32)
    exact = NumpyProgram(network, weights).activations(x.astype(np.float64))
    for fused in (True, False):
        program = NumbaProgram(network, weights, fused=fused)
        for threads in (1, 2):
            for name, value in program.activations(x, threads).items():
                np.testing.assert_allclose(value, exact[name], rtol=1e-5, atol=1e-5, err_msg=name)
    assert embedding(network).output_shape == (4,)


def test_bounds_of_products_hold_all_products():
    """The ends of a product are among the products of ends: two negatives make a positive."""
    net = NetworkBuilder(Input(name="input", shape=(1, 1, 2)))
    net.add(Conv2D(name="a", filters=2, kernel_size=(1, 1)), "input")
    net.add(Conv2D(name="b", filters=2, kernel_size=(1, 1)), "input")
    net.add(Multiply(name="product"), "a", "b")
    net.add(Subtract(name="difference"), "product", "a")
    network = net.build("product", (-1, 1))
    rng = np.random.default_rng(3)
    weights = {k: rng.normal(0, 1, v).astype(np.float32) for k, v in network.variables.items()}
    ranges = channel_ranges(network, weights)
    x = rng.uniform(-1, 1, (5000, 1, 1, 2))
    for name, value in NumpyProgram(network, weights).activations(x).items():
        low, high = ranges[name]
        assert (value >= low - 1e-9).all(), name
        assert (value <= high + 1e-9).all(), name
