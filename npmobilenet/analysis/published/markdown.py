"""Published tables as Markdown, for the documentation."""

from collections.abc import Sequence

from npmobilenet.analysis.published.figures import PublishedTable


def tables_markdown(tables: Sequence[PublishedTable], *, errata: bool = False) -> str:
    """One Markdown table for each published one.

    Parameters
    ----------
    tables : sequence of PublishedTable
    errata : bool
        Only figures that do not reproduce; tables without any are left out.
    """
    parts = []
    source = ""
    for table in tables:
        figures = table.differing if errata else table.figures
        if not figures:
            continue
        if table.source != source:
            source = table.source
            parts.append(f"## {source}")
        parts.append(f"### {table.name}: {table.title}\n\n{table.convention}")
        lines = ["| row | figure | published | recounted | |", "|---|---|---:|---:|---|"]
        for figure in figures:
            remark = f"{figure.verdict}: {figure.reason}" if figure.reason else figure.verdict
            cells = (figure.row, figure.quantity, figure.printed, figure.ours_text, remark)
            lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
