"""From a name or a file to a model."""

import warnings
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.architecture.pictures import checked_range
from npmobilenet.backends import DEFAULT_BACKEND
from npmobilenet.errors import UnknownModelError
from npmobilenet.formats import (
    read_class_names,
    read_input_range,
    read_model_file,
    read_weights,
)
from npmobilenet.initializers import random_weights
from npmobilenet.labels import LabelSource
from npmobilenet.model import DEFAULT_CROP, DEFAULT_RESIZE, Model
from npmobilenet.pretrained import fetch, find_entry


def load_model(
    path: str | PathLike[str],
    custom_objects: Mapping[str, object] | None = None,
    compile: bool | None = None,
    safe_mode: bool | None = None,
    *,
    input_shape: tuple[int | None, int | None, int] | None = None,
    input_range: tuple[float, float] | None = None,
    backend: str = DEFAULT_BACKEND,
    labels: LabelSource | None = None,
    resize: str = DEFAULT_RESIZE,
    crop: float | None = DEFAULT_CROP,
) -> Model:
    """A model from a file of any format that :mod:`npmobilenet.formats` reads.

    The content decides, not the name of the file. Models saved whole bring their layers with
    them; for weights alone the network is inferred from names and shapes.

    Parameters
    ----------
    path : str or path
    custom_objects, compile, safe_mode
        Keras' arguments. They have no effect: a model only runs, and no code of a file or for one
        is called. What asks for more than that is warned of.
    input_shape : tuple, optional
        ``(height, width, channels)``, for weights files, which do not say it.
    input_range : tuple, optional
        What black and white in a picture become, such as ``(0, 1)`` for a model that was trained
        with ``rescale=1/255``. By default what the file says; of a MobileNet that says nothing it
        is assumed that it was trained as keras.applications did, which ``model.assumptions``
        lists; any other model without it takes no pictures.
    backend, labels, resize, crop
        As in :class:`npmobilenet.model.Model`; names of classes in the file are its labels.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    LabelsError
        If there are not as many labels as classes.
    """
    _warn_of_no_effect(custom_objects, compile, safe_mode)
    given = None if input_range is None else checked_range(input_range)
    file = read_model_file(path, input_shape=input_shape, input_range=given)
    if labels is None and file.format == "keras-h5-model":
        names = read_class_names(path)
        labels = names
    return Model(
        file.network,
        file.weights,
        backend=backend,
        labels=labels,
        resize=resize,
        crop=crop,
        source=fspath(path),
        assumptions=file.assumptions,
    )


def load_pretrained(
    name: str,
    *,
    input_range: tuple[float, float] | None = None,
    backend: str = DEFAULT_BACKEND,
    labels: LabelSource | None = None,
    resize: str = DEFAULT_RESIZE,
    crop: float | None = DEFAULT_CROP,
) -> Model:
    """A model of the catalogue, its weights fetched if need be.

    Parameters
    ----------
    name : str
        As ``npmobilenet weights list`` shows it, such as ``"mobilenet_v1_1.0_224"``.
    input_range, backend, labels, resize, crop
        As in :class:`npmobilenet.model.Model`.

    Raises
    ------
    UnknownModelError
        If the catalogue has no such name.
    DownloadError
        If no source has the weights.
    """
    entry = find_entry(name)
    network = entry.network()
    fetched = fetch(entry.name)
    return Model(
        network,
        read_weights(fetched.path, network),
        input_range=input_range,
        backend=backend,
        labels=labels,
        resize=resize,
        crop=crop,
        source=str(fetched),
    )


def load(
    version: int = 1,
    alpha: float = 1.0,
    *,
    input_range: tuple[float, float] | None = None,
    backend: str = DEFAULT_BACKEND,
) -> Model:
    """A pretrained 224 x 224 classifier, for those who come from TensorFlow.js.

    Pictures are resized as there: the whole picture, bilinear with aligned corners.

    Parameters
    ----------
    version : {1, 2}
    alpha : float
        Width multiplier: 0.25, 0.5, 0.75 or 1 for V1; 0.35 to 1.4 for V2.
    input_range : tuple, optional
        As TensorFlow.js' ``inputRange``; these models were trained with -1 to 1, the default.
    backend : str

    Raises
    ------
    ValueError
        If there is no such version or alpha.
    DownloadError
        If no source has the weights.
    """
    if version not in (1, 2):
        raise ValueError(f"version must be 1 or 2, found {version!r}")
    name = f"mobilenet_v{version}_{float(alpha)}_224"
    return load_pretrained(
        name, input_range=input_range, backend=backend, resize="tfjs-bilinear", crop=None
    )


def catalogue_name(weights: str | PathLike[str] | None) -> str | None:
    """The catalogue's spelling of ``weights``, or ``None`` if it is something else to look for.

    Raises
    ------
    ValueError
        If it is neither ``None``, ``"imagenet"``, a name of the catalogue nor a file.
    """
    if weights is None or weights == "imagenet":
        return None
    if Path(weights).is_file():
        return None
    try:
        return find_entry(fspath(weights)).name
    except UnknownModelError:
        raise ValueError(
            "weights must be None (random), 'imagenet', a name that `npmobilenet weights list` "
            f"shows, or the path of a file; found {weights!r}, and there is no such file"
        ) from None


def build_model(
    network: Network,
    weights: str | PathLike[str] | None,
    imagenet_name: str | None,
    *,
    input_range: tuple[float, float] | None,
    backend: str,
    seed: int | None,
) -> Model:
    """A model of a given network with random, catalogued or a file's weights.

    Parameters
    ----------
    network : Network
    weights : {None, "imagenet"}, name of the catalogue, or path
    imagenet_name : str or None
        What ``"imagenet"`` stands for in the catalogue.
    input_range, backend, seed
    """
    tensors = _tensors(network, weights, imagenet_name, seed)
    if input_range is None and weights is not None and imagenet_name is None:
        input_range = read_input_range(weights)
    return Model(network, tensors, input_range=input_range, backend=backend)


def _warn_of_no_effect(
    custom_objects: Mapping[str, object] | None, compile: bool | None, safe_mode: bool | None
) -> None:
    if custom_objects:
        warnings.warn(
            "custom_objects has no effect: layers are read as data, and no code is called for them",
            stacklevel=3,
        )
    if compile:
        warnings.warn("compile=True has no effect: a model only runs", stacklevel=3)
    if safe_mode is False:
        warnings.warn(
            "safe_mode=False has no effect: code in model files is never run", stacklevel=3
        )


def _tensors(
    network: Network,
    weights: str | PathLike[str] | None,
    imagenet_name: str | None,
    seed: int | None,
) -> Mapping[str, np.ndarray]:
    if weights is None:
        return random_weights(network, seed)
    if imagenet_name is not None:
        return read_weights(fetch(imagenet_name).path, network)
    return read_weights(fspath(weights), network)
