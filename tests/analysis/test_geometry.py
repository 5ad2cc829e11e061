"""Layers that move pixels, in every analysis: the right answer, or a refusal that names them."""

from dataclasses import replace

import numpy as np
import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.folding import fold
from npmobilenet.analysis.inside import channel_ranges, class_activation_map
from npmobilenet.analysis.operations import other_operations
from npmobilenet.analysis.parity.bounds import Bounded, bounded_layer
from npmobilenet.architecture import (
    CenterCrop,
    Conv2D,
    Cropping2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    Permute,
    RepeatVector,
    Rescaling,
    Reshape,
    Resizing,
    UpSampling2D,
    network_macs,
)
from npmobilenet.architecture.geometry import as_resizing
from npmobilenet.architecture.heads import embedding, last_feature_map
from npmobilenet.architecture.pictures import picture_size
from npmobilenet.engine.program import NumbaProgram
from npmobilenet.formats import read_model_file, write_keras_model
from npmobilenet.formats.input_range import expected_range
from npmobilenet.initializers import random_weights
from npmobilenet.interpreter import NumpyProgram, run_layer
from npmobilenet.model import Model
from npmobilenet.transfer.embedding import FolderEmbedder

EVERY = [
    Resizing(name="whole", height=9, width=8),
    Resizing(name="cut", height=8, width=9, crop_to_aspect_ratio=True, antialias=True),
    Resizing(name="filled", height=12, width=9, pad_to_aspect_ratio=True, fill_value=300.0),
    Resizing(name="nearest", height=11, width=7, interpolation="nearest"),
    Resizing(name="area", height=6, width=7, interpolation="area"),
    UpSampling2D(name="twice", size=(2, 1)),
    UpSampling2D(name="blended", size=(1, 2), interpolation="bilinear"),
    CenterCrop(name="middle", height=9, width=5),
    CenterCrop(name="grown", height=6, width=10),
    Cropping2D(name="edges", cropping=((1, 0), (0, 2))),
    Permute(name="turned", dims=(2, 1, 3)),
    Permute(name="mixed", dims=(3, 1, 2)),
]


def every_layer(layers=EVERY):
    net = NetworkBuilder(Input(name="image", shape=(10, 11, 3)))
    for layer in layers:
        net.add(layer)
    net.add(Conv2D(name="conv", filters=4, kernel_size=(1, 1)))
    net.add(Flatten(name="flat"))
    net.add(RepeatVector(name="rows", n=3))
    net.add(Dense(name="dense", units=2))
    return net.build("every", input_range=(0.0, 255.0))


def classifier(*front, shape=(None, None, 3)):
    net = NetworkBuilder(Input(name="image", shape=shape))
    for layer in front:
        net.add(layer)
    net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 3), padding="same"))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=3, activation="softmax"))
    network = net.build("classifier", input_range=(0.0, 255.0))
    return Model(network, random_weights(network, 0), backend="numpy")


def test_both_backends_run_them_wherever_they_stand(rng):
    for front in range(len(EVERY) + 1):
        network = every_layer([*EVERY[front:], *EVERY[:front]])
        weights = random_weights(network, 1)
        x = rng.uniform(0, 255, (2, 10, 11, 3)).astype(np.float32)
        exact = NumpyProgram(network, weights)(x.astype(np.float64))
        assert exact.shape == (2, *network.output_shape)
        np.testing.assert_allclose(NumbaProgram(network, weights)(x), exact, rtol=1e-4, atol=0.05)


def test_costs(rng):
    network = every_layer()
    macs = network_macs(network)
    assert {name for name, value in macs.items() if value} == {"conv", "dense"}
    found = cost(network)
    by_name = {layer.name: layer for layer in found.layers}
    assert by_name["whole"].operations == 10 * 8 * 3 * 3 + 9 * 8 * 3 * 3  # two taps
    for name in ("nearest", "twice", "middle", "edges", "turned", "mixed", "rows"):
        assert by_name[name].operations == 0
        assert by_name[name].written_bytes > 0
    assert by_name["grown"].operations > 0
    assert cost(network, fusing="blocks").operations == found.operations
    lines: list[str] = []
    Model(network, random_weights(network, 0), backend="numpy").summary(lines.append)
    assert all(kind in lines[0] for kind in ("Resizing", "UpSampling2D", "RepeatVector"))
    with pytest.raises(ValueError, match="must be known"):
        other_operations(EVERY[0], (None, None, 3))


def test_bounds_hold_for_any_picture(rng):
    network = every_layer()
    weights = random_weights(network, 2)
    x = rng.uniform(0, 255, (20, 10, 11, 3))
    x[:4] = rng.choice([0.0, 255.0], (4, 10, 11, 3))
    ranges = channel_ranges(network, weights)
    for name, values in NumpyProgram(network, weights).activations(x).items():
        low, high = ranges[name]
        assert low.shape == values.shape[-1:]
        assert (values >= low - 1e-9).all(), name
        assert (values <= high + 1e-9).all(), name
    net = NetworkBuilder(Input(name="image", shape=(3, 3, 3)))
    net.add(Rescaling(name="scaled", scale=(1.0, 2.0, 3.0)))
    net.add(Permute(name="mixed", dims=(3, 2, 1)))
    mixed = channel_ranges(net.build("square", input_range=(0.0, 1.0)), {})["mixed"]
    np.testing.assert_array_equal(mixed[1], [3.0, 3.0, 3.0])


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3"])
def test_overshooting_is_not_bounded_silently(interpolation, rng):
    layer = Resizing(name="sharp", height=7, width=7, interpolation=interpolation)
    network = every_layer([layer])
    with pytest.raises(ValueError, match="'sharp' is a Resizing with interpolation"):
        channel_ranges(network, random_weights(network, 0))
    with pytest.raises(ValueError, match="'sharp' is a Resizing with interpolation"):
        bounded_layer(layer, {}, Bounded.exact(rng.normal(size=(1, 4, 4, 3))))


def test_float32_stays_within_the_bound_of_rounding(rng):
    for layer in EVERY:
        x = rng.uniform(-9, 9, (1, 10, 8, 3)).astype(np.float32)
        found = bounded_layer(layer, {}, Bounded(x.astype(np.float64), np.full(x.shape, 1e-3)))
        off = (x + rng.choice([-1e-3, 1e-3], x.shape)).astype(np.float32)
        assert (np.abs(run_layer(layer, {}, off) - found.value) <= found.error + 1e-6).all()
        exact = bounded_layer(layer, {}, Bounded.exact(x))
        blends = layer.name in ("whole", "cut", "filled", "area", "blended", "grown")
        assert exact.error.any() == blends


def test_maps_are_not_drawn_in_the_wrong_place(rng):
    picture = rng.integers(0, 256, (20, 30, 3), np.uint8)
    for front in (
        CenterCrop(name="front", height=8, width=8),
        Cropping2D(name="front", cropping=((1, 1), (0, 0))),
        Permute(name="front", dims=(2, 1, 3)),
        Resizing(name="front", height=8, width=8, crop_to_aspect_ratio=True),
    ):
        with pytest.raises(ValueError, match="layer 'front' is a"):
            class_activation_map(classifier(front, shape=(16, 18, 3)), picture)
    whole = Resizing(name="front", height=8, width=8, crop_to_aspect_ratio=True)
    assert class_activation_map(classifier(whole), picture).layer == "conv"  # nothing to crop
    model = classifier(Resizing(name="front", height=8, width=6), shape=(16, 18, 3))
    found = class_activation_map(model, picture)
    assert found.layer == "conv"
    np.testing.assert_allclose(found.values.mean() + found.offset, found.logit)


def test_heads_with_such_layers_are_refused_by_name(rng):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 3)))
    net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 3)))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(RepeatVector(name="rows", n=2))
    net.add(Reshape(name="flat", target_shape=(8,)))
    net.add(Dense(name="dense", units=3, activation="softmax"))
    network = net.build("repeated", input_range=(0.0, 255.0))
    model = Model(network, random_weights(network, 0), backend="numpy")
    with pytest.raises(ValueError, match="layer 'rows' is a RepeatVector"):
        class_activation_map(model, rng.integers(0, 256, (8, 8, 3), np.uint8))


def test_onnx_refuses_by_name():
    pytest.importorskip("onnx")
    from npmobilenet.analysis.references.onnx_export import onnx_model

    network = every_layer()
    with pytest.raises(ValueError, match=r"layer 'whole' .* cannot be written for ONNX"):
        onnx_model(network, random_weights(network, 0), 1)


def test_folding_leaves_them(rng):
    network = every_layer()
    weights = random_weights(network, 3)
    folded = fold(network, weights)
    x = rng.uniform(0, 255, (1, 10, 11, 3))
    np.testing.assert_allclose(
        NumpyProgram(folded.network, folded.weights)(x), NumpyProgram(network, weights)(x)
    )


def test_models_written_for_keras_are_read_back(tmp_path, rng):
    network = every_layer()
    weights = random_weights(network, 4)
    write_keras_model(tmp_path / "every.keras", network, weights)
    again = read_model_file(tmp_path / "every.keras").network
    assert [node.layer for node in again] == [node.layer for node in network]
    odd = every_layer([replace(EVERY[0], interpolation="gaussian")])
    with pytest.raises(ValueError, match="'whole' has interpolation 'gaussian'"):
        write_keras_model(tmp_path / "odd.keras", odd, random_weights(odd, 4))


def test_pictures_come_in_the_size_that_a_front_makes_of_any(rng):
    scaling = Rescaling(name="scaling", scale=1.0)
    model = classifier(scaling, Resizing(name="front", height=20, width=16))
    assert model.prepare(rng.integers(0, 256, (50, 40, 3), np.uint8)).shape == (1, 20, 16, 3)
    assert len(model.classify(rng.integers(0, 256, (50, 40, 3), np.uint8))) == 3
    assert picture_size(classifier().network, 224) == (224, 224)
    fixed = classifier(Resizing(name="front", height=20, width=16), shape=(32, None, 3))
    assert picture_size(fixed.network, 224) == (32, 16)
    assert last_feature_map(model.network) == "conv"
    assert embedding(model.network).output_shape == (4,)
    assert model.embed(rng.integers(0, 256, (50, 40, 3), np.uint8)).shape == (1, 4)


def test_they_have_no_say_in_the_range_of_pixels():
    scaling = Rescaling(name="scaling", scale=1 / 127.5, offset=-1.0)
    for front in (EVERY[0], EVERY[1], EVERY[5], EVERY[7], EVERY[9]):
        for layers in ((front, scaling), (scaling, front)):
            network = classifier(*layers, shape=(10, 11, 3)).network
            assert expected_range(network, {}).values == (0.0, 255.0)


def test_what_blends_is_known_only_with_the_size():
    with pytest.raises(ValueError, match="must be known"):
        as_resizing(EVERY[7], (None, 8, 3))
    assert as_resizing(EVERY[7], (9, 8, 3)) is None
    assert as_resizing(EVERY[9], (9, 8, 3)) is None


def test_stored_embeddings_are_not_those_of_another_front():
    """Layers without tensors change an embedding too."""
    fronts = [EVERY[0], replace(EVERY[0], interpolation="nearest"), EVERY[1]]
    models = [
        classifier(Rescaling(name="s", scale=1.0), front, shape=(16, 16, 3)) for front in fronts
    ]
    recipes = {FolderEmbedder(model, cache=False)._recipe for model in models}
    assert len(recipes) == len(fronts)
