"""A report as data: what it says, apart from how it is written down.

:mod:`npmobilenet.analysis.document_html` makes one page of it with the figures inside,
:mod:`npmobilenet.analysis.document_markdown` a Markdown file with the figures beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


@dataclass(frozen=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text; ``verdict`` marks one that says whether something passed."""

    text: str
    verdict: bool | None = None


@dataclass(frozen=True)
class Table:
    """Rows of text; the columns whose index is in ``left`` are words, the others numbers.

    Rows whose index is in ``marked`` are those to look at. A folded table may be hidden at first.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: frozenset[int] = frozenset({0})
    marked: frozenset[int] = frozenset()
    folded: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing, a short name for its file, and what is to be seen in it."""

    name: str
    caption: str
    drawing: "Drawing"


Part = Heading | Paragraph | Table | Figure


@dataclass(frozen=True)
class Document:
    """A title and what follows it."""

    title: str
    parts: Sequence[Part]
