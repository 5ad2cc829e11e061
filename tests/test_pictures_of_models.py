"""Pictures of every number and kind, as many channels as a network has, in bounded memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npmobilenet import MobileNet, Model, load_model
from npmobilenet.architecture import (
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    mobilenet_v1,
)
from npmobilenet.errors import ImageError, PictureInputError
from npmobilenet.formats import write_keras_model
from npmobilenet.images import InputRangeWarning, load_img
from npmobilenet.initializers import random_weights
from npmobilenet.transfer.embedder import Embedder
from npmobilenet.transfer.embedding import FolderEmbedder
from npmobilenet.transfer.folder import Sample


def build(channels=3, side=8, **options):
    net = NetworkBuilder(Input(name="in", shape=(side, side, channels)))
    net.add(Conv2D(name="conv", filters=4, kernel_size=(1, 1)))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=3, activation="softmax"))
    network = net.build("net", input_range=options.pop("network_range", (0.0, 1.0)))
    return Model(network, random_weights(network, 0), backend="numpy", **options)


@pytest.fixture
def paths(tmp_path):
    rng = np.random.default_rng(0)
    found = []
    for number in range(7):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)).save(path)
        found.append(path)
    return found


def test_paths_in_every_kind_of_container(paths):
    model = build()
    expected = model.embed(paths)
    assert expected.shape == (7, 4)
    texts = [str(path) for path in paths]
    arrays = [np.asarray(Image.open(path)) for path in paths]
    for given in (
        texts,
        tuple(paths),
        np.array(texts),
        np.array(texts, object),
        np.array(paths, object),
        np.array(texts)[:, np.newaxis],
        np.stack(arrays),
        iter(paths),
        (path for path in texts),
        dict.fromkeys(texts),
    ):
        np.testing.assert_array_equal(model.embed(given, batch_size=3), expected)
    for given in (paths[2], texts[2], np.array(texts)[2], arrays[2], Image.open(paths[2])):
        np.testing.assert_array_equal(model.embed(given), expected[2:3])
    np.testing.assert_array_equal(Embedder(model, batch_size=2).transform(iter(paths)), expected)
    np.testing.assert_array_equal(model.infer(iter(paths)), model.infer(paths))


def test_no_pictures_at_all():
    for given in ([], np.array([], str), iter(())):
        with pytest.raises(ImageError, match="found no pictures"):
            build().embed(given)
    with pytest.raises(ImageError, match="found int, expected a path"):
        build().embed(3)


def test_a_stream_of_pictures_is_not_held(paths):
    """Pictures are asked for batch by batch, and their pixels do not add up."""
    model = build(side=64)
    asked = []

    def stream():
        for number in range(64):
            asked.append(number)
            yield paths[number % 7]

    batches = []
    prepare = model.prepare

    def watched(part, **options):
        batches.append((len(part), len(asked)))
        return prepare(part, **options)

    model.prepare = watched
    tracemalloc.start()
    try:
        model.embed(stream(), batch_size=4)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert batches == [(4, 4 * number) for number in range(1, 17)]
    assert most < 16 * 64 * 64 * (3 + 4) * 4  # of 64 pictures some 7 MB


@pytest.mark.parametrize(("channels", "mode"), [(1, "grayscale"), (3, "rgb"), (4, "rgba")])
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "1"])
def test_channels_as_keras_loads_them(channels, mode, kind, tmp_path):
    rng = np.random.default_rng(3)
    source = Image.fromarray(rng.integers(0, 256, (20, 17, 4), np.uint8))
    path = tmp_path / ("x.tiff" if kind == "CMYK" else "x.png")
    source.convert("RGB" if kind in ("P", "1", "CMYK") else "RGBA").convert(kind).save(path)
    model = build(channels, side=10, crop=None)
    loaded = load_img(
        path, color_mode=mode, target_size=(10, 10, channels), interpolation="bilinear"
    )
    expected = np.asarray(loaded, np.float32).reshape(1, 10, 10, channels) / 255
    np.testing.assert_allclose(model.prepare(path), expected, atol=1e-6)
    if kind in ("RGB", "RGBA", "L"):
        pixels = np.asarray(Image.open(path))
        np.testing.assert_allclose(model.prepare(pixels), expected, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("found", [1, 3, 4])
def test_arrays_of_float_and_16_bit_have_channels_too(channels, found):
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (10, 10, found), np.uint8)
    model = build(channels, side=10, crop=None)
    expected = model.prepare(pixels)
    for given, options in (
        (pixels.astype(np.float64), {}),
        (pixels / 255, {"float_range": (0, 1)}),
        (pixels / 127.5 - 1, {"float_range": (-1, 1)}),
        (pixels.astype(np.uint16) * 257, {}),
    ):
        np.testing.assert_allclose(model.prepare(given, **options), expected, atol=0.6 / 255)


@pytest.mark.parametrize("channels", [2, 5])
def test_channels_that_no_picture_has(channels, paths):
    model = build(channels)
    for take in (model.prepare, model.embed, model.classify, model.infer):
        with pytest.raises(PictureInputError, match=rf"\(8, 8, {channels}\), which no picture is"):
            take(paths[0])
    assert model.predict(np.zeros((2, 8, 8, channels))).shape == (2, 3)


def test_folders_are_embedded_with_the_networks_channels(paths, tmp_path):
    samples = [Sample(path, 0) for path in paths]
    for channels in (1, 3, 4):
        model = build(channels)
        found = FolderEmbedder(model, cache=False).embed(samples)
        np.testing.assert_allclose(found.values, model.embed(paths), atol=1e-5)


def test_an_unknown_range_reaches_all_that_prepares_pictures(paths):
    model = build(network_range=None)
    with pytest.raises(PictureInputError, match="input_range"):
        FolderEmbedder(model, cache=False)
    for take in (
        model.prepare,
        model.embed,
        model.infer,
        model.classify,
        Embedder(model).transform,
    ):
        with pytest.raises(PictureInputError, match="input_range"):
            take(paths[0])
    assert build(network_range=None, input_range=(-1, 1)).prepare(paths[0]).min() < 0


def test_the_warning_of_floats_names_an_argument_that_exists(paths):
    model = build()
    pixels = np.asarray(Image.open(paths[0])) / 255
    for take in (model.prepare, model.embed, model.infer, model.classify):
        with pytest.warns(InputRangeWarning, match=r"say float_range=\(0, 1\)"):
            take(pixels)
        take(pixels, float_range=(0, 1))
    Embedder(model, float_range=(0, 1)).transform(pixels)


@pytest.mark.parametrize("value", [2.5, 0, -1, True, "2", None])
def test_counts_are_whole_numbers(value, paths):
    model = build()
    batch = np.zeros((3, 8, 8, 3), np.float32)
    calls = {
        "batch_size": [
            lambda: model.predict(batch, batch_size=value),
            lambda: model.embed(paths, batch_size=value),
            lambda: Embedder(model, batch_size=value).transform(paths),
        ],
        "threads": [
            lambda: model.predict(batch, threads=value),
            lambda: model(batch, threads=value),
        ],
        "topk": [lambda: model.classify(paths[0], topk=value)],
    }
    for name, several in calls.items():
        for number, call in enumerate(several):
            if value is None and (name == "threads" or (number == 0 and name == "batch_size")):
                continue  # the default
            with pytest.raises(ValueError, match=f"{name} must be"):
                call()
    whole = model.predict(batch, batch_size=np.int32(2))
    assert len(model.classify(paths[0], topk=np.int64(2))) == 2
    assert whole.shape == (3, 3)


def test_load_img_takes_a_shape(paths):
    assert load_img(paths[0], target_size=(6, 4, 3)).size == (4, 6)
    assert load_img(paths[0], target_size=[np.int64(6), 4]).size == (4, 6)
    for size in ((6,), (6.0, 4), (0, 4)):
        with pytest.raises(ValueError, match="target_size must be"):
            load_img(paths[0], target_size=size)


def test_arguments_of_keras_load_model(tmp_path: Path, recwarn):
    model = build()
    path = tmp_path / "x.h5"
    write_keras_model(path, model.network, model.weights)
    for arguments in (
        {"compile": False},
        {"safe_mode": True},
        {"custom_objects": {}},
        {"custom_objects": None, "compile": False},
    ):
        load_model(path, backend="numpy", **arguments)
    assert not recwarn
    with pytest.warns(UserWarning, match="custom_objects has no effect"):
        load_model(path, {"relu6": len}, backend="numpy")
    with pytest.warns(UserWarning, match="compile=True has no effect"):
        load_model(path, None, True, backend="numpy")
    with pytest.warns(UserWarning, match="safe_mode=False has no effect"):
        load_model(path, safe_mode=False, backend="numpy")


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_activations_of_an_empty_batch(backend):
    model = build()
    model = Model(model.network, model.weights, backend=backend)
    full = model.activations(np.zeros((2, 8, 8, 3), np.float32))
    empty = model.activations(np.zeros((0, 8, 8, 3), np.float32))
    assert list(empty) == list(full)
    assert {name: (0, *value.shape[1:]) for name, value in full.items()} == {
        name: value.shape for name, value in empty.items()
    }
    assert getattr(empty, "fused", None) == getattr(full, "fused", None)


def test_saved_weights_bring_their_range(tmp_path):
    network = mobilenet_v1((32, 32, 3), 0.25, classes=3)
    source = Model(network, random_weights(network, 0), backend="numpy", input_range=(0, 1))
    source.save_weights(tmp_path / "x.h5")
    shape = {"input_shape": (32, 32, 3), "alpha": 0.25, "classes": 3, "backend": "numpy"}
    other = MobileNet(weights=None, **shape)
    assert other.network.input_range == (-1, 1)
    other.load_weights(tmp_path / "x.h5")
    built = MobileNet(weights=tmp_path / "x.h5", **shape)
    read = load_model(tmp_path / "x.h5", backend="numpy")
    for model in (other, built, read):
        assert model.network.input_range == (0, 1)
    given = MobileNet(weights=tmp_path / "x.h5", input_range=(0, 255), **shape)
    assert given.network.input_range == (0, 255)
