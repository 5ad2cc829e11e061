"""Models written whole: Keras and our own reader give the same outputs as the network itself."""

import numpy as np
import pytest

from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    Normalization,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_class_names, read_model_file, write_keras_model
from npmobilenet.interpreter import NumpyProgram


def random_weights(network, rng):
    weights = {}
    for name, shape in network.variables.items():
        values = rng.standard_normal(shape) * 0.3
        weights[name] = (np.abs(values) + 0.5 if "variance" in name else values).astype(np.float32)
    return weights


def every_layer():
    net = NetworkBuilder(Input(name="image", shape=(17, 19, 3)))
    net.add(Rescaling(name="rescaling", scale=1 / 127.5, offset=-1.0))
    net.add(Rescaling(name="per_channel", scale=(1.0, 2.0, 0.5), offset=(0.1, 0.0, -0.1)))
    net.add(ZeroPadding2D(name="pad", padding=((0, 1), (2, 1))))
    net.add(Conv2D(name="conv", filters=8, kernel_size=(3, 2), dilation=(1, 2), activation="relu"))
    net.add(BatchNormalization(name="bn", epsilon=2e-3, momentum=0.9))
    net.add(ReLU(name="relu6", max_value=6.0))
    shortcut = net.add(
        DepthwiseConv2D(
            name="dw", kernel_size=(3, 3), strides=(2, 2), padding="same", use_bias=False
        )
    )
    net.add(SeparableConv2D(name="separable", filters=8, kernel_size=(3, 3), padding="same"))
    net.add(BatchNormalization(name="plain_bn", center=False, scale=False))
    net.add(Identity(name="identity"))
    net.add(Add(name="add"), shortcut, net.last)
    net.add(MaxPooling2D(name="max", kernel_size=(2, 2), strides=(1, 1), padding="same"))
    net.add(AveragePooling2D(name="mean", kernel_size=(2, 2), strides=(2, 2)))
    pooled = net.add(GlobalAveragePooling2D(name="gap", keepdims=True))
    net.add(Flatten(name="flat"), pooled)
    net.add(Reshape(name="reshape", target_shape=(2, 2, 2)))
    net.add(GlobalMaxPooling2D(name="gmp"))
    net.add(Dropout(name="dropout", rate=0.5))
    net.add(Dense(name="dense", units=5, use_bias=False))
    net.add(Activation(name="softmax", activation="softmax"))
    return net.build("every_layer")


@pytest.mark.parametrize(
    "network",
    [
        every_layer(),
        mobilenet_v1((40, 32, 3), 0.25, classes=4),
        mobilenet_v2((32, 32, 3), 0.35, include_top=False),
    ],
    ids=lambda network: network.name,
)
def test_keras_and_our_reader_give_the_same(tmp_path, rng, network):
    keras = pytest.importorskip("keras")
    weights = random_weights(network, rng)
    path = tmp_path / "whole.h5"
    write_keras_model(path, network, weights)
    assert [found.name for found in tmp_path.iterdir()] == ["whole.h5"]
    image = rng.uniform(-1, 1, (2, *network.input_shape)).astype(np.float32)
    expected = NumpyProgram(network, weights)(image)

    file = read_model_file(path)
    assert file.format == "keras-h5-model"
    assert file.network.variables == network.variables
    np.testing.assert_array_equal(NumpyProgram(file.network, file.weights)(image), expected)

    model = keras.models.load_model(path, compile=False)
    assert model.name == network.name
    assert [layer.name for layer in model.layers] == [node.name for node in network]
    np.testing.assert_allclose(model.predict(image, verbose=0), expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def small():
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 3)))
    net.add(GlobalAveragePooling2D(name="gap"))
    net.add(Dense(name="dense", units=2))
    return net.build("small")


def test_class_names_travel_along(tmp_path, rng, small):
    path = tmp_path / "named.h5"
    weights = random_weights(small, rng)
    write_keras_model(path, small, weights, ["Käse", "a, b"])
    assert read_class_names(path) == ("Käse", "a, b")
    write_keras_model(path, small, weights)
    assert read_class_names(path) is None
    with pytest.raises(ValueError, match="3 names for model 'small', which has 2"):
        write_keras_model(path, small, weights, ["a", "b", "c"])


def test_many_class_names(tmp_path, rng):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 3)))
    net.add(GlobalAveragePooling2D(name="gap"))
    net.add(Dense(name="dense", units=3000))
    network = net.build("many")
    names = tuple(f"class {number} {'x' * 40}" for number in range(3000))
    write_keras_model(tmp_path / "many.h5", network, random_weights(network, rng), names)
    assert read_class_names(tmp_path / "many.h5") == names


def test_files_without_class_names(tmp_path):
    (tmp_path / "other").write_bytes(b"PK\x03\x04 something else")
    assert read_class_names(tmp_path / "other") is None
    (tmp_path / "damaged.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    with pytest.raises(ModelFileError, match=r"damaged\.h5"):
        read_class_names(tmp_path / "damaged.h5")
    with pytest.raises(ModelFileError, match=r"missing\.h5"):
        read_class_names(tmp_path / "missing.h5")


def with_layer(layer):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 3)))
    net.add(layer)
    return net.build("odd")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Normalization(name="norm"), r"'norm' \(Normalization\) cannot be written"),
        (
            Activation(name="gate", activation="hard_sigmoid_keras2"),
            "'gate' has the hard_sigmoid of Keras 2",
        ),
        (GlobalAveragePooling2D(name="a/b"), "'a/b' is no name that Keras allows"),
        (
            MaxPooling2D(name="max", kernel_size=(2, 2), padding=((0, 1), (0, 1))),
            "'max' has padding",
        ),
    ],
)
def test_what_keras_has_not(tmp_path, rng, layer, message):
    network = with_layer(layer)
    with pytest.raises(ValueError, match=message):
        write_keras_model(tmp_path / "odd.h5", network, random_weights(network, rng))
    assert list(tmp_path.iterdir()) == []
