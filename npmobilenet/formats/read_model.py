"""A model file of any format as a network and its weights."""

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from npmobilenet.architecture import (
    Activation,
    Dense,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Network,
    Shape,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.backbone import Backbone, recognise
from npmobilenet.formats.contents import Contents
from npmobilenet.formats.graph_network import graph_network
from npmobilenet.formats.inference import infer_network
from npmobilenet.formats.input_range import Range, expected_range
from npmobilenet.formats.keras_config import read_config
from npmobilenet.formats.leftovers import refuse_leftover_layers, refuse_leftover_tensors
from npmobilenet.formats.matching import first_few, problems, read_tensors
from npmobilenet.formats.model_file import ModelFile
from npmobilenet.formats.opening import open_model_file
from npmobilenet.formats.origins import described_layers, layers_by_origin


def read_model_file(
    path: str | PathLike[str],
    input_shape: Shape | None = None,
    input_range: tuple[float, float] | None = None,
) -> ModelFile:
    """Read a file of any format; the content decides which, not the name.

    A configuration in the file is read as data; nothing in it is ever run. For weights alone the
    network is inferred from names and shapes.

    Parameters
    ----------
    path : str or path
    input_shape : tuple, optional
        ``(height, width, channels)`` in place of what the file says. Weights alone do not say it;
        for them it is by default ``(224, 224, 3)`` with a classifier, otherwise any size.
    input_range : tuple, optional
        What black and white become, in place of what the file says or what is assumed.

    Raises
    ------
    ModelFileError
        If the file is damaged, of no known format, not a network that can be built, or asks for
        what is refused (links, code, absurd sizes).
    """
    path = Path(path)
    with open_model_file(path) as contents:
        if contents.config is None:
            return _from_weights(path, contents, input_shape, input_range)
        return _from_config(path, contents, contents.config, input_shape, input_range)


def _from_config(
    path: Path,
    contents: Contents,
    config: Mapping[str, Any],
    input_shape: Shape | None,
    given: Range | None,
) -> ModelFile:
    model = read_config(config, input_shape, contents.keras)
    found = layers_by_origin(contents, model)
    wrong = problems(model.network, found)
    if wrong:
        raise ModelFileError(
            f"configuration and tensors of {model.network.name!r} do not fit: {first_few(wrong)}"
        )
    refuse_leftover_layers(contents, model, found)
    refuse_leftover_tensors(model.network, found)
    weights = read_tensors(contents, model.network, found)
    backbone = recognise(described_layers(model), ordered=False)
    return _model_file(path, contents, model.network, weights, backbone, model.notes, given)


def _from_weights(
    path: Path, contents: Contents, input_shape: Shape | None, given: Range | None
) -> ModelFile:
    if contents.graph is not None:
        inferred = graph_network(contents, contents.graph, input_shape)
    else:
        inferred = infer_network(contents, input_shape)
    refuse_leftover_tensors(inferred.network, inferred.layers)
    weights = read_tensors(contents, inferred.network, inferred.layers)
    return _model_file(
        path, contents, inferred.network, weights, inferred.backbone, inferred.assumptions, given
    )


def _model_file(
    path: Path,
    contents: Contents,
    network: Network,
    weights: dict[str, np.ndarray],
    backbone: Backbone | None,
    assumptions: tuple[str, ...],
    given: Range | None,
) -> ModelFile:
    images = expected_range(network, weights, backbone.alpha if backbone else None)
    known = given or contents.input_range
    if known is None and images.assumption is not None:
        assumptions = (*assumptions, images.assumption)
    like = backbone or images.structure
    return ModelFile(
        path=path,
        format=contents.format,
        producer=contents.producer,
        network=replace(network, input_range=known or images.values),
        weights=weights,
        kind=like.kind if like else None,
        alpha=like.alpha if like else None,
        depth_multiplier=like.depth_multiplier if like else None,
        include_top=backbone is not None and backbone.classifier is not None,
        classes=_classes(network, backbone),
        pooling=_pooling(network, backbone),
        assumptions=assumptions,
    )


def _classes(network: Network, backbone: Backbone | None) -> int | None:
    """Size of the output, if the network ends in a classifier."""
    classifies = (backbone is not None and backbone.classifier is not None) or any(
        isinstance(node.layer, Dense)
        or (isinstance(node.layer, Activation) and node.layer.activation == "softmax")
        for node in network
    )
    return network.output_shape[0] if classifies and len(network.output_shape) == 1 else None


def _pooling(network: Network, backbone: Backbone | None) -> str | None:
    if backbone is not None and backbone.classifier is None:
        for node in network:
            if isinstance(node.layer, GlobalAveragePooling2D):
                return "avg"
            if isinstance(node.layer, GlobalMaxPooling2D):
                return "max"
    return None
