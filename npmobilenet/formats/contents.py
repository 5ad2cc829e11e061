"""What every container is turned into first: layers with lazily read tensors, and a configuration.

The names are still those of the file. Nothing has been read but descriptions, so that a file can be
judged by names and shapes before any memory is spent on values.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from npmobilenet.formats.graphdef import FrozenGraph

FLOAT_DTYPES = frozenset({"bfloat16", "float16", "float32", "float64"})


@dataclass(frozen=True)
class RawTensor:
    """One tensor of a file.

    Parameters
    ----------
    name : str
        Its address in the file, as messages show it.
    shape : tuple of int
    dtype : str
        As NumPy calls it, ``"float32"``, or what the file has instead.
    read : callable
        Gives the values; may raise :class:`npmobilenet.errors.ModelFileError`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class RawLayer:
    """The tensors that a file keeps for one layer.

    Parameters
    ----------
    path : tuple of str
        Names of the enclosing models and of the layer; empty where the file has no names.
    keys : tuple of str
        The same made of class names and counters, as in Keras 3 ``("functional", "conv2d_3")``;
        empty where the file has names only.
    tensors : dict
        By variable name, ``"kernel"``, or by number, ``"0"``, where the file only counts.
    """

    path: tuple[str, ...]
    keys: tuple[str, ...]
    tensors: Mapping[str, RawTensor]

    @property
    def scope(self) -> tuple[str, ...]:
        """The model that the layer belongs to."""
        return (self.path or self.keys)[:-1]

    @property
    def name(self) -> str:
        """The layer's own name, or its key if it has no name."""
        return (self.path or self.keys)[-1]


@dataclass(frozen=True)
class Contents:
    """An open model file.

    Parameters
    ----------
    format : str
        As in :class:`npmobilenet.formats.ModelFile`.
    size : int
        Bytes on disk.
    layers : tuple of RawLayer
        In the order of the file, which is the network's where ``ordered``.
    ordered : bool
        Whether the order of ``layers`` says anything.
    producer : str, optional
    config : dict, optional
        Keras' configuration of the model, as parsed JSON.
    graph : FrozenGraph, optional
        TensorFlow's graph, for a file that is one.
    input_range : tuple of float, optional
        What black and white become, where the file itself says it.
    """

    format: str
    size: int
    layers: tuple[RawLayer, ...]
    ordered: bool
    producer: str | None = None
    config: Mapping[str, Any] | None = None
    graph: "FrozenGraph | None" = None
    input_range: tuple[float, float] | None = None

    @property
    def keras(self) -> int | None:
        """Major version of the Keras that wrote the file, where it says so."""
        found = re.match(r"keras (\d{1,3})\.", self.producer or "")
        return int(found[1]) if found else None
