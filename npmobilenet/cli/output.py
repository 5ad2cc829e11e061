"""What commands share when they print: results to stdout, everything else to stderr."""

import json
import sys
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from npmobilenet.analysis.machine import QUIET

WIDE = 140  # columns in a file or a pipe, where nobody's window cuts names short

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
notes = Console(stderr=True, highlight=False)


def complain(error: BaseException) -> None:
    """One line on stderr, whatever the message looks like."""
    click.echo(f"error: {' '.join(str(error).split())}", err=True)


def print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning as one line, without the source line that a user of the command did not write."""
    click.echo(f"warning: {' '.join(str(message).split())}", err=True)


def print_json(data: object) -> None:
    """Data for other programs."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def plain_table(*headings: str, texts: int = 1) -> Table:
    """A table without lines: ``texts`` columns to the left, then numbers to the right."""
    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < texts else "right", no_wrap=True)
    return table


def say_busy(busy: float) -> None:
    """A note that times are not to be trusted, if others kept so many cores busy."""
    if busy > QUIET:
        notes.print(
            f"note: other processes kept {busy:.1f} cores busy meanwhile; do not trust these times",
            soft_wrap=True,
        )
