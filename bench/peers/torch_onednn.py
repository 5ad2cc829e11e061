"""PyTorch with a frozen graph that oneDNN Graph fuses."""

import warnings
from pathlib import Path

import numpy as np

from bench.peers.layout import channels_first, channels_last
from bench.peers.peer import Peer, Run

WARM_UP = 3  # runs in which the graph is profiled and compiled


class TorchOneDnn(Peer):
    """A traced and frozen module."""

    name = "torch"
    title = "PyTorch oneDNN Graph"
    packages = ("torch",)

    def export(self, network, weights, batch_size, path: Path) -> None:
        import torch

        from bench.peers.torch_model import TorchNetwork

        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is, oneDNN Graph needs it
        module = TorchNetwork(network, weights).eval().to(memory_format=torch.channels_last)
        example = torch.zeros(batch_size, *channels_first_shape(network.input_shape))
        with torch.no_grad():
            traced = torch.jit.trace(module, example.to(memory_format=torch.channels_last))
            torch.jit.freeze(traced).save(path.with_suffix(".ts"))

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        import torch

        warnings.simplefilter("ignore", DeprecationWarning)
        torch.set_num_threads(threads)
        torch.jit.enable_onednn_fusion(True)
        module = torch.jit.load(path.with_suffix(".ts"))
        x = torch.from_numpy(channels_first(batch)).contiguous(memory_format=torch.channels_last)

        def run() -> np.ndarray:
            with torch.inference_mode():
                return channels_last(module(x).numpy())

        return run
