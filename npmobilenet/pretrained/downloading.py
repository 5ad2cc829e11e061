"""One file over HTTP, with a progress bar."""

from pathlib import Path
from types import TracebackType

from npmobilenet.errors import DownloadError

TIMEOUT = 20.0
"""Seconds without an answer, or without a byte, after which a server counts as out of reach."""

CHUNK_BYTES = 1 << 16

MAX_BYTES = 64 << 20
"""Largest file; the largest that keras.applications has takes 24 MiB."""


def download(url: str, path: Path, *, progress: bool) -> None:
    """Download to a file; the caller removes what an interrupted transfer leaves.

    Raises
    ------
    DownloadError
        If the server cannot be reached, answers with an error, breaks off or sends too much.
    """
    import pooch  # slow to import, and only needed here

    with ProgressBar(path.name, shown=progress) as bar:
        get = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT)
        try:
            get(url, str(path), None)
        except OSError as error:  # what requests raises
            raise DownloadError(_root_cause(error)) from error


def _root_cause(error: BaseException) -> str:
    """What the operating system or the server said, without the layers of libraries above."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__


class ProgressBar:
    """A bar of rich's on the standard error stream, with the methods that pooch calls.

    It is drawn on terminals only, and counts what arrives: more than ``MAX_BYTES`` are an error.
    """

    def __init__(self, label: str, *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._progress.add_task(label, total=None)
        self._received = 0

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    @property
    def total(self) -> float | None:
        """Bytes to come, once the server has said it."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        self._progress.update(self._task, total=size or None)

    def update(self, received: int) -> None:
        """Count bytes.

        Raises
        ------
        DownloadError
            If there are too many.
        """
        self._received += received
        if self._received > MAX_BYTES:
            raise DownloadError(f"the server sends more than {MAX_BYTES:,} bytes")
        self._progress.advance(self._task, received)

    def reset(self) -> None:
        """Start again from nothing, as pooch does before it fills the bar."""
        self._received = 0
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Nothing to do: the context ends the bar."""
