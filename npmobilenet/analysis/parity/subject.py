"""What is judged: a backend of this library, or what another implementation has stored."""

import zipfile
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.references import Outputs, fused_layers
from npmobilenet.architecture import Network
from npmobilenet.backends import DEFAULT_BACKEND, compile_network, usable_backend
from npmobilenet.errors import ModelFileError
from npmobilenet.files import open_file


def backend_outputs(
    network: Network,
    weights: Mapping[str, NDArray[Any]],
    batch: NDArray[np.float32],
    backend: str = DEFAULT_BACKEND,
) -> Outputs:
    """Every layer's output that a backend of this library stores, in float32.

    Raises
    ------
    ValueError
        If there is no such backend, or the batch does not fit.
    """
    found = compile_network(network, weights, backend).activations(batch)
    backend = usable_backend(backend)
    facts = {"backend": backend}
    if backend == "numba":
        import numba

        facts["numba"] = numba.__version__
    values = {name: np.asarray(value) for name, value in found.items()}
    return Outputs(f"npmobilenet, {backend}", values, getattr(found, "fused", {}), facts)


def stored_outputs(
    path: str | PathLike[str], network: Network, batch: NDArray[np.float32]
) -> Outputs:
    """Layers' outputs by another implementation, from a file that ``numpy.savez`` wrote.

    Parameters
    ----------
    path : str or path
        Each array is named like its layer, ``(N, *shape)`` in float32, channels last; the input
        need not be there, any layer but the last may be left out.
    network : Network
    batch : array ``(N, *network.input_shape)``

    Raises
    ------
    ModelFileError
        If the file cannot be read, or holds none of the network's layers or arrays of another
        dtype.
    """
    name = fspath(path)
    try:
        with open_file(path) as stream, np.load(stream, allow_pickle=False) as file:
            values = {key: file[key] for key in file.files}
    except (OSError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{name}: expected an .npz file of arrays: {error}") from error
    unknown = sorted(set(values) - {node.name for node in network})
    if unknown:
        raise ModelFileError(f"{name}: network {network.name!r} has no layer {unknown[0]!r}")
    for key, value in values.items():
        if value.dtype != np.float32:
            raise ModelFileError(f"{name}: array {key!r} is {value.dtype}, expected float32")
    first = network.nodes[0].name
    return Outputs(Path(name).name, {first: batch, **values}, fused_layers(network, values))
