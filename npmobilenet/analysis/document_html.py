"""A document as one HTML page that needs no other file."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from npmobilenet.analysis.document import Document, Figure, Heading, Paragraph, Part, Table
from npmobilenet.analysis.plots.figure import figure_bytes
from npmobilenet.atomic import replacing

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #1f2430;
  background: #f5f6f8; margin: 0; }
main { max-width: 80rem; margin: 0 auto; padding: 2rem 2.5rem 4rem; background: #fff; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-bottom: .25rem;
  border-bottom: 1px solid #dfe3ea; }
p { max-width: 56rem; margin: .5rem 0; overflow-wrap: anywhere; }
.passed, .failed { padding: .65rem 1rem; border-left: 5px solid; max-width: none; }
.passed { background: #e9f6ee; border-color: #2e8b57; }
.failed { background: #fdecec; border-color: #c0392b; }
figure { margin: 1.2rem 0; }
figure img { width: 100%; height: auto; }
figcaption { color: #5a6374; font-size: .9rem; max-width: 56rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: #5a6374; vertical-align: bottom;
  border-bottom: 2px solid #dfe3ea; }
th, td { padding: .22rem .55rem; white-space: nowrap; }
td { text-align: right; border-bottom: 1px solid #eef0f4; }
.left { text-align: left; }
td.left:last-child { overflow-wrap: anywhere; white-space: normal; }
tr.marked td { background: #fdecec; }
tbody tr:hover td { background: #f2f6fc; }
summary { cursor: pointer; color: #2c5aa0; margin: .6rem 0; }
@media print { body, main { background: #fff; } main { padding: 0; } }
"""


def document_html(document: Document) -> str:
    """The page as text; figures are SVG inside it.

    Raises
    ------
    ValueError
        If matplotlib is not installed.
    """
    body = "\n".join(_part(part) for part in document.parts)
    title = escape(document.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body><main>\n<h1>{title}</h1>\n{body}\n</main></body>\n</html>\n"
    )


def write_html(document: Document, path: Path) -> None:
    """Write the page; all of it or nothing.

    Raises
    ------
    ValueError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    """
    page = document_html(document)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _part(part: Part) -> str:
    match part:
        case Heading():
            return f"<h2>{escape(part.text)}</h2>"
        case Paragraph():
            kind = {None: "", True: ' class="passed"', False: ' class="failed"'}[part.verdict]
            return f"<p{kind}>{escape(part.text)}</p>"
        case Figure():
            data = b64encode(figure_bytes(part.drawing, "svg")).decode()
            caption = escape(part.caption)
            return (
                f'<figure><img alt="{escape(part.name)}" src="data:image/svg+xml;base64,{data}">'
                f"<figcaption>{caption}</figcaption></figure>"
            )
        case Table():
            return _table(part)


def _table(table: Table) -> str:
    rows = []
    for number, row in enumerate(table.rows):
        kind = ' class="marked"' if number in table.marked else ""
        rows.append(f"<tr{kind}>{_cells('td', row, table)}</tr>")
    head = _cells("th", table.headings, table)
    body = "\n".join(rows)
    text = (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
    if table.folded:
        return f"<details><summary>{escape(table.folded)}</summary>{text}</details>"
    return text


def _cells(tag: str, row: Sequence[str], table: Table) -> str:
    kinds = [' class="left"' if index in table.left else "" for index in range(len(row))]
    return "".join(
        f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, row, strict=True)
    )
