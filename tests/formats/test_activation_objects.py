"""What stands in a file as an activation but is not Keras' own, and calls with arguments."""

from typing import Any

import numpy as np
import pytest

from npmobilenet.architecture import Activation, ReLU
from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.formats.keras_config import read_config
from npmobilenet.loading import load_model
from tests.formats.test_configurations import functional, layer, operation

Config = dict[str, Any]
FORMS = {".keras": "model.keras", ".h5": "whole.h5"}
CODE = "not from Keras; code in model files is never run"


def leaky(**entries: Any) -> Config:
    return {"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}} | entries


def of(activation: Any) -> Config:
    return functional(layer("Dense", "x", "images", units=3, activation=activation))


@pytest.mark.parametrize(
    "activation",
    [
        leaky(registered_name="Mine>LeakyReLU"),
        leaky(module="mine.layers"),
        {"class_name": "function", "config": "Mine>relu", "registered_name": "Mine>relu"},
        # Keras writes its own functions as plain names.
        {"class_name": "function", "config": "mish", "registered_name": "function"},
        {"class_name": "__lambda__", "config": {"value": "4wEAAAAA"}},
        {"value": ["4wEAAAAA", None, None]},
        {"class_name": "Activation", "config": {"activation": leaky(module="mine")}},
    ],
)
def test_what_comes_from_elsewhere_is_code(activation: Any) -> None:
    with pytest.raises(ModelFileError, match=rf"'x' .*{CODE}"):
        read_config(of(activation), keras=3)


@pytest.mark.parametrize(
    "entries",
    [{}, {"module": "keras.layers", "registered_name": None}, {"registered_name": "LeakyReLU"}],
)
def test_what_comes_from_keras_is_read(entries: Config) -> None:
    network = read_config(of(leaky(**entries)), keras=3).network
    assert network["x"].layer.activation == "leaky_relu(0.5)"  # type: ignore[attr-defined]


@pytest.mark.parametrize("activation", ["relu7", "sloped_relu", "gelu_tanh", "relu(0.1)", 3, []])
def test_other_names_are_refused(activation: Any) -> None:
    with pytest.raises(ModelFileError, match=r"activation is .*, expected"):
        read_config(of(activation), keras=3)


def test_nesting_ends_in_an_error() -> None:
    activation: Any = "tanh"
    for _ in range(10):
        activation = {"class_name": "Activation", "config": {"activation": activation}}
    assert read_config(of(activation), keras=3).network["x"]
    for _ in range(5000):
        activation = {"class_name": "Activation", "config": {"activation": activation}}
    with pytest.raises(ModelFileError, match="expected activations nested at most 16 deep"):
        read_config(of(activation), keras=3)


def test_fields_of_objects_are_not_passed_over() -> None:
    activation = {"class_name": "LeakyReLU", "config": {"negative_slope": 0.5, "rounding": "up"}}
    with pytest.raises(ModelFileError, match="field 'rounding' is 'up', which is not supported"):
        read_config(of(activation), keras=3)
    activation = {"class_name": "PReLU", "config": {}}
    with pytest.raises(ModelFileError, match="expected the name of a function, or a layer without"):
        read_config(of(activation), keras=3)


def tf_call(function: str, **arguments: Any) -> Config:
    called = layer("TFOpLambda", "op", function=function)
    called["inbound_nodes"] = [["images", 0, 0, arguments]]
    return functional(called)


def test_an_argument_that_is_not_as_expected_is_shown() -> None:
    with pytest.raises(ModelFileError, match=r"'op' .*axis is 1, expected the last one"):
        read_config(tf_call("nn.softmax", axis=1), keras=2)
    with pytest.raises(ModelFileError, match=r"alpha is -0.3, expected a number of 0 or more"):
        read_config(tf_call("nn.leaky_relu", alpha=-0.3), keras=2)
    with pytest.raises(ModelFileError, match=r"called with beta = 2.0, which is not supported"):
        read_config(tf_call("nn.silu", beta=2.0), keras=2)


def test_threshold_is_a_relu_where_what_lies_below_becomes_zero() -> None:
    fields = {"threshold": 0.5, "default_value": 0.0}
    config = functional(operation("Threshold", "op", "@images", **fields))
    found = read_config(config, keras=3).network["op"].layer
    assert found == Activation(name="op", activation="sloped_relu(inf, 0.0, 0.5)")
    config = functional(operation("Threshold", "op", "@images", **fields | {"default_value": 0.25}))
    with pytest.raises(ModelFileError, match=r"default_value is 0.25, expected 0"):
        read_config(config, keras=3)


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (0.0, 6.0, ReLU(name="op", max_value=6.0)),
        (0, 1, ReLU(name="op", max_value=1.0)),
        (-1.0, 1.0, Activation(name="op", activation="hard_tanh")),
    ],
)
def test_clipping_from_zero_is_a_relu(least: float, most: float, expected: object) -> None:
    config = tf_call("clip_by_value", clip_value_min=least, clip_value_max=most)
    assert read_config(config, keras=2).network["op"].layer == expected
    config = functional(operation("Clip", "op", "@images", x_min=least, x_max=most))
    assert read_config(config, keras=3).network["op"].layer == expected


@pytest.mark.parametrize(
    ("least", "most", "message"),
    [
        (-2.0, 2.0, "clip_value_min is -2.0, expected 0"),
        (0.0, -1.0, "clip_value_min is 0.0, expected 0, and no less"),
        (0.0, None, "clip_value_max is None, expected a number"),
        (True, 1.0, "clip_value_min is True, expected a number"),
        (["images", 0, 0], 1.0, "clip_value_min is .*, expected a number"),
    ],
)
def test_other_clippings_are_refused(least: Any, most: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_config(tf_call("clip_by_value", clip_value_min=least, clip_value_max=most), keras=2)


@pytest.mark.tensorflow
def test_functions_that_keras_writes_as_clippings(
    keras: Any, keras2: Any, tmp_path: Any, save: Any, rng: Any
) -> None:
    images = rng.normal(0, 4, (2, 3, 4, 3)).astype(np.float32)
    for library, form, functions in (
        (keras, "model.keras", [lambda x: keras.ops.clip(x, 0.0, 6.0)]),
        (keras2, "whole.h5", [keras2.activations.hard_sigmoid]),
    ):
        for function in functions:
            inputs = library.Input((3, 4, 3))
            model = library.Model(inputs, function(inputs))
            found = load_model(save(model, tmp_path, form)).predict(images)
            expected = model.predict(images, verbose=0)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.tensorflow
def test_a_registered_class_with_the_name_of_a_layer(keras: Any, tmp_path: Any, save: Any) -> None:
    class LeakyReLU(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def call(self, x: Any) -> Any:
            return -x

    own = keras.saving.register_keras_serializable("NotKeras")(LeakyReLU)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(3, activation=own())(inputs))
    for name in FORMS.values():
        save(model, tmp_path, name)
        with pytest.raises(ModelFileError, match=f"activation 'LeakyReLU' .*{CODE}"):
            read_model_file(tmp_path / name)


@pytest.mark.tensorflow
@pytest.mark.parametrize("version", [2, 3])
def test_in_the_middle_of_a_network(
    version: int, request: Any, tmp_path: Any, randomise: Any, save: Any, rng: Any
) -> None:
    """Kernels before and behind, a residual over it, and slopes for each channel."""
    keras = request.getfixturevalue("keras" if version == 3 else "keras2")
    made = keras.layers
    slope = "negative_slope" if version == 3 else "alpha"
    inputs = keras.Input((9, 8, 4))
    x = made.Conv2D(12, 1, activation=made.LeakyReLU(**{slope: 0.1}))(inputs)
    x = made.PReLU(shared_axes=[1, 2])(made.BatchNormalization()(x))
    x = made.PReLU()(made.DepthwiseConv2D(3, padding="same")(x))
    x = made.Add()([inputs, made.Conv2D(4, 1, activation="mish")(x)])
    x = made.ReLU(4.0, negative_slope=0.2, threshold=0.1)(made.SeparableConv2D(8, 3)(x))
    x = made.Dense(5, activation="softsign")(made.GlobalAveragePooling2D()(x))
    model = randomise(keras.Model(inputs, made.Softmax()(x)))
    images = rng.normal(0, 2, (3, 9, 8, 4)).astype(np.float32)
    expected = model.predict(images, verbose=0)
    for suffix in (".keras", ".h5") if version == 3 else (".h5",):
        save(model, tmp_path, FORMS[suffix])
        for backend in ("numpy", "numba"):
            loaded = load_model(tmp_path / FORMS[suffix], backend=backend)
            for threads in (1, 2) if backend == "numba" else (None,):
                found = loaded.predict(images, threads=threads)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
