"""From the configuration of one Keras layer to a layer of a network."""

from collections.abc import Callable
from typing import Any

from npmobilenet.architecture import (
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Layer,
    LayerNormalization,
    MaxPooling2D,
    Normalization,
    Rescaling,
    Reshape,
    SeparableConv2D,
    UnitNormalization,
    ZeroPadding2D,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_activations import (
    ACTIVATION_LAYERS,
    activation_call,
    activation_of,
)
from npmobilenet.formats.keras_fields import Fields
from npmobilenet.formats.keras_geometry import GEOMETRY_READERS, edges
from npmobilenet.formats.keras_merging import MERGING_READERS
from npmobilenet.formats.messages import shown

# Layers that pass their input on when a network is only run. RandomCrop is not among them: that of
# Keras 2 resizes. Nor are AutoContrast, Equalization and Solarization, which always work.
_PASSING = frozenset(
    {
        "ActivityRegularization",
        "AlphaDropout",
        "AugMix",
        "CutMix",
        "GaussianDropout",
        "GaussianNoise",
        "Identity",
        "MixUp",
        "RandAugment",
        "RandomBrightness",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomContrast",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomFlip",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomHeight",
        "RandomHue",
        "RandomInvert",
        "RandomPerspective",
        "RandomPosterization",
        "RandomRotation",
        "RandomSaturation",
        "RandomSharpness",
        "RandomShear",
        "RandomTranslation",
        "RandomWidth",
        "RandomZoom",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
    }
)


def keras_layer(fields: Fields) -> Layer:
    """The layer that a configuration describes.

    Every field and every argument of the call is read here, stands in ``keras_harmless.py``, or is
    refused by :meth:`Fields.finish`.

    Raises
    ------
    ModelFileError
        If the class is unknown or a field asks for what no layer here can do; the message names
        the layer, its class and the field.
    """
    layer = _layer(fields)
    fields.finish()
    return layer


def _layer(fields: Fields) -> Layer:
    if fields.text("data_format", "channels_last") != "channels_last":
        raise fields.refuse("data_format", "'channels_last'")
    if fields.class_name in _PASSING:
        fields.skip()
        return Identity(name=fields.name)
    called = activation_call(fields)
    if called is not None:
        return called
    if fields.class_name not in _READERS:
        raise unknown_class(fields)
    return _READERS[fields.class_name](fields)


def unknown_class(fields: Fields) -> ModelFileError:
    """The error for a layer of a class that no reader here knows."""
    what = f"layer {shown(fields.name)} is of class {shown(fields.class_name)}"
    function = fields.raw("function")
    if fields.class_name == "TFOpLambda" and isinstance(function, str):
        return ModelFileError(
            f"layer {shown(fields.name)} calls {shown(f'tf.{function}')}, which is not supported"
        )
    if fields.class_name == "Lambda" or ">" in fields.class_name:
        return ModelFileError(f"{what}, which is code; code in model files is never run")
    return ModelFileError(f"{what}, which is not supported")


def _padding(fields: Fields) -> str:
    padding = fields.text("padding", "valid")
    if padding not in ("same", "valid"):
        raise fields.refuse("padding", "'same' or 'valid'")
    return padding


def _convolution(fields: Fields) -> dict[str, Any]:
    if fields.raw("groups", 1) != 1:
        raise fields.refuse("groups", "1")
    return {
        "name": fields.name,
        "kernel_size": fields.pair("kernel_size"),
        "strides": fields.pair("strides", (1, 1)),
        "padding": _padding(fields),
        "dilation": fields.pair("dilation_rate", (1, 1)),
        "use_bias": fields.flag("use_bias", True),
        "activation": activation_of(fields),
    }


def _conv(fields: Fields) -> Layer:
    return Conv2D(filters=fields.count("filters"), **_convolution(fields))


def _depthwise(fields: Fields) -> Layer:
    multiplier = fields.count("depth_multiplier", 1)
    return DepthwiseConv2D(depth_multiplier=multiplier, **_convolution(fields))


def _separable(fields: Fields) -> Layer:
    return SeparableConv2D(
        filters=fields.count("filters"),
        depth_multiplier=fields.count("depth_multiplier", 1),
        **_convolution(fields),
    )


def _batch_norm(fields: Fields) -> Layer:
    fields.last_axis()
    return BatchNormalization(
        name=fields.name,
        epsilon=_positive(fields, "epsilon", 1e-3),
        momentum=fields.number("momentum", 0.99) or 0.0,
        center=fields.flag("center", True),
        scale=fields.flag("scale", True),
    )


def _positive(fields: Fields, field: str, default: float) -> float:
    value = fields.number(field, default)
    if value is None or value < 0:
        raise fields.refuse(field, "a positive number")
    return value


def _zero_padding(fields: Fields) -> Layer:
    return ZeroPadding2D(name=fields.name, padding=edges(fields, "padding", 1))


def _max_pooling(fields: Fields) -> Layer:
    return MaxPooling2D(**_pooling(fields))


def _average_pooling(fields: Fields) -> Layer:
    return AveragePooling2D(**_pooling(fields))


def _pooling(fields: Fields) -> dict[str, Any]:
    size = fields.pair("pool_size", (2, 2))
    return {
        "name": fields.name,
        "kernel_size": size,
        "strides": fields.pair("strides", size),
        "padding": _padding(fields),
    }


def _global_average(fields: Fields) -> Layer:
    return GlobalAveragePooling2D(name=fields.name, keepdims=fields.flag("keepdims", False))


def _global_max(fields: Fields) -> Layer:
    return GlobalMaxPooling2D(name=fields.name, keepdims=fields.flag("keepdims", False))


def _dense(fields: Fields) -> Layer:
    return Dense(
        name=fields.name,
        units=fields.count("units"),
        use_bias=fields.flag("use_bias", True),
        activation=activation_of(fields),
    )


def _reshape(fields: Fields) -> Layer:
    target = fields.raw("target_shape")
    if not isinstance(target, list) or not all(
        isinstance(size, int) and (size == -1 or 0 < size < 1 << 31) for size in target
    ):
        raise fields.refuse("target_shape", "a list of sizes")
    if target.count(-1) > 1:
        raise fields.refuse("target_shape", "at most one -1")
    return Reshape(name=fields.name, target_shape=tuple(target))


def _rescaling(fields: Fields) -> Layer:
    scale, offset = fields.numbers("scale"), fields.numbers("offset") or (0.0,)
    if scale is None:
        raise fields.refuse("scale", "numbers")
    return Rescaling(name=fields.name, scale=_scalar(scale), offset=_scalar(offset))


def _scalar(values: tuple[float, ...]) -> float | tuple[float, ...]:
    return values[0] if len(values) == 1 else values


def _layer_normalization(fields: Fields) -> Layer:
    fields.last_axis()
    if fields.flag("rms_scaling", False):
        raise fields.refuse("rms_scaling", "false")
    return LayerNormalization(
        name=fields.name,
        epsilon=_positive(fields, "epsilon", 1e-3),
        center=fields.flag("center", True),
        scale=fields.flag("scale", True),
    )


def _unit_normalization(fields: Fields) -> Layer:
    fields.last_axis()
    return UnitNormalization(name=fields.name)


def _normalization(fields: Fields) -> Layer:
    if fields.flag("invert", False):
        raise fields.refuse("invert", "false")
    whole = fields.is_null("axis") or fields.raw("axis") == []
    if not whole:
        fields.last_axis()
    for statistic in ("mean", "variance"):  # kept by keras_config, where shapes are known
        fields.raw(statistic)
    return Normalization(name=fields.name, whole=whole)


_READERS: dict[str, Callable[[Fields], Layer]] = {
    **ACTIVATION_LAYERS,
    "Add": lambda fields: Add(name=fields.name),
    "AveragePooling2D": _average_pooling,
    "BatchNormalization": _batch_norm,
    "BatchNormalizationV1": _batch_norm,
    "BatchNormalizationV2": _batch_norm,
    "Conv2D": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Dropout": lambda fields: Dropout(name=fields.name, rate=fields.number("rate", 0.0) or 0.0),
    "Flatten": lambda fields: Flatten(name=fields.name),
    "GlobalAveragePooling2D": _global_average,
    "GlobalMaxPooling2D": _global_max,
    "MaxPooling2D": _max_pooling,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "SeparableConv2D": _separable,
    "ZeroPadding2D": _zero_padding,
    "LayerNormalization": _layer_normalization,
    "SyncBatchNormalization": _batch_norm,
    "UnitNormalization": _unit_normalization,
    **GEOMETRY_READERS,
    **MERGING_READERS,
}
