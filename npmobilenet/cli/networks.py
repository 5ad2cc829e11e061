"""How commands find what they look at, by name or in a file: a network, or it with its weights."""

import re
from functools import partial
from pathlib import Path

import click
import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.architecture.shapes import channels
from npmobilenet.cli.output import notes
from npmobilenet.formats import read_model_file
from npmobilenet.labels import Labels
from npmobilenet.loading import load_model, load_pretrained
from npmobilenet.model import DEFAULT_CROP, DEFAULT_RESIZE, Model
from npmobilenet.pretrained import find_entry


def input_size(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Callback of an option: ``192x224`` as (height, width); ``192`` is a square."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:[xX](\d{1,5}))?", value.strip())
    height = int(found[1]) if found else 0
    width = int(found[2] or found[1]) if found else 0
    if not height or not width:
        raise click.BadParameter(f"{value!r} is no size such as 192 or 192x224")
    return height, width


def find_network(name: str, size: tuple[int, int] | None = None) -> Network:
    """The network of a model file, or of a name in the catalogue, whose weights are not needed.

    Parameters
    ----------
    name : str
    size : (height, width), optional
        In place of the input size it has.

    Raises
    ------
    ModelFileError
        If a file cannot be read.
    UnknownModelError
        If there is no such file, and the catalogue has no such name.
    """
    return find_network_and_weights(name, size)[0]


def find_network_and_weights(
    name: str, size: tuple[int, int] | None = None
) -> tuple[Network, dict[str, np.ndarray] | None]:
    """The same, with the weights of a file; a name of the catalogue has none here."""
    if not Path(name).is_file():
        return find_entry(name).network(size=size), None
    file = read_model_file(name)
    if size is not None:
        file = read_model_file(name, (*size, channels(file.network.input_shape)))
    return file.network, file.weights


def find_model(
    name: str,
    weights: Path | None = None,
    *,
    backend: str,
    input_range: tuple[float, float] | None = None,
    labels: Labels | None = None,
    resize: str = DEFAULT_RESIZE,
    crop: float | None = DEFAULT_CROP,
) -> Model:
    """The model of a file, or of a name in the catalogue, whose weights are fetched if need be.

    Where the weights are from, and what was assumed, is said on stderr.

    Parameters
    ----------
    name : str
        Of a file too.
    weights : Path, optional
        A file, instead of ``name``.
    input_range, backend, labels, resize, crop
        As in :class:`npmobilenet.model.Model`.

    Raises
    ------
    ModelFileError
        If a file cannot be read.
    UnknownModelError, DownloadError
        If there is no such file, and the catalogue has no such name or its weights are nowhere.
    """
    path = Path(name) if weights is None and Path(name).is_file() else weights
    load = partial(load_pretrained, name) if path is None else partial(load_model, path)
    model = load(input_range=input_range, backend=backend, labels=labels, resize=resize, crop=crop)
    notes.print(f"model {model.name}, weights from {model.source}", soft_wrap=True)
    for assumption in model.assumptions:
        notes.print(f"assumed: {assumption}", soft_wrap=True)
    return model


def find_sized_model(
    name: str, size: tuple[int, int] | None, input_range: tuple[float, float] | None = None
) -> Model:
    """The model of a file or a name, on the NumPy backend, for one size of images.

    Parameters
    ----------
    name : str
    size : (height, width), optional
        In place of the input size it has.
    input_range : tuple, optional
        In place of the range it has.

    Raises
    ------
    ModelFileError, UnknownModelError, DownloadError
        As in :func:`find_model`.
    ValueError
        If neither the network nor ``size`` says how large the input is.
    """
    model = find_model(name, backend="numpy", input_range=input_range)
    network = model.network if size is None else find_network(name, size)
    if None in network.input_shape:
        raise ValueError(f"{name} takes images of any size: say which one with --input")
    if network.input_shape == model.network.input_shape:
        return model
    return Model(
        network,
        model.weights,
        backend="numpy",
        labels=model.labels,
        input_range=model.network.input_range,
        source=model.source,
    )
