"""``npmobilenet parity``: two implementations of a network, layer by layer."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from npmobilenet import __version__
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.references import REFERENCES
from npmobilenet.backends import BACKENDS, DEFAULT_BACKEND
from npmobilenet.cli.demo import sample_photograph
from npmobilenet.cli.networks import find_sized_model
from npmobilenet.cli.options import input_option, json_option, range_option
from npmobilenet.cli.output import console, notes, print_json

if TYPE_CHECKING:
    from npmobilenet.analysis.parity import Parity

REPORTS = (".html", ".md")
_WIDTH = 160  # a narrower terminal wraps the lines; rich would cut the numbers off


def _report(
    _context: click.Context, _parameter: click.Parameter, values: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Found wrong before anything is run, not after."""
    for value in values:
        if value.suffix.lower() not in REPORTS:
            raise click.BadParameter(f"'{value}' does not end in {' or '.join(REPORTS)}")
    return values


@click.command("parity")
@click.argument("name")
@click.option(
    "--against",
    type=click.Choice(REFERENCES),
    default="tensorflow",
    show_default=True,
    help="The reference.",
)
@click.option(
    "--backend",
    type=click.Choice(sorted(BACKENDS)),
    default=DEFAULT_BACKEND,
    show_default=True,
    help="What of this library is judged.",
)
@click.option(
    "--outputs",
    type=click.Path(path_type=Path),
    metavar="FILE.npz",
    help="Judge another implementation: its arrays by layer, written by numpy.savez.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A picture; may be given more than once. By default the one of the demo.",
)
@input_option
@range_option()
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_report,
    help="Write one page, .html or .md, with figures.",
)
@click.option(
    "--factor",
    default=1.5,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Error allowed, times the reference's own.",
)
@click.option(
    "--floor",
    default=1e-6,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Allowed beside it, of the layer's largest value.",
)
@click.option(
    "--threshold",
    default=1e-4,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Error allowed in any case, of the layer's largest value.",
)
@json_option
@click.pass_context
def parity_command(
    context: click.Context,
    name: str,
    against: str,
    backend: str,
    outputs: Path | None,
    images: tuple[Path, ...],
    size: tuple[int, int] | None,
    input_range: tuple[float, float] | None,
    reports: tuple[Path, ...],
    factor: float,
    floor: float,
    threshold: float,
    as_json: bool,
) -> None:
    """Compare each layer of NAME, from the catalogue or a model file, with another implementation.

    Both are judged by the same network in float64. The exit status is 1 if a layer differs by more
    than rounding explains, or its error is beyond --factor, --floor or --threshold.
    """
    from npmobilenet.analysis.parity import Limits, backend_outputs, parity, stored_outputs
    from npmobilenet.analysis.provenance import provenance

    model = find_sized_model(name, size, input_range)
    pictures = list(images) or [sample_photograph()]
    batch = model.prepare(pictures)
    with notes.status(f"running {name} here, by {against} and in float64"):
        if outputs is None:
            ours = backend_outputs(model.network, model.weights, batch, backend)
        else:
            ours = stored_outputs(outputs, model.network, batch)
        found = parity(
            model.network,
            model.weights,
            batch,
            ours,
            against,
            limits=Limits(factor, floor, threshold),
            source=str(model.source),
            inputs=[f"{path}, {model.resize}, crop {model.crop}" for path in pictures],
            facts={"npmobilenet": __version__} | provenance(),
        )
    if as_json:
        print_json(as_data(found))
    else:
        _print(found)
    for path in reports:
        _write(found, path)
        notes.print(f"report: {path}", soft_wrap=True)
    if not found.passed:
        context.exit(1)


def _print(found: "Parity") -> None:
    from npmobilenet.analysis.parity.text import (
        HEADINGS,
        HOW_TO_READ,
        fused_text,
        layer_row,
        reference_verdict,
        summary_rows,
        verdict,
    )

    console.print(f"[bold]{found.network}: {found.ours} against {found.reference}[/]")
    table = Table(box=None, pad_edge=False)
    for index, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if index else "left", no_wrap=not index)
    for row in found.compared():
        bad = not row.within_limits or (row.our_rounding and not row.our_rounding.explained)
        table.add_row(*layer_row(row), style="red" if bad else None)
    wide = Console(highlight=False, width=max(console.width, _WIDTH))
    wide.print(table)
    wide.print()
    for paragraph in HOW_TO_READ:
        console.print(paragraph, style="dim", soft_wrap=True)
    if fused := fused_text(found):
        console.print("\nFused, not compared by themselves:")
        console.print(fused, style="dim", soft_wrap=True)
    console.print()
    for key, value in summary_rows(found):
        console.print(f"{key}: {value}", soft_wrap=True)
    console.print(reference_verdict(found), soft_wrap=True)
    console.print(verdict(found), style="green" if found.passed else "bold red", soft_wrap=True)


def _write(found: "Parity", path: Path) -> None:
    from npmobilenet.analysis.document_html import write_html
    from npmobilenet.analysis.document_markdown import write_markdown
    from npmobilenet.analysis.parity.document import parity_document

    write = write_html if path.suffix.lower() == ".html" else write_markdown
    write(parity_document(found), path)
