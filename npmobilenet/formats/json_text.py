"""JSON from a file: data with limits on its size."""

import json
from collections.abc import Mapping
from typing import Any

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.limits import MAX_TEXT_BYTES
from npmobilenet.formats.messages import cut


def parse_object(text: str | bytes, what: str) -> Mapping[str, Any]:
    """A JSON object.

    Raises
    ------
    ModelFileError
        If the text is too long, nested too deeply, not JSON, or not an object.
    """
    if len(text) > MAX_TEXT_BYTES:
        raise ModelFileError(f"{what} has {len(text)} bytes; at most {MAX_TEXT_BYTES} are read")
    try:
        value = json.loads(text, object_pairs_hook=_only_once)
    except RecursionError:
        raise ModelFileError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise ModelFileError(f"{what} is not JSON ({cut(str(error), 200)})") from None
    if not isinstance(value, dict):
        raise ModelFileError(f"{what} is a JSON {type(value).__name__}, expected an object")
    return value


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
