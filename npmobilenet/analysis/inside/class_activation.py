"""Class activation maps: which parts of a picture speak for a class, and how much.

Behind its last feature map a MobileNet has a mean over the pixels and a matrix product. Both are
linear, so they may change places: apply the classifier to every pixel first and take the mean
last. What is there before the mean is the map, and its mean is the logit without the bias, not
nearly but exactly (arXiv 1512.04150, section 2).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.colours import signed_colours
from npmobilenet.analysis.inside.feature_maps import one_picture
from npmobilenet.analysis.inside.local_slopes import local_slopes
from npmobilenet.architecture import (
    AveragePooling2D,
    CenterCrop,
    Cropping2D,
    Dropout,
    GlobalMaxPooling2D,
    Identity,
    Input,
    Network,
    Node,
    Permute,
    ReLU,
    Resizing,
)
from npmobilenet.architecture.heads import is_classifier, last_feature_map, logits
from npmobilenet.images import OneImage, central_box, decode_image, resize
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.model import Model
from npmobilenet.reference import FloatArray

_GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow's convert("L")
_DARKEST = 64.0  # what black becomes, so that colours show on it
_OPACITY = 0.85  # where the map is largest
_VIVID = 0.7  # of the way from white to the darkest red or blue


@dataclass(frozen=True)
class ClassActivationMap:
    """Contributions of the pixels of the last feature map to one logit."""

    class_index: int
    label: str
    layer: str
    """The last feature map's."""
    values: FloatArray
    """Array (height, width), float64: ``values.mean() + offset`` is the logit."""
    logit: float
    """As the reference computes it in float64."""
    offset: float
    """What does not depend on any pixel: the bias of the class, for a linear head."""
    is_linear: bool
    """Whether the head has no hidden activation and takes no maximum. If it does, the map adds up
    all the same, but its weights are those of this picture."""
    picture_shape: tuple[int, int]
    """Height and width of the picture."""
    box: tuple[int, int, int, int]
    """The part of the picture that the network sees, ``(top, left, height, width)``."""

    def on_picture(self) -> FloatArray:
        """The map at the picture's size, float64; NaN where the network does not look.

        Bilinear between the pixels of the map, each of which stands for an equal part of the box.
        """
        top, left, height, width = self.box
        whole = np.full(self.picture_shape, np.nan)
        planes = self.values[..., np.newaxis]
        whole[top : top + height, left : left + width] = resize(
            planes, (height, width), "tf-bilinear"
        )[..., 0]
        return whole


def class_activation_map(
    model: Model, image: OneImage, class_index: int | None = None
) -> ClassActivationMap:
    """Which parts of a picture speak for a class, and which against it.

    Every head is taken apart that consists of pooling, flattening, dense layers, 1 x 1
    convolutions, batch norm and activations; dropout does nothing.

    Parameters
    ----------
    model : Model
        A classifier. The reference computes the map in float64, whatever the backend.
    image : path, PIL image or array (height, width, 3) of 0 to 255
        It is cropped, resized and scaled as :meth:`Model.prepare` does.
    class_index : int, optional
        By default the class of the largest logit.

    Raises
    ------
    ValueError
        If the model is no classifier, there is no such class, the head cannot be taken apart, or a
        layer cuts or turns what it is given.
    ImageError
        If the picture cannot be read.
    """
    network = _scores(model.network)
    layer = _last_map(network)
    pixels = _pixels(image)
    batch = one_picture(model, pixels).astype(np.float64)
    _check_whole(network.until(layer).with_input_shape(batch.shape[1:]))
    features = NumpyProgram(network.until(layer), model.weights)(batch)
    head = _head(network, layer, features.shape[1:])
    scores = NumpyProgram(head, model.weights)(features)[0]
    unit = scores.size == 1 and is_classifier(model.network)
    if unit:  # the logit of the second class, and with the other sign of the first
        scores = np.concatenate([-scores, scores])
    if class_index is None:
        class_index = int(scores.argmax())
    if not 0 <= class_index < scores.size:
        raise ValueError(f"class_index must be from 0 to {scores.size - 1}, found {class_index}")
    slopes, offset = local_slopes(head, model.weights, features, 0 if unit else class_index)
    if unit and class_index == 0:
        slopes, offset = -slopes, -offset
    height, width = features.shape[1:3]
    size = pixels.shape[0], pixels.shape[1]
    return ClassActivationMap(
        class_index=class_index,
        label=model.labels.names[class_index],
        layer=layer,
        values=height * width * np.sum(slopes * features, axis=-1)[0],
        logit=float(scores[class_index]),
        offset=offset,
        is_linear=not any(_bends(node) for node in head),
        picture_shape=size,
        box=(0, 0, *size) if model.crop is None else central_box(size, model.crop),
    )


def overlay(image: OneImage, found: ClassActivationMap) -> NDArray[np.uint8]:
    """A map drawn over its picture.

    The picture is grey. Red speaks for the class and blue against it, and the more, the less of
    the picture shines through. What the network does not see is darker.

    Returns
    -------
    array (height, width, 3), uint8

    Raises
    ------
    ValueError
        If the picture is not of the size of the map's.
    """
    pixels = decode_image(image)
    if pixels.shape[:2] != found.picture_shape:
        raise ValueError(
            f"the map belongs to a picture of {found.picture_shape}, found {pixels.shape[:2]}"
        )
    evidence = found.on_picture()
    unseen = np.isnan(evidence)
    largest = float(np.abs(found.values).max())
    share = np.nan_to_num(evidence) / (largest if largest > 0 else 1.0)
    grey = _DARKEST + (1 - _DARKEST / 255) * (pixels @ _GREY)[..., np.newaxis]
    grey = np.where(unseen[..., np.newaxis], grey / 2, grey)
    opacity = _OPACITY * np.abs(share)[..., np.newaxis]
    mixed = grey * (1 - opacity) + signed_colours(_VIVID * np.sign(share)) * opacity
    drawn: NDArray[np.uint8] = np.round(mixed).astype(np.uint8)
    return drawn


def _pixels(image: OneImage) -> np.ndarray:
    """A decoded picture; arrays of float stay as they are, as `Model.prepare` takes them."""
    if isinstance(image, np.ndarray) and np.issubdtype(image.dtype, np.floating):
        return image
    return decode_image(image)


def _scores(network: Network) -> Network:
    """The network up to what softmax or sigmoid makes probabilities of."""
    if is_classifier(network):
        return logits(network)
    if len(network.output_shape) != 1:
        raise ValueError(
            f"network {network.name!r} has no classifier: its output is {network.output_shape}"
        )
    return network


def _last_map(network: Network) -> str:
    """The last feature map that nothing has been averaged of yet."""
    layer = last_feature_map(network)
    while isinstance(network[layer].layer, AveragePooling2D | Dropout | Identity):
        layer = network[layer].inputs[0]
    return layer


def _check_whole(network: Network) -> None:
    """Refuse layers after which equal parts of a map are not equal parts of the picture.

    Raises
    ------
    ValueError
        If the network has one.
    """
    for node in network:
        layer = node.layer
        moves = isinstance(layer, CenterCrop | Cropping2D | Permute) or (
            isinstance(layer, Resizing)
            and (layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio)
        )
        if moves and network.shapes[node.inputs[0]] != network.shapes[node.name]:
            raise ValueError(
                f"layer {layer.name!r} is a {type(layer).__name__}: where on the picture a map "
                "behind such a layer belongs is not known"
            )


def _head(network: Network, layer: str, shape: tuple[int, ...]) -> Network:
    """What follows the last feature map, as a network of its own."""
    before = {node.name for node in network.until(layer)}
    rest = tuple(node for node in network if node.name not in before)
    first = Node(Input(name=layer, shape=shape), ())
    return replace(network, nodes=(first, *rest), input_range=None)


def _bends(node: Node) -> bool:
    return isinstance(node.layer, GlobalMaxPooling2D | ReLU) or (
        getattr(node.layer, "activation", "linear") != "linear"
    )
