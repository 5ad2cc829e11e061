"""A network as an ONNX model: NCHW, a node for each layer and each activation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from npmobilenet.analysis.references.onnx_layers import CONVERSIONS, OnnxGraph
from npmobilenet.architecture import Activation, Input, Network, Shape

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17
IR_VERSION = 9


def onnx_model(
    network: Network,
    weights: Mapping[str, NDArray[Any]],
    batch_size: int,
    *,
    every_layer: bool = False,
) -> tuple["ModelProto", dict[str, str]]:
    """The network as an ONNX model for batches of one size; images are ``(N, C, H, W)``.

    Parameters
    ----------
    network : Network
        As it is: fold it first where runtimes are to get it folded.
    weights : mapping of str to array
    batch_size : int
    every_layer : bool
        Whether each layer's value is an output of the model, and not only the last one's.

    Returns
    -------
    model : ModelProto
    values : dict of str to str
        A layer's name, and the name of the ONNX value that holds its output.

    Raises
    ------
    ValueError
        If a layer has no conversion.
    """
    import onnx
    from onnx import helper

    graph = OnnxGraph(network, weights, batch_size)
    for node in network:
        kind = type(node.layer)
        if kind is Input:
            graph.value[node.name] = node.name
            continue
        if kind not in CONVERSIONS:
            raise ValueError(f"layer {node.name!r} ({kind.__name__}) cannot be written for ONNX")
        output = CONVERSIONS[kind](graph, node.layer, *(graph.value[name] for name in node.inputs))
        if kind is not Activation:  # the others may carry one
            output = graph.activated(node.name, output, getattr(node.layer, "activation", "linear"))
        graph.value[node.name] = output
    names = [node.name for node in network]
    given = dict.fromkeys(
        (graph.value[name] for name in (names[1:] if every_layer else names[-1:])), names[-1]
    )
    shapes = {graph.value[name]: _nchw(network.shapes[name]) for name in names}
    values = {
        name: helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, (batch_size, *shapes[name])
        )
        for name in (names[0], *given)
    }
    first, *outputs = values.values()
    model = helper.make_model(
        helper.make_graph(graph.nodes, "network", [first], outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model, graph.value


def _nchw(shape: Shape) -> Shape:
    return (shape[-1], *shape[:-1])
