"""Fields of a Keras configuration, checked one by one: a file may hold anything."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from npmobilenet.errors import ModelFileError

Config = Mapping[str, Any]


class Fields:
    """The configuration of one layer; every error names the layer and the field.

    Parameters
    ----------
    class_name, name : str
        Keras' class and the layer's name, for messages.
    config : mapping
    rank : int
        Axes of one input sample: Keras' positive axes depend on it.
    """

    def __init__(self, class_name: str, name: str, config: Config, rank: int) -> None:
        self.class_name = class_name
        self.name = name
        self.rank = rank
        self._config = config

    def refuse(self, field: str, expected: str) -> ModelFileError:
        """The error for a field that is not as expected."""
        return ModelFileError(
            f"layer {self.name!r} ({self.class_name}): {field} is "
            f"{_short(self._config.get(field))}, expected {expected}"
        )

    def flag(self, field: str, default: bool) -> bool:
        """A truth value."""
        value = self.raw(field, default)
        if not isinstance(value, bool):
            raise self.refuse(field, "true or false")
        return value

    def count(self, field: str, default: int | None = None) -> int:
        """An integer of at least 1; an error where it is absent and there is no default."""
        value = self.raw(field, default)
        if not _is_count(value):
            raise self.refuse(field, "a positive integer")
        return int(value)

    def pair(self, field: str, default: tuple[int, int] | None = None) -> tuple[int, int]:
        """Two integers of at least 1; one stands for both."""
        value = self.raw(field, default)
        values = value if isinstance(value, list | tuple) else (value, value)
        if len(values) != 2 or not all(_is_count(size) for size in values):
            raise self.refuse(field, "two positive integers")
        return int(values[0]), int(values[1])

    def number(self, field: str, default: float | None = None) -> float | None:
        """A finite number, or ``None`` where it is absent and there is no default."""
        value = self.raw(field)
        if value is None:
            return default
        found = numbers(value)
        if found is None or len(found) != 1:
            raise self.refuse(field, "a number")
        return found[0]

    def numbers(self, field: str) -> tuple[float, ...] | None:
        """One or more finite numbers, or ``None`` where the field is absent."""
        value = self.raw(field)
        if value is None:
            return None
        found = numbers(value)
        if found is None:
            raise self.refuse(field, "numbers")
        return found

    def text(self, field: str, default: str) -> str:
        """A string; ``default`` where it is absent."""
        value = self.raw(field, default)
        if not isinstance(value, str):
            raise self.refuse(field, "a name")
        return value

    def last_axis(self, field: str = "axis") -> None:
        """Accept -1 and the number of the last axis, alone or as a list."""
        axis = self.raw(field, -1)
        if axis not in (-1, [-1], self.rank, [self.rank]):
            raise self.refuse(field, f"-1 or {self.rank}, the last one")

    def raw(self, field: str, default: Any = None) -> Any:
        """Whatever the file has; ``default`` for null too."""
        value = self._config.get(field)
        return default if value is None else value


def numbers(value: Any) -> tuple[float, ...] | None:
    """Finite numbers from a number, a list (nested where axes have one value) or Keras' boxes.

    ``None`` if it is anything else.
    """
    value = unboxed(value)
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    values = value if isinstance(value, list) else [value]
    if not values or not all(_is_number(item) for item in values):
        return None
    return tuple(float(item) for item in values)


def unboxed(value: Any) -> Any:
    """The value in ``{"class_name": "__numpy__", "config": {"value": ...}}`` and its kin."""
    if isinstance(value, dict):
        if value.get("class_name") in ("__numpy__", "__tensor__"):
            config = value.get("config")
            return config.get("value") if isinstance(config, dict) else None
        if value.get("type") == "ndarray":
            return value.get("value")
    return value


def shape_of(value: Any) -> tuple[int | None, ...] | None:
    """A batch shape without its batch axis; ``None`` if it is not one."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:
        return None
    if not all(size is None or _is_count(size) for size in value[1:]):
        return None
    return tuple(value[1:])


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e30
        and math.isfinite(value)
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
