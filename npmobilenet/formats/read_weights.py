"""Tensors of a file for a network that is known."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.errors import ModelFileError, WeightsMismatchError
from npmobilenet.formats.backbone import recognise
from npmobilenet.formats.contents import Contents, RawLayer
from npmobilenet.formats.graph_network import graph_network
from npmobilenet.formats.inference import infer_network
from npmobilenet.formats.keras_config import read_config
from npmobilenet.formats.leftovers import refuse_leftover_tensors
from npmobilenet.formats.matching import Assignment, assignments, first_few, problems, read_tensors
from npmobilenet.formats.opening import open_model_file
from npmobilenet.formats.origins import layers_by_origin


def read_weights(path: str | PathLike[str], network: Network) -> dict[str, np.ndarray]:
    """The tensors of a file for a network that is known, matched by name and shape.

    Names are tried first, then the order that the format keeps. The file may hold more than the
    network needs.

    Parameters
    ----------
    path : str or path
    network : Network

    Returns
    -------
    dict of str to ndarray
        float32, by canonical name, for exactly ``network.variables``.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    WeightsMismatchError
        If its tensors do not fit; the message names what the file and what the network has.
    """
    path = Path(path)
    with open_model_file(path) as contents:
        found, closest = _match(network, contents.layers, ordered=contents.ordered)
        if found is None:
            found, _ = _match(network, _renamed(contents), ordered=False)
        if found is None:
            raise WeightsMismatchError(_mismatch(contents, network, closest))
        refuse_leftover_tensors(network, found)
        return read_tensors(contents, network, found)


def _renamed(contents: Contents) -> list[RawLayer]:
    """The layers under the names that reading the whole model gives them; none if it cannot."""
    try:
        if contents.graph is not None:
            layers = graph_network(contents, contents.graph).layers
        elif contents.config is None:
            layers = infer_network(contents).layers
        else:
            layers = layers_by_origin(contents, read_config(contents.config, keras=contents.keras))
    except ModelFileError:
        return []
    return [RawLayer((name,), (), layer.tensors) for name, layer in layers.items()]


def _match(
    network: Network, layers: Sequence[RawLayer], *, ordered: bool
) -> tuple[Assignment | None, list[str]]:
    """An assignment that fits, or ``None`` and the problems of the one that comes closest."""
    closest: list[str] = []
    for found in assignments(network, layers, ordered=ordered):
        wrong = problems(network, found)
        if not wrong:
            return found, []
        if not closest or len(wrong) < len(closest):
            closest = wrong
    return None, closest


def _mismatch(contents: Contents, network: Network, closest: list[str]) -> str:
    """What the file has, what the network has, and the first differences."""
    backbone = recognise(contents.layers, ordered=contents.ordered)
    has = backbone.describe() if backbone else "no MobileNet V1 or V2"
    differences = first_few(closest) or "layers have other names"
    output = "any" if None in network.output_shape else network.output_shape
    return (
        f"the file ({contents.format}) has {has} in {len(contents.layers)} layers with weights; "
        f"expected {network.name!r} with output {output} and {len(network.variables)} tensors: "
        f"{differences}"
    )
