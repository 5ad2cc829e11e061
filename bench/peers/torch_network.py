"""The PyTorch module of a network; imported alone by what measures PyTorch's cold start."""

import torch
from torch import Tensor, nn


class TorchNetwork(nn.Module):
    """Runs steps on NCHW tensors.

    Parameters
    ----------
    inputs : dict
        The names that each step reads, in running order; the first entry is the input itself.
    steps : dict of Module
    """

    def __init__(self, inputs: dict[str, tuple[str, ...]], steps: dict[str, nn.Module]) -> None:
        super().__init__()
        self.inputs = inputs
        self.steps = nn.ModuleDict(steps)

    def forward(self, x: Tensor) -> Tensor:
        """The output of the last step."""
        first, *rest = self.inputs
        values = {first: x}
        for name in rest:
            values[name] = self.steps[name](*(values[source] for source in self.inputs[name]))
        return values[rest[-1]]


class Sum(nn.Module):
    """A residual connection."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.add(x, y)


class Mean(nn.Module):
    """Global average pooling."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))
