"""Recognising a MobileNet, its width and its top by the names and shapes of its tensors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from npmobilenet.architecture import Network, Shape, make_divisible, mobilenet_v1, mobilenet_v2
from npmobilenet.formats.contents import RawLayer, RawTensor
from npmobilenet.formats.matching import (
    Assignment,
    assignments,
    find_tensor,
    problems,
    weighted_layers,
)

V1, V2 = "mobilenet", "mobilenet_v2"

PUBLISHED = {V1: (1.0, 0.75, 0.5, 0.25), V2: (1.0, 1.4, 1.3, 0.75, 0.5, 0.35)}
# Published alphas are tried first, then hundredths, then steps that tell apart all widths of V1's
# last layer of 1024 filters.
HUNDREDTHS = tuple(step / 100 for step in range(1, 401))
_FINE = tuple(step / 1024 for step in range(1, 4097))


@dataclass(frozen=True)
class Backbone:
    """A MobileNet found among the layers of a file.

    Parameters
    ----------
    kind : {"mobilenet", "mobilenet_v2"}
    alpha : float
    depth_multiplier : int
        1 for V2.
    channels : int
        Of the input.
    features : int
        Channels of the last convolution.
    layers : mapping
        The file's layers by the names of the network's, without top.
    classifier : RawLayer, optional
        The file's classifier, if the MobileNet has its top.
    classes : int, optional
        Of the classifier.
    """

    kind: str
    alpha: float
    depth_multiplier: int
    channels: int
    features: int
    layers: Assignment
    classifier: RawLayer | None
    classes: int | None

    def network(self, input_shape: Shape) -> Network:
        """The network, with its top if there is one."""
        top = self.classifier is not None
        classes = self.classes or 1000
        if self.kind == V2:
            return mobilenet_v2(input_shape, self.alpha, include_top=top, classes=classes)
        return mobilenet_v1(
            input_shape, self.alpha, self.depth_multiplier, include_top=top, classes=classes
        )

    def assignment(self) -> Assignment:
        """The file's layers by the names of the network's, with the top."""
        if self.classifier is None:
            return self.layers
        name = "predictions" if self.kind == V2 else "conv_preds"
        return {**self.layers, name: self.classifier}

    def describe(self) -> str:
        """One line for messages."""
        name = "MobileNetV2" if self.kind == V2 else "MobileNet (V1)"
        multiplier = (
            f", depth_multiplier {self.depth_multiplier}" if self.depth_multiplier > 1 else ""
        )
        top = f"{self.classes} classes" if self.classifier else "no top"
        return f"{name} with alpha {self.alpha:g}{multiplier}, {top}"


def recognise(layers: Sequence[RawLayer], *, ordered: bool) -> Backbone | None:
    """The MobileNet among some layers, or ``None``.

    Parameters
    ----------
    layers : sequence of RawLayer
        Of any number of models.
    ordered : bool
        Whether their order is that of the network.
    """
    for kind in (V1, V2):
        template = _bare(kind, 1.0, 1, 3)
        for found in assignments(template, layers, ordered=ordered):
            backbone = _fit(kind, template, found, layers)
            if backbone is not None:
                return backbone
    return None


def _fit(
    kind: str, template: Network, found: Assignment, layers: Sequence[RawLayer]
) -> Backbone | None:
    """The width that gives the shapes of an assignment."""
    names = weighted_layers(template)
    stem, depthwise = (_kernel(template, name, found) for name in (names[0], names[2]))
    # The last width that follows alpha alone: V2's very last layer is never narrower than 1280.
    narrow = _kernel(template, "conv_pw_13" if kind == V1 else "block_16_project", found)
    if stem is None or depthwise is None or narrow is None:
        return None
    channels, multiplier = stem.shape[2], depthwise.shape[3] if kind == V1 else 1
    if not channels or not multiplier:
        return None
    for alpha in _alphas(kind, stem.shape[3], narrow.shape[3]):
        network = _bare(kind, alpha, multiplier, channels)
        if not problems(network, found):
            features = network.output_shape[-1] or 0
            classifier = _classifier(kind, features, found, layers)
            return Backbone(
                kind,
                alpha,
                multiplier,
                channels,
                features,
                found,
                classifier,
                None if classifier is None else _units(classifier),
            )
    return None


def _bare(kind: str, alpha: float, multiplier: int, channels: int) -> Network:
    shape = (None, None, channels)
    if kind == V2:
        return mobilenet_v2(shape, alpha, include_top=False)
    return mobilenet_v1(shape, alpha, multiplier, include_top=False)


def _kernel(network: Network, name: str, found: Assignment) -> RawTensor | None:
    tensor = find_tensor(network, name, "kernel", found[name])
    return tensor if tensor is not None and len(tensor.shape) == 4 else None


def _alphas(kind: str, stem: int, narrow: int) -> Iterator[float]:
    """Widths that give these numbers of filters in the first and in a late layer."""
    widths: dict[str, Callable[[float], tuple[int, int]]] = {
        V1: lambda alpha: (int(32 * alpha), int(1024 * alpha)),
        V2: lambda alpha: (make_divisible(32 * alpha), make_divisible(int(320 * alpha))),
    }
    for alpha in dict.fromkeys((*PUBLISHED[kind], *HUNDREDTHS, *_FINE)):
        if widths[kind](alpha) == (stem, narrow):
            yield alpha


def _classifier(
    kind: str, features: int, found: Assignment, layers: Sequence[RawLayer]
) -> RawLayer | None:
    """The layer of the top beside a bare MobileNet, by its name or, failing names, by its shape."""
    used = {id(layer) for layer in found.values()}
    scope = next(iter(found.values())).scope
    rest = [layer for layer in layers if id(layer) not in used and layer.scope == scope]
    names = ("predictions", "Logits") if kind == V2 else ("conv_preds",)
    rank = 2 if kind == V2 else 4
    fitting = [
        layer
        for layer in rest
        if (kernel := _classifier_kernel(layer)) is not None
        and len(kernel.shape) == rank
        and kernel.shape[-2] == features
        and kernel.shape[:-2] in ((), (1, 1))
    ]
    for layer in fitting:
        if layer.name in names:
            return layer
    # V1's is a convolution and no head has one. V2's is dense: a dense layer of another name is a
    # head, but where the file has no names and nothing else, it is the top.
    nameless = [layer for layer in fitting if not layer.path]
    if kind == V1:
        return fitting[0] if len(fitting) == 1 else None
    return nameless[0] if len(nameless) == 1 == len(rest) and not scope else None


def _classifier_kernel(layer: RawLayer) -> RawTensor | None:
    """The kernel, where a layer has a kernel and a bias and nothing else."""
    kernel = layer.tensors.get("kernel") or layer.tensors.get("0")
    bias = layer.tensors.get("bias") or layer.tensors.get("1")
    if kernel is None or bias is None or len(layer.tensors) != 2 or not kernel.shape:
        return None
    return kernel if bias.shape == kernel.shape[-1:] else None


def _units(classifier: RawLayer) -> int:
    kernel = _classifier_kernel(classifier)
    return kernel.shape[-1] if kernel is not None else 0
