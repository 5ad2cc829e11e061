"""Checks of the arguments that MobileNet and MobileNetV2 share, with Keras' rules."""

import warnings
from collections.abc import Sequence

from npmobilenet.architecture import Shape
from npmobilenet.counts import whole_number
from npmobilenet.model import DEFAULT_SIZE

MINIMUM_SIZE = 32
POOLINGS = (None, "avg", "max")


def check_classes(classes: int, include_top: bool, imagenet: bool) -> int:
    """ImageNet weights have 1000 classes; any other head has at least one."""
    if not include_top:
        return classes
    if imagenet and classes != 1000:
        raise ValueError(
            f"weights='imagenet' with include_top=True has classes=1000, found classes={classes}"
        )
    return whole_number(classes, "classes")


def check_alpha(alpha: float, published: Sequence[float], imagenet: bool) -> None:
    """ImageNet weights exist for some alphas; without them any positive number will do."""
    if isinstance(alpha, bool) or not alpha > 0:
        raise ValueError(f"alpha must be greater than 0, found {alpha!r}")
    if imagenet and alpha not in published:
        raise ValueError(f"weights='imagenet' exist for alpha in {tuple(published)}, found {alpha}")


def check_pooling(pooling: str | None) -> None:
    """Which ends a network without a top may have."""
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {POOLINGS}, found {pooling!r}")


def check_activation(activation: str | None, pretrained: bool) -> str:
    """The name of the classifier's activation; trained weights go with softmax or none."""
    name = "linear" if activation is None else activation
    if not isinstance(name, str):
        raise ValueError(f"classifier_activation must be a name or None, found {activation!r}")
    if pretrained and name not in ("softmax", "linear"):
        raise ValueError(
            "with trained weights classifier_activation must be 'softmax' or None, "
            f"found {activation!r}"
        )
    return name


def check_input_tensor(input_tensor: object) -> None:
    """There are no symbolic tensors here."""
    if input_tensor is not None:
        raise ValueError(
            "input_tensor must be None: networks are data here and have no symbolic tensors; "
            "give input_shape, and put layers of your own before or after with a NetworkBuilder"
        )


def resolve_input_shape(
    input_shape: Sequence[int | None] | None,
    *,
    include_top: bool,
    imagenet: bool,
    resolutions: Sequence[int],
) -> Shape:
    """``(height, width, channels)``, defaults filled in.

    Parameters
    ----------
    input_shape : sequence or None
        As the user gave it.
    include_top : bool
        A top needs a known size.
    imagenet : bool
        ImageNet weights need three channels, and with a top one of ``resolutions``, square.
    resolutions : sequence of int
        Sizes for which ImageNet weights were published.

    Raises
    ------
    ValueError
        As Keras, for a shape that is not three integers, is below 32 x 32, or does not go with
        the weights.
    """
    if input_shape is None:
        return (DEFAULT_SIZE, DEFAULT_SIZE, 3) if include_top else (None, None, 3)
    if len(tuple(input_shape)) != 3:
        raise ValueError(f"input_shape must be three integers, found {input_shape!r}")
    shape = tuple(
        None if size is None else whole_number(size, "each of input_shape") for size in input_shape
    )
    height, width, depth = shape
    if depth is None:
        raise ValueError(f"input_shape must say how many channels there are, found {input_shape}")
    if imagenet and depth != 3:
        raise ValueError(f"weights='imagenet' need 3 input channels, found input_shape={shape}")
    if depth not in (1, 3):
        warnings.warn(f"images have 1 or 3 channels, found input_shape={shape}", stacklevel=4)
    if imagenet and include_top:
        size = height if height == width and height in resolutions else DEFAULT_SIZE
        if shape != (size, size, 3):
            raise ValueError(
                "weights='imagenet' with include_top=True need input_shape "
                f"{(size, size, 3)}, found {shape}"
            )
    if any(size is not None and size < MINIMUM_SIZE for size in (height, width)):
        raise ValueError(
            f"input_shape must be at least {MINIMUM_SIZE} x {MINIMUM_SIZE}, found {shape}"
        )
    if include_top and (height is None or width is None):
        raise ValueError(f"include_top=True needs a known input size, found input_shape={shape}")
    return shape


def weights_resolution(shape: Shape, resolutions: Sequence[int]) -> int:
    """The resolution whose ImageNet weights go with an input shape: its own, or 224."""
    height, width = shape[0], shape[1]
    if height is not None and height == width and height in resolutions:
        return height
    warnings.warn(
        f"input_shape={shape} is not square with a side of {tuple(resolutions)}: "
        f"the weights for {DEFAULT_SIZE} x {DEFAULT_SIZE} are taken",
        stacklevel=4,
    )
    return DEFAULT_SIZE
