"""OpenVINO on a batch as so many single images, one stream a thread: faster than one batch."""

from pathlib import Path

import numpy as np

from bench.peers.layout import channels_first
from bench.peers.openvino_f32 import OpenVinoF32
from bench.peers.peer import Run


class OpenVinoStreams(OpenVinoF32):
    """Asynchronous requests of batch 1, each on one thread."""

    name = "openvino-streams"
    title = "OpenVINO f32, streams of batch 1"
    only_batches = True

    def export(self, network, weights, batch_size, path: Path) -> None:
        super().export(network, weights, 1, path)

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        import openvino

        model = openvino.Core().compile_model(
            path.with_suffix(".xml"),
            "CPU",
            {"NUM_STREAMS": threads, "INFERENCE_NUM_THREADS": threads, **self.hints},
        )
        images = channels_first(batch)
        requests = [model.create_infer_request() for _ in batch]
        for request, image in zip(requests, images, strict=True):
            request.get_input_tensor().data[...] = image

        def run() -> np.ndarray:
            for request in requests:
                request.start_async()
            for request in requests:
                request.wait()
            return np.concatenate([request.get_output_tensor().data for request in requests])

        return run
