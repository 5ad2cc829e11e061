"""Files as Keras writes them on Windows, and with tensors or policies of bfloat16 and float16."""

import ntpath
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.formats import list_tensors, read_model_file, tensors_digest
from npmobilenet.formats.bfloat16 import widened
from npmobilenet.interpreter import NumpyProgram

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("form", ["x.weights.h5", "model.keras"])
@pytest.mark.parametrize("nested", [False, True])
def test_paths_with_backslashes(
    nested: bool, form: str, keras2: Any, randomise: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Keras 2 joins names of HDF5 groups as it joins names of files."""
    from tf_keras.src.saving import saving_lib

    base = keras2.applications.MobileNet(
        (32, 32, 3), alpha=0.25, weights=None, include_top=False, pooling="avg"
    )
    source = base
    if nested:
        source = keras2.Sequential([base, keras2.layers.Dense(3, activation="softmax")])
        source.build((None, 32, 32, 3))
    randomise(source)
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    write = source.save if form == "model.keras" else source.save_weights
    write(tmp_path / "here" / form)
    gfile = saving_lib.tf.io.gfile
    join = gfile.join

    def windows_join(first: str, *others: str) -> str:
        return join(first, *others) if first.startswith("/") else ntpath.join(first, *others)

    monkeypatch.setattr(gfile, "join", windows_join)
    write(tmp_path / "there" / form)
    written = tmp_path / "there" / form
    if form == "model.keras":
        with zipfile.ZipFile(written) as archive:
            (tmp_path / "inner.h5").write_bytes(archive.read("model.weights.h5"))
        written = tmp_path / "inner.h5"
    with h5py.File(written) as file:
        assert any("\\" in name for name in file)
    here, there = (read_model_file(tmp_path / place / form) for place in ("here", "there"))
    assert there.weights.keys() == here.weights.keys()
    assert tensors_digest(there.weights) == tensors_digest(here.weights)
    assert len(list_tensors(tmp_path / "there" / form)) == len(here.weights)


@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
@pytest.mark.parametrize("form", ["whole.h5", "x.weights.h5", "model.keras"])
def test_half_precision(form: str, policy: str, keras: Any, save: Any, tmp_path: Path) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        source = keras.applications.MobileNet(
            (32, 32, 3), alpha=0.25, weights=None, include_top=False
        )
    finally:
        keras.config.set_dtype_policy("float32")
    path = save(source, tmp_path, form)
    model = read_model_file(path)
    stored = {tensor.dtype for tensor in list_tensors(path)}
    assert stored == {policy}
    expected = {
        f"{weight.path.split('/')[-2]}/{weight.name}": np.asarray(
            keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32"))
        )
        for weight in source.weights
    }
    assert expected.keys() == model.weights.keys()
    for name, value in model.weights.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
    if form != "x.weights.h5":
        assert any(f"the file computes in {policy}" in note for note in model.assumptions)


@pytest.mark.parametrize("policy", ["bfloat16", "float16", "mixed_bfloat16", "mixed_float16"])
def test_half_precision_runs_in_float32(
    policy: str, keras: Any, save: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    layers = keras.layers
    keras.config.set_dtype_policy(policy)
    try:
        source = keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.Flatten(),
                layers.Dense(3),
            ]
        )
    finally:
        keras.config.set_dtype_policy("float32")
    model = read_model_file(save(source, tmp_path, "model.keras"))
    assert any(f"the file computes in {policy}" in note for note in model.assumptions)
    images = rng.uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)
    found = NumpyProgram(model.network, model.weights)(images)
    theirs = np.asarray(keras.ops.cast(source(images, training=False), "float32"))
    np.testing.assert_allclose(found, theirs, atol=0.03 * np.abs(theirs).max())  # 8 bits


def test_widening() -> None:
    values = np.float32([0, -0.0, 1, -2.5, 3e38, 1e-40, np.inf, -np.inf])
    bits = (values.view(np.uint32) >> 16).astype("<u2")
    expected = (bits.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(widened(bits), expected)
    np.testing.assert_array_equal(widened(bits.view("V2")), expected)
    assert np.isnan(widened(np.uint16([0x7FC0]))).all()
