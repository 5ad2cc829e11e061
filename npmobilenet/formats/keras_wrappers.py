"""Layers around another layer: TimeDistributed, where the other one does not see the axis."""

from npmobilenet.architecture import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Layer,
    LayerNormalization,
    ReLU,
    Rescaling,
    Reshape,
    Shape,
    UnitNormalization,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Fields

WRAPPED_KEY = "layer"
"""Under what Keras 3 keeps the tensors of the wrapped layer."""

# These treat each value, or each vector of the last axis, by itself: no other axis matters.
_BY_LAST_AXIS = (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Identity,
    LayerNormalization,
    ReLU,
    Rescaling,
    UnitNormalization,
)


def for_each_step(wrapper: Fields, layer: Layer, shape: Shape) -> Layer:
    """The layer that does to all steps of a sample at once what the given one does to each.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    if len(shape) < 2:
        raise ModelFileError(f"{wrapper}: is called on {shape}, expected steps of vectors or more")
    if isinstance(layer, _BY_LAST_AXIS):
        return layer
    if isinstance(layer, Flatten) and shape[0] is not None:
        return Reshape(name=layer.name, target_shape=(shape[0], -1))
    raise ModelFileError(f"{wrapper}: wraps a {type(layer).__name__}, which is not supported")
