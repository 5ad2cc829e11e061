"""Keras on TensorFlow, layer for layer."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.references.outputs import Outputs
from npmobilenet.architecture import Network

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def run(
    network: Network, weights: Mapping[str, NDArray[Any]], batch: NDArray[np.float32]
) -> Outputs:
    """Every layer's output by a Keras model of the same layers, run eagerly."""
    keras = import_keras()
    import tensorflow

    from npmobilenet.analysis.references.keras_model import keras_model

    model = keras_model(network, weights)
    outputs = {node.name: model.get_layer(node.name).output for node in network}
    with tensorflow.device("CPU"):
        values = keras.Model(model.inputs[0], outputs)(batch)
    return Outputs(
        "TensorFlow",
        {name: value.numpy() for name, value in values.items()},
        facts={
            "tensorflow": tensorflow.__version__,
            "keras": keras.__version__,
            ONEDNN: os.environ.get(ONEDNN, "not set: on where TensorFlow is built with it"),
        },
    )


def import_keras() -> Any:
    """Keras on TensorFlow, which is kept from writing its notes to the terminal.

    Raises
    ------
    ValueError
        If Keras runs on something else in this process.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    if keras.config.backend() != "tensorflow":
        raise ValueError(
            f"Keras runs on {keras.config.backend()} here; set KERAS_BACKEND=tensorflow"
        )
    return keras
