"""OpenVINO told to compute in float32."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from bench.peers.layout import channels_first, channels_last
from bench.peers.peer import Peer, Run


class OpenVinoF32(Peer):
    """One request on a compiled model, its input set outside the call."""

    name = "openvino"
    title = "OpenVINO f32"
    packages = ("openvino", "onnx")
    hints: ClassVar[dict[str, object]] = {"INFERENCE_PRECISION_HINT": "f32"}
    input_layout = staticmethod(channels_first)
    output_layout = staticmethod(channels_last)

    def export(self, network, weights, batch_size, path: Path) -> None:
        import openvino

        from bench.peers.onnx_export import write_onnx

        onnx = path.with_suffix(".onnx")
        write_onnx(network, weights, batch_size, onnx)
        # By default it would round the weights to float16.
        openvino.save_model(
            openvino.convert_model(onnx), path.with_suffix(".xml"), compress_to_fp16=False
        )

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        import openvino

        model = openvino.Core().compile_model(
            path.with_suffix(".xml"),
            "CPU",
            {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, **self.hints},
        )
        request = model.create_infer_request()
        request.get_input_tensor().data[...] = self.input_layout(batch)
        output = request.get_output_tensor()

        def run() -> np.ndarray:
            request.infer()
            return self.output_layout(output.data)

        return run
