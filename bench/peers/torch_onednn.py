"""PyTorch with a frozen graph that oneDNN Graph fuses."""

import warnings
from pathlib import Path

import numpy as np

from bench.peers.layout import channels_last
from bench.peers.peer import Peer, Run


class TorchOneDnn(Peer):
    """A traced and frozen module."""

    name = "torch"
    title = "PyTorch oneDNN Graph"
    packages = ("torch",)

    def export(self, network, weights, batch_size, path: Path) -> None:
        import torch

        from bench.peers.torch_input import channels_last_tensor
        from bench.peers.torch_model import torch_model

        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is, oneDNN Graph needs it
        module = torch_model(network, weights)
        batch = np.zeros((batch_size, *network.input_shape), np.float32)
        with torch.no_grad():
            traced = torch.jit.trace(module, channels_last_tensor(batch))
            torch.jit.freeze(traced).save(path.with_suffix(".ts"))

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        import torch

        from bench.peers.torch_input import channels_last_tensor

        warnings.simplefilter("ignore", DeprecationWarning)
        torch.set_num_threads(threads)
        torch.jit.enable_onednn_fusion(True)
        module = torch.jit.load(path.with_suffix(".ts"))
        x = channels_last_tensor(batch)

        def run() -> np.ndarray:
            with torch.inference_mode():
                return channels_last(module(x).numpy())

        return run
