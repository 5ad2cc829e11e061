"""Model files written by the real Keras and TensorFlow, small enough to read many times."""

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Keras 3 on TensorFlow."""
    pytest.importorskip("tensorflow")
    import keras

    return keras


@pytest.fixture(scope="session")
def keras2() -> ModuleType:
    """Keras 2, under the name that it has beside Keras 3."""
    pytest.importorskip("tensorflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tf_keras", reason="needs tf-keras, which is Keras 2")


@pytest.fixture(scope="session")
def randomise() -> Callable[[Any, int], Any]:
    """Gives a model weights under which signals neither vanish nor explode."""

    def fill(model: Any, seed: int = 0) -> Any:
        rng = np.random.default_rng(seed)
        values = []
        for weight, old in zip(model.weights, model.get_weights(), strict=True):
            path = getattr(weight, "path", weight.name)
            if old.dtype.kind != "f" or not old.shape or path.startswith("normalization"):
                values.append(old)  # counters, seeds, and statistics of Normalization
            elif old.ndim > 1:
                fan_in = np.prod(
                    old.shape[:-1] if "depthwise" not in weight.name else old.shape[:2]
                )
                values.append(rng.normal(0, np.sqrt(2 / fan_in), old.shape))
            elif "variance" in weight.name or "gamma" in weight.name:
                values.append(rng.uniform(0.5, 1.5, old.shape))
            else:
                values.append(rng.normal(0, 0.1, old.shape))
        model.set_weights(values)
        return model

    return fill


@pytest.fixture(scope="session")
def save() -> Callable[..., Path]:
    """Saves a model in one of the formats; ``"weights"`` is the older layout of weights alone."""

    def write(model: Any, folder: Path, form: str) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # HDF5 is called legacy
            if form == "whole.h5" or form == "model.keras":
                model.save(folder / form)
            elif form == "x.weights.h5":
                model.save_weights(folder / form)
            else:
                model.save(folder / "whole.h5")
                with (
                    h5py.File(folder / "whole.h5") as source,
                    h5py.File(folder / form, "w") as target,
                ):
                    # Weights alone are the same group, as the root of a file.
                    for name, group in source["model_weights"].items():
                        source.copy(group, target, name)
                    target.attrs.update(source["model_weights"].attrs)
        return folder / form

    return write


@pytest.fixture(scope="session")
def tensors_of() -> Callable[[Any], dict[str, np.ndarray]]:
    """The variables of a Keras 3 model by canonical name, without seeds and counters."""

    def collect(model: Any) -> dict[str, np.ndarray]:
        found = {}
        for layer in model._flatten_layers(include_self=False):
            if not hasattr(layer, "layers"):
                for variable in layer.variables:
                    value = np.asarray(variable)
                    if value.dtype.kind == "f":
                        found[f"{layer.name}/{variable.name}"] = value
        return found

    return collect


@pytest.fixture(scope="session")
def small_v1(keras: ModuleType, randomise: Callable[..., Any]) -> Any:
    """V1 with alpha 0.25 and 10 classes, for 32 x 32 pixels."""
    return randomise(
        keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, classes=10)
    )


@pytest.fixture(scope="session")
def small_v2(keras: ModuleType, randomise: Callable[..., Any]) -> Any:
    """V2 with alpha 0.35 and 10 classes, for 32 x 32 pixels."""
    return randomise(
        keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=10)
    )


@pytest.fixture(scope="session")
def tiny_v1(keras: ModuleType, randomise: Callable[..., Any]) -> Any:
    """V1 with one filter at its thinnest: its files are almost nothing but structure."""
    return randomise(
        keras.applications.MobileNet((32, 32, 3), alpha=1 / 32, weights=None, classes=3)
    )


@pytest.fixture(scope="session")
def slim_graph() -> Callable[..., bytes]:
    """Writes canonical weights as a frozen graph under TF-Slim's names."""
    tf = pytest.importorskip("tensorflow")

    def write(weights: Mapping[str, np.ndarray], network: str = "MobilenetV1") -> bytes:
        graph = tf.compat.v1.GraphDef()
        graph.node.add(name="input", op="Placeholder")
        for name, value in weights.items():
            constant = f"{network}/{slim_name(name, network)}"
            if constant.endswith("Conv2d_1c_1x1/weights"):
                value = value.reshape(1, 1, *value.shape[-2:])
            node = graph.node.add(name=constant, op="Const")
            node.attr["dtype"].type = tf.float32.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
            graph.node.add(name=f"{constant}/read", op="Identity", input=[constant])
        return graph.SerializeToString()

    return write


def slim_name(name: str, network: str) -> str:
    """TF-Slim's name of a canonical one."""
    layer, _, variable = name.partition("/")
    norm = re.search(r"_bn$|_BN$|^bn_", layer)
    layer = re.sub(r"_bn$|_BN$|^bn_", "", layer)
    if layer in ("conv_preds", "predictions"):
        scope = "Logits/Conv2d_1c_1x1"
    elif network == "MobilenetV1":
        scope = layer.replace("conv1", "Conv2d_0")
        scope = re.sub(r"^conv_dw_(\d+)$", r"Conv2d_\1_depthwise", scope)
        scope = re.sub(r"^conv_pw_(\d+)$", r"Conv2d_\1_pointwise", scope)
    else:
        scope = re.sub(r"^Conv1$", "Conv", layer)
        scope = re.sub(r"^expanded_conv_", "expanded_conv/", scope)
        scope = re.sub(r"^block_(\d+)_", r"expanded_conv_\1/", scope)
    if norm:
        return f"{scope}/BatchNorm/{variable}"
    kernel = "depthwise_weights" if scope.endswith("depthwise") else "weights"
    return f"{scope}/{kernel if variable == 'kernel' else 'biases'}"
