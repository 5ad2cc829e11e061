"""Configurations as data: what is read, what is refused, and that nothing else can happen."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.architecture import Add, Identity, Network, ReLU, Rescaling
from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.formats.keras_config import read_config

Config = dict[str, Any]


def layer(class_name: str, name: str, *sources: str, **fields: Any) -> Config:
    """A layer of a functional model as Keras 2 writes it."""
    return {
        "class_name": class_name,
        "name": name,
        "config": {"name": name, **fields},
        "inbound_nodes": [[[source, 0, 0, {}] for source in sources]] if sources else [],
    }


def operation(class_name: str, name: str, *args: Any, **fields: Any) -> Config:
    """An operation as Keras 3 writes it; names of layers are given as ``"@name"``."""

    def serialised(value: Any) -> Any:
        if isinstance(value, str):
            history = {"keras_history": [value.removeprefix("@"), 0, 0]}
            return {"class_name": "__keras_tensor__", "config": history}
        return value

    call = {"args": [serialised(value) for value in args], "kwargs": {}}
    return {
        "class_name": class_name,
        "name": name,
        "config": {"name": name, **fields},
        "inbound_nodes": [call],
    }


def functional(*layers: Config) -> Config:
    return {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": [
                layer("InputLayer", "images", batch_input_shape=[None, 8, 8, 3]),
                *layers,
            ],
            "input_layers": [["images", 0, 0]],
            "output_layers": [[layers[-1]["name"], 0, 0]],
        },
    }


CONV = layer("Conv2D", "conv", "images", filters=4, kernel_size=[3, 3])


def only_layer(config: Config) -> Any:
    return read_config(functional(config)).network.nodes[-1].layer


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (operation("TrueDivide", "op", "@images", 127.5), (1 / 127.5, 0.0)),
        (operation("Divide", "op", "@images", 2), (0.5, 0.0)),
        (operation("Multiply", "op", 3.0, "@images"), (3.0, 0.0)),
        (operation("Subtract", "op", "@images", 1.0), (1.0, -1.0)),
        (operation("Subtract", "op", 255.0, "@images"), (-1.0, 255.0)),
        (operation("Add", "op", "@images", [1.0, 2.0, 3.0]), (1.0, (1.0, 2.0, 3.0))),
        (
            operation(
                "Subtract",
                "op",
                "@images",
                {"class_name": "__numpy__", "config": {"value": [[1.0, 2.0, 3.0]]}},
            ),
            (1.0, (-1.0, -2.0, -3.0)),
        ),
    ],
)
def test_operations_of_keras_3(config: Config, expected: Any) -> None:
    assert only_layer(config) == Rescaling(name="op", scale=expected[0], offset=expected[1])


@pytest.mark.parametrize(
    ("function", "call", "expected"),
    [
        ("math.truediv", ["images", 0, 0, {"y": 127.5, "name": None}], (1 / 127.5, 0.0)),
        ("math.subtract", ["images", 0, 0, {"y": 1.0, "name": None}], (1.0, -1.0)),
        ("__operators__.add", ["images", 0, 0, {"y": 1.0}], (1.0, 1.0)),
        ("math.multiply", ["_CONSTANT_VALUE", -1, 2.0, {"y": ["images", 0, 0]}], (2.0, 0.0)),
    ],
)
def test_calls_of_keras_2(function: str, call: Any, expected: tuple[float, float]) -> None:
    config = layer("TFOpLambda", "op", function=function) | {"inbound_nodes": [call]}
    assert only_layer(config) == Rescaling(name="op", scale=expected[0], offset=expected[1])


def test_graph_nodes_of_older_keras() -> None:
    config = layer(
        "TensorFlowOpLayer",
        "op",
        "images",
        node_def={"name": "truediv", "op": "RealDiv"},
        constants={"1": 127.5},
    )
    assert only_layer(config) == Rescaling(name="op", scale=1 / 127.5)


def test_other_operations() -> None:
    assert isinstance(only_layer(operation("Cast", "op", "@images", dtype="float32")), Identity)
    assert isinstance(only_layer(operation("Add", "op", "@images", "@images")), Add)
    relu6 = layer("ReLU", "relu", "images", max_value={"type": "ndarray", "value": 6.0})
    assert only_layer(relu6) == ReLU(name="relu", max_value=6.0)


def test_layers_may_come_in_any_order() -> None:
    second = layer("ReLU", "second", "conv")
    last = layer("Add", "last", "conv", "second")
    config = functional(CONV, second, last)
    inner = config["config"]["layers"]
    config["config"]["layers"] = [inner[3], inner[2], inner[0], inner[1]]
    names = [node.name for node in read_config(config).network]
    assert names == ["images", "conv", "second", "last"]


def test_sequential_before_keras_2_2() -> None:
    conv = deepcopy(CONV)
    conv["config"]["batch_input_shape"] = [None, 8, 8, 3]
    network = read_config({"class_name": "Sequential", "config": [conv]}).network
    assert network.output_shape == (6, 6, 4)


def test_nested_layers_keep_their_names_where_they_can() -> None:
    inner = functional(CONV, layer("ReLU", "relu", "conv"))
    nested = inner | {"name": "body", "inbound_nodes": [[["images", 0, 0, {}]]]}
    outer = functional(
        nested,
        layer("Conv2D", "conv", "body", filters=2, kernel_size=1),
        layer("Flatten", "flat", "conv"),
    )
    model = read_config(outer)
    assert [node.name for node in model.network] == ["images", "body/conv", "relu", "conv", "flat"]
    assert model.origins["body/conv"].names == ("body", "conv")
    assert model.origins["body/conv"].keys == ("functional", "conv2d")
    assert model.network["conv"].inputs == ("relu",)


def test_mixed_precision_is_noted() -> None:
    config = functional(deepcopy(CONV))
    config["config"]["layers"][1]["config"]["dtype"] = {
        "class_name": "DTypePolicy",
        "config": {"name": "mixed_float16"},
    }
    assert read_config(config).notes == (
        "the file computes in mixed_float16; here everything is float32",
    )


REFUSED: dict[str, tuple[Config, str]] = {
    "Lambda": (layer("Lambda", "evil", "images", function="x"), "'evil' is of class 'Lambda'"),
    "custom layer": (layer("Mine>Layer", "mine", "images"), "'mine' is of class 'Mine>Layer'"),
    "random crop": (layer("RandomCrop", "crop", "images"), "RandomCrop"),
    "unknown function": (
        layer("TFOpLambda", "op", function="py_function")
        | {"inbound_nodes": [["images", 0, 0, {}]]},
        "calls 'tf.py_function', which is not supported",
    ),
    "division by the image": (operation("TrueDivide", "op", 1.0, "@images"), "divide"),
    "division by zero": (operation("TrueDivide", "op", "@images", 0.0), "divide"),
    "shared": (
        CONV | {"inbound_nodes": CONV["inbound_nodes"] * 2},
        "'conv' is used 2 times",
    ),
    "second output": (
        CONV | {"inbound_nodes": [[["images", 0, 1, {}]]]},
        "reads output 1 of 'images'",
    ),
    "channels first": (
        layer("Flatten", "flat", "images", data_format="channels_first"),
        "data_format is 'channels_first', expected 'channels_last'",
    ),
    "groups": (
        layer("Conv2D", "conv", "images", filters=4, kernel_size=1, groups=2),
        "groups is 2, expected 1",
    ),
    "no filters": (
        layer("Conv2D", "conv", "images", kernel_size=1),
        "'conv' (Conv2D): filters is None, expected a positive integer",
    ),
    "activation": (
        layer("Dense", "dense", "images", units=2, activation="mine"),
        "activation is 'mine'",
    ),
    "axis": (
        layer("BatchNormalization", "norm", "images", axis=[1]),
        "axis is [1], expected -1 or 3",
    ),
    "window too large": (
        layer("Conv2D", "conv", "images", filters=1, kernel_size=9),
        "'conv' (Conv2D) does not fit its input of shape (8, 8, 3)",
    ),
    "reshape": (layer("Reshape", "shape", "images", target_shape=[7]), "'shape' (Reshape)"),
    "two inputs to one": (layer("ReLU", "relu", "images", "images"), "has 2 inputs"),
    "loop": (layer("Add", "add", "images", "add"), "never computed"),
    "no call": (CONV | {"inbound_nodes": []}, "'conv' reads no other layer"),
    "nothing to read": (layer("ReLU", "relu", "absent"), "never computed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    config, message = REFUSED[case]
    with pytest.raises(ModelFileError) as failure:
        read_config(functional(config))
    assert message in str(failure.value)


def test_a_second_input_is_refused() -> None:
    config = functional(layer("InputLayer", "other", batch_input_shape=[None, 8, 8, 3]), CONV)
    with pytest.raises(ModelFileError, match="second input 'other'"):
        read_config(config)
    config = functional(CONV)
    config["config"]["output_layers"] *= 2
    with pytest.raises(ModelFileError, match="2 inputs or outputs"):
        read_config(config)


def test_a_deep_nest_is_refused() -> None:
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [CONV]}}
    for _ in range(40):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    with pytest.raises(ModelFileError, match="nested"):
        read_config(config, (8, 8, 3))


def test_configuration_and_tensors_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(functional(CONV))
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"conv"]
        tensors = group.create_group("conv")
        tensors.attrs["weight_names"] = [b"conv/kernel:0"]
        tensors["conv/kernel:0"] = np.zeros((3, 3, 3, 5), np.float32)
    with pytest.raises(ModelFileError) as failure:
        read_model_file(path)
    for part in ("(3, 3, 3, 5), expected (3, 3, 3, 4)", "conv/bias is missing"):
        assert part in str(failure.value)


def whole_configuration() -> Config:
    """One layer of nearly every class, and a nested model."""
    nested = functional(deepcopy(CONV))
    nested |= {"name": "body", "inbound_nodes": [[["sum", 0, 0, {}]]]}
    return functional(
        operation("TrueDivide", "scale", "@images", 127.5),
        layer("Rescaling", "rescale", "scale", scale=1.0, offset=[1.0, 2.0, 3.0]),
        layer("Normalization", "stats", "rescale", axis=[-1], mean=[1.0] * 3, variance=[1.0] * 3),
        layer("ZeroPadding2D", "pad", "stats", padding=[[0, 1], [0, 1]]),
        layer("DepthwiseConv2D", "depthwise", "pad", kernel_size=[2, 2], padding="same"),
        layer("MaxPooling2D", "max", "depthwise", pool_size=[2, 2], strides=[1, 1]),
        layer("Add", "sum", "max", "stats"),
        nested,
        layer("SeparableConv2D", "separable", "body", filters=4, kernel_size=[1, 1]),
        layer("BatchNormalization", "norm", "separable", axis=[3], epsilon=0.001),
        layer("ReLU", "relu", "norm", max_value=6.0),
        layer("AveragePooling2D", "mean", "relu", pool_size=2, strides=None),
        layer("GlobalAveragePooling2D", "pool", "mean", keepdims=True),
        layer("Reshape", "shape", "pool", target_shape=[-1]),
        layer("Dropout", "drop", "shape", rate=0.1),
        layer("Dense", "dense", "drop", units=3, activation="relu"),
        layer("Softmax", "softmax", "dense", axis=-1),
    )


ODD = [
    None, True, 0, -1, 3, 1 << 40, 1 << 70, 0.5, 1e300, float("nan"), float("inf"), "", "images",
    "conv", [], [[]], [None], [1, 2], [1, "x"], {}, {"class_name": "Add"}, [["images", 0, 0]],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything in a configuration."""
    found = [path] if path else []
    if isinstance(value, dict):
        children = list(value.items())
    else:
        children = list(enumerate(value)) if isinstance(value, list) else []
    for key, item in children:
        found += places(item, (*path, key))
    return found


PLACES = places(whole_configuration())


def test_the_whole_configuration_is_read() -> None:
    network = read_config(whole_configuration()).network
    assert isinstance(network, Network)
    assert network.output_shape == (3,)
    assert len(network.nodes) == 18


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), min_size=1, max_size=3))
def test_any_change_is_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    check_changed(lambda config: [replace(config, path, value) for path, value in changes])


@pytest.mark.slow
def test_every_field_with_every_odd_value() -> None:
    for path in PLACES:
        for value in ODD:
            check_changed(lambda config, path=path, value=value: replace(config, path, value))


def check_changed(change: Callable[[Config], Any]) -> None:
    config = whole_configuration()
    change(config)
    try:
        network = read_config(config).network
    except ModelFileError:
        return
    assert network.shapes
    assert network.variables is not None


def replace(config: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value at a place, if an earlier change has left the place there."""
    for key in path[:-1]:
        if isinstance(config, dict):
            config = config.get(key)
        elif isinstance(config, list) and isinstance(key, int) and key < len(config):
            config = config[key]
    if isinstance(config, dict) or (
        isinstance(config, list) and isinstance(path[-1], int) and path[-1] < len(config)
    ):
        config[path[-1]] = deepcopy(value)


def test_many_layers_are_sorted_quickly() -> None:
    """Layers in the worst order: each reads the one after it."""
    layers = [
        layer("ReLU", f"relu{n}", f"relu{n + 1}" if n < 4999 else "images") for n in range(5000)
    ]
    random.Random(0).shuffle(layers)
    config = functional(*layers)
    config["config"]["output_layers"] = [["relu0", 0, 0]]
    assert len(read_config(config).network.nodes) == 5001
