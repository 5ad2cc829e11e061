"""Whether the engine checks itself: for tests, or when something is odd.

With ``NPMOBILENET_CHECK=plans`` in the environment every plan is followed through memory before
it is used (:mod:`npmobilenet.engine.verify`). With ``NPMOBILENET_CHECK=1`` moreover memory lies
between pages that nobody may touch (:mod:`npmobilenet.engine.guarded`), and every call is made
twice, in memory filled with something else each time (:mod:`npmobilenet.engine.inspection`), at
many times the cost.
"""

import os


def verifying() -> bool:
    """Whether plans are followed through memory."""
    return _asked() not in ("", "0")


def checking() -> bool:
    """Whether memory is guarded and calls are made twice."""
    return _asked() not in ("", "0", "plans")


def _asked() -> str:
    return os.environ.get("NPMOBILENET_CHECK", "0")
