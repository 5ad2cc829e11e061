"""What stands around a MobileNet in a file of weights alone: dense layers, batch norm, statistics.

Such a file says neither how the features are pooled nor what the activations are. The usual is
assumed, and every assumption is written down.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt

from npmobilenet.architecture import (
    BatchNormalization,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    Normalization,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import FLOAT_DTYPES, RawLayer

STRIDE = 32
"""Pixels of the input for one of the last feature map."""

_MOST = 8  # layers whose order is searched for


@dataclass(frozen=True)
class Head:
    """Layers around a backbone.

    Parameters
    ----------
    before, after : tuple of Layer
        In running order.
    layers : dict
        The file's layers by name.
    classes : int, optional
        Units of the last dense layer.
    resolution : int, optional
        Height and width of the input that flattened features require.
    assumptions : tuple of str
    """

    before: tuple[Layer, ...]
    after: tuple[Layer, ...]
    layers: dict[str, RawLayer]
    classes: int | None
    resolution: int | None
    assumptions: tuple[str, ...]


def infer_head(
    rest: Iterable[RawLayer], features: int, taken: Iterable[str], *, ordered: bool
) -> Head:
    """The layers around a backbone with ``features`` channels.

    Parameters
    ----------
    rest : iterable of RawLayer
        What is left of the file.
    features : int
    taken : iterable of str
        Names that the backbone uses.
    ordered : bool
        Whether ``rest`` is in the order of the network; otherwise the sizes must give it.

    Raises
    ------
    ModelFileError
        If a layer is of no known kind, or there is not exactly one order in which all fit.
    """
    names = set(taken)
    layers: dict[str, RawLayer] = {}
    before: list[Layer] = []
    chain: list[RawLayer] = []
    for raw in rest:
        if not any(tensor.dtype in FLOAT_DTYPES for tensor in raw.tensors.values()):
            continue  # seeds and counters
        if _is_statistics(raw):
            name = _unique(raw, names)
            layers[name] = raw
            before.append(Normalization(name=name))
        elif _ends(raw) is None:
            shapes = ", ".join(f"{key} {item.shape}" for key, item in raw.tensors.items())
            raise ModelFileError(
                f"layer {raw.name!r} ({shapes}) is neither dense nor batch norm; what surrounds a "
                "MobileNet can only be told from a model saved whole"
            )
        else:
            chain.append(raw)
    if not chain:
        return Head(tuple(before), (), layers, None, None, ())

    side = _flattened_side(chain, features)
    size = features * side * side
    chain = _checked(chain, size) if ordered else _only_order(chain, size)
    dense = [raw for raw in chain if not _is_norm(raw)]
    after: list[Layer] = []
    if side > 1:
        after.append(Flatten(name="flatten"))
        assumptions = [f"features are flattened, so images have {side * STRIDE} pixels a side"]
    else:
        after.append(GlobalAveragePooling2D(name="global_average_pooling2d"))
        assumptions = ["features are averaged over height and width (global average pooling)"]
    for raw in chain:
        name = _unique(raw, names)
        layers[name] = raw
        if _is_norm(raw):
            after.append(BatchNormalization(name=name))
            assumptions.append(f"batch norm {name!r} has epsilon 0.001")
            continue
        units = _outputs(raw)
        activation = "relu"
        if raw is dense[-1]:
            activation = "sigmoid" if units == 1 else "softmax"
        after.append(
            Dense(name=name, units=units, use_bias=len(raw.tensors) == 2, activation=activation)
        )
        assumptions.append(f"dense layer {name!r} has activation {activation}")
    return Head(
        tuple(before),
        tuple(after),
        layers,
        _outputs(dense[-1]) if dense else None,
        side * STRIDE if side > 1 else None,
        tuple(assumptions),
    )


def _ends(raw: RawLayer) -> tuple[int, int] | None:
    """Sizes of input and output of a dense layer or batch norm; ``None`` for anything else."""
    shapes = [tensor.shape for tensor in raw.tensors.values()]
    if len(shapes) == 4 and len(shapes[0]) == 1 and len(set(shapes)) == 1:
        return shapes[0][0], shapes[0][0]
    kernels = [shape for shape in shapes if len(shape) == 2]
    biases = [shape for shape in shapes if len(shape) == 1]
    if len(kernels) == 1 and len(biases) == len(shapes) - 1 <= 1:
        inputs, outputs = kernels[0]
        if not biases or biases[0] == (outputs,):
            return inputs, outputs
    return None


def _inputs(raw: RawLayer) -> int:
    ends = _ends(raw)
    return ends[0] if ends else 0


def _outputs(raw: RawLayer) -> int:
    ends = _ends(raw)
    return ends[1] if ends else 0


def _is_norm(raw: RawLayer) -> bool:
    return len(raw.tensors) == 4


def _is_statistics(raw: RawLayer) -> bool:
    """Whether these are the tensors of a Normalization: mean, variance and a scalar count."""
    if {"mean", "variance"} <= raw.tensors.keys():
        return True
    shapes = [raw.tensors[key].shape for key in sorted(raw.tensors)]
    return len(shapes) == 3 and shapes[0] == shapes[1] != () and shapes[2] == ()


def _flattened_side(chain: Sequence[RawLayer], features: int) -> int:
    """Side of the feature map that is flattened; 1 if it is pooled."""
    sizes = [_inputs(raw) for raw in chain]
    if features not in sizes:
        for size in sizes:
            side = isqrt(size // features)
            if side > 1 and features * side * side == size:
                return side
    return 1


def _checked(chain: list[RawLayer], size: int) -> list[RawLayer]:
    for raw in chain:
        if _inputs(raw) != size:
            raise ModelFileError(
                f"layer {raw.name!r} takes {_inputs(raw)} values, but follows {size}"
            )
        size = _outputs(raw)
    return chain


def _only_order(chain: list[RawLayer], size: int) -> list[RawLayer]:
    """The one order in which each layer takes what the one before gives."""
    if len(chain) > _MOST:
        raise ModelFileError(f"{len(chain)} layers follow the MobileNet in no known order")
    found = list(_orders(sorted(chain, key=_counter), size))
    if len(found) != 1:
        names = ", ".join(repr(raw.name) for raw in chain)
        raise ModelFileError(
            f"there are {len(found)} orders in which {names} fit behind {size} features; save the "
            "model whole, with its configuration"
        )
    return found[0]


def _orders(chain: list[RawLayer], size: int) -> Iterator[list[RawLayer]]:
    """All orders; layers that look alike stay in the order of their counters."""
    if not chain:
        yield []
    tried = set()
    for raw in chain:
        look = (_is_norm(raw), _ends(raw))
        if _inputs(raw) == size and look not in tried:
            tried.add(look)
            for order in _orders([other for other in chain if other is not raw], _outputs(raw)):
                yield [raw, *order]


def _counter(raw: RawLayer) -> int:
    """The number at the end of ``"dense_3"``, 0 for ``"dense"``."""
    digits = (raw.keys or raw.path)[-1].rpartition("_")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


def _unique(raw: RawLayer, names: set[str]) -> str:
    parts = raw.path or raw.keys
    for first in reversed(range(len(parts))):
        name = "/".join(parts[first:])
        if name not in names:
            names.add(name)
            return name
    raise ModelFileError(f"two layers are named {raw.name!r}")
