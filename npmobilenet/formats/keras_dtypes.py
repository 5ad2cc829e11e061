"""Number formats in a Keras configuration: what is computed in float32 here, and what is not."""

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Config
from npmobilenet.formats.messages import shown

_PLAIN = ("float32", "float64")
_HALF = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def dtype_note(class_name: str, name: str, config: Config) -> str | None:
    """What to say about the format that a layer computes in; ``None`` if it is float32.

    Raises
    ------
    ModelFileError
        If the layer computes with integers, as quantised ones do.
    """
    policy = config.get("dtype")
    if isinstance(policy, dict):
        inner = policy.get("config")
        if isinstance(inner, dict) and inner.keys() == {"name"}:
            policy = inner["name"]
    if config.get("dtype") is None or policy in _PLAIN:
        return None
    if policy in _HALF:
        return f"the file computes in {policy}; here everything is float32"
    if class_name == "InputLayer":
        return f"the file takes images as {shown(policy)}; here values need not be whole numbers"
    raise ModelFileError(
        f"layer {shown(name)} computes in {shown(policy)}, which is not supported; expected one of "
        f"{', '.join((*_PLAIN, *_HALF))}"
    )
