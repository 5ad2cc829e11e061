"""What a Keras file may say that changes nothing when a network only runs.

Every field of a layer, every argument of its call and every tensor is used, stands here, or is
refused by name. A new meaning in a new Keras is so never passed over.
"""

from collections.abc import Mapping
from typing import Any

_TRAINING_SUFFIXES = ("_constraint", "_initializer", "_regularizer")

_FIELDS = frozenset(
    {
        # Read by keras_config for every layer.
        "dtype",
        "name",
        # Shapes, which follow from the first one and the layers.
        "batch_input_shape",
        "batch_shape",
        "build_input_shape",
        "input_dim",
        "input_dtype",
        "input_shape",
        # Training.
        "momentum",
        "noise_shape",
        "rate",
        "renorm_clipping",
        "renorm_momentum",
        "seed",
        "synchronized",
        "trainable",
        # An adapter: Keras saves it added to the kernel, or its tensors, which are found.
        "lora_alpha",
        "lora_rank",
        # How, not what, is computed.
        "fused",
        "implementation",
    }
)

_NEUTRAL_FIELDS: Mapping[str, Any] = {
    "autocast": True,
    "optional": False,
    "ragged": False,
    "renorm": False,
    "sparse": False,
    "supports_masking": True,
}
"""Fields that mean nothing as long as they have this value."""

_WRAPPER = frozenset(
    {
        "backend",
        "build_config",
        "class_name",
        "compile_config",
        "config",
        "inbound_nodes",
        "keras_version",
        "module",
        "name",
        "registered_name",
        "shared_object_id",
    }
)
_PACKAGES = ("keras", "tf_keras", "tensorflow")


def harmless_field(field: str, value: Any) -> bool:
    """Whether a field that nobody read means nothing. Null stands for a field not given."""
    if value is None or field in _FIELDS or field.endswith(_TRAINING_SUFFIXES):
        return True
    return field in _NEUTRAL_FIELDS and value is _NEUTRAL_FIELDS[field]


def harmless_argument(argument: str, value: Any, keras: int | None) -> bool:
    """The same for an argument that a layer is called with.

    ``training=True`` in a graph is obeyed by ``predict`` of Keras 2: statistics of the batch, live
    dropout. Keras 3 puts its own value there, and writes it for every random layer.
    """
    if argument == "training":
        return keras == 3 or not value
    return value is None or argument == "name"


def foreign(layer: Mapping[str, Any]) -> str | None:
    """Where the class of a layer comes from, if not from Keras: its own may have Keras' names."""
    module, registered = layer.get("module"), layer.get("registered_name")
    if module is not None and str(module).partition(".")[0] not in _PACKAGES:
        return f"module {module!r}"
    if registered is not None and registered != layer.get("class_name"):
        return f"package {registered!r}"
    return None


def unknown_entries(layer: Mapping[str, Any]) -> list[str]:
    """What stands beside a layer's configuration and is not known."""
    return [key for key, value in layer.items() if key not in _WRAPPER and value is not None]
