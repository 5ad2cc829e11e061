"""A labels file of one's own."""

import json
import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from npmobilenet.errors import LabelsError
from npmobilenet.files import NotAFileError, read_file
from npmobilenet.labels.collecting import Item, collected, labels_of
from npmobilenet.labels.labels import Labels

LabelSource = Labels | str | PathLike[str] | Iterable[object] | Mapping[object, object]
"""What names classes: see `as_labels`."""

MAX_BYTES = 16 * 1024 * 1024  # ImageNet's whole 21k classes with all synonyms take 1 MiB
_NUMBERED = re.compile(r"(\d{1,9})(?:[.):]?\s+|[:,;]\s*)(\S.*)", re.ASCII)


def read_labels(path: str | PathLike[str]) -> Labels:
    r"""Read the names of classes from a file.

    Two kinds are known, told apart by their first character:

    - Text in UTF-8, one class a line, in the order of the model's outputs: the name, or a WordNet
      id, a tab and the name on every line. Empty lines may follow the last class. Lines may be
      numbered, ``0 cat``, ``0: cat`` or ``0,cat``, each by the next number from 0 or 1 on.
    - JSON: a list, or an object with the keys ``"0"``, ``"1"``, ... as in Keras'
      ``imagenet_class_index.json``; each item is a name or ``[wnid, name]``. Or an object from
      names to numbers, as Keras' ``class_indices``.

    A first class named ``background``, in any case, sets ``has_background``.

    Raises
    ------
    LabelsError
        If the file cannot be read or is neither, with the line or key where it fails.
    """
    path = Path(path)
    text = _text(path)
    read = _from_json if text.lstrip()[:1] in ("[", "{") else _from_lines
    try:
        return labels_of(read(text))
    except LabelsError as error:
        raise LabelsError(f"{path}: {error}") from None


def as_labels(source: LabelSource) -> Labels:
    """Labels from whatever names classes.

    Parameters
    ----------
    source : Labels, path, sequence or mapping
        A path is that of a file for `read_labels`. A sequence has the names in the order of the
        model's outputs; a mapping leads from numbers to names, or from names to numbers as Keras'
        ``class_indices``.

    Raises
    ------
    LabelsError
        If it is none of these.
    """
    if isinstance(source, Labels):
        return source
    if isinstance(source, str | PathLike):
        return read_labels(source)
    try:
        return labels_of(collected(source))
    except LabelsError as error:
        raise LabelsError(f"labels: {error}") from None


def _text(path: Path) -> str:
    try:
        data = read_file(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise LabelsError(f"{path}: found more than {MAX_BYTES:,} bytes, expected labels")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelsError(f"{path}: expected text in UTF-8, found {error}") from None
    except NotAFileError as error:
        raise LabelsError(f"{path}: {error.strerror}") from None
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read: {error.strerror}") from None


def _from_lines(text: str) -> list[Item]:
    lines = _without_numbers([line.strip() for line in text.rstrip().splitlines()])
    with_ids = any("\t" in line for line in lines)
    items: list[Item] = []
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != (2 if with_ids else 1) or not all(fields):
            expected = "a WordNet id, a tab and a name" if with_ids else "a name"
            raise LabelsError(f"line {number}: found {line[:80]!r}, expected {expected}")
        items.append((fields[0] if with_ids else None, fields[-1]))
    if not items:
        raise LabelsError("found no labels")
    return items


def _without_numbers(lines: list[str]) -> list[str]:
    """Names without the numbers before them, if every line has the next one.

    "7-Eleven" and "3d printer" are names, and "1 star", "2 star" are not told apart without.
    """
    found = [_NUMBERED.fullmatch(line) for line in lines]
    numbered = [(int(match[1]), match[2]) for match in found if match]
    first = numbered[0][0] if numbered else 0
    as_counted = [number for number, _ in numbered] == list(range(first, first + len(lines)))
    names = [name for _, name in numbered]
    likely = first == 0 or (first == 1 and len(lines) > 1)
    return names if as_counted and likely and len(set(names)) == len(names) else lines


def _from_json(text: str) -> list[Item]:
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelsError(f"found JSON that cannot be read: {error}") from None
    return collected(content)
