"""``npmobilenet ladder``: convolutions from naive loops to the library's kernels, measured."""

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from npmobilenet.cli.options import (
    Shape,
    image_shapes,
    json_option,
    plot_option,
    threads_option,
)
from npmobilenet.cli.output import console, notes, print_json

if TYPE_CHECKING:
    from npmobilenet.analysis.ladder import RungSpeed

OPERATIONS = ("depthwise", "pointwise", "standard", "separable")
_GIGA = 1e9


@click.command()
@click.argument("operation", required=False, type=click.Choice(OPERATIONS))
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="HxWxC",
    callback=image_shapes,
    help="Height, width and channels of the image; may be given more than once.",
)
@click.option("--filters", type=click.IntRange(min=1), help="Output channels, by default C.")
@click.option("--stride", default=1, show_default=True, type=click.IntRange(1, 2))
@threads_option("Each works on images of its own.")
@plot_option("Draw the rungs")
@json_option
def ladder(
    operation: str | None,
    shapes: list[Shape],
    filters: int | None,
    stride: int,
    threads: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure the versions of a convolution, from naive loops to the library's kernel.

    OPERATION is depthwise, pointwise, standard or separable (a depthwise and a pointwise
    convolution as one); without it all are measured, and --filters and --stride are for those that
    have them. Each version is compared with the NumPy reference first.
    """
    from npmobilenet.analysis.ladder import FLOP_PER_MAC, measure_ladder  # Numba takes long

    rows: list[RungSpeed] = []
    for name in OPERATIONS if operation is None else (operation,):
        no_filters = operation is None and name == "depthwise"
        no_stride = operation is None and name == "pointwise"
        for shape in shapes or (None,):
            with notes.status(f"{name}: compiling, comparing, measuring"):
                rows += measure_ladder(
                    name,
                    shape,
                    filters=None if no_filters else filters,
                    stride=1 if no_stride else stride,
                    threads=threads,
                )
    if as_json:
        found = [asdict(row) | {"share": row.share} for row in rows]
        print_json({"flop_per_mac": FLOP_PER_MAC, "rungs": found})
    else:
        for _, group in groupby(rows, lambda row: (row.operation, row.shape)):
            _print_table(list(group))
    if plot is not None:
        from npmobilenet.analysis.plots.ladder import plot_ladder

        plot_ladder(rows, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)


def _print_table(rows: list["RungSpeed"]) -> None:
    first = rows[0]
    table = Table(title=first.layer, title_justify="left", box=None, pad_edge=False)
    table.add_column("rung", no_wrap=True)
    for heading in ("GFLOP/s", "of peak", "error"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("idea")
    for row in rows:
        table.add_row(
            f"{row.number} {row.name}",
            f"{row.flops / _GIGA:.1f}",
            f"{row.share:.1%}",
            f"{row.error:.0e}",
            row.idea,
        )
    console.print(table)
    console.print(
        f"{2 * first.macs / 1e6:,.1f} MFLOP an image, 1 MAC = 2 FLOP. FMA peak, measured between "
        f"the rungs: {first.peak / _GIGA:.0f} GFLOP/s. Medians. Error of the largest value.\n",
        soft_wrap=True,
    )
