"""PyTorch as most users run it: eager, but channels last and without gradients."""

from pathlib import Path

import numpy as np

from bench.peers.layout import channels_last
from bench.peers.peer import Peer, Run


class TorchEager(Peer):
    """The module called layer by layer."""

    name = "torch-eager"
    title = "PyTorch eager"
    packages = ("torch",)

    def export(self, network, weights, batch_size, path: Path) -> None:
        import torch

        from bench.peers.torch_model import torch_model

        module = torch_model(network, weights)
        torch.save(module, path.with_suffix(".pt"))

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        import torch

        from bench.peers.torch_input import channels_last_tensor

        torch.set_num_threads(threads)
        # The file holds a class of ours, written a moment ago by `export`.
        module = torch.load(path.with_suffix(".pt"), weights_only=False)
        x = channels_last_tensor(batch)

        def run() -> np.ndarray:
            with torch.inference_mode():
                return channels_last(module(x).numpy())

        return run
