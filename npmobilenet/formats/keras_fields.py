"""Fields of a Keras configuration, checked one by one: a file may hold anything.

What is read is remembered, so that what nobody read can be refused: see :meth:`Fields.finish`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_harmless import harmless_argument, harmless_field
from npmobilenet.formats.messages import cut, shown

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
    arguments : mapping, optional
        What the layer is called with, besides tensors and numbers; positions as ``"argument 2"``.
    keras : {2, 3}, optional
        The Keras that wrote the file, where it says so: some names have changed their meaning.
    """

    def __init__(
        self,
        class_name: str,
        name: str,
        config: Config,
        rank: int,
        arguments: Config | None = None,
        keras: int | None = None,
    ) -> None:
        self.class_name = class_name
        self.name = name
        self.rank = rank
        self.keras = keras
        self._config = config
        self._arguments = {} if arguments is None else arguments
        self._read: set[str] = set()
        self._taken: set[str] = set()

    def finish(self) -> None:
        """Refuse what nobody read, unless it means nothing when a network only runs.

        Raises
        ------
        ModelFileError
            Naming the layer and the field, or the argument of its call.
        """
        for field, value in self._config.items():
            if field not in self._read and not harmless_field(field, value):
                raise ModelFileError(
                    f"{self}: field {shown(field)} is {shown(value)}, which is not supported"
                )
        for argument, value in self._arguments.items():
            harmless = harmless_argument(argument, value, self.keras)
            if argument not in self._taken and not harmless:
                raise ModelFileError(
                    f"{self} is called with {cut(argument, 60)} = {shown(value)}, which is "
                    "not supported"
                )

    def skip(self) -> None:
        """Count all fields as read: of a layer that does nothing, none means anything."""
        self._read.update(self._config)

    def argument(self, name: str, default: Any = None) -> Any:
        """What the layer is called with; ``default`` for null too."""
        self._taken.add(name)
        value = self._arguments.get(name)
        return default if value is None else value

    def __str__(self) -> str:
        return f"layer {shown(self.name)} ({cut(self.class_name, 60)})"

    def refuse(self, field: str, expected: str) -> ModelFileError:
        """The error for a field, or an argument of the call, that is not as expected."""
        found = self._config.get(field, self._arguments.get(field))
        return ModelFileError(f"{self}: {field} is {shown(found)}, expected {expected}")

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

    def is_null(self, field: str) -> bool:
        """Whether the file says null, which is another thing than saying nothing."""
        self._read.add(field)
        return field in self._config and self._config[field] is None

    def raw(self, field: str, default: Any = None) -> Any:
        """Whatever the file has; ``default`` for null too."""
        self._read.add(field)
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
