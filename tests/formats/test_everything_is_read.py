"""The rule of the reader: each field and argument is used, means nothing here, or is refused."""

import json
from typing import Any

import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.formats.keras_config import read_config
from npmobilenet.formats.keras_fields import Fields
from npmobilenet.formats.keras_layers import keras_layer
from npmobilenet.interpreter import NumpyProgram
from tests.formats.test_configurations import functional, layer, operation

Config = dict[str, Any]

ARGUMENTS: dict[str, dict[str, Any]] = {
    "Activation": {"activation": "relu"},
    "AveragePooling2D": {"pool_size": 2},
    "CenterCrop": {"height": 4, "width": 4},
    "Conv2D": {"filters": 4, "kernel_size": 3},
    "Cropping2D": {"cropping": 1},
    "Dense": {"units": 3},
    "DepthwiseConv2D": {"kernel_size": 3},
    "Dropout": {"rate": 0.5},
    "MaxPooling2D": {"pool_size": 2},
    "Permute": {"dims": (2, 1, 3)},
    "RepeatVector": {"n": 3},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (192,)},
    "Resizing": {"height": 4, "width": 4},
    "SeparableConv2D": {"filters": 4, "kernel_size": 3},
}
ARGUMENT_FREE = [
    "Add",
    "BatchNormalization",
    "ELU",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "ReLU",
    "Softmax",
    "UpSampling2D",
    "ZeroPadding2D",
]
PASSING = ("ActivityRegularization", "Identity", "RandomFlip")  # no field can mean anything
CLASSES = sorted([*ARGUMENTS, *ARGUMENT_FREE, *PASSING])


def written(library: Any, class_name: str) -> Config:
    """The configuration that a Keras writes for a layer, as JSON gives it back."""
    made = getattr(library.layers, class_name)(**ARGUMENTS.get(class_name, {}))
    serialised = library.utils.serialize_keras_object(made.get_config())
    config: Config = json.loads(json.dumps(serialised))
    return config


@pytest.fixture(params=[2, 3])
def library(request: pytest.FixtureRequest) -> Any:
    """Keras 2 and Keras 3."""
    return request.getfixturevalue("keras" if request.param == 3 else "keras2")


@pytest.mark.tensorflow
@pytest.mark.parametrize("class_name", CLASSES)
def test_every_field_that_keras_writes_is_known(class_name: str, library: Any) -> None:
    config = written(library, class_name)
    assert len(config) > 2
    keras_layer(Fields(class_name, "x", config, 3))


@pytest.mark.tensorflow
@pytest.mark.parametrize("class_name", sorted(set(CLASSES) - set(PASSING)))
def test_no_other_field_is(class_name: str, library: Any) -> None:
    config = written(library, class_name) | {"rounding": "up"}
    with pytest.raises(ModelFileError, match=r"field 'rounding' is 'up', which is not supported"):
        keras_layer(Fields(class_name, "x", config, 3))
    keras_layer(Fields(class_name, "x", config | {"rounding": None}, 3))


CONV = layer("Conv2D", "conv", "images", filters=4, kernel_size=[3, 3])


def with_argument(argument: str, value: Any) -> Config:
    called = layer("BatchNormalization", "norm", "images")
    called["inbound_nodes"][0][0][3] = {argument: value}
    return functional(called)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("renorm", True),
        ("quantization_config", {"class_name": "Int8"}),
        ("rounding", False),
        ("x" * 100_000, "y" * 100_000),
    ],
)
def test_unknown_fields_are_refused(field: str, value: Any) -> None:
    config = functional(layer("BatchNormalization", "norm", "images", **{field: value}))
    with pytest.raises(ModelFileError, match="which is not supported") as failure:
        read_config(config)
    assert len(str(failure.value)) < 300


def test_fields_of_models_are_not_passed_over() -> None:
    config = functional(CONV)
    config["config"]["heads"] = 2
    with pytest.raises(ModelFileError, match=r"layer 'model' \(Functional\): field 'heads' is 2"):
        read_config(config)
    config = functional(CONV)
    config["config"]["layers"][0]["config"]["ragged"] = True
    with pytest.raises(ModelFileError, match=r"'images' \(InputLayer\): field 'ragged' is True"):
        read_config(config)
    config = functional(CONV | {"wrapped_by": "something"})
    with pytest.raises(ModelFileError, match="has 'wrapped_by' beside its config"):
        read_config(config)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"module": "mine.layers"}, "comes from module 'mine.layers', not from Keras"),
        ({"registered_name": "Mine>Conv2D"}, "comes from package 'Mine>Conv2D', not from Keras"),
    ],
)
def test_classes_of_the_same_name_are_not_keras(entry: Config, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_config(functional(CONV | entry))
    read_config(functional(CONV | {"module": "keras.layers", "registered_name": None}))
    read_config(functional(CONV | {"module": "keras.src.layers", "registered_name": "Conv2D"}))


@pytest.mark.parametrize(
    ("argument", "value"),
    [("training", True), ("training", 1), ("mask", ["images", 0, 0]), ("rounding", "up")],
)
def test_unknown_arguments_are_refused(argument: str, value: Any) -> None:
    config = with_argument(argument, value)
    for keras in (None, 2):
        with pytest.raises(ModelFileError, match=f"'norm' .* is called with {argument} = "):
            read_config(config, keras=keras)
    if argument != "training":
        with pytest.raises(ModelFileError, match=f"'norm' .* is called with {argument} = "):
            read_config(config, keras=3)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("training", False), ("training", None), ("mask", None), ("name", "x"), ("rounding", None)],
)
def test_arguments_without_meaning(argument: str, value: Any) -> None:
    assert read_config(with_argument(argument, value)).network["norm"]


def test_training_in_nested_models_is_refused_too() -> None:
    inner = functional(layer("BatchNormalization", "norm", "images"))
    nested = inner | {"name": "body", "inbound_nodes": [[["images", 0, 0, {"training": True}]]]}
    with pytest.raises(ModelFileError, match="is called with training = True"):
        read_config(functional(nested), keras=2)


def test_positions_are_arguments_too() -> None:
    config = functional(operation("BatchNormalization", "norm", "@images", True))
    with pytest.raises(ModelFileError, match="is called with argument 2 = True"):
        read_config(config)
    config = functional(operation("BatchNormalization", "norm", "@images", 2.0))
    with pytest.raises(ModelFileError, match="is called with numbers"):
        read_config(config)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", None, {"class_name": "Mine"}])
def test_casts_to_integers_are_refused(dtype: Any) -> None:
    call = layer("TFOpLambda", "op", function="cast")
    call["inbound_nodes"] = [["images", 0, 0, {"dtype": dtype}]]
    graph = layer("TensorFlowOpLayer", "op", "images", node_def={"op": "Cast", "attr": {
        "DstT": {"type": "DT_UINT8"}}}, constants={})  # fmt: skip
    for config in (operation("Cast", "op", "@images", dtype=dtype), call, graph):
        with pytest.raises(ModelFileError, match=r"casts to .*, which is not supported"):
            read_config(functional(config))


def test_integer_layers_are_refused() -> None:
    config = functional(CONV | {"config": CONV["config"] | {"dtype": "int8_from_float32"}})
    with pytest.raises(ModelFileError, match="computes in 'int8_from_float32'"):
        read_config(config)
    config = functional(CONV)
    config["config"]["layers"][0]["config"]["dtype"] = "uint8"
    assert read_config(config).notes == (
        "the file takes images as 'uint8'; here values need not be whole numbers",
    )


def test_what_is_code_says_so_and_the_rest_is_not_supported() -> None:
    for name in ("Lambda", "Mine>Layer"):
        with pytest.raises(ModelFileError, match="code in model files is never run"):
            read_config(functional(layer(name, "x", "images")))
    with pytest.raises(ModelFileError, match="of class 'Conv3D', which is not supported"):
        read_config(functional(layer("Conv3D", "x", "images")))
    with pytest.raises(ModelFileError, match=r"calls 'tf.linalg.inv', which is not supported"):
        read_config(functional(layer("TFOpLambda", "x", "images", function="linalg.inv")))


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["whole.h5", "model.keras"])
@pytest.mark.parametrize("where", ["own layer", "in a layer"])
def test_hard_sigmoid_means_what_its_keras_meant(
    where: str, form: str, library: Any, save: Any, tmp_path: Any, rng: Any
) -> None:
    activation = "hard_sigmoid"
    layers = library.layers
    if where == "own layer":
        body = [layers.Activation(activation)]
    else:
        body = [layers.Conv2D(3, 1, activation=activation)]
    source = library.Sequential([library.Input((4, 4, 3)), *body])
    model = read_model_file(save(source, tmp_path, form))
    images = rng.uniform(-5, 5, (2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(
        NumpyProgram(model.network, model.weights)(images),
        source.predict(images, verbose=0),
        atol=1e-6,
    )


def test_hard_sigmoid_of_an_unknown_keras_is_refused() -> None:
    with pytest.raises(ModelFileError, match="2 and 3 differ"):
        read_config(functional(layer("Activation", "x", "images", activation="hard_sigmoid")))


@pytest.mark.tensorflow
def test_statistics_of_the_batch_are_not_silently_replaced(
    library: Any, save: Any, tmp_path: Any, rng: Any
) -> None:
    """``predict`` of Keras 2 obeys ``training=True``, that of Keras 3 does not."""
    images = library.Input((4, 4, 3))
    called = library.layers.BatchNormalization()(images, training=True)
    source = library.Model(images, called)
    path = save(source, tmp_path, "whole.h5")
    if library.__version__.startswith("2"):
        with pytest.raises(ModelFileError, match="is called with training = True"):
            read_model_file(path)
        return
    model = read_model_file(path)
    values = rng.normal(3, 2, (4, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(
        NumpyProgram(model.network, model.weights)(values),
        source.predict(values, verbose=0),
        atol=1e-5,
    )
