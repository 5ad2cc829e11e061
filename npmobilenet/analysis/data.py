"""Results as data for JSON."""

from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any


def as_data(found: Any) -> Any:
    """Dataclasses as dicts of every field and every property by its name, all the way down."""
    if is_dataclass(found):
        names = [field.name for field in fields(found)]
        names += [name for name, value in vars(type(found)).items() if isinstance(value, property)]
        return {name: as_data(getattr(found, name)) for name in names}
    if isinstance(found, dict):
        return {str(name): as_data(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [as_data(value) for value in found]
    if isinstance(found, float) and not isfinite(found):
        return None  # JSON has no infinity
    return found
