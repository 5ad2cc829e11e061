"""OpenVINO reading the .tflite file: faster than ONNX for some networks."""

from pathlib import Path

import numpy as np

from bench.peers.litert import LiteRT
from bench.peers.openvino_f32 import OpenVinoF32


def _unchanged(array: np.ndarray) -> np.ndarray:
    return array


class OpenVinoTflite(OpenVinoF32):
    """The same runtime and settings on a graph that is channels last."""

    name = "openvino-tflite"
    title = "OpenVINO f32, from tflite"
    packages = ("openvino", "tensorflow")
    input_layout = staticmethod(_unchanged)
    output_layout = staticmethod(_unchanged)

    def export(self, network, weights, batch_size, path: Path) -> None:
        import openvino

        LiteRT().export(network, weights, batch_size, path)
        converted = openvino.convert_model(path.with_suffix(".tflite"))
        openvino.save_model(converted, path.with_suffix(".xml"), compress_to_fp16=False)
