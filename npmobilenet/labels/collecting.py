"""The names of classes from lists and dicts, as Python has them and as JSON does."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from operator import index
from typing import Any

from npmobilenet.errors import LabelsError
from npmobilenet.labels.imagenet import BACKGROUND
from npmobilenet.labels.labels import Labels

Item = tuple[str | None, str]
"""A WordNet id, if there is one, and a name."""


def labels_of(items: list[Item]) -> Labels:
    """Labels whose first class may be the background."""
    names = tuple(name for _, name in items)
    wnids = tuple(wnid for wnid, _ in items)
    return Labels(
        names,
        wnids if any(wnids) else None,
        has_background=names[0].lower() == BACKGROUND,
    )


def collected(content: Mapping[Any, Any] | Iterable[Any]) -> list[Item]:
    """Names in the order of the classes.

    Parameters
    ----------
    content : mapping or iterable
        Names, or ``[wnid, name]`` for each; a mapping from numbers to these, or from names to
        numbers as Keras' ``class_indices``.

    Raises
    ------
    LabelsError
        Naming the class or key where it fails.
    """
    if isinstance(content, str | bytes | AbstractSet) or not isinstance(content, Iterable):
        raise LabelsError(
            f"found {type(content).__name__}, expected a list of names, or a dict of names and "
            "numbers"
        )
    in_order = _in_order(content) if isinstance(content, Mapping) else list(content)
    if not in_order:
        raise LabelsError("found no labels")
    return [_item(number, item) for number, item in enumerate(in_order)]


def _in_order(content: Mapping[Any, Any]) -> list[Any]:
    if content and all(_number(value) is not None for value in content.values()):
        numbered = {_number(value): str(name) for name, value in content.items()}
        if len(numbered) < len(content):
            raise LabelsError(f"found {len(content)} names, but some have the same number")
    else:
        numbered = {_number(key): item for key, item in content.items()}
    missing = next((key for key in range(len(content)) if key not in numbered), None)
    if missing is not None:
        raise LabelsError(
            f"found {len(content)} keys but not '{missing}', expected '0' to '{len(content) - 1}'"
        )
    return [numbered[key] for key in range(len(content))]


def _number(value: object) -> int | None:
    """A whole number, written out or not; JSON's keys are always text."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None
    if isinstance(value, bool):
        return None
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def _item(number: int, item: Any) -> Item:
    match item:
        case str(name) if name:
            return None, str(name)
        case [str(wnid), str(name)] if wnid and name:
            return str(wnid), str(name)
        case _:
            raise LabelsError(
                f"class {number}: found {str(item)[:80]!r}, expected a name or [wnid, name]"
            )
