"""``npmobilenet blocks``: standard convolution against V1's block, and V2's block against V1's."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.machine import threads_text
from npmobilenet.cli.networks import find_network_and_weights
from npmobilenet.cli.options import (
    Shape,
    image_shapes,
    input_option,
    json_option,
    plot_option,
    seconds_option,
    threads_option,
)
from npmobilenet.cli.output import console, notes, plain_table, print_json, say_busy

if TYPE_CHECKING:
    from npmobilenet.analysis.blocks import Comparison

DEFAULT_SHAPES = ((56, 56, 128), (28, 28, 256), (14, 14, 512), (7, 7, 1024))
"""Inputs of V1's blocks of stride 1."""


@click.command("blocks")
@click.argument("shapes", nargs=-1, metavar="[HxWxC]...", callback=image_shapes)
@click.option("--filters", type=click.IntRange(min=1), help="Output channels, by default C.")
@click.option("--kernel", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--stride", default=1, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--expansion",
    default=6,
    show_default=True,
    type=click.IntRange(min=1),
    help="t of V2's inverted residual.",
)
@click.option(
    "--network",
    "name",
    metavar="NAME",
    help="Instead of blocks a whole network, from the catalogue or a model file, beside itself "
    "with a standard convolution for each separable block.",
)
@input_option
@threads_option()
@seconds_option(1.0)
@plot_option("Draw ratios and shares of the peak")
@json_option
def blocks_command(
    shapes: tuple[Shape, ...],
    filters: int | None,
    kernel: int,
    stride: int,
    expansion: int,
    name: str | None,
    size: tuple[int, int] | None,
    threads: int,
    seconds: float,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure a standard convolution, V1's separable block and V2's inverted residual.

    All three have the same input (HxWxC, by default shapes of V1) and output, run with kernels of
    equal quality, and are measured in turn. The table sets the ratio of multiply-adds, the paper's
    1/N + 1/9, and the ratio of times side by side, and says what each part is bound by.
    """
    from npmobilenet.analysis.blocks import busiest, compare_blocks, compare_networks
    from npmobilenet.analysis.roofs import measure_roofs

    if name is not None and shapes:
        raise click.UsageError("give shapes or --network, not both")
    if name is None and size is not None:
        raise click.UsageError("--input is for --network")
    found: list[Comparison] = []
    with notes.status("measuring the machine") as status:
        roofs = measure_roofs(threads)
        if name is not None:
            network, weights = find_network_and_weights(name, size)
            status.update("measuring, which takes some ten seconds for a large network")
            found.append(
                compare_networks(network, weights, roofs=roofs, threads=threads, seconds=seconds)
            )
        else:
            for shape in shapes or DEFAULT_SHAPES:
                status.update(f"measuring {'x'.join(map(str, shape))}")
                found.append(
                    compare_blocks(
                        shape,
                        filters,
                        roofs=roofs,
                        kernel=kernel,
                        stride=stride,
                        expansion=expansion,
                        threads=threads,
                        seconds=seconds,
                    )
                )
    if as_json:
        print_json(as_data(found))
    else:
        for comparison in found:
            _print(comparison)
    if plot is not None:
        from npmobilenet.analysis.plots.blocks import plot_blocks

        plot_blocks(found, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)
    say_busy(busiest(found))


def _print(found: "Comparison") -> None:
    from npmobilenet.analysis.blocks import explanation

    peak = f"FMA peak {found.roofs.peak / 1e9:.0f} GFLOP/s"
    console.print(f"[bold]{found.title}[/], {threads_text(found.threads)}, {peak}", soft_wrap=True)
    console.print(_contenders(found))
    console.print(_ratios(found))
    for line in explanation(found):
        console.print(line)
    console.print()


def _contenders(found: "Comparison") -> Table:
    table = plain_table("", "MACs M", "params K", "ms", "unfused ms", "GFLOP/s", "of peak")
    for one in found.contenders:
        unfused = one.unfused.profile
        whole = unfused.seconds if one.seconds == one.fused.profile.seconds else None
        table.add_row(
            one.name,
            f"{one.macs / 1e6:,.2f}",
            f"{one.parameters / 1e3:,.1f}",
            f"{one.seconds * 1e3:.3f}",
            f"{(unfused.layers_seconds if whole is None else whole) * 1e3:.3f}",
            f"{2 * one.macs / one.seconds / 1e9:.1f}",
            f"{one.share_of_peak:.0%}",
        )
    return table


def _ratios(found: "Comparison") -> Table:
    table = plain_table("ratio of", "MACs", "formula", "params", "times", "shares of peak")
    for ratio in found.ratios:
        value = "" if ratio.predicted is None else f"{ratio.formula} = {ratio.predicted:.3f}"
        table.add_row(
            f"{ratio.name} to {ratio.against}",
            f"{ratio.macs:.3f}",
            value,
            f"{ratio.parameters:.3f}",
            f"{ratio.seconds:.3f}",
            f"{ratio.shares:.3f}",
        )
    return table
