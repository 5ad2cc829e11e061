"""ONNX Runtime on its CPU provider."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.folding import fold
from npmobilenet.analysis.references.onnx_export import onnx_model
from npmobilenet.analysis.references.outputs import Outputs, fused_layers
from npmobilenet.architecture import Network


def run(
    network: Network, weights: Mapping[str, NDArray[Any]], batch: NDArray[np.float32]
) -> Outputs:
    """The output of every layer of the folded network, with all of the runtime's optimisations."""
    import onnx
    import onnxruntime

    folded = fold(network, weights)
    model, names = onnx_model(folded.network, folded.weights, len(batch), every_layer=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = {session.get_inputs()[0].name: np.ascontiguousarray(_channels_first(batch))}
    found = dict(
        zip(
            (output.name for output in session.get_outputs()),
            session.run(None, inputs),
            strict=True,
        )
    )
    first = network.nodes[0].name
    values = {first: batch}
    for node in folded.network.nodes[1:]:
        original = folded.stands_for[node.name]
        shape = [len(batch), *(size or 0 for size in network.shapes[original])]
        values[original] = _channels_last(found[names[node.name]]).reshape(shape)
    return Outputs(
        "ONNX Runtime",
        values,
        fused_layers(network, values),
        {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__},
    )


def _channels_first(batch: NDArray[Any]) -> NDArray[Any]:
    return np.moveaxis(batch, -1, 1) if batch.ndim == 4 else batch


def _channels_last(output: NDArray[Any]) -> NDArray[Any]:
    return np.moveaxis(output, 1, -1) if output.ndim == 4 else output
