"""`load_img`, `img_to_array` and `smart_resize` against Keras."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from npmobilenet.errors import ImageError
from npmobilenet.images import img_to_array, load_img, smart_resize

keras = pytest.importorskip("keras")

FILTERS = ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"]


@pytest.mark.parametrize("keep_aspect_ratio", [False, True])
@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [(24, 24), (64, 40), (37, 53), (11, 90), None])
def test_load_img_is_pixel_identical(files, interpolation, size, keep_aspect_ratio):
    arguments = {
        "target_size": size,
        "interpolation": interpolation,
        "keep_aspect_ratio": keep_aspect_ratio,
    }
    expected = keras.utils.load_img(io.BytesIO(files["JPEG"]), **arguments)
    found = load_img(io.BytesIO(files["JPEG"]), **arguments)
    assert found.mode == expected.mode
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_load_img_converts_as_keras(picture, encode, mode, color_mode):
    if mode == "I;16":
        image = Image.fromarray(picture[..., 0].astype(np.uint16) * 200)
    else:
        image = Image.fromarray(picture).convert("RGBA" if mode == "LA" else "RGB").convert(mode)
    data = encode(image, "PNG")
    expected = keras.utils.load_img(io.BytesIO(data), color_mode, (20, 30), "bilinear")
    found = load_img(io.BytesIO(data), color_mode, (20, 30), "bilinear")
    assert found.mode == expected.mode
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_load_img_takes_str_path_and_bytes(tmp_path, files):
    path = tmp_path / "picture.png"
    path.write_bytes(files["PNG"])
    expected = np.asarray(keras.utils.load_img(path))
    for spelling in (path, str(path), str(path).encode()):
        np.testing.assert_array_equal(np.asarray(load_img(spelling)), expected)


def test_load_img_on_real_pictures(shared):
    for path in sorted((shared / "images" / "open").glob("*.*"))[:4]:
        expected = keras.utils.load_img(path, target_size=(224, 224))
        np.testing.assert_array_equal(load_img(path, target_size=(224, 224)), expected)


def test_load_img_refuses(tmp_path, files):
    with pytest.raises(ValueError, match="color_mode"):
        load_img(io.BytesIO(files["PNG"]), "bgr")
    with pytest.raises(ValueError, match="interpolation"):
        load_img(io.BytesIO(files["PNG"]), target_size=(9, 9), interpolation="cubic")
    with pytest.raises(ImageError, match=r"absent\.png"):
        load_img(Path(tmp_path / "absent.png"))
    with pytest.raises(ImageError, match="max_pixels"):
        load_img(io.BytesIO(files["PNG"]), max_pixels=100)


@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", [None, "float32", "float64", "uint8"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_img_to_array(picture, mode, dtype, data_format):
    image = Image.fromarray(picture).convert(mode)
    expected = keras.utils.img_to_array(image, data_format, dtype)
    found = img_to_array(image, data_format, dtype)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_img_to_array_refuses():
    with pytest.raises(ValueError, match="2 or 3 axes"):
        img_to_array(np.zeros((2, 2, 2, 2)))
    with pytest.raises(ValueError, match="data_format"):
        img_to_array(np.zeros((2, 2)), "last")


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 40)] * 2),
    size=st.tuples(*[st.integers(1, 40)] * 2),
    batch=st.booleans(),
    data_format=st.sampled_from(["channels_last", "channels_first"]),
    dtype=st.sampled_from([np.float32, np.uint8]),
    seed=st.integers(0, 9),
)
def test_smart_resize(shape, size, batch, data_format, dtype, seed):
    shape = (*shape, 3) if data_format == "channels_last" else (3, *shape)
    x = np.random.default_rng(seed).uniform(0, 255, ((2, *shape) if batch else shape)).astype(dtype)
    expected = keras.preprocessing.image.smart_resize(x, size, data_format=data_format)
    found = smart_resize(x, size, data_format=data_format)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_smart_resize_refuses():
    with pytest.raises(ValueError, match="interpolation"):
        smart_resize(np.zeros((4, 4, 3)), (2, 2), "nearest")
    with pytest.raises(ValueError, match="data_format"):
        smart_resize(np.zeros((4, 4, 3)), (2, 2), data_format="last")
    with pytest.raises(ValueError, match="one image or a batch"):
        smart_resize(np.zeros((4, 4)), (2, 2))
