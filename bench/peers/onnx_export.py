"""The ONNX file that several libraries read."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from npmobilenet.analysis.folding import fold
from npmobilenet.analysis.references.onnx_export import onnx_model
from npmobilenet.architecture import Network


def write_onnx(
    network: Network, weights: Mapping[str, np.ndarray], batch_size: int, path: Path
) -> None:
    """Write the folded network for batches of one size."""
    import onnx

    folded = fold(network, weights)
    model, _ = onnx_model(folded.network, folded.weights, batch_size)
    onnx.save(model, path)
