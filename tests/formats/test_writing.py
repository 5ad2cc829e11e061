"""Weights written here, read by Keras and by ourselves."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.architecture import Network, mobilenet_v1, mobilenet_v2
from npmobilenet.formats import read_model_file, read_weights, tensors_digest, write_keras_h5


def random_weights(network: Network) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        name: rng.uniform(0.5, 1, shape).astype(np.float32)
        for name, shape in network.variables.items()
    }


@pytest.mark.parametrize("include_top", [True, False])
@pytest.mark.parametrize("version", [1, 2])
def test_keras_loads_it(
    version: int, include_top: bool, keras: Any, tensors_of: Any, tmp_path: Path
) -> None:
    build, reference = (
        (mobilenet_v1, keras.applications.MobileNet),
        (mobilenet_v2, keras.applications.MobileNetV2),
    )[version - 1]
    network = build((32, 32, 3), 0.5, include_top=include_top, classes=4)
    weights = random_weights(network)
    write_keras_h5(tmp_path / "w.h5", network, weights)
    model = reference((32, 32, 3), 0.5, weights=None, include_top=include_top, classes=4)
    model.load_weights(tmp_path / "w.h5")
    found = tensors_of(model)
    assert found.keys() == weights.keys()
    for name, value in found.items():
        np.testing.assert_array_equal(value, weights[name], err_msg=name)


def test_keras_2_loads_it(keras2: Any, tmp_path: Path) -> None:
    network = mobilenet_v2((32, 32, 3), 0.5, classes=4)
    weights = random_weights(network)
    write_keras_h5(tmp_path / "w.h5", network, weights)
    model = keras2.applications.MobileNetV2((32, 32, 3), 0.5, weights=None, classes=4)
    model.load_weights(tmp_path / "w.h5")
    for layer in model.layers:
        for variable, value in zip(layer.weights, layer.get_weights(), strict=True):
            name = variable.name.partition(":")[0].replace("depthwise_kernel", "kernel")
            np.testing.assert_array_equal(value, weights[name], err_msg=name)


def test_it_reads_back(tmp_path: Path) -> None:
    network = mobilenet_v2((None, None, 3), 0.35, include_top=False)
    weights = random_weights(network)
    path = tmp_path / "w.h5"
    write_keras_h5(path, network, weights)
    model = read_model_file(path)
    assert (model.format, model.kind, model.alpha) == ("keras-h5-weights", "mobilenet_v2", 0.35)
    assert tensors_digest(model.weights) == tensors_digest(weights)
    assert tensors_digest(read_weights(path, network)) == tensors_digest(weights)


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    network = mobilenet_v1((32, 32, 3), 0.25, classes=2)
    weights = random_weights(network)
    for name in ("a.h5", "b.h5"):
        write_keras_h5(tmp_path / name, network, weights)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = mobilenet_v1((32, 32, 3), 0.25, classes=2)
    path = tmp_path / "w.h5"
    path.write_bytes(b"old")
    original = h5py.Group.create_dataset
    written = []

    def fail(group: Any, name: str, **arguments: Any) -> Any:
        if len(written) == 50:
            raise OSError(28, "No space left on device")
        written.append(name)
        return original(group, name, **arguments)

    monkeypatch.setattr(h5py.Group, "create_dataset", fail)
    with pytest.raises(OSError, match="No space left"):
        write_keras_h5(path, network, random_weights(network))
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["w.h5"]


def test_weights_that_do_not_fit_are_not_written(tmp_path: Path) -> None:
    network = mobilenet_v1((32, 32, 3), 0.25, classes=2)
    weights = random_weights(network)
    path = tmp_path / "w.h5"
    with pytest.raises(ValueError, match=r"missing \['conv1/kernel'\]"):
        write_keras_h5(path, network, {k: v for k, v in weights.items() if k != "conv1/kernel"})
    with pytest.raises(ValueError, match=r"unknown \['more/kernel'\]"):
        write_keras_h5(path, network, weights | {"more/kernel": np.zeros(1)})
    with pytest.raises(ValueError, match=r"conv1/kernel has shape \(1,\)"):
        write_keras_h5(path, network, weights | {"conv1/kernel": np.zeros(1)})
    assert not path.exists()


def test_a_digest_knows_name_shape_and_value() -> None:
    base = {"a/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "b/bias": np.zeros(2, "f4")}
    digest = tensors_digest(base)
    assert digest == tensors_digest(dict(reversed(base.items())))
    assert digest == tensors_digest({name: value.astype(">f4") for name, value in base.items()})
    assert digest == tensors_digest({name: np.asfortranarray(v) for name, v in base.items()})
    others = [
        base | {"a/kernel": base["a/kernel"].reshape(3, 2)},
        base | {"a/kernel": base["a/kernel"] + np.float32(1e-6)},
        base | {"a/kernel": base["a/kernel"].astype(np.float64)},
        {"c/kernel": base["a/kernel"], "b/bias": base["b/bias"]},
        {"a/kernel": base["a/kernel"]},
    ]
    assert len({digest, *(tensors_digest(other) for other in others)}) == len(others) + 1
