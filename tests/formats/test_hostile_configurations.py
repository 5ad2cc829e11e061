"""Configurations that ask for much: long names, many operands, maps and constants without end."""

import json
import resource
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.formats.json_text import parse_object
from npmobilenet.formats.keras_config import read_config
from tests.formats.test_configurations import functional, layer, operation

Config = dict[str, Any]


def refused(config: Config) -> str:
    """The message of the refusal, which is short and takes less than 100 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError) as failure:
        read_config(config)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB
    assert len(str(failure.value)) < 1000
    return str(failure.value)


def chain(length: int) -> list[Config]:
    return [layer("ReLU", f"r{k}", f"r{k - 1}" if k else "images") for k in range(length)]


def test_names_are_short() -> None:
    """Names of models go before those of their layers: 5 GB for a file of 3 MB."""
    inner = functional(*chain(50))
    nested = inner | {"name": "x" * 100_000, "inbound_nodes": [[["images", 0, 0, {}]]]}
    assert "names of more than 1024 characters" in refused(functional(*chain(50), nested))
    assert "names of more than 1024" in refused(functional(layer("X" * 2000, "a", "images")))


def test_calls_have_few_operands() -> None:
    config = functional(layer("Add", "sum", *["images"] * 100_000))
    assert "is called with 100000 tensors or numbers; at most 1024" in refused(config)


@pytest.mark.parametrize(
    "odd",
    [
        layer("Conv2D", "odd", "images", filters=1 << 30, kernel_size=1),
        layer("ZeroPadding2D", "odd", "images", padding=[[65535, 65535], [65535, 65535]]),
    ],
)
def test_maps_are_no_larger_than_memory(odd: Config) -> None:
    assert "'odd'" in refused(functional(odd))
    assert "which is more than 2147483648 values" in refused(functional(odd))


@pytest.mark.parametrize("numbers", [2, 4, 1_000_000])
def test_constants_fit_their_channels(numbers: int) -> None:
    for config in (
        operation("Multiply", "odd", "@images", [1.0] * numbers),
        layer("Rescaling", "odd", "images", scale=[1.0] * numbers),
        layer("Rescaling", "odd", "images", scale=1.0, offset=[1.0] * numbers),
    ):
        message = refused(functional(config))
        assert f"'odd' computes with {numbers} numbers, expected 1 or 3" in message


def test_statistics_are_not_spread_over_claimed_channels(tmp_path: Path) -> None:
    """One mean for a thousand million channels is a view until the file is found too small."""
    config = functional(layer("Normalization", "norm", "images", mean=[0.0], variance=[1.0]))
    config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 1, 1, 1 << 30]
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = np.zeros(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match="tensors of 8589934592 bytes in a file of"):
        read_model_file(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB


def test_what_is_large_but_sound_is_read() -> None:
    assert len(read_config(functional(*chain(19_000))).network.nodes) == 19_001
    model = functional(layer("ReLU", "relu", "images"))
    for _ in range(9):
        copies = []
        for number in range(2):
            source = f"m{number - 1}" if number else "images"
            call = {"name": f"m{number}", "inbound_nodes": [[[source, 0, 0, {}]]]}
            copies.append(model | call)
        model = functional(*copies)
    assert len(read_config(model).network.nodes) == 1 + 2**9


def test_a_key_stands_once() -> None:
    with pytest.raises(ModelFileError, match="a key stands twice in one object"):
        parse_object('{"class_name": "Sequential", "class_name": "Functional"}', "it")


@pytest.mark.parametrize("value", ["9" * 1_000_000, 10**4000, [0] * 100_000, {"x": "y" * 100_000}])
def test_long_values_are_shortened(value: Any) -> None:
    message = refused(functional(layer("ReLU", "relu", "images", max_value=value)))
    assert "max_value is" in message
