"""A digest of tensors, the same whatever container they came in."""

import hashlib
from collections.abc import Mapping

import numpy as np


def tensors_digest(weights: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over canonical names, shapes, dtypes and values.

    Names are sorted and values taken as little-endian bytes in C order, so two files with the same
    tensors have the same digest in any format, on any machine.

    Parameters
    ----------
    weights : mapping of str to ndarray
        By canonical name, ``"conv1/kernel"``.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = np.asarray(weights[name])
        little = tensor.astype(tensor.dtype.newbyteorder("<"), order="C", copy=False)
        shape = ",".join(str(size) for size in little.shape)
        # A line feed cannot stand in a shape or dtype, and ends each header.
        digest.update(f"{name}\n{little.dtype.str}\n{shape}\n".encode())
        digest.update(np.ascontiguousarray(little).tobytes())
    return digest.hexdigest()
