"""Every activation of Keras 2 and Keras 3: as a name, a layer, an object and a call."""

import warnings

import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.loading import load_model

pytestmark = pytest.mark.tensorflow

X = np.concatenate(
    [
        np.linspace(-9, 9, 61),
        [0.0, -0.0, 88, -88, 100, -100, 1e30, -1e30, 1e-40, -1e-40, 0.5, -0.5, 1, -1, 6, 3],
    ]
).astype(np.float32)


def saved(keras, model, path):
    """A file, and what Keras predicts for some values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HDF5 is called old
        model.save(path)
    x = np.zeros((2, *model.input_shape[1:]), np.float32)
    x.reshape(2, -1)[:] = np.resize(X, x[0].size) * np.array([[1], [0.37]], np.float32)
    if any("kernel" in weight.name for weight in model.weights):
        x = np.clip(x, -1, 1)  # in sums, large values would leave their roundings alone
    return x, model.predict(x, verbose=0)


def agrees(path, x, expected):
    for backend in ("numpy", "numba"):
        found = load_model(path, backend=backend).predict(x)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def layers_of(keras):
    made = keras.layers
    slope = "negative_slope" if keras.__version__[0] == "3" else "alpha"
    found = [
        made.LeakyReLU(),
        made.LeakyReLU(**{slope: 0.1}),
        made.PReLU(alpha_initializer=keras.initializers.RandomUniform(-0.5, 1.5)),
        made.PReLU(
            shared_axes=[1, 2], alpha_initializer=keras.initializers.RandomUniform(-0.5, 1.5)
        ),
        made.ELU(),
        made.ELU(0.7),
        made.ReLU(),
        made.ReLU(3.5),
        made.ReLU(max_value=5.0, negative_slope=0.2, threshold=0.75),
        made.ReLU(negative_slope=0.05),
        made.Softmax(),
        made.Activation(made.LeakyReLU(**{slope: 0.15})),
        made.Activation(made.ReLU(4.0)),
        made.Activation(keras.activations.softsign),
        made.Dense(4, activation=made.LeakyReLU(**{slope: 0.15})),
        made.Conv2D(3, 2, activation=made.ELU(0.4)),
        made.Dense(4, activation=made.ReLU(6.0)),
    ]
    if keras.__version__[0] == "2":
        found.append(made.ThresholdedReLU(0.6))
    return found


@pytest.mark.parametrize("version", [2, 3])
def test_layers_and_objects(version, request, tmp_path):
    keras = request.getfixturevalue("keras" if version == 3 else "keras2")
    inputs = keras.Input((7, 11, 3))
    for number, layer in enumerate(layers_of(keras)):
        model = keras.Model(inputs, layer(inputs))
        for suffix in (".keras", ".h5") if version == 3 else (".h5",):
            path = tmp_path / f"{number}{suffix}"
            agrees(path, *saved(keras, model, path))


NAMES = {
    2: "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign "
    "swish tanh",
    3: "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh "
    "leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink "
    "softmax softplus softsign sparse_plus sparse_sigmoid squareplus swish tanh "
    "tanh_shrink",
}


@pytest.mark.parametrize("version", [2, 3])
def test_names(version, request, tmp_path):
    """One model with an activation after the other would hide a wrong one: each has its own."""
    keras = request.getfixturevalue("keras" if version == 3 else "keras2")
    inputs = keras.Input((7, 11, 3))
    for name in NAMES[version].split():
        model = keras.Model(inputs, keras.layers.Activation(name)(inputs))
        path = tmp_path / f"{name}.h5"
        x, expected = saved(keras, model, path)
        with np.errstate(all="ignore"):
            found = load_model(path, backend="numpy").predict(x)
        np.testing.assert_allclose(found, expected, rtol=3e-6, atol=3e-6, err_msg=name)


def functions_of(keras, tensorflow):
    if keras.__version__[0] == "3":
        ops = keras.ops
        return [
            ops.relu,
            ops.relu6,
            ops.sigmoid,
            ops.tanh,
            ops.silu,
            ops.softplus,
            ops.softsign,
            ops.selu,
            ops.log_sigmoid,
            ops.hard_sigmoid,
            ops.hard_silu,
            ops.softmax,
            ops.log_softmax,
            ops.exp,
            lambda x: ops.leaky_relu(x, 0.3),
            lambda x: ops.elu(x, 0.5),
            lambda x: ops.gelu(x, approximate=False),
            lambda x: ops.gelu(x),
            lambda x: ops.celu(x, 0.5),
            ops.hard_tanh,
            ops.soft_shrink,
            ops.squareplus,
            lambda x: keras.activations.relu(x, negative_slope=0.2),
        ]
    nn, math = tensorflow.nn, tensorflow.math
    return [
        nn.relu,
        nn.relu6,
        nn.elu,
        nn.selu,
        nn.softplus,
        nn.softsign,
        nn.silu,
        nn.tanh,
        nn.sigmoid,
        nn.softmax,
        nn.log_softmax,
        nn.leaky_relu,
        nn.gelu,
        math.sigmoid,
        math.tanh,
        math.log_sigmoid,
        tensorflow.exp,
        lambda x: nn.leaky_relu(x, alpha=0.3),
        lambda x: nn.gelu(x, approximate=True),
        lambda x: nn.softmax(x, axis=-1),
    ]


@pytest.mark.parametrize("version", [2, 3])
def test_calls_of_functions(version, request, tmp_path):
    keras = request.getfixturevalue("keras" if version == 3 else "keras2")
    tensorflow = pytest.importorskip("tensorflow")
    inputs = keras.Input((7, 11, 3))
    for number, function in enumerate(functions_of(keras, tensorflow)):
        model = keras.Model(inputs, function(inputs))
        path = tmp_path / f"{number}.{'keras' if version == 3 else 'h5'}"
        x, expected = saved(keras, model, path)
        with np.errstate(all="ignore"):
            found = load_model(path, backend="numpy").predict(x)
        np.testing.assert_allclose(
            found, expected, rtol=3e-6, atol=3e-6, err_msg=f"{number} {function}"
        )


def test_what_falls_below_is_refused(keras, tmp_path):
    """Negative slopes would fall, which what is known of a leaky ReLU rules out."""
    inputs = keras.Input((4, 4, 3))
    keras.Model(inputs, keras.layers.ELU(-1.0)(inputs)).save(tmp_path / "falls.keras")
    with pytest.raises(ModelFileError, match=r"alpha is -1\.0, expected a number of 0 or more"):
        read_model_file(tmp_path / "falls.keras")
