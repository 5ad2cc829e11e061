"""MobileNet V1 with the signature of ``keras.applications.mobilenet``."""

from collections.abc import Sequence
from os import PathLike

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.arguments import (
    check_activation,
    check_alpha,
    check_classes,
    check_input_tensor,
    check_pooling,
    resolve_input_shape,
    weights_resolution,
)
from npmobilenet.backends import DEFAULT_BACKEND
from npmobilenet.counts import whole_number
from npmobilenet.images import preprocess_input
from npmobilenet.labels import decode_predictions
from npmobilenet.loading import build_model, catalogue_name
from npmobilenet.model import Model
from npmobilenet.pretrained.catalogue import V1_ALPHAS, V1_RESOLUTIONS

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]


def MobileNet(  # noqa: N802  -- Keras' name
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | PathLike[str] | None = "imagenet",
    input_tensor: None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str | None = None,
    *,
    input_range: tuple[float, float] | None = None,
    backend: str = DEFAULT_BACKEND,
    seed: int | None = None,
) -> Model:
    """MobileNet V1 (arXiv 1704.04861).

    Prepare images with `preprocess_input`: the network takes values from -1 to 1.

    Parameters
    ----------
    input_shape : sequence of int, optional
        ``(height, width, channels)``, at least 32 x 32; by default 224 x 224 x 3, or any size
        without a top.
    alpha : float
        Width multiplier.
    depth_multiplier : int
        Depthwise outputs for each input channel.
    dropout : float
        Kept in the network for its name; it does nothing when a network only runs.
    include_top : bool
        Whether the classifier is part of the network.
    weights : {"imagenet", None}, name of the catalogue, or path
        ``None`` gives random weights; a path is a file of any format that is read.
    input_tensor : None
        There are no symbolic tensors here.
    pooling : {None, "avg", "max"}
        Without a top: how the last feature map is pooled, if at all.
    classes : int
        Of the top.
    classifier_activation : str or None
        Of the top; ``None`` gives logits.
    name : str, optional
    input_range : tuple, optional
        What black and white in pictures become; by default -1 and 1. Say it for weights that were
        trained with another.
    backend : str
        What runs the network, a key of ``npmobilenet.backends.BACKENDS``.
    seed : int, optional
        Of random weights.

    Raises
    ------
    ValueError
        If the arguments make no sense, as Keras.
    ModelFileError, WeightsMismatchError, DownloadError
        If the weights cannot be read, do not fit, or cannot be fetched.
    """
    known = catalogue_name(weights)
    imagenet = weights == "imagenet" or known is not None
    check_input_tensor(input_tensor)
    check_pooling(pooling)
    classes = check_classes(classes, include_top, imagenet)
    check_alpha(alpha, V1_ALPHAS, imagenet)
    depth_multiplier = whole_number(depth_multiplier, "depth_multiplier")
    if imagenet and depth_multiplier != 1:
        raise ValueError(
            f"weights='imagenet' have depth_multiplier=1, found depth_multiplier={depth_multiplier}"
        )
    activation = check_activation(classifier_activation, include_top and weights is not None)
    shape = resolve_input_shape(
        input_shape, include_top=include_top, imagenet=imagenet, resolutions=V1_RESOLUTIONS
    )
    if weights == "imagenet":
        resolution = weights_resolution(shape, V1_RESOLUTIONS)
        known = f"mobilenet_v1_{float(alpha)}_{resolution}{'' if include_top else '_no_top'}"
        name = name or f"mobilenet_{alpha:0.2f}_{resolution}"
    network = mobilenet_v1(
        shape,
        alpha,
        depth_multiplier,
        include_top=include_top,
        pooling=pooling,
        classes=classes,
        classifier_activation=activation,
        dropout=dropout,
        name=name,
    )
    return build_model(network, weights, known, input_range=input_range, backend=backend, seed=seed)
