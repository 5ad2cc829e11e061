"""Other implementations that run a network of ours, each in a file of its own.

Each takes a network, its weights and a prepared batch, and gives every layer's output. Nothing
heavy is imported before one is asked for.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.references.outputs import Outputs, fused_layers
from npmobilenet.architecture import Network

__all__ = ["REFERENCES", "Outputs", "fused_layers", "run_reference"]

Reference = Callable[[Network, Mapping[str, NDArray[Any]], NDArray[np.float32]], Outputs]

REFERENCES = ("tensorflow", "litert", "onnxruntime", "numpy64")
"""Each is a module here with a function ``run``."""


def run_reference(
    name: str,
    network: Network,
    weights: Mapping[str, NDArray[Any]],
    batch: NDArray[np.float32],
) -> Outputs:
    """Every layer's output by the reference of this name.

    Parameters
    ----------
    name : str
        One of ``REFERENCES``.
    network : Network
    weights : mapping of str to array
    batch : array ``(N, *network.input_shape)``, float32

    Raises
    ------
    ValueError
        If there is no such reference, its packages are not installed, or it has no such layer.
    """
    if name not in REFERENCES:
        raise ValueError(f"reference must be one of {', '.join(REFERENCES)}; found {name!r}")
    run: Reference = import_module(f"{__name__}.{name}").run
    try:
        return run(network, weights, batch)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the reference {name} needs the package {error.name}, which is not installed: "
            "pip install 'npmobilenet[references]'"
        ) from error
