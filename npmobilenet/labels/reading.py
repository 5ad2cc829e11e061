"""A labels file of one's own."""

import json
from os import PathLike
from pathlib import Path
from typing import Any

from npmobilenet.errors import LabelsError
from npmobilenet.files import NotAFileError, read_file
from npmobilenet.labels.imagenet import BACKGROUND
from npmobilenet.labels.labels import Labels

MAX_BYTES = 16 * 1024 * 1024  # ImageNet's whole 21k classes with all synonyms take 1 MiB


def read_labels(path: str | PathLike[str]) -> Labels:
    r"""Read the names of classes from a file.

    Two kinds are known, told apart by their first character:

    - Text in UTF-8, one class a line, in the order of the model's outputs: the name, or a WordNet
      id, a tab and the name on every line. Empty lines may follow the last class.
    - JSON: a list, or an object with the keys ``"0"``, ``"1"``, ... as in Keras'
      ``imagenet_class_index.json``; each item is a name or ``[wnid, name]``.

    A first class named ``background``, in any case, sets ``has_background``.

    Raises
    ------
    LabelsError
        If the file cannot be read or is neither, with the line or key where it fails.
    """
    path = Path(path)
    text = _text(path)
    read = _from_json if text.lstrip()[:1] in ("[", "{") else _from_lines
    items = read(path, text)
    if not items:
        raise LabelsError(f"{path}: found no labels")
    names = tuple(name for _, name in items)
    wnids = tuple(wnid for wnid, _ in items)
    return Labels(
        names,
        wnids if any(wnids) else None,
        has_background=names[0].lower() == BACKGROUND,
    )


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


def _from_lines(path: Path, text: str) -> list[tuple[str | None, str]]:
    lines = text.rstrip().splitlines()
    with_ids = "\t" in text.rstrip()
    items: list[tuple[str | None, str]] = []
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != (2 if with_ids else 1) or not all(fields):
            expected = "a WordNet id, a tab and a name" if with_ids else "a name"
            raise LabelsError(f"{path}: line {number}: found {line!r}, expected {expected}")
        items.append((fields[0] if with_ids else None, fields[-1]))
    return items


def _from_json(path: Path, text: str) -> list[tuple[str | None, str]]:
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelsError(f"{path}: found JSON that cannot be read: {error}") from None
    if isinstance(content, dict):
        missing = [str(index) for index in range(len(content)) if str(index) not in content]
        if missing:
            raise LabelsError(
                f"{path}: found {len(content)} keys but not {missing[0]!r}, expected '0' to "
                f"'{len(content) - 1}'"
            )
        content = [content[str(index)] for index in range(len(content))]
    items: list[tuple[str | None, str]] = []
    for index, item in enumerate(content):
        match item:
            case str(name) if name:
                items.append((None, name))
            case [str(wnid), str(name)] if wnid and name:
                items.append((wnid, name))
            case _:
                raise LabelsError(
                    f"{path}: class {index}: found {str(item)[:80]!r}, expected a name or "
                    "[wnid, name]"
                )
    return items
