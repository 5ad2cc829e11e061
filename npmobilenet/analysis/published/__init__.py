"""Published figures of cost beside our own count, and those that do not reproduce."""

from collections.abc import Callable, Sequence

from npmobilenet.analysis.published.figures import Figure, PublishedTable, Verdict, verdict
from npmobilenet.analysis.published.slim import slim_tables
from npmobilenet.analysis.published.tflite import tflite_tables
from npmobilenet.analysis.published.v1_paper import v1_tables
from npmobilenet.analysis.published.v2_paper import v2_tables

__all__ = [
    "SOURCES",
    "Figure",
    "PublishedTable",
    "Verdict",
    "published_tables",
    "verdict",
]

SOURCES: dict[str, Callable[[], list[PublishedTable]]] = {
    "v1": v1_tables,
    "v2": v2_tables,
    "slim": slim_tables,
    "tflite": tflite_tables,
}
"""The papers and model lists by a short name."""


def published_tables(sources: Sequence[str] = ()) -> list[PublishedTable]:
    """The tables of some sources, or of all.

    Raises
    ------
    ValueError
        If there is no such source.
    """
    unknown = [source for source in sources if source not in SOURCES]
    if unknown:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, found {unknown[0]!r}")
    return [table for source in sources or SOURCES for table in SOURCES[source]()]
