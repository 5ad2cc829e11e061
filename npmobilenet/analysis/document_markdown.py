"""A document as Markdown, with its figures in files beside it."""

from collections.abc import Sequence
from pathlib import Path

from npmobilenet.analysis.document import Document, Figure, Heading, Paragraph, Part, Table
from npmobilenet.analysis.plots.figure import save_figure
from npmobilenet.atomic import replacing


def write_markdown(document: Document, path: Path) -> None:
    """Write ``path``, and each figure as ``STEM-NAME.png`` in the same folder.

    Raises
    ------
    ValueError
        If matplotlib is not installed.
    OSError
        If a file cannot be written.
    """
    parts = [f"# {document.title}", *(_part(part, path) for part in document.parts)]
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _part(part: Part, path: Path) -> str:
    match part:
        case Heading():
            return f"## {part.text}"
        case Paragraph():
            return part.text if part.verdict is None else f"**{part.text}**"
        case Figure():
            image = path.with_name(f"{path.stem}-{part.name}.png")
            save_figure(part.drawing, image)
            return f"![{part.name}]({image.name})\n\n{part.caption}"
        case Table():
            return _table(part)


def _table(table: Table) -> str:
    rule = ["---" if index in table.left else "---:" for index in range(len(table.headings))]
    lines = [_row(table.headings), f"|{'|'.join(rule)}|"]
    for number, row in enumerate(table.rows):
        marked = number in table.marked
        lines.append(_row([f"**{cell}**" if marked and cell else cell for cell in row]))
    text = "\n".join(lines)
    if table.folded:
        return f"<details><summary>{table.folded}</summary>\n\n{text}\n\n</details>"
    return text


def _row(cells: Sequence[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
