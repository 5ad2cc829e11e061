"""MobileNets inside other models: the shapes that fine-tuning gives."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.architecture import Network
from npmobilenet.formats import ModelFile, read_model_file, read_weights
from npmobilenet.interpreter import NumpyProgram


def preprocessing_operations(keras: Any) -> Any:
    """Functional, ``preprocess_input`` as operations, two dense layers."""
    layers = keras.layers
    base = keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False)
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomRotation(0.1)(x)
    x = keras.applications.mobilenet.preprocess_input(x)
    x = base(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(x))


def rescaling_in_sequential(keras: Any) -> Any:
    """Sequential with a nested augmentation model, V2 with its own pooling, a Softmax layer."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomZoom(0.1)]),
            layers.Rescaling(1 / 127.5, offset=-1),
            keras.applications.MobileNetV2(
                (32, 32, 3), alpha=0.35, weights=None, include_top=False, pooling="avg"
            ),
            layers.Dense(5),
            layers.Softmax(),
        ]
    )


def normalization_with_statistics(keras: Any) -> Any:
    """Normalization whose mean and variance stand in the configuration."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Normalization(mean=[127.5] * 3, variance=[127.5**2] * 3),
            keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False),
            layers.GlobalMaxPooling2D(),
            layers.ReLU(6.0),
            layers.Dense(5, use_bias=False),
            layers.Activation("sigmoid"),
        ]
    )


def adapted_normalization(keras: Any) -> Any:
    """Normalization whose mean and variance are tensors of the file."""
    layers = keras.layers
    norm = layers.Normalization()
    # The statistics of images, nearly: half the values are 0, half 255.
    norm.adapt(np.tile(np.array([0.0, 255.0], np.float32), (1, 4, 2, 3)).reshape(1, 4, 4, 3))
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            norm,
            keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def flat(keras: Any) -> Any:
    """``Model(base.input, head(base.output))``: the backbone's layers stand beside the head's."""
    layers = keras.layers
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, include_top=False)
    x = layers.GlobalAveragePooling2D(keepdims=True)(base.output)
    x = layers.Flatten()(x)
    return keras.Model(base.input, layers.Dense(5, activation="softmax", name="mine")(x))


def nested_twice(keras: Any) -> Any:
    """A model in a model in a model, with layers of the same name at each depth."""
    layers = keras.layers
    base = keras.applications.MobileNet(
        (32, 32, 3), alpha=0.25, weights=None, include_top=False, pooling="avg"
    )
    inner = keras.Input((32, 32, 3), name="images")
    x = base(layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(inner))
    features = keras.Model(inner, layers.Dense(8, activation="tanh", name="dense")(x), name="body")
    outer = keras.Input((32, 32, 3), name="images")
    return keras.Model(outer, layers.Dense(5, activation="softmax", name="dense")(features(outer)))


MODELS: dict[str, tuple[Callable[[Any], Any], str, float, tuple[float, float]]] = {
    "operations": (preprocessing_operations, "mobilenet", 0.25, (0, 255)),
    "sequential": (rescaling_in_sequential, "mobilenet_v2", 0.35, (0, 255)),
    "normalization": (normalization_with_statistics, "mobilenet", 0.25, (0, 255)),
    "adapted": (adapted_normalization, "mobilenet", 0.25, (0, 255)),
    "flat": (flat, "mobilenet_v2", 0.35, (-1, 1)),
    "nested twice": (nested_twice, "mobilenet", 0.25, (0, 255)),
}


def assert_runs_as(model: ModelFile, source: Any, low: float, high: float) -> None:
    rng = np.random.default_rng(5)
    images = rng.uniform(low, high, (3, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(source(images, training=False))
    network = model.network.with_input_shape((32, 32, 3))
    np.testing.assert_allclose(NumpyProgram(network, model.weights)(images), expected, atol=1e-5)
    assert expected.std() > 1e-3  # outputs that are all alike would hide a mistake


@pytest.mark.parametrize("form", ["whole.h5", "model.keras"])
@pytest.mark.parametrize("name", MODELS)
def test_whole_models(
    name: str, form: str, keras: Any, randomise: Any, save: Any, tmp_path: Path
) -> None:
    build, kind, alpha, images = MODELS[name]
    source = randomise(build(keras))
    source.compile("adam", "categorical_crossentropy")
    model = read_model_file(save(source, tmp_path, form))
    assert (model.kind, model.alpha, model.include_top, model.classes) == (kind, alpha, False, 5)
    assert model.network.input_range == images
    assert model.pooling == ("max" if name == "normalization" else "avg")
    assert_runs_as(model, source, *images)
    again = read_weights(model.path, model.network)
    for tensor, value in model.weights.items():
        np.testing.assert_array_equal(again[tensor], value)


@pytest.mark.parametrize("form", ["weights.h5", "x.weights.h5"])
@pytest.mark.parametrize("name", ["operations", "sequential", "flat"])
def test_weights_alone(
    name: str,
    form: str,
    keras: Any,
    randomise: Any,
    save: Any,
    tensors_of: Any,
    tmp_path: Path,
) -> None:
    build, kind, alpha, _ = MODELS[name]
    source = randomise(build(keras))
    model = read_model_file(save(source, tmp_path, form))
    assert (model.kind, model.alpha, model.include_top, model.classes) == (kind, alpha, False, 5)
    assert model.network.input_shape == (224, 224, 3)
    expected = tensors_of(source)
    assert model.weights.keys() == expected.keys()
    for tensor, value in model.weights.items():
        np.testing.assert_array_equal(value, expected[tensor])
    said = " ".join(model.assumptions)
    for part in ("224 x 224", "global average pooling", "-1 to 1", "softmax"):
        assert part in said
    # With images prepared beforehand, the assumptions are right for these models.
    rng = np.random.default_rng(5)
    images = rng.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    raw = images if name == "flat" else (images + 1) * 127.5
    np.testing.assert_allclose(
        NumpyProgram(model.network.with_input_shape((32, 32, 3)), model.weights)(images),
        np.asarray(source(raw, training=False)),
        atol=1e-4,
    )


def test_weights_without_names(keras: Any, randomise: Any, save: Any, tmp_path: Path) -> None:
    source = randomise(preprocessing_operations(keras))
    path = save(source, tmp_path, "x.weights.h5")
    named = read_model_file(path)
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)
    model = read_model_file(path)
    assert model.network.variables.keys() >= {"batch_normalization/gamma", "dense/kernel"}
    for one, other in zip(model.weights.values(), named.weights.values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert read_weights(path, model.network).keys() == model.weights.keys()


def test_a_single_unit_is_a_sigmoid(keras: Any, save: Any, tmp_path: Path) -> None:
    source = keras.Sequential(
        [
            keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid", name="is_cat"),
        ]
    )
    model = read_model_file(save(source, tmp_path, "x.weights.h5"))
    assert model.classes == 1
    assert "dense layer 'is_cat' has activation sigmoid" in model.assumptions


def test_flattened_features_give_the_resolution(keras: Any, save: Any, tmp_path: Path) -> None:
    source = keras.Sequential(
        [
            keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None, include_top=False),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    for form in ("weights.h5", "x.weights.h5"):
        model = read_model_file(save(source, tmp_path, form))
        assert model.network.input_shape == (96, 96, 3)
        assert model.network.output_shape == (4,)


def test_an_ambiguous_head_is_refused(keras: Any, save: Any, tmp_path: Path) -> None:
    source = keras.Sequential(
        [
            keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    with pytest.raises(ValueError, match="there are 2 orders in which"):
        read_model_file(save(source, tmp_path, "x.weights.h5"))
    # The older layout and whole models keep the order.
    for form in ("weights.h5", "whole.h5", "model.keras"):
        names = [node.name for node in read_model_file(save(source, tmp_path, form)).network]
        assert len([name for name in names if "dense" in name]) == 2


@pytest.mark.parametrize("form", ["whole.h5", "model.keras", "w.h5", "x.weights.h5"])
def test_keras_2(form: str, keras2: Any, randomise: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HDF5 is called legacy
        source = randomise(preprocessing_operations_of_keras2(keras2))
        if form in ("w.h5", "x.weights.h5"):
            source.save_weights(tmp_path / form)
        else:
            source.save(tmp_path / form)
    model = read_model_file(tmp_path / form)
    assert (model.kind, model.alpha, model.classes) == ("mobilenet", 0.25, 5)
    if form in ("whole.h5", "model.keras"):
        assert model.network.input_range == (0, 255)
        assert_runs_as(model, source, 0, 255)


def preprocessing_operations_of_keras2(keras: Any) -> Any:
    layers = keras.layers
    base = keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False)
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = keras.Sequential([layers.RandomFlip(), layers.RandomZoom(0.1)])(inputs)
    x = keras.applications.mobilenet.preprocess_input(x)
    x = layers.GlobalAveragePooling2D()(base(x, training=False))
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(layers.Dropout(0.2)(x)))


def test_the_input_may_have_another_size(keras: Any, save: Any, tmp_path: Path) -> None:
    path = save(rescaling_in_sequential(keras), tmp_path, "model.keras")
    network: Network = read_model_file(path, (64, 96, 3)).network
    assert network.input_shape == (64, 96, 3)
    assert network.output_shape == (5,)
    with pytest.raises(ValueError, match="expected"):
        read_model_file(path, (64, 96, 4))


@pytest.mark.parametrize("form", ["whole.h5", "model.keras"])
def test_networks_of_other_kinds(
    form: str, keras: Any, randomise: Any, save: Any, tmp_path: Path
) -> None:
    """Every known layer with variables or a shape of its own, in no MobileNet."""
    layers = keras.layers
    inputs = keras.Input((17, 14, 3))
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(inputs)
    x = layers.Conv2D(6, (3, 2), strides=2, activation="relu")(x)
    x = layers.BatchNormalization(scale=False, epsilon=1e-4)(x)
    y = layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="swish")(x)
    y = layers.DepthwiseConv2D(3, padding="same", dilation_rate=2, activation="sigmoid")(y)
    x = layers.Add()([x, y, y])
    x = layers.MaxPooling2D(2, strides=1, padding="same")(x)
    x = layers.AveragePooling2D((2, 3))(x)
    x = layers.ReLU(6.0)(x)
    x = layers.SpatialDropout2D(0.5)(layers.GaussianNoise(0.1)(x))
    x = layers.Dense(4, activation="tanh")(x)
    x = layers.Reshape((-1, 2))(x)
    x = layers.BatchNormalization(center=False)(x)
    x = layers.Flatten()(x)
    x = layers.Activation("elu")(layers.Dense(3, use_bias=False)(x))
    source = randomise(keras.Model(inputs, x))
    model = read_model_file(save(source, tmp_path, form))
    assert (model.kind, model.alpha, model.include_top) == (None, None, False)
    assert (model.classes, model.network.input_range) == (3, None)
    images = np.random.default_rng(5).normal(size=(2, 17, 14, 3)).astype(np.float32)
    expected = np.asarray(source(images, training=False))
    found = NumpyProgram(model.network, model.weights)(images)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
