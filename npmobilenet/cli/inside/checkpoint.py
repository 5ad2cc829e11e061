"""``npmobilenet inside checkpoint``: dead channels and odd numbers, from the weights alone."""

from pathlib import Path

import click
from rich.table import Table

from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.inside import CheckpointReport, checkpoint_report
from npmobilenet.cli.inside.options import open_model
from npmobilenet.cli.options import json_option, plot_option, range_option
from npmobilenet.cli.output import console, print_json

_LISTED = 6  # channels by number; the JSON has all


@click.command()
@click.argument("name")
@range_option()
@plot_option("Draw constant channels and folded scales")
@json_option
def checkpoint(
    name: str, input_range: tuple[float, float] | None, plot: Path | None, as_json: bool
) -> None:
    """Report on the weights of NAME, from the catalogue or a model file.

    Channels are called constant or silent where interval arithmetic shows that no picture can
    change them.
    """
    model = open_model(name, input_range=input_range)
    report = checkpoint_report(model.network, model.weights)
    if plot is not None:
        from npmobilenet.analysis.plots.inside import plot_checkpoint

        plot_checkpoint(report, plot)
    if as_json:
        print_json(as_data(report))
        return
    console.print(_kernels(report))
    odd = [tensor for tensor in report.tensors if tensor.subnormals or tensor.not_finite]
    for tensor in odd:
        console.print(
            f"{tensor.name}: {tensor.subnormals} subnormal, {tensor.not_finite} not finite "
            f"of {tensor.values}",
            soft_wrap=True,
        )
    console.print(
        f"\n{report.constant} channels are the same for every picture, {report.silent} of them 0; "
        f"{report.subnormals} subnormal values, {report.not_finite} not finite.",
        soft_wrap=True,
    )


def _kernels(report: CheckpointReport) -> Table:
    table = Table(box=None)
    table.add_column("layer")
    for heading in ("channels", "constant", "silent", "gamma < 1e-3", "variance < 1e-6"):
        table.add_column(heading, justify="right")
    table.add_column("folded scale", justify="right")
    table.add_column("which are constant")
    for row in report.kernels:
        scale = f"{row.scale_smallest:.3g} to {row.scale_largest:.3g}" if row.norm else ""
        table.add_row(
            row.name,
            str(row.channels),
            str(len(row.constant)),
            str(len(row.silent)),
            str(len(row.small_gammas)),
            str(len(row.small_variances)),
            scale,
            _list(row.constant),
        )
    return table


def _list(channels: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, channels[:_LISTED]))
    return f"{shown}, ..." if len(channels) > _LISTED else shown
