"""ONNX Runtime on its CPU provider."""

from pathlib import Path

import numpy as np

from bench.peers.layout import channels_first, channels_last
from bench.peers.peer import Peer, Run


class OnnxRuntime(Peer):
    """The ONNX file that `onnx_export` writes, with all of the runtime's optimisations."""

    name = "onnxruntime"
    title = "ONNX Runtime"
    packages = ("onnxruntime", "onnx")

    def export(self, network, weights, batch_size, path: Path) -> None:
        from bench.peers.onnx_export import write_onnx

        write_onnx(network, weights, batch_size, path.with_suffix(".onnx"))

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            path.with_suffix(".onnx"), options, providers=["CPUExecutionProvider"]
        )
        inputs = {session.get_inputs()[0].name: channels_first(batch)}
        return lambda: channels_last(session.run(None, inputs)[0])
