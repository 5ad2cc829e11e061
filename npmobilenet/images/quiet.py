"""Pillow's warnings, kept in: a picture gives an array or an error, never a warning."""

import threading
import warnings
from types import TracebackType


class _QuietPillow:
    """A context in which modules of Pillow do not warn; threads share it.

    ``warnings.catch_warnings`` replaces the filters of the whole process, so that contexts of
    two threads that overlap would restore each other's filters. Here the first one in sets the
    filter and the last one out takes it back, and decoding runs in parallel between.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(kind, error, traceback)


quiet_pillow = _QuietPillow()
