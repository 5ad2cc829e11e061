"""LiteRT (TensorFlow Lite) with its XNNPACK kernels."""

from pathlib import Path

import numpy as np

from bench.peers.peer import Peer, Run


class LiteRT(Peer):
    """The float .tflite model that TensorFlow's converter makes, its input set outside the call."""

    name = "litert"
    title = "LiteRT XNNPACK"
    packages = ("ai-edge-litert", "tensorflow")

    def export(self, network, weights, batch_size, path: Path) -> None:
        import tensorflow as tf

        from npmobilenet.analysis.folding import fold
        from npmobilenet.analysis.references.keras_model import keras_model

        folded = fold(network, weights)
        model = keras_model(folded.network, folded.weights, batch_size)
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        path.with_suffix(".tflite").write_bytes(converter.convert())

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        from ai_edge_litert.interpreter import Interpreter

        model = Interpreter(str(path.with_suffix(".tflite")), num_threads=threads)
        model.allocate_tensors()
        model.set_tensor(model.get_input_details()[0]["index"], batch)
        output = model.get_output_details()[0]["index"]

        def run() -> np.ndarray:
            model.invoke()
            return model.get_tensor(output)

        return run
