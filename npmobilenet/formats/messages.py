"""What a file holds, as messages show it: never longer than a line or two."""

import reprlib
from typing import Any

LONGEST_VALUE = 80
"""Characters of one value."""

LONGEST_MESSAGE = 1000
"""Characters of a whole message about a file."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = LONGEST_VALUE
_short.maxlist = _short.maxtuple = _short.maxdict = 8
_short.maxlevel = 4


def shown(value: Any) -> str:
    """A value from a file as Python writes it, long ones with dots in their place.

    No more than the beginning of a value is looked at, however large it is.
    """
    if isinstance(value, bytes):
        value = value[:LONGEST_VALUE]
    return cut(_short.repr(value), LONGEST_VALUE)


def cut(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """The beginning of a text, with dots if there is more."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
