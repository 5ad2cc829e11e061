"""``npmobilenet inside filters``: the kernels that look at more than one pixel."""

from pathlib import Path

import click
from rich.table import Table

from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.inside import FilterSummary, filter_summaries, filters, image_grid
from npmobilenet.analysis.inside.grid import SCALES, Scale
from npmobilenet.cli.inside.options import image_option, open_model, write_image
from npmobilenet.cli.options import json_option, plot_option
from npmobilenet.cli.output import console, print_json


@click.command("filters")
@click.argument("name")
@click.option("--layer", help="Draw this layer's; by default all layers are listed.")
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="each",
    show_default=True,
    help="Whether each filter is drawn up to its own largest value.",
)
@image_option
@plot_option("Draw the filters under a title")
@json_option
def filters_command(
    name: str,
    layer: str | None,
    scale: Scale,
    pixels: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """List or draw the filters of NAME, from the catalogue or a model file."""
    if layer is None and (pixels or plot):
        raise click.UsageError("--image and --plot draw one layer: name it with --layer")
    model = open_model(name)
    rows = filter_summaries(model.network, model.weights)
    if layer is not None:
        kernels = filters(model.network, model.weights, layer)
        rows = [row for row in rows if row.layer == layer]
        grid = image_grid(kernels, scale=scale)
        write_image(pixels, grid)
        if plot is not None:
            from npmobilenet.analysis.plots.inside import plot_grid

            height, width = rows[0].kernel_size
            plot_grid(grid, f"{layer}: {rows[0].filters} filters of {height} x {width}", plot)
    if as_json:
        print_json(as_data(rows))
    else:
        _print(rows)


def _print(rows: list[FilterSummary]) -> None:
    table = Table(box=None)
    table.add_column("layer")
    for heading in ("size", "filters", "largest weight", "negligible", "centre", "balance"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.layer,
            f"{row.kernel_size[0]}x{row.kernel_size[1]}",
            str(row.filters),
            f"{row.largest:.3g}",
            str(row.negligible),
            f"{row.centre:.2f}",
            f"{row.balance:.2f}",
        )
    console.print(table)
    console.print(
        "\nnegligible: filters below 1e-6 of the layer's largest weight. Medians over the filters:"
        "\ncentre: the middle tap's share of all magnitudes (1/9 is an even 3 x 3). balance: "
        "|sum| / sum of magnitudes (1 smooths, 0 finds edges).",
        soft_wrap=True,
    )
