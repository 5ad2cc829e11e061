"""How much a JSON text holds, before anybody makes objects of it."""

import re

from npmobilenet.app.failures import RequestError

MOST_VALUES = 5000
"""Values in a request beside pictures: 2,000 labels to keep to, as many to leave out, and a few."""

# A string, which may hold whatever it likes, or what stands before or between values. A string that
# does not end reaches to the end of the text, so that no part of it is looked at twice.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)


def check_json(text: bytes, most: int = MOST_VALUES) -> None:
    """Refuse a text of too many values; whether it is JSON is not asked.

    A parser makes objects of all values and a validator an error for each, so that a few bytes of
    text would cost thousands of times as many of memory.

    Parameters
    ----------
    text : bytes
    most : int
        Values and keys, about: commas and opening brackets are counted.

    Raises
    ------
    RequestError
        If there are more.
    """
    found = 0
    for token in _TOKEN.finditer(text):
        if text[token.start()] != 0x22:  # a quotation mark
            found += 1
            if found > most:
                raise RequestError(422, f"body: found more than {most} values, expected fewer")
