"""TF-Slim's MobileNets under Keras' names: which constant is which tensor.

Slim counts the blocks of V1 as ``Conv2d_3_depthwise``, ``Conv2d_3_pointwise`` and of V2 as
``expanded_conv_3/{expand,depthwise,project}``. Class 0 of its classifiers is the background.
"""

import re
from collections.abc import Mapping
from functools import partial

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents, RawLayer, RawTensor
from npmobilenet.formats.graphdef import FrozenGraph, parse_graph
from npmobilenet.formats.messages import shown

EPSILON = 1e-3

# TensorFlow Hub puts the name of its module before: "module/MobilenetV1/Conv2d_0/weights".
_NETWORK = re.compile(r"(?:^|/)(MobilenetV[12])/")
_VARIABLES = {"weights": "kernel", "depthwise_weights": "kernel", "biases": "bias"}
_CLASSIFIERS = ("conv_preds", "predictions")
_NORM = "BatchNorm"
_NORM_VARIABLES = ("gamma", "beta", "moving_mean", "moving_variance")


def slim_contents(content: bytes) -> Contents:
    """The MobileNet of a frozen graph.

    Raises
    ------
    ModelFileError
        If the graph has no TF-Slim MobileNet, or batch norm has another epsilon.
    """
    graph = parse_graph(content)
    layers: dict[str, dict[str, RawTensor]] = {}
    for name, tensor in graph.constants.items():
        found = keras_name(name)
        if found is not None:
            layer, variable = found
            other = layers.setdefault(layer, {}).setdefault(variable, tensor)
            if other is not tensor:
                raise ModelFileError(
                    f"constants {shown(other.name)} and {shown(name)}: two MobileNets in one graph "
                    "are not supported"
                )
    if not layers:
        raise ModelFileError(
            "frozen graph without MobilenetV1/... or MobilenetV2/... constants of TF-Slim"
        )
    _check_epsilons(graph)
    return Contents(
        format="tf-graphdef",
        size=len(content),
        layers=tuple(_raw_layer(name, tensors) for name, tensors in layers.items()),
        ordered=False,
        producer="tf-slim / tensorflow",
        graph=graph,
    )


def drop_background_class(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same weights with a classifier for all classes but the first.

    TF-Slim's checkpoints have 1001 classes, of which class 0 is the background; Keras has the
    1000 others.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Of a MobileNet with its top, by canonical name.

    Raises
    ------
    ValueError
        If there is no classifier, or it has a single class.
    """
    for classifier in _CLASSIFIERS:
        kernel = weights.get(f"{classifier}/kernel")
        bias = weights.get(f"{classifier}/bias")
        if kernel is not None and bias is not None:
            if kernel.shape[-1] < 2:
                raise ValueError(f"layer {classifier!r} has a single class")
            return dict(weights) | {
                f"{classifier}/kernel": np.ascontiguousarray(kernel[..., 1:]),
                f"{classifier}/bias": np.ascontiguousarray(bias[1:]),
            }
    raise ValueError("there is no classifier: neither conv_preds nor predictions among the weights")


def keras_name(constant: str) -> tuple[str, str] | None:
    """Keras' layer and variable for the name of a constant; ``None`` if it is none of Slim's."""
    found = _NETWORK.search(constant)
    if found is None:
        return None
    network, rest = found[1], constant[found.end() :]
    scope, _, variable = rest.rpartition("/")
    norm = scope.endswith(f"/{_NORM}")
    if norm:
        if variable not in _NORM_VARIABLES:
            return None
    elif variable not in _VARIABLES:
        return None
    rename = _v1_layer if network == "MobilenetV1" else _v2_layer
    layer = rename(scope.removesuffix(f"/{_NORM}"), norm)
    return None if layer is None else (layer, variable if norm else _VARIABLES[variable])


def _v1_layer(scope: str, norm: bool) -> str | None:
    suffix = "_bn" if norm else ""
    if scope == "Conv2d_0":
        return f"conv1{suffix}"
    if scope == "Logits/Conv2d_1c_1x1":
        return None if norm else "conv_preds"
    block = re.fullmatch(r"Conv2d_(\d{1,2})_(depthwise|pointwise)", scope)
    if block is None:
        return None
    short = "dw" if block[2] == "depthwise" else "pw"
    return f"conv_{short}_{int(block[1])}{suffix}"


def _v2_layer(scope: str, norm: bool) -> str | None:
    if scope == "Conv":
        return "bn_Conv1" if norm else "Conv1"
    if scope == "Conv_1":
        return "Conv_1_bn" if norm else "Conv_1"
    if scope == "Logits/Conv2d_1c_1x1":
        return None if norm else "predictions"
    block = re.fullmatch(r"expanded_conv(?:_(\d{1,2}))?/(expand|depthwise|project)", scope)
    if block is None:
        return None
    prefix = f"block_{int(block[1])}" if block[1] else "expanded_conv"
    return f"{prefix}_{block[2]}{'_BN' if norm else ''}"


def _raw_layer(name: str, tensors: dict[str, RawTensor]) -> RawLayer:
    mean = tensors.get("moving_mean")
    if mean is not None and "gamma" not in tensors:
        # Slim leaves the scale out where an activation follows that could be scaled instead.
        ones = partial(np.ones, mean.shape, np.float32)
        tensors = tensors | {
            "gamma": RawTensor(f"{mean.name} (gamma)", mean.shape, "float32", ones)
        }
    kernel = tensors.get("kernel")
    if name == "predictions" and kernel is not None and kernel.shape[:2] == (1, 1):
        # V2 classifies with a 1 x 1 convolution in Slim, with a dense layer in Keras.
        dense = RawTensor(kernel.name, kernel.shape[2:], kernel.dtype, lambda: kernel.read()[0, 0])
        tensors = tensors | {"kernel": dense}
    return RawLayer((name,), (), tensors)


def _check_epsilons(graph: FrozenGraph) -> None:
    """Keras' networks have an epsilon of 0.001; one that differs would change every layer."""
    epsilons = {
        name: node.attributes["epsilon"].f
        for name, node in graph.nodes.items()
        if node.op.startswith("FusedBatchNorm") and "epsilon" in node.attributes
    }
    for name, tensor in graph.constants.items():
        if name.endswith(f"{_NORM}/batchnorm/add/y") and tensor.shape == ():
            epsilons[name] = float(tensor.read())
    for name, epsilon in epsilons.items():
        if not np.isclose(epsilon, EPSILON, rtol=1e-5):
            raise ModelFileError(f"batch norm {name!r} has epsilon {epsilon}, expected {EPSILON}")
