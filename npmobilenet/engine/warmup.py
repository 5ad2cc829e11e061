"""Getting the kernels ready: from the cache on disk, or compiled, which is said and shown."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from numba import types
from numba.core import event

from npmobilenet.engine.execute import enter
from npmobilenet.kernels.cache import cache_folder

_SIGNATURE = (types.int64,) * 4
_FUNCTIONS = 65  # about so many are compiled one by one, before LLVM works on all of them together

_lock = RLock()
_entry: Callable[..., int] | None = None


def warm_up() -> None:
    """Load or compile the kernels, once in a process.

    Compiling takes some 20 seconds. It happens at the first call on a machine, and again after an
    update of this package, Numba or the CPU; stderr then says so. The first call of a program does
    this by itself; doing it ahead is what ``npmobilenet warmup`` is for.
    """
    compiled_entry()


def compiled_entry() -> Callable[..., int]:
    """What :func:`~npmobilenet.engine.execute.enter` is compiled to.

    Called as such, it does not have Numba look at the types of its arguments, which takes time,
    at the first call some 20 ms.
    """
    global _entry
    if _entry is None:
        with _lock:
            if _entry is None:
                with _told(), _no_collection():
                    _entry = enter.compile(_SIGNATURE)
    assert _entry is not None  # noqa: S101
    return _entry


class _Steps(event.Listener):  # type: ignore[misc]
    """Announces the first compilation, and counts all."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._progress: Any = None

    def on_start(self, event: event.Event) -> None:
        if self._began is None:
            self._began = time.perf_counter()
            self._announce()

    def on_end(self, event: event.Event) -> None:
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0])

    def close(self, finished: bool) -> None:
        """Say how long it took, if anything was compiled."""
        if self._began is None:
            return
        if self._progress is not None:
            self._progress.stop()
        if not finished:
            print("npmobilenet: the kernels were not compiled to the end", file=sys.stderr)  # noqa: T201
            return
        took = time.perf_counter() - self._began
        folder = cache_folder()
        kept = folder is not None and os.access(folder, os.W_OK)
        where = f"kept in {folder}" if kept else "no folder to keep them in"
        print(f"npmobilenet: kernels compiled in {took:.0f} s, {where}", file=sys.stderr)  # noqa: T201

    def _announce(self) -> None:
        text = "npmobilenet: compiling kernels for this CPU, once"
        if not sys.stderr.isatty():
            print(f"{text} (some 20 s)", file=sys.stderr)  # noqa: T201
            return
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._progress.add_task(text, total=_FUNCTIONS)
        self._progress.start()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the search for cyclic garbage, a tenth of the time that compiling takes."""
    searched = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if searched:
            gc.enable()


@contextmanager
def _told() -> Iterator[None]:
    steps = _Steps()
    with event.install_listener("numba:compile", steps):
        finished = False
        try:
            yield
            finished = True
        finally:
            steps.close(finished)


if hasattr(os, "register_at_fork"):
    # A child forked while another thread compiles would wait for ever for that thread's lock, or
    # for one of Numba's.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )
