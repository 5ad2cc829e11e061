"""Tensors that nobody asked for: adapters, quantised layers, layers that are not configured."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file, read_weights
from npmobilenet.interpreter import NumpyProgram

pytestmark = pytest.mark.tensorflow


def classifier(keras: Any) -> Any:
    dense = keras.layers.Dense(3, name="dense")
    return keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), dense])


def adapted(keras: Any, rng: np.random.Generator) -> Any:
    """A dense layer with a low-rank adapter that has learned something."""
    model = classifier(keras)
    model.layers[-1].enable_lora(2)
    model.set_weights([rng.normal(size=value.shape) for value in model.get_weights()])
    return model


def encoded(names: list[Any]) -> list[bytes]:
    return [name if isinstance(name, bytes) else name.encode() for name in names]


def test_an_adapter_that_keras_added_up_is_right(
    keras: Any, save: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = adapted(keras, rng)
    model = read_model_file(save(source, tmp_path, "model.keras"))
    images = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    expected = source.predict(images, verbose=0)
    found = NumpyProgram(model.network, model.weights)(images)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_adapter_beside_its_kernel_is_refused(
    keras: Any, save: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = save(adapted(keras, rng), tmp_path, "whole.h5")
    with pytest.raises(ModelFileError, match=r"lora_kernel_a' of shape \(48, 2\) beside those of"):
        read_model_file(path)


@pytest.mark.parametrize("mode", ["int8", "float8"])
def test_quantised_layers_are_refused(mode: str, keras: Any, tmp_path: Path) -> None:
    source = classifier(keras)
    source.layers[-1].quantize(mode)
    path = tmp_path / "quantised.keras"
    source.save(path)
    with pytest.raises(ModelFileError, match=r"'dense'.* which is not supported"):
        read_model_file(path)


@pytest.mark.parametrize("form", ["weights.h5", "whole.h5", "x.weights.h5"])
def test_a_tensor_beside_a_kernel_is_refused(
    form: str, tiny_v1: Any, save: Any, tmp_path: Path
) -> None:
    path = save(tiny_v1, tmp_path, form)
    with h5py.File(path, "r+") as file:
        if form == "x.weights.h5":
            file["layers/conv2d_1/vars/1"] = np.zeros(32, np.float32)
        else:
            root = file["model_weights"] if form == "whole.h5" else file
            group = root["conv_pw_1"]
            names = [*group.attrs["weight_names"], "conv_pw_1/adapter"]
            group.attrs["weight_names"] = encoded(names)
            group["conv_pw_1/adapter"] = np.zeros(32, np.float32)
    known = mobilenet_v1((32, 32, 3), 1 / 32, classes=3)
    for read in (lambda: read_model_file(path), lambda: read_weights(path, known)):
        with pytest.raises(ModelFileError, match="beside those of layer 'conv_pw_1'"):
            read()


def test_layers_that_are_not_configured_are_refused(
    tiny_v1: Any, save: Any, tmp_path: Path
) -> None:
    path = save(tiny_v1, tmp_path, "whole.h5")
    with h5py.File(path, "r+") as file:
        root = file["model_weights"]
        root.attrs["layer_names"] = encoded([*root.attrs["layer_names"], "attention"])
        root.create_group("attention").attrs["weight_names"] = [b"attention/kernel"]
        root["attention/attention/kernel"] = np.zeros(3, np.float32)
    with pytest.raises(ModelFileError, match="tensors of layer 'attention', which is not in its"):
        read_model_file(path)


@pytest.mark.parametrize("dtype", ["f4", "u4"])
def test_parts_of_layers_are_noticed(dtype: str, tiny_v1: Any, save: Any, tmp_path: Path) -> None:
    """Seeds may be there; what else a layer holds inside would change what it computes."""
    path = save(tiny_v1, tmp_path, "model.keras")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    inner = tmp_path / "inner.h5"
    inner.write_bytes(members["model.weights.h5"])
    with h5py.File(inner, "r+") as file:
        file["layers/conv2d_1/inside/vars/0"] = np.zeros(2, dtype)
    members["model.weights.h5"] = inner.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    if dtype == "u4":
        assert read_model_file(path).kind == "mobilenet"
        return
    with pytest.raises(ModelFileError, match="tensors of layer 'conv2d_1/inside', which is not"):
        read_model_file(path)


def test_layers_that_the_output_needs_not_may_be_there(
    keras: Any, save: Any, tmp_path: Path
) -> None:
    images = keras.Input((4, 4, 3))
    whole = keras.Sequential(
        [images, keras.layers.Conv2D(2, 1), keras.layers.Conv2D(5, 1, name="further")]
    )
    path = save(whole, tmp_path, "whole.h5")
    assert read_model_file(path).network.output_shape == (4, 4, 5)
    branch = keras.layers.Conv2D(4, 1, name="branch")(images)
    with_branch = keras.Model(images, [whole(images), branch])
    config = keras.Model(images, whole(images))
    assert with_branch.count_params() > config.count_params()
    path = save(with_branch, tmp_path, "whole.h5")
    with h5py.File(path, "r+") as file:
        parsed = json.loads(file.attrs["model_config"])
        parsed["config"]["output_layers"] = parsed["config"]["output_layers"][0]
        file.attrs["model_config"] = json.dumps(parsed)
    assert read_model_file(path).network.output_shape == (4, 4, 5)


def test_two_layers_cannot_share_what_the_file_has_once(
    keras: Any, save: Any, tmp_path: Path
) -> None:
    conv = keras.layers.Conv2D
    source = keras.Sequential(
        [keras.Input((4, 4, 3)), conv(3, 1, name="conv"), conv(3, 1, name="conv_1")]
    )
    path = save(source, tmp_path, "whole.h5")
    with h5py.File(path, "r+") as file:
        file["model_weights"].attrs["layer_names"] = [b"conv_1"]
    with pytest.raises(ModelFileError, match="'conv' and 'conv_1' both fit the tensors of"):
        read_model_file(path)
