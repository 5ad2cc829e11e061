"""Whether the engine checks itself, at many times the cost: for tests, or when something is odd.

With ``NPMOBILENET_CHECK=1`` in the environment, memory lies between pages that nobody may touch
(:mod:`npmobilenet.engine.guarded`), and every call is made twice, in memory filled with something
else each time (:mod:`npmobilenet.engine.inspection`).
"""

import os


def checking() -> bool:
    """Whether ``NPMOBILENET_CHECK`` is set, and not to 0."""
    return os.environ.get("NPMOBILENET_CHECK", "0") not in ("", "0")
