"""Whole MobileNets and their weights, written by Keras in every format."""

import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.errors import WeightsMismatchError
from npmobilenet.formats import (
    list_tensors,
    read_model_file,
    read_weights,
    tensors_digest,
)
from npmobilenet.interpreter import NumpyProgram

FORMS = {
    "weights.h5": "keras-h5-weights",
    "whole.h5": "keras-h5-model",
    "x.weights.h5": "keras-weights-h5",
    "model.keras": "keras-zip",
}
forms = pytest.mark.parametrize("form", FORMS)


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@forms
def test_v1(form: str, small_v1: Any, save: Any, tensors_of: Any, tmp_path: Path) -> None:
    model = read_model_file(save(small_v1, tmp_path, form))
    assert model.format == FORMS[form]
    assert (model.kind, model.alpha, model.depth_multiplier) == ("mobilenet", 0.25, 1)
    assert (model.include_top, model.classes, model.pooling) == (True, 10, None)
    assert model.network.input_range == (-1, 1)
    assert list(model.weights) == list(model.network.variables)
    assert_same(model.weights, tensors_of(small_v1))
    known = mobilenet_v1((32, 32, 3), 0.25, classes=10)
    assert_same(read_weights(model.path, known), tensors_of(small_v1))


@forms
def test_v2(form: str, small_v2: Any, save: Any, tensors_of: Any, tmp_path: Path) -> None:
    model = read_model_file(save(small_v2, tmp_path, form))
    assert (model.kind, model.alpha, model.classes) == ("mobilenet_v2", 0.35, 10)
    assert model.include_top
    assert_same(model.weights, tensors_of(small_v2))
    known = mobilenet_v2((32, 32, 3), 0.35, classes=10)
    assert_same(read_weights(model.path, known), tensors_of(small_v2))


@forms
@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_without_top(
    form: str, pooling: str | None, keras: Any, save: Any, tensors_of: Any, tmp_path: Path
) -> None:
    source = keras.applications.MobileNet(
        (64, 64, 3), alpha=0.3, depth_multiplier=2, weights=None, include_top=False, pooling=pooling
    )
    model = read_model_file(save(source, tmp_path, form))
    assert (model.kind, model.alpha, model.depth_multiplier) == ("mobilenet", 0.3, 2)
    assert (model.include_top, model.classes) == (False, None)
    assert_same(model.weights, tensors_of(source))
    if FORMS[form] in ("keras-h5-model", "keras-zip"):
        assert model.pooling == pooling
        assert model.network.input_shape == (64, 64, 3)
    else:
        assert model.network.input_shape == (None, None, 3)
        assert read_model_file(model.path, (96, 64, 3)).network.input_shape == (96, 64, 3)


@pytest.mark.parametrize("form", ["whole.h5", "model.keras"])
@pytest.mark.parametrize("version", [1, 2])
def test_whole_models_run_as_in_keras(
    form: str, version: int, request: Any, save: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = request.getfixturevalue(f"small_v{version}")
    model = read_model_file(save(source, tmp_path, form))
    assert [layer.name for layer in source.layers] == [node.name for node in model.network]
    images = rng.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(
        NumpyProgram(model.network, model.weights)(images),
        np.asarray(source(images, training=False)),
        atol=1e-5,
    )


def test_a_digest_is_of_tensors_not_of_files(small_v1: Any, save: Any, tmp_path: Path) -> None:
    digests = {
        tensors_digest(read_model_file(save(small_v1, tmp_path, form)).weights) for form in FORMS
    }
    assert len(digests) == 1


@pytest.mark.parametrize("form", ["x.weights.h5", "model.keras"])
def test_an_optimizer_is_left_aside(
    form: str, keras: Any, save: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dense(2, name="last")]
    )
    source.compile("adam", "mse")
    source.fit(rng.normal(size=(4, 4)), rng.normal(size=(4, 2)), verbose=0)
    path = save(source, tmp_path, form)
    assert [tensor.shape for tensor in list_tensors(path)] == [(4, 3), (3,), (3, 2), (2,)]


def test_newer_files_without_layer_names(
    small_v2: Any, save: Any, tensors_of: Any, tmp_path: Path
) -> None:
    path = save(small_v2, tmp_path, "x.weights.h5")
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)
    model = read_model_file(path)
    assert (model.kind, model.alpha, model.classes) == ("mobilenet_v2", 0.35, 10)
    assert_same(model.weights, tensors_of(small_v2))


def test_the_layer_names_of_keras_2_13(
    small_v1: Any, save: Any, tensors_of: Any, tmp_path: Path
) -> None:
    path = save(small_v1, tmp_path, "x.weights.h5")
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)
        file.move("layers", "_layer_checkpoint_dependencies")
    assert_same(read_model_file(path).weights, tensors_of(small_v1))


@pytest.mark.parametrize("form", ["x.weights.h5", "model.keras", "whole.h5", "w.h5"])
def test_keras_2(
    form: str, keras2: Any, randomise: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    source = randomise(
        keras2.applications.MobileNetV2((32, 32, 3), alpha=0.5, weights=None, classes=7)
    )
    path = tmp_path / form
    if form in ("w.h5", "x.weights.h5"):
        source.save_weights(path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # HDF5 is called legacy
            source.save(path)
    model = read_model_file(path)
    assert (model.kind, model.alpha, model.classes) == ("mobilenet_v2", 0.5, 7)
    images = rng.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    network = model.network.with_input_shape((32, 32, 3))
    np.testing.assert_allclose(
        NumpyProgram(network, model.weights)(images),
        np.asarray(source(images, training=False)),
        atol=1e-5,
    )


def legacy_file(path: Path, layers: dict[str, dict[str, np.ndarray]]) -> Path:
    """A weights file of the older layout with given names of groups and tensors."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, tensors in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [key.encode() for key in tensors]
            for key, value in tensors.items():
                group[key] = value
    return path


@pytest.mark.parametrize("rename", ["{layer}_1/{variable}:0", "mobilenet/{layer}/{variable}:0"])
def test_scopes_in_tensor_names(
    rename: str, small_v1: Any, tensors_of: Any, tmp_path: Path
) -> None:
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, value in tensors_of(small_v1).items():
        layer, _, variable = name.partition("/")
        depthwise = "conv_dw" in layer and variable == "kernel"
        variable = "depthwise_kernel" if depthwise else variable
        layers.setdefault(layer, {})[rename.format(layer=layer, variable=variable)] = value
    path = legacy_file(tmp_path / "w.h5", layers)
    assert_same(read_model_file(path).weights, tensors_of(small_v1))


def test_unknown_layer_names_are_matched_by_order(
    small_v1: Any, tensors_of: Any, tmp_path: Path
) -> None:
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, value in tensors_of(small_v1).items():
        layer, _, variable = name.partition("/")
        layers.setdefault(layer, {})[f"{variable}:0"] = value
    renamed = {f"layer{number}": item for number, item in enumerate(layers.values())}
    path = legacy_file(tmp_path / "w.h5", renamed)
    model = read_model_file(path)
    assert (model.kind, model.alpha, model.classes) == ("mobilenet", 0.25, 10)
    assert_same(model.weights, tensors_of(small_v1))


def test_the_older_name_of_the_v2_classifier(
    small_v2: Any, tensors_of: Any, tmp_path: Path
) -> None:
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, value in tensors_of(small_v2).items():
        layer, _, variable = name.replace("predictions", "Logits").partition("/")
        layers.setdefault(layer, {})[f"{layer}/{variable}:0"] = value
    path = legacy_file(tmp_path / "w.h5", layers)
    assert read_model_file(path).classes == 10
    known = mobilenet_v2((32, 32, 3), 0.35, classes=10)
    assert_same(read_weights(path, known), tensors_of(small_v2))


@forms
@pytest.mark.parametrize("stored", [np.float16, np.float64, ">f4"])
def test_other_float_dtypes_become_float32(
    form: str, stored: Any, tiny_v1: Any, save: Any, tensors_of: Any, tmp_path: Path
) -> None:
    path = save(tiny_v1, tmp_path, form)
    if form == "model.keras":
        pytest.skip("the same HDF5 as .weights.h5")
    expected = {
        name: v.astype(stored).astype(np.float32) for name, v in tensors_of(tiny_v1).items()
    }
    with h5py.File(path, "r+") as file:
        found: list[str] = []
        file.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
        for name in found:
            value = file[name][()]
            del file[name]
            file[name] = value.astype(stored)
    assert_same(read_model_file(path).weights, expected)


def test_compressed_tensors(small_v1: Any, save: Any, tensors_of: Any, tmp_path: Path) -> None:
    path = save(small_v1, tmp_path, "x.weights.h5")
    packed = tmp_path / "packed.weights.h5"
    with h5py.File(path) as source, h5py.File(packed, "w") as target:

        def repack(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.shape:
                chunks = tuple(min(size, 7) for size in item.shape)
                fletcher = item.ndim > 1
                target.create_dataset(
                    name, data=item[()], chunks=chunks, compression="gzip", shuffle=True,
                    fletcher32=fletcher,
                )  # fmt: skip

        source.visititems(repack)
    assert_same(read_model_file(packed).weights, tensors_of(small_v1))


def test_a_top_may_be_left_unused(small_v1: Any, save: Any, tmp_path: Path) -> None:
    path = save(small_v1, tmp_path, "weights.h5")
    bare = mobilenet_v1((None, None, 3), 0.25, include_top=False)
    assert read_weights(path, bare).keys() == bare.variables.keys()


@forms
def test_a_mismatch_names_both_sides(form: str, small_v1: Any, save: Any, tmp_path: Path) -> None:
    path = save(small_v1, tmp_path, form)
    with pytest.raises(WeightsMismatchError) as failure:
        read_weights(path, mobilenet_v1((224, 224, 3), 0.5))
    message = str(failure.value)
    for part in (
        str(path),
        "MobileNet (V1) with alpha 0.25, 10 classes",
        "mobilenet_0.50_224",
        "conv1/kernel has shape (3, 3, 3, 8), expected (3, 3, 3, 16)",
    ):
        assert part in message


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75, 1.0, 0.33, 2.0, 0.1875, 1.2345])
def test_the_alpha_of_v1_is_inferred(alpha: float, tmp_path: Path) -> None:
    network = mobilenet_v1((None, None, 3), alpha, include_top=False)
    found = read_model_file(legacy_zeros(tmp_path / "w.h5", network))
    assert found.network.variables == network.variables
    if alpha != 1.2345:  # the others are published, hundredths, or steps of 1/1024
        assert found.alpha == alpha


@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.0, 1.3, 1.4, 0.88, 1.7])
def test_the_alpha_of_v2_is_inferred(alpha: float, tmp_path: Path) -> None:
    network = mobilenet_v2((None, None, 3), alpha, include_top=False)
    found = read_model_file(legacy_zeros(tmp_path / "w.h5", network))
    assert found.network.variables == network.variables
    if alpha not in (0.88, 1.7):  # rounding to multiples of 8 makes their neighbours alike
        assert found.alpha == alpha


def legacy_zeros(path: Path, network: Any) -> Path:
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, shape in network.variables.items():
        layer, _, variable = name.partition("/")
        layers.setdefault(layer, {})[f"{layer}/{variable}:0"] = np.zeros(shape, np.float16)
    return legacy_file(path, layers)


def test_listing(small_v1: Any, save: Any, tmp_path: Path) -> None:
    tensors = list_tensors(save(small_v1, tmp_path, "weights.h5"))
    assert len(tensors) == 137
    assert (tensors[0].name, tensors[0].shape, tensors[0].dtype) == (
        "conv1/conv1/kernel", (3, 3, 3, 8), "float32",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "alpha", "classes"),
    [
        ("mobilenet_1_0_224_tf.h5", "mobilenet", 1.0, 1000),
        ("mobilenet_2_5_224_tf.h5", "mobilenet", 0.25, 1000),
        ("mobilenet_v2_1.0_224_folded_fcint8.h5", "mobilenet_v2", 1.0, 1000),
        (
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
            "mobilenet_v2",
            0.35,
            None,
        ),
    ],
)
def test_real_files(
    name: str, kind: str, alpha: float, classes: int | None, keras_weights: Path
) -> None:
    model = read_model_file(keras_weights / name)
    assert (model.kind, model.alpha, model.classes) == (kind, alpha, classes)
    assert model.include_top == (classes is not None)
    assert model.producer == "keras 3.15.1 / tensorflow"
