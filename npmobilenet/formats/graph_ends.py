"""The two ends of a graph around its MobileNet: arithmetic before it, classes behind it."""

from dataclasses import dataclass, field

import numpy as np

from npmobilenet.architecture import Rescaling, Shape
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import FLOAT_DTYPES, RawTensor
from npmobilenet.formats.graph_flow import INPUTS, Flow, Step
from npmobilenet.formats.graphdef import FrozenGraph
from npmobilenet.formats.keras_arithmetic import affine
from npmobilenet.formats.slim import keras_name

_ARITHMETIC = {
    "Add": "add",
    "AddV2": "add",
    "Div": "divide",
    "Mul": "multiply",
    "RealDiv": "divide",
    "Sub": "subtract",
}
_FLOATS = (1, 2, 14, 19)  # TensorFlow's numbers for float32, float64, bfloat16 and float16
_ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Softmax": "softmax"}
_FLATTENING = ("Reshape", "Squeeze")
_ADDING = ("Add", "AddV2", "BiasAdd")
_LARGEST_CONSTANT = 16  # values of one that a preprocessing has: one for each channel
_LONGEST = 64  # steps before or behind the MobileNet


@dataclass
class Matrix:
    """A product with a matrix, and a bias if there is one.

    Parameters
    ----------
    name : str
        Of a layer for it.
    slim : bool
        Whether it is the MobileNet's own classifier.
    kernel : RawTensor
        ``(inputs, outputs)``.
    """

    name: str
    slim: bool
    kernel: RawTensor
    bias: RawTensor | None = None


@dataclass
class Tail:
    """What the output makes of the features.

    Parameters
    ----------
    pooled : bool
        Whether the features are averaged.
    window : int, optional
        Height and width of what is averaged over, where the graph says it.
    items : list of Matrix or str
        Products, and activations by Keras' names, in running order.
    """

    pooled: bool = False
    window: int | None = None
    items: list[Matrix | str] = field(default_factory=list)


def read_beginning(
    flow: Flow, graph: FrozenGraph, first: str
) -> tuple[tuple[Rescaling, ...], Shape | None]:
    """The arithmetic between the image and a step, and the shape that the image is said to have.

    Raises
    ------
    ModelFileError
        If there is anything but arithmetic with constants.
    """
    steps = _chain(flow, first, None)
    image, *rest = steps
    layers: list[Rescaling] = []
    for step in rest:
        if step.op == "Cast":
            target = step.node.attributes.get("DstT")
            if target is None or target.type not in _FLOATS:
                raise _unsupported(step, "before the MobileNet")
            continue
        operation = _ARITHMETIC.get(step.op)
        scale = None
        if operation is not None and len(step.constants) == 1:
            constant = _numbers(step, graph)
            scale, offset = affine(operation, constant, first=not step.first)
        if scale is None:
            raise _unsupported(step, "before the MobileNet")
        name = f"rescaling_{len(layers)}" if layers else "rescaling"
        layers.append(Rescaling(name=name, scale=_scalar(scale), offset=_scalar(offset)))
    shape = image.node.shape("shape")
    return tuple(layers), None if shape is None or len(shape) != 4 else shape[1:]


def read_tail(flow: Flow, graph: FrozenGraph, output: str, features: str) -> Tail:
    """The steps from the features to the output.

    Raises
    ------
    ModelFileError
        If one is not supported.
    """
    tail = Tail()
    for step in _chain(flow, output, features)[1:]:
        if step.op in ("AvgPool", "Mean") and not tail.pooled:
            _pool(tail, step, graph)
        elif not tail.pooled:
            raise _unsupported(step, "on the features of the MobileNet, which are not averaged")
        elif step.op in _FLATTENING:
            continue  # one value for each channel stays one
        elif step.op in ("Conv2D", "MatMul"):
            tail.items.append(_matrix(step, graph))
        elif step.op in _ADDING and tail.items and isinstance(tail.items[-1], Matrix):
            _add_bias(tail.items[-1], step, graph)
        elif step.op in _ACTIVATIONS:
            tail.items.append(_ACTIVATIONS[step.op])
        else:
            raise _unsupported(step, "behind a MobileNet")
    return tail


def _chain(flow: Flow, last: str, first: str | None) -> list[Step]:
    """The steps from ``first``, or from the image, to ``last``, each reading the one before."""
    found = [flow.steps[last]]
    while found[-1].name != first and found[-1].op not in INPUTS:
        step = found[-1]
        if len(step.sources) != 1 or len(found) > _LONGEST:
            raise _unsupported(step, f"with {len(step.sources)} inputs")
        found.append(flow.steps[step.sources[0]])
    return found[::-1]


def _pool(tail: Tail, step: Step, graph: FrozenGraph) -> None:
    tail.pooled = True
    if step.op == "Mean":
        axes = _constant(step, graph)
        if axes.shape != (2,) or sorted(axes.read().tolist()) != [1, 2]:
            raise _unsupported(step, "over other axes than height and width")
        return
    window = step.node.integers("ksize")
    square = len(window) == 4 and window == (1, window[1], window[1], 1)
    if not square or step.node.text("padding") != "VALID" or window[1] < 1:
        raise _unsupported(step, "with this window")
    tail.window = window[1]


def _matrix(step: Step, graph: FrozenGraph) -> Matrix:
    kernel = _constant(step, graph)
    slim = (keras_name(kernel.name) or ("", ""))[0] in ("conv_preds", "predictions")
    if step.op == "Conv2D":
        if len(kernel.shape) != 4 or kernel.shape[:2] != (1, 1):
            raise _unsupported(step, f"with a kernel of shape {kernel.shape}")
        values = RawTensor(kernel.name, kernel.shape[2:], kernel.dtype, lambda: kernel.read()[0, 0])
        return Matrix(_layer_name(step), slim, values)
    if len(kernel.shape) != 2 or not step.first or step.node.flag("transpose_a"):
        raise _unsupported(step, f"with a matrix of shape {kernel.shape}")
    if step.node.flag("transpose_b"):
        turned = RawTensor(kernel.name, kernel.shape[::-1], kernel.dtype, lambda: kernel.read().T)
        return Matrix(_layer_name(step), slim, turned)
    return Matrix(_layer_name(step), slim, kernel)


def _add_bias(matrix: Matrix, step: Step, graph: FrozenGraph) -> None:
    bias = _constant(step, graph)
    if matrix.bias is not None or bias.shape != matrix.kernel.shape[-1:]:
        raise _unsupported(step, f"with a constant of shape {bias.shape}")
    matrix.bias = bias


def _constant(step: Step, graph: FrozenGraph) -> RawTensor:
    """The tensor of a step's only constant."""
    names = [name for leaves in step.constants for name in leaves]
    if len(names) != 1 or names[0] not in graph.constants:
        raise _unsupported(step, "with an argument that is no constant")
    return graph.constants[names[0]]


def _numbers(step: Step, graph: FrozenGraph) -> tuple[float, ...]:
    tensor = _constant(step, graph)
    few = np.prod(tensor.shape, dtype=object) <= _LARGEST_CONSTANT
    if tensor.dtype not in FLOAT_DTYPES or not few:
        raise _unsupported(step, f"with a constant of shape {tensor.shape}")
    return tuple(float(value) for value in tensor.read().ravel())


def _scalar(values: tuple[float, ...]) -> float | tuple[float, ...]:
    return values[0] if len(values) == 1 else values


def _layer_name(step: Step) -> str:
    """A name for a layer: the outermost scope of the node."""
    return step.name.partition("/")[0]


def _unsupported(step: Step, where: str) -> ModelFileError:
    return ModelFileError(f"{step} {where} is not supported")
