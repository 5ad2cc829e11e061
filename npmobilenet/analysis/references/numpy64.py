"""Plain NumPy in float64: the oracle itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.references.outputs import Outputs
from npmobilenet.architecture import Network
from npmobilenet.interpreter import NumpyProgram


def run(
    network: Network, weights: Mapping[str, NDArray[Any]], batch: NDArray[np.float32]
) -> Outputs:
    """Every layer's output in float64."""
    program = NumpyProgram(network, weights)
    return Outputs(
        "NumPy in float64",
        program.activations(batch.astype(np.float64)),
        facts={"numpy": np.__version__},
    )
