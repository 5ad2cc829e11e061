"""`prepare`: from anything to a batch."""

import numpy as np
import pytest
from PIL import Image

from npmobilenet.errors import ImageError
from npmobilenet.images import (
    RESIZE_MODES,
    InputRangeWarning,
    central_crop,
    img_to_array,
    load_img,
    prepare,
    preprocess_input,
)


def test_equals_the_steps_of_a_keras_script(tmp_path, files):
    path = tmp_path / "picture.png"
    path.write_bytes(files["PNG"])
    script = preprocess_input(img_to_array(load_img(path, target_size=(32, 32))))
    found = prepare(path, (32, 32), resize="pil-nearest", crop=None)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, script[np.newaxis])


@pytest.mark.parametrize("mode", RESIZE_MODES)
def test_every_source_gives_the_same(tmp_path, files, picture, mode):
    path = tmp_path / "picture.png"
    path.write_bytes(files["PNG"])
    sources = [
        path,
        str(path),
        files["PNG"],
        Image.fromarray(picture),
        picture,
    ]
    together = prepare(sources, (24, 40), mode)
    assert together.shape == (5, 24, 40, 3)
    for row, source in zip(together, sources, strict=True):
        np.testing.assert_array_equal(row, together[0])
        np.testing.assert_array_equal(prepare(source, (24, 40), mode)[0], row)
    assert together.min() >= -1
    assert together.max() <= 1


def test_floats_mean_the_same_as_integers(picture):
    expected = prepare(picture, (20, 20), "tf-bilinear")
    for low, high in [(0, 255), (0, 1), (-1, 1)]:
        floats = picture.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        floats = np.clip(floats, low, high)
        found = prepare(floats, (20, 20), "tf-bilinear", float_range=(low, high))
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_arrays_are_not_changed(picture):
    for array in (picture.copy(), picture.astype(np.float32)):
        before = array.copy()
        prepare(array, (37, 53), "tf-bilinear", crop=None)
        np.testing.assert_array_equal(array, before)


def test_batches_and_mixed_sizes(picture):
    batch = np.stack([picture, picture[::-1]])
    found = prepare(batch, (16, 16))
    np.testing.assert_array_equal(found[1], prepare(picture[::-1], (16, 16))[0])
    assert prepare([picture, picture[:20], picture[:, :9]], (16, 16)).shape == (3, 16, 16, 3)


def test_crop_comes_before_resizing(picture):
    found = prepare(picture, (16, 16), crop=0.5)
    np.testing.assert_array_equal(found, prepare(central_crop(picture, 0.5), (16, 16), crop=None))


@pytest.mark.parametrize("input_range", [(0.0, 255.0), (0.0, 1.0), (-1.0, 1.0)])
def test_input_range(input_range):
    array = np.zeros((4, 4, 3), np.uint8)
    array[0] = 255
    found = prepare(array, (4, 4), crop=None, input_range=input_range)
    assert (found.min(), found.max()) == input_range


def test_floats_from_0_to_1_are_not_guessed(picture):
    with pytest.warns(InputRangeWarning, match="float_range"):
        prepare(picture / 255.0, (16, 16))
    prepare(np.zeros((8, 8, 3)), (16, 16))  # black in every range


@pytest.mark.parametrize("value", [-3.0, 256.0, np.nan, np.inf])
def test_floats_out_of_range_are_refused(value):
    array = np.full((4, 4, 3), 7.0)
    array[1, 1, 1] = value
    with pytest.raises(ImageError, match="float_range"):
        prepare(array, (4, 4))


def test_refuses(picture):
    with pytest.raises(ImageError, match="no pictures"):
        prepare([], (4, 4))
    with pytest.raises(ValueError, match="resize"):
        prepare(picture, (4, 4), "bilinear")
    with pytest.raises(ValueError, match="fraction"):
        prepare(picture, (4, 4), crop=2.0)
    with pytest.raises(ImageError, match="max_pixels"):
        prepare(Image.fromarray(picture), (4, 4), max_pixels=10)
    with pytest.raises(ImageError, match="absent"):
        prepare(["absent.jpg"], (4, 4))
