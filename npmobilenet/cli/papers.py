"""``npmobilenet papers``: published figures of cost beside our own count."""

from collections.abc import Sequence

import click
from rich.table import Table

from npmobilenet.analysis.published import SOURCES, PublishedTable, published_tables
from npmobilenet.analysis.published.markdown import tables_markdown
from npmobilenet.cli.output import console, print_json

_COLOURS = {"same": "green", "cut off": "green", "differs": "red"}


@click.command()
@click.argument("sources", nargs=-1, metavar=f"[{'|'.join(SOURCES)}]...")
@click.option("--errata", is_flag=True, help="Only figures that do not reproduce.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def papers(sources: tuple[str, ...], errata: bool, markdown: bool, as_json: bool) -> None:
    """Print the papers' tables of cost beside our own count, and mark what differs."""
    tables = published_tables(sources)
    if as_json:
        print_json([data for table in tables for data in _as_data(table, errata)])
    elif markdown:
        click.echo(tables_markdown(tables, errata=errata), nl=False)
    else:
        for table in tables:
            _print(table, errata)
        console.print(_summary(tables), soft_wrap=True)


def _print(table: PublishedTable, errata: bool) -> None:
    figures = table.differing if errata else table.figures
    if not figures:
        return
    console.print(f"[bold]{table.source}\n{table.name}: {table.title}[/]", soft_wrap=True)
    console.print(table.convention, soft_wrap=True)
    reasons = list(dict.fromkeys(figure.reason for figure in figures if figure.reason))
    grid = Table(box=None)
    grid.add_column("row")
    grid.add_column("figure")
    grid.add_column("published", justify="right")
    grid.add_column("recounted", justify="right")
    grid.add_column("")
    for figure in figures:
        note = f" ({reasons.index(figure.reason) + 1})" if figure.reason else ""
        verdict = f"[{_COLOURS[figure.verdict]}]{figure.verdict}[/]{note}"
        grid.add_row(figure.row, figure.quantity, figure.printed, figure.ours_text, verdict)
    console.print(grid)
    for number, reason in enumerate(reasons, start=1):
        console.print(f" ({number}) {reason}", soft_wrap=True)
    console.print()


def _summary(tables: Sequence[PublishedTable]) -> str:
    verdicts = [figure.verdict for table in tables for figure in table.figures]
    return (
        f"{len(verdicts)} figures: {verdicts.count('same')} reproduce, "
        f"{verdicts.count('cut off')} more when digits are cut off instead of rounded, "
        f"{verdicts.count('differs')} differ"
    )


def _as_data(table: PublishedTable, errata: bool) -> list[dict[str, object]]:
    return [
        {
            "source": table.source,
            "table": table.name,
            "row": figure.row,
            "figure": figure.quantity,
            "published": figure.printed,
            "recounted": figure.ours if isinstance(figure.ours, str) else float(figure.ours),
            "verdict": figure.verdict,
            "reason": figure.reason,
        }
        for figure in (table.differing if errata else table.figures)
    ]
