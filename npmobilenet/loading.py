"""From a name or a file to a model."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.backends import DEFAULT_BACKEND
from npmobilenet.errors import UnknownModelError
from npmobilenet.formats import read_class_names, read_model_file, read_weights
from npmobilenet.initializers import random_weights
from npmobilenet.labels import Labels
from npmobilenet.model import DEFAULT_CROP, DEFAULT_RESIZE, Model
from npmobilenet.pretrained import fetch, find_entry


def load_model(
    path: str | PathLike[str],
    *,
    input_shape: tuple[int | None, int | None, int] | None = None,
    backend: str = DEFAULT_BACKEND,
    labels: Labels | None = None,
    resize: str = DEFAULT_RESIZE,
    crop: float | None = DEFAULT_CROP,
) -> Model:
    """A model from a file of any format that :mod:`npmobilenet.formats` reads.

    The content decides, not the name of the file. Models saved whole bring their layers with
    them; for weights alone the network is inferred from names and shapes.

    Parameters
    ----------
    path : str or path
    input_shape : tuple, optional
        ``(height, width, channels)``, for weights files, which do not say it.
    backend, labels, resize, crop
        As in :class:`npmobilenet.model.Model`; names of classes in the file are its labels.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    LabelsError
        If there are not as many labels as classes.
    """
    file = read_model_file(path, input_shape=input_shape)
    if labels is None and file.format == "keras-h5-model":
        names = read_class_names(path)
        labels = None if names is None else Labels(names)
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
    backend: str = DEFAULT_BACKEND,
    labels: Labels | None = None,
    resize: str = DEFAULT_RESIZE,
    crop: float | None = DEFAULT_CROP,
) -> Model:
    """A model of the catalogue, its weights fetched if need be.

    Parameters
    ----------
    name : str
        As ``npmobilenet weights list`` shows it, such as ``"mobilenet_v1_1.0_224"``.
    backend, labels, resize, crop
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
        backend=backend,
        labels=labels,
        resize=resize,
        crop=crop,
        source=str(fetched),
    )


def load(version: int = 1, alpha: float = 1.0, *, backend: str = DEFAULT_BACKEND) -> Model:
    """A pretrained 224 x 224 classifier, for those who come from TensorFlow.js.

    Pictures are resized as there: the whole picture, bilinear with aligned corners.

    Parameters
    ----------
    version : {1, 2}
    alpha : float
        Width multiplier: 0.25, 0.5, 0.75 or 1 for V1; 0.35 to 1.4 for V2.

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
    return load_pretrained(name, backend=backend, resize="tfjs-bilinear", crop=None)


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
    backend, seed
    """
    return Model(network, _tensors(network, weights, imagenet_name, seed), backend=backend)


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
