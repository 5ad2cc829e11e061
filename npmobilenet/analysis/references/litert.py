"""LiteRT (TensorFlow Lite) with its XNNPACK kernels, on what TensorFlow's converter makes."""

from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.references.outputs import Outputs
from npmobilenet.analysis.references.tensorflow import import_keras
from npmobilenet.analysis.stages import stages
from npmobilenet.architecture import Network


def run(
    network: Network, weights: Mapping[str, NDArray[Any]], batch: NDArray[np.float32]
) -> Outputs:
    """The output of every convolution with the batch norm and activation behind it, and the rest.

    The converter folds and fuses as it does for anybody: only what it would store anyway is made
    an output of the model.
    """
    keras = import_keras()
    import tensorflow
    from ai_edge_litert.interpreter import Interpreter

    from npmobilenet.analysis.references.keras_model import keras_model

    parts = stages(network, "convolutions")
    model = keras_model(network, weights, len(batch))
    outputs = {part.output: model.get_layer(part.output).output for part in parts}
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(
        keras.Model(model.inputs[0], outputs)
    )
    with redirect_stdout(StringIO()):  # it lists what it has saved
        content = converter.convert()
    runner = Interpreter(model_content=content).get_signature_runner()
    first = network.nodes[0].name
    (argument,) = runner.get_input_details()
    found = runner(**{argument: batch})
    values = {first: batch} | {part.output: found[part.output] for part in parts}
    fused = {node.name: part.output for part in parts for node in part.nodes[:-1]}
    return Outputs(
        "LiteRT",
        values,
        fused,
        {"ai-edge-litert": version("ai-edge-litert"), "tensorflow": tensorflow.__version__},
    )
