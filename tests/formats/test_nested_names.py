"""Layers of one name in several models of a file: each has its own weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.interpreter import NumpyProgram

pytestmark = pytest.mark.tensorflow


def late(keras: Any, name: str, filters: int) -> Any:
    """A model that is built when it is first called, whose variables bear its name."""
    return keras.Sequential([keras.layers.Conv2D(filters, 1, name="conv")], name=name)


def early(keras: Any, name: str, filters: int) -> Any:
    """A model whose variables bear the layer's name only."""
    images = keras.Input((8, 8, 3))
    return keras.Model(images, keras.layers.Conv2D(filters, 1, name="conv")(images), name=name)


def in_sequential(keras: Any, first: int, second: int) -> Any:
    outer = keras.Sequential([late(keras, "a", first), late(keras, "b", second)], name="outer")
    return keras.Sequential([keras.Input((8, 8, 3)), outer])


def in_functional(keras: Any, first: int, second: int) -> Any:
    return surrounded(keras, late(keras, "a", first), late(keras, "b", second))


def of_two_kinds(keras: Any, first: int, second: int) -> Any:
    return surrounded(keras, early(keras, "a", first), late(keras, "b", second))


def beside_its_model(keras: Any, first: int, second: int) -> Any:
    conv = keras.layers.Conv2D(first, 1, name="conv")
    return surrounded(keras, conv, late(keras, "b", second))


def side_by_side(keras: Any, first: int, second: int) -> Any:
    images = keras.Input((8, 8, 3))
    return keras.Model(images, late(keras, "b", second)(early(keras, "a", first)(images)))


def surrounded(keras: Any, first: Any, second: Any) -> Any:
    images = keras.Input((8, 8, 3))
    outer = keras.Model(images, second(first(images)), name="outer")
    again = keras.Input((8, 8, 3))
    return keras.Model(again, outer(again))


BUILDERS = (in_sequential, in_functional, of_two_kinds, beside_its_model, side_by_side)


@pytest.mark.parametrize("filters", [(3, 3), (4, 5)])
@pytest.mark.parametrize("form", ["whole.h5", "model.keras"])
@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("version", [2, 3])
def test_each_has_its_own_weights(
    version: int,
    build: Callable[..., Any],
    form: str,
    filters: tuple[int, int],
    request: pytest.FixtureRequest,
    randomise: Any,
    save: Any,
    tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    library = request.getfixturevalue("keras" if version == 3 else "keras2")
    source = randomise(build(library, *filters))
    if version == 2 and form == "whole.h5" and build is not side_by_side:
        with pytest.raises(ValueError, match="name already exists"):
            save(source, tmp_path, form)
        return  # Keras 2 cannot write such a file
    model = read_model_file(save(source, tmp_path, form))
    images = rng.normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(
        NumpyProgram(model.network, model.weights)(images),
        source.predict(images, verbose=0),
        atol=1e-5,
    )


def test_what_names_do_not_tell_is_refused(keras: Any, save: Any, tmp_path: Path) -> None:
    path = save(in_functional(keras, 3, 3), tmp_path, "whole.h5")
    with h5py.File(path, "r+") as file:
        group = file["model_weights/outer"]
        for name in ("a", "b"):
            group.move(name, f"old_{name}")
        names = [f"old_{text}" for text in group.attrs["weight_names"]]
        group.attrs["weight_names"] = [name.encode() for name in names]
    with pytest.raises(ModelFileError, match="does not say which of the models in 'outer'"):
        read_model_file(path)
