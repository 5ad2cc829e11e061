"""``npmobilenet slices``: V2's block in slices of its expansion."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from npmobilenet.analysis.slices import Slices, measure_slices
from npmobilenet.cli.networks import find_network, find_sized_model, input_size
from npmobilenet.cli.output import console, notes, print_json
from npmobilenet.initializers import random_weights


def _numbers(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in value.split(",")) if value else ()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers such as 1,2,4") from None


@click.command("slices")
@click.argument("name", default="mobilenet_v2_1.0_224")
@click.option("--block", help="Such as block_1; by default the one with the largest expansion.")
@click.option(
    "--t",
    "numbers",
    metavar="T,T,...",
    callback=_numbers,
    help="Numbers of slices; by default all that divide the channels.",
)
@click.option("--input", "size", metavar="HxW", callback=input_size, help="Size of the input.")
@click.option("--plot", type=click.Path(path_type=Path), help="Save a figure as PNG, SVG or PDF.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def slices_command(
    name: str,
    block: str | None,
    numbers: tuple[int, ...],
    size: tuple[int, int] | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Evaluate a block of MobileNet V2 in t slices of its expansion (V2 paper, section 5.1).

    NAME is from the catalogue, with random weights because neither memory nor time depends on
    them, or a model file with its own.
    """
    if Path(name).is_file():
        model = find_sized_model(name, size)
        network, weights = model.network, model.weights
    else:
        network = find_network(name, size)
        weights = random_weights(network, seed=0)
    found = measure_slices(network, weights, block, numbers)
    if as_json:
        print_json(asdict(found))
    else:
        _print(found)
    if plot is not None:
        from npmobilenet.analysis.plots.slices import plot_slices

        plot_slices(found, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)


def _print(found: Slices) -> None:
    before, after = (
        " x ".join(map(str, shape)) for shape in (found.input_shape, found.output_shape)
    )
    console.print(
        f"[bold]{found.network}[/] {found.block}: {before}, {found.expanded} channels, {after}"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("t", "channels", "paper B", "predicted B", "measured B", "of the first", "ms"):
        table.add_column(heading, justify="right")
    table.add_column("error", justify="right")
    whole = found.rows[0].measured_bytes
    for row in found.rows:
        table.add_row(
            str(row.t),
            str(row.channels),
            f"{row.paper_bytes:,}",
            f"{row.predicted_bytes:,}",
            f"{row.measured_bytes:,}",
            f"{row.measured_bytes / whole:.1%}",
            f"{row.seconds * 1e3:.2f}",
            f"{row.error:.1e}",
        )
    console.print(table)
    console.print(
        "\nPeak of activations, input and output included. Paper: two tensors of one slice; "
        "predicted: with the zeros around it and one row of the projection; measured: what NumPy "
        "allocates. Error: from the block in float64, of its largest value.",
        style="dim",
        soft_wrap=True,
    )
