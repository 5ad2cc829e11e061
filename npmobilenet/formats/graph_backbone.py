"""Whether the steps of a graph are those of the MobileNet whose constants it has.

The names of constants alone would not tell a graph that was changed: another stride or activation,
a layer left out, two blocks the other way round.
"""

from npmobilenet.architecture import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Layer,
    Network,
    ReLU,
    ZeroPadding2D,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.graph_flow import Flow, Step
from npmobilenet.formats.messages import shown
from npmobilenet.formats.slim import keras_name

_ADDING = ("Add", "AddV2")
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


class GraphBackbone:
    """The steps of a MobileNet in a graph.

    Parameters
    ----------
    flow : Flow
    network : Network
        The MobileNet without top, as Keras builds it.

    Attributes
    ----------
    first : str
        The step that the first convolution reads.
    last : str
        The step that gives the features.

    Raises
    ------
    ModelFileError
        If a step is not what the network has in its place.
    """

    def __init__(self, flow: Flow, network: Network) -> None:
        self._flow = flow
        self._convolutions = _convolutions(flow)
        self.first = self._convolution(network.nodes[1].layer).sources[0]
        steps = {network.nodes[0].name: self.first}
        for node in network.nodes[1:]:
            sources = [steps[source] for source in node.inputs]
            steps[node.name] = self._step(node.layer, sources)
        self.last = steps[network.nodes[-1].name]

    def _step(self, layer: Layer, sources: list[str]) -> str:
        source = sources[0]
        if isinstance(layer, ZeroPadding2D):
            return source  # part of the convolution behind it
        if isinstance(layer, Conv2D | DepthwiseConv2D):
            return self._check_convolution(layer, source)
        if isinstance(layer, BatchNormalization):
            return self._check_norm(layer, source)
        if isinstance(layer, ReLU):
            return self._only(source, ("Relu6",), layer).name
        if isinstance(layer, Add):
            step = self._only(source, _ADDING, layer, others=1)
            if set(step.sources) != set(sources):
                raise _differs(step, layer)
            return step.name
        raise ModelFileError(f"layer {shown(layer.name)} is not read from graphs")

    def _convolution(self, layer: Layer) -> Step:
        step = self._convolutions.get(layer.name)
        if step is None or len(step.sources) != 1:
            raise ModelFileError(
                f"the graph has no convolution with the weights of layer {shown(layer.name)}"
            )
        return step

    def _check_convolution(self, layer: Conv2D | DepthwiseConv2D, source: str) -> str:
        step = self._convolution(layer)
        kind = "Conv2D" if isinstance(layer, Conv2D) else "DepthwiseConv2dNative"
        node = step.node
        same = node.text("padding") == "SAME" or layer.kernel_size == (1, 1)
        plain = set(node.integers("dilations")) <= {1} and node.text("data_format") in ("", "NHWC")
        strides = node.integers("strides") == (1, *layer.strides, 1)
        if step.op != kind or step.sources != (source,) or not (same and plain and strides):
            raise _differs(step, layer)
        return step.name

    def _check_norm(self, layer: BatchNormalization, source: str) -> str:
        names = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Mul")
        step = self._only(source, names, layer)
        if step.op == "Mul":
            shift = self._only(step.name, _ADDING, layer)
            leaves = frozenset().union(*step.constants, *shift.constants)
            if not all(_is_norm(leaf, layer.name) for leaf in leaves):
                raise _differs(shift, layer)
            return shift.name
        if step.node.flag("is_training", default=True):
            raise ModelFileError(
                f"{step} takes the statistics of the batch, which is not supported"
            )
        for leaves, variable in zip(step.constants, _NORM, strict=True):
            # Slim leaves gamma out where an activation follows that could be scaled instead.
            names_of = [keras_name(leaf) for leaf in leaves]
            ones = variable == "gamma" and all(leaf.endswith("/Const") for leaf in leaves)
            if names_of != [(layer.name, variable)] and not ones:
                raise _differs(step, layer)
        return step.name

    def _only(self, source: str, ops: tuple[str, ...], layer: Layer, others: int = 0) -> Step:
        """The one reader of a step that is of these operations, with that many more data."""
        found = [step for step in self._flow.readers[source] if step.op in ops]
        if len(found) != 1 or len(found[0].sources) != 1 + others:
            raise _differs(self._flow.steps[source], layer, before=True)
        return found[0]


def _convolutions(flow: Flow) -> dict[str, Step]:
    """Steps by the layer whose kernel they have."""
    found: dict[str, Step] = {}
    for step in flow.steps.values():
        if step.op in ("Conv2D", "DepthwiseConv2dNative") and len(step.constants) == 1:
            names = [keras_name(leaf) for leaf in step.constants[0]]
            if len(names) == 1 and names[0] is not None and names[0][1] == "kernel":
                layer = names[0][0]
                if layer in found:
                    raise ModelFileError(
                        f"{step} has the weights of {found[layer]}, which is not supported"
                    )
                found[layer] = step
    return found


def _is_norm(constant: str, layer: str) -> bool:
    """Whether a constant is a tensor or the epsilon of a batch norm."""
    found = keras_name(constant)
    if found is not None:
        return found[0] == layer and found[1] in _NORM
    return constant.endswith("/BatchNorm/batchnorm/add/y")


def _differs(step: Step, layer: Layer, *, before: bool = False) -> ModelFileError:
    place = "is not followed by" if before else "is not"
    return ModelFileError(
        f"{step} {place} layer {shown(layer.name)} ({type(layer).__name__}) of a MobileNet, where "
        "the graph should have it"
    )
