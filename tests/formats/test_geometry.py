"""Layers and calls that move pixels, from files that both Keras wrote, against their numbers."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from npmobilenet.architecture import Identity, Resizing
from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.formats.keras_config import read_config
from npmobilenet.interpreter import NumpyProgram
from tests.formats.test_configurations import functional, layer, operation

Config = dict[str, Any]
Make = Callable[[Any], Any]

INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5"]
OF_KERAS_2 = ["gaussian", "mitchellcubic"]


def converted(library: Any, source: Any) -> Any:
    """A Keras model as the file says it, without the file."""
    config = json.loads(source.to_json())
    return read_config(config, keras=3 if library.__version__.startswith("3") else 2).network


def chain(library: Any, shape: tuple[int, ...], *layers: Any) -> Any:
    x = images = library.Input(shape)
    for each in layers:
        x = each(x)
    return library.Model(images, x)


def check(library: Any, source: Any, rng: Any, samples: tuple[int, ...] | None = None) -> Any:
    network = converted(library, source)
    shape = samples or tuple(network.input_shape)
    x = rng.uniform(0, 255, (2, *shape)).astype(np.float32)
    expected = np.asarray(source(x))
    found = NumpyProgram(network, {})(x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-3)
    return network


@pytest.mark.tensorflow
@pytest.mark.parametrize("interpolation", INTERPOLATIONS + OF_KERAS_2)
def test_every_interpolation_is_that_of_keras(
    interpolation: str, keras: Any, keras2: Any, rng: Any
) -> None:
    sizes = [((16, 12), (7, 5)), ((5, 7), (16, 21)), ((9, 9), (9, 4)), ((3, 4), (12, 8))]
    for image, (height, width) in sizes:
        for antialias in (False, True):
            if interpolation in OF_KERAS_2:
                break
            if interpolation == "area" and antialias:
                continue
            made = keras.layers.Resizing(height, width, interpolation, antialias=antialias)
            check(keras, chain(keras, (*image, 3), made), rng)
        made = keras2.layers.Resizing(height, width, interpolation)
        check(keras2, chain(keras2, (*image, 3), made), rng)
        if image[0] * 4 == height:
            for lib in (keras, keras2) if interpolation not in OF_KERAS_2 else (keras2,):
                up = lib.layers.UpSampling2D((3, 2), interpolation=interpolation)
                check(lib, chain(lib, (*image, 2), up), rng)


@pytest.mark.tensorflow
def test_aspect_ratios_are_kept_as_keras_keeps_them(keras: Any, keras2: Any, rng: Any) -> None:
    images, targets = [(17, 9), (8, 31), (10, 10)], [(7, 7), (5, 12)]
    for image, target in product(images, targets):
        for option in ({"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True},
                       {"pad_to_aspect_ratio": True, "fill_value": 40.0}):  # fmt: skip
            made = keras.layers.Resizing(*target, **option)
            check(keras, chain(keras, (*image, 3), made), rng)
        made = keras2.layers.Resizing(*target, crop_to_aspect_ratio=True)
        check(keras2, chain(keras2, (*image, 3), made), rng)
        for lib in (keras, keras2):
            check(lib, chain(lib, (*image, 3), lib.layers.CenterCrop(*target)), rng)


@pytest.mark.tensorflow
def test_images_of_any_size_are_resized(keras: Any, keras2: Any, rng: Any) -> None:
    for lib in (keras, keras2):
        source = chain(lib, (None, None, 3), lib.layers.Resizing(6, 5))
        for samples in ((4, 9, 3), (6, 5, 3)):
            assert check(lib, source, rng, samples).input_shape == (None, None, 3)


@pytest.mark.tensorflow
def test_other_layers_that_move_pixels(keras: Any, keras2: Any, rng: Any) -> None:
    for lib in (keras, keras2):
        make = lib.layers
        for cut in (1, (2, 1), ((1, 2), (0, 3))):
            check(lib, chain(lib, (8, 9, 2), make.Cropping2D(cut)), rng)
        for dims in ((1, 2, 3), (2, 1, 3), (3, 1, 2), (3, 2, 1)):
            check(lib, chain(lib, (4, 5, 3), make.Permute(dims)), rng)
        check(lib, chain(lib, (5,), make.RepeatVector(3), make.Permute((2, 1))), rng)
        check(lib, chain(lib, (4, 3, 2), make.TimeDistributed(make.Flatten())), rng)
        check(lib, chain(lib, (4, 3), make.TimeDistributed(make.ReLU(6.0))), rng)


@pytest.mark.tensorflow
def test_calls_of_keras_ops(keras: Any, rng: Any) -> None:
    ops = keras.ops
    calls: list[Make] = [
        lambda x: ops.image.resize(x, (5, 4)),
        lambda x: ops.image.resize(x, (5, 4), interpolation="bicubic", antialias=True),
        lambda x: ops.image.resize(x, (5, 4), crop_to_aspect_ratio=True),
        lambda x: ops.image.resize(x, (5, 4), pad_to_aspect_ratio=True, fill_value=9.0),
        lambda x: ops.transpose(x, (0, 3, 1, 2)),
        lambda x: ops.reshape(x, (-1, 6, 16)),
        lambda x: ops.image.crop_images(x, 1, 2, 3, 1),
        lambda x: ops.image.crop_images(x, 1, 2, target_height=4, target_width=3),
        lambda x: ops.image.pad_images(x, 1, 2, 3, 4),
        lambda x: ops.pad(x, ((0, 0), (1, 0), (2, 3), (0, 0))),
        lambda x: ops.expand_dims(x, -2),
        lambda x: ops.squeeze(keras.layers.GlobalMaxPooling2D(keepdims=True)(x), (1, 2)),
    ]
    images = keras.Input((8, 6, 2))
    for call in calls:
        check(keras, keras.Model(images, call(images)), rng)


@pytest.mark.tensorflow
def test_calls_of_tensorflow(keras2: Any, rng: Any) -> None:
    tf = pytest.importorskip("tensorflow")
    calls: list[Make] = [
        lambda x: tf.image.resize(x, (5, 4)),
        lambda x: tf.image.resize(x, (5, 4), "nearest"),
        lambda x: tf.image.resize(x, (5, 4), tf.image.ResizeMethod.BICUBIC, antialias=True),
        lambda x: tf.image.resize(x, (5, 4), method="lanczos3"),
        lambda x: tf.image.central_crop(x, 0.6),
        lambda x: tf.image.crop_to_bounding_box(x, 1, 2, 4, 3),
        lambda x: tf.image.pad_to_bounding_box(x, 1, 2, 12, 9),
        lambda x: tf.transpose(x, [0, 3, 1, 2]),
        lambda x: tf.reshape(x, (-1, 6, 16)),
        lambda x: tf.pad(x, ((0, 0), (1, 0), (2, 3), (0, 0))),
        lambda x: tf.expand_dims(x, 1),
        lambda x: tf.squeeze(keras2.layers.GlobalMaxPooling2D(keepdims=True)(x), [1, -2]),
        lambda x: keras2.backend.permute_dimensions(x, (0, 2, 1, 3)),
        lambda x: keras2.backend.resize_images(x, 2, 3, "channels_last"),
    ]
    images = keras2.Input((8, 6, 2))
    for call in calls:
        check(keras2, keras2.Model(images, call(images)), rng)


REFUSED: list[tuple[Config, str]] = [
    (layer("Resizing", "x", "images", height=4, width=0), "width is 0"),
    (layer("Resizing", "x", "images", height=4, width=4, interpolation="cubic"), "'cubic'"),
    (layer("Resizing", "x", "images", height=4, width=4, fill_mode="reflect"), "'reflect'"),
    (layer("Resizing", "x", "images", height=4, width=4, crop_to_aspect_ratio=True,
           pad_to_aspect_ratio=True), "pad_to_aspect_ratio"),
    (layer("Resizing", "x", "images", height=4, width=4, data_format="channels_first"), "channels"),
    (layer("Cropping2D", "x", "images", cropping=4), "does not fit"),
    (layer("Cropping2D", "x", "images", cropping=[1, True]), "cropping"),
    (layer("Permute", "x", "images", dims=[1, 2]), "dims is"),
    (layer("Permute", "x", "images", dims=[1, 2, 2]), "dims is"),
    (layer("RepeatVector", "x", "images", n=2), "does not fit"),
    (layer("UpSampling2D", "x", "images", size=[0, 1]), "size is"),
    (layer("UpSampling2D", "x", "images", size=1000), "at most 256"),
    (layer("Resizing", "x", "images", height=1 << 20, width=1), "sides up to 65536"),
    (layer("Resizing", "x", "images", height=999, width=1, pad_to_aspect_ratio=True), "256 times"),
    (layer("RandomCrop", "x", "images", height=4, width=4), "which Keras"),
    (layer("AutoContrast", "x", "images"), "'AutoContrast', which is not supported"),
    (layer("Equalization", "x", "images"), "'Equalization', which is not supported"),
    (layer("Solarization", "x", "images"), "'Solarization', which is not supported"),
    (operation("Transpose", "x", "@images", axes=[1, 0, 2, 3]), "leaves the batch first"),
    (operation("Transpose", "x", "@images", axes=None), "leaves the batch first"),
    (operation("Reshape", "x", "@images", newshape=[2, -1]), "-1 for the batch"),
    (operation("ExpandDims", "x", "@images", axis=0), "behind the batch"),
    (operation("Pad", "x", "@images", pad_width=[[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect"),
     "by zeros"),
    (operation("Pad", "x", "@images", pad_width=[[0, 0], [1, 1], [1, 1], [0, 1]]), "images only"),
    (operation("Squeeze", "x", "@images", axis=[1]), "axes of size 1"),
    (operation("Squeeze", "x", "@images", axis=None), "axis is"),
    (operation("Resize", "x", "@images", size=[4, 4], data_format="channels_first"), "channels"),
    (layer("TimeDistributed", "x", "images", layer=layer("Conv2D", "c", filters=2, kernel_size=1)),
     "not supported"),
    (layer("TimeDistributed", "x", "images", layer=layer("Lambda", "c")), "code"),
    (layer("TimeDistributed", "x", "images"), "no class_name"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "message"), REFUSED)
def test_refusals_say_why(config: Config, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_config(functional(config))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("CropImages", {}),
        ("PadImages", {}),
        ("Resize", {"size": [4, 4]}),
        ("Pad", {"pad_width": [[0, 0]] * 4}),
        ("Transpose", {"axes": [0, 2, 1, 3]}),
    ],
)
def test_calls_on_vectors_are_refused(name: str, fields: Config) -> None:
    called = operation(name, "x", "@flat", **fields)
    with pytest.raises(ModelFileError, match=r"192|expected an order of \[1\]"):
        read_config(functional(layer("Flatten", "flat", "images"), called))


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("image.resize", {}, "size is None"),
        ("image.resize", {"size": [4, 4], "preserve_aspect_ratio": True}, "preserve"),
        ("image.resize", {"size": [4, 4], "method": "cubic"}, "method"),
        ("image.resize", {"size": [4, 4], "rounding": 1}, "rounding"),
        ("image.central_crop", {"central_fraction": 0}, "central_fraction"),
        ("image.crop_to_bounding_box", {"offset_height": 6, "offset_width": 0,
         "target_height": 4, "target_width": 4}, "keeps more than there is"),
        ("image.pad_to_bounding_box", {"offset_height": 1, "offset_width": 0,
         "target_height": 8, "target_width": 8}, "gives less than there is"),
        ("image.resize", {"size": [4, 1 << 20]}, "size is"),
        ("transpose", {"perm": [3, 1, 2, 0]}, "leaves the batch first"),
        ("image.flip_up_down", {}, "calls 'tf.image.flip_up_down', which is not supported"),
    ],
)  # fmt: skip
def test_calls_that_are_refused(function: str, arguments: Config, message: str) -> None:
    call = layer("TFOpLambda", "x", function=function)
    call["inbound_nodes"] = [["images", 0, 0, arguments]]
    with pytest.raises(ModelFileError, match=message):
        read_config(functional(call), keras=2)


AUGMENTATION: dict[str, tuple[Any, ...]] = {
    "AlphaDropout": (0.5,), "AugMix": (), "CutMix": (), "GaussianDropout": (0.5,),
    "GaussianNoise": (0.5,), "MixUp": (), "RandAugment": (), "RandomBrightness": (0.5,),
    "RandomColorDegeneration": (0.5,), "RandomColorJitter": (), "RandomContrast": (0.5,),
    "RandomCrop": (4, 4), "RandomElasticTransform": (), "RandomErasing": (), "RandomFlip": (),
    "RandomGaussianBlur": (), "RandomGrayscale": (0.5,), "RandomHeight": (0.5,),
    "RandomHue": (0.5,), "RandomInvert": (0.5,), "RandomPerspective": (),
    "RandomPosterization": (4,), "RandomRotation": (0.5,), "RandomSaturation": (0.5,),
    "RandomSharpness": (0.5,), "RandomShear": (0.5, 0.5), "RandomTranslation": (0.5, 0.5),
    "RandomWidth": (0.5,), "RandomZoom": (0.5,), "SpatialDropout2D": (0.5,),
}  # fmt: skip


@pytest.mark.tensorflow
def test_augmentation_does_what_keras_predicts(keras: Any, keras2: Any, rng: Any) -> None:
    x = rng.uniform(0, 255, (2, 8, 6, 3)).astype(np.float32)
    for lib, wanted in ((keras, Identity), (keras2, Identity)):
        names = {name for name in dir(lib.layers) if name.startswith("Rand")}
        assert names <= set(AUGMENTATION)
        for name in sorted(set(AUGMENTATION) & set(dir(lib.layers))):
            source = chain(lib, (8, 6, 3), getattr(lib.layers, name)(*AUGMENTATION[name]))
            network = converted(lib, source)
            resizes = name == "RandomCrop" and lib is keras2
            assert isinstance(network.nodes[-1].layer, Resizing if resizes else wanted)
            found, expected = NumpyProgram(network, {})(x), np.asarray(source(x, training=False))
            np.testing.assert_allclose(found, expected, atol=1e-3, err_msg=name)


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["model.keras", "whole.h5"])
def test_files_of_both_keras_on_both_backends(
    form: str, keras: Any, keras2: Any, randomise: Any, save: Any, tmp_path: Any, rng: Any
) -> None:
    from npmobilenet.engine.program import NumbaProgram

    for lib in (keras, keras2):
        make = lib.layers
        source = randomise(
            chain(
                lib, (10, 9, 3),
                make.Resizing(8, 8, crop_to_aspect_ratio=True),
                make.Conv2D(4, 3, padding="same"),
                make.UpSampling2D(2, interpolation="bilinear"),
                make.DepthwiseConv2D(3, strides=2, padding="same"),
                make.Cropping2D(1),
                make.Conv2D(8, 1, activation="relu"),
                make.Permute((2, 1, 3)),
                make.Reshape((6, 48)),
                make.TimeDistributed(make.Dense(5, activation="relu")),
                make.TimeDistributed(make.Dense(3, activation="relu")),
                make.Flatten(), make.Dense(4), make.RepeatVector(2), make.Dense(3),
            )
        )  # fmt: skip
        model = read_model_file(save(source, tmp_path, form))
        x = rng.normal(0, 1, (2, 10, 9, 3)).astype(np.float32)
        expected = np.asarray(source(x))
        for program in (NumpyProgram, NumbaProgram):
            found = program(model.network, model.weights)(x)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.tensorflow
@pytest.mark.parametrize("where", ["front", "middle"])
def test_residuals_around_layers_without_kernels(
    where: str, keras: Any, randomise: Any, save: Any, tmp_path: Any, rng: Any
) -> None:
    from npmobilenet.engine.program import NumbaProgram

    make = keras.layers
    x = images = keras.Input((8, 8, 3))
    if where == "middle":
        x = make.ReLU()(make.Conv2D(3, 3, padding="same")(x))
    small = make.Resizing(4, 4)(x)
    large = make.UpSampling2D(2, interpolation="bilinear")(make.DepthwiseConv2D(1)(small))
    x = make.Conv2D(4, 1)(make.Add()([x, large, make.Permute((2, 1, 3))(large)]))
    source = randomise(keras.Model(images, make.Dense(2)(make.GlobalAveragePooling2D()(x))))
    model = read_model_file(save(source, tmp_path, "model.keras"))
    x = rng.normal(0, 1, (3, 8, 8, 3)).astype(np.float32)
    expected = np.asarray(source(x))
    for fused in (False, True):
        program = NumbaProgram(model.network, model.weights, fused=fused)
        np.testing.assert_allclose(program(x), expected, rtol=1e-4, atol=1e-5)
        exact = NumpyProgram(model.network, model.weights).activations(x)
        for name, value in program.activations(x).items():
            np.testing.assert_allclose(value, exact[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_shape_is_not_asked_of_what_changes_it() -> None:
    wrapped = layer("TimeDistributed", "x", layer=layer("Flatten", "f"))
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": [wrapped]}}
    with pytest.raises(ModelFileError, match="does not say the shape of its input"):
        read_config(config)


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["model.keras", "whole.h5"])
def test_wrapped_tensors_are_found_in_nested_models_too(
    form: str, keras: Any, keras2: Any, randomise: Any, save: Any, tmp_path: Any, rng: Any
) -> None:
    for lib in (keras, keras2):
        make = lib.layers

        def wrapped(lib: Any = lib) -> list[Any]:
            each = lib.layers.TimeDistributed
            norm = lib.layers.BatchNormalization(name="norm")
            scaled = lib.layers.LayerNormalization(name="scaled")
            dense, relu = lib.layers.Dense(4, name="same"), lib.layers.ReLU()
            return [each(layer) for layer in (dense, norm, scaled, relu)]

        inner = chain(lib, (5, 3), *wrapped())
        source = randomise(
            chain(lib, (5, 3), make.Dense(3, name="same"), inner, *wrapped(), make.Flatten())
        )
        model = read_model_file(save(source, tmp_path, form))
        x = rng.normal(0, 1, (3, 5, 3)).astype(np.float32)
        found = NumpyProgram(model.network, model.weights)(x)
        np.testing.assert_allclose(found, np.asarray(source(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.tensorflow
def test_what_sees_more_than_a_step_is_not_wrapped_silently(keras: Any) -> None:
    make = keras.layers
    for each in (make.Reshape((3,)), make.RepeatVector(2), make.PReLU(), make.Permute((1,))):
        source = chain(keras, (4, 3), make.TimeDistributed(each))
        with pytest.raises(ModelFileError, match=r"\(TimeDistributed\): wraps a"):
            converted(keras, source)
