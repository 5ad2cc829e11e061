"""MobileNet V2 with the signature of ``keras.applications.mobilenet_v2``."""

from collections.abc import Sequence
from os import PathLike

from npmobilenet.architecture import mobilenet_v2
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
from npmobilenet.images import preprocess_input
from npmobilenet.labels import decode_predictions
from npmobilenet.loading import build_model, catalogue_name
from npmobilenet.model import Model
from npmobilenet.pretrained.catalogue import V2_ALPHAS, V2_RESOLUTIONS, V2_WIDE_ALPHAS

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

ALPHAS = (*V2_ALPHAS, *V2_WIDE_ALPHAS)


def MobileNetV2(  # noqa: N802  -- Keras' name
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
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
    """MobileNet V2 (arXiv 1801.04381).

    Prepare images with `preprocess_input`: the network takes values from -1 to 1. Parameters
    and errors are those of :func:`npmobilenet.mobilenet.MobileNet`; there is no depth
    multiplier and no dropout.
    """
    known = catalogue_name(weights)
    imagenet = weights == "imagenet" or known is not None
    check_input_tensor(input_tensor)
    check_pooling(pooling)
    classes = check_classes(classes, include_top, imagenet)
    check_alpha(alpha, ALPHAS, imagenet)
    activation = check_activation(classifier_activation, include_top and weights is not None)
    shape = resolve_input_shape(
        input_shape, include_top=include_top, imagenet=imagenet, resolutions=V2_RESOLUTIONS
    )
    if weights == "imagenet":
        resolution = weights_resolution(shape, V2_RESOLUTIONS)
        known = f"mobilenet_v2_{float(alpha)}_{resolution}{'' if include_top else '_no_top'}"
        name = name or f"mobilenetv2_{alpha:0.2f}_{resolution}"
    network = mobilenet_v2(
        shape,
        alpha,
        include_top=include_top,
        pooling=pooling,
        classes=classes,
        classifier_activation=activation,
        name=name,
    )
    return build_model(network, weights, known, input_range=input_range, backend=backend, seed=seed)
