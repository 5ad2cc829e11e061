"""Making and saving figures without a display."""

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of a size in inches, laid out by constraints.

    Raises
    ------
    ValueError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError(
            "figures need matplotlib, which is not installed: pip install 'npmobilenet[plots]'"
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: "Figure", path: Path) -> None:
    """Save in the format that the ending names (PNG, SVG, PDF); all of it or nothing.

    Raises
    ------
    ValueError
        If the ending is no format that matplotlib knows.
    OSError
        If the file cannot be written.
    """
    known = figure.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in known:
        raise ValueError(f"a figure's name must end in one of {', '.join(known)}, found {path}")
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        figure.savefig(part, dpi=150)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def figure_bytes(figure: "Figure", kind: str) -> bytes:
    """The figure as a file of a kind, ``"svg"`` or ``"png"``, in memory; the same each time."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "npmobilenet"}):
        figure.savefig(
            buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {}
        )
    return buffer.getvalue()
