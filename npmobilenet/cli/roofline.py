"""``npmobilenet roofline``: the limits of the machine, and a network's layers under them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.machine import threads_text
from npmobilenet.cli.networks import find_network_and_weights
from npmobilenet.cli.options import (
    fused_option,
    input_option,
    json_option,
    plot_option,
    seconds_option,
    threads_option,
)
from npmobilenet.cli.output import console, notes, plain_table, print_json, say_busy

if TYPE_CHECKING:
    from npmobilenet.analysis.roofline import RoofedProfile, Roofline
    from npmobilenet.analysis.roofs import Roofs

_GIGA = 1e9


@click.command("roofline")
@click.argument("name", required=False)
@input_option
@threads_option()
@fused_option
@seconds_option(2.0)
@plot_option("Draw the roofs and the layers")
@json_option
def roofline_command(
    name: str | None,
    size: tuple[int, int] | None,
    threads: int,
    fused: bool,
    seconds: float,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure this machine's limits, and place the layers of NAME under them.

    NAME is from the catalogue (random weights, nothing is fetched) or a model file; without it
    only the machine is measured: multiply-adds a second, and bytes a second from each cache. Layers
    are measured alone and as fused blocks; a layer is bound by arithmetic or by memory, whichever
    limit leaves it less, or by neither if it takes more than twice the time of that limit.
    """
    from npmobilenet.analysis.roofline import roofline  # Numba takes long
    from npmobilenet.analysis.roofs import measure_roofs

    if name is None:
        if plot is not None:
            raise click.UsageError("--plot needs a network: npmobilenet roofline NAME --plot FILE")
        with notes.status("measuring"):
            roofs = measure_roofs(threads)
        if as_json:
            print_json(as_data(roofs))
        else:
            _print_machine(roofs)
        return
    network, weights = find_network_and_weights(name, size)
    with notes.status("measuring"):
        found = roofline(network, weights, threads=threads, seconds=seconds)
    if as_json:
        print_json(as_data(found))
    else:
        _print(found, fused)
    if plot is not None:
        from npmobilenet.analysis.plots.roofline import plot_roofline

        plot_roofline(found, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)
    say_busy(found.fused.profile.busy)


def _print(found: "Roofline", fused: bool) -> None:
    _print_machine(found.roofs)
    shown = found.fused if fused else found.unfused
    profile = shown.profile
    shape = " x ".join(str(length) for length in profile.input_shape)
    console.print(f"\n[bold]{profile.network}[/], input {shape}, {_way(shown)}")
    console.print(_layers(shown))
    for roofed in (found.fused, found.unfused):
        console.print(
            f"\nWhere the time goes, {_way(roofed)}: {roofed.profile.seconds * 1e3:.3f} ms, "
            f"{roofed.profile.share_of_peak:.0%} of the FMA peak, its layers "
            f"{roofed.share_of_roof:.0%} of their roofs"
        )
        console.print(_kinds(roofed))
    console.print(
        "\nop: FLOPs (1 MAC = 2) and other operations. B: weights and activations, read and "
        "written once. roof: the least time that peak and bandwidth allow. Last three columns: "
        f"share of the kind's time by what its layers are bound by. Medians of {profile.rounds} "
        "rounds.",
        soft_wrap=True,
    )


def _way(roofed: "RoofedProfile") -> str:
    return "fused" if roofed.profile.fused else "unfused"


def _print_machine(roofs: "Roofs") -> None:
    console.print(
        f"[bold]{roofs.cpu}[/], {threads_text(roofs.threads)}, {roofs.lanes} float32 lanes: "
        f"FMA peak {roofs.peak / _GIGA:.1f} GFLOP/s",
        soft_wrap=True,
    )
    table = plain_table("level", "capacity", "read GB/s", "copy GB/s", "ridge op/B")
    for level in roofs.levels:
        capacity = f"{level.capacity >> 10:,} KiB" if level.capacity else ""
        speeds = (level.read / _GIGA, level.copy / _GIGA, roofs.ridge(level))
        table.add_row(level.name, capacity, *(f"{value:.1f}" for value in speeds))
    console.print(table)


def _layers(roofed: "RoofedProfile") -> Table:
    headings = ("layer", "kind", "data in", "bound by", "op/B", "Gop/s", "ms", "roof ms")
    table = plain_table(*headings, "of roof", "of peak", "of time", texts=4)
    for layer in roofed.layers:
        time = layer.time
        table.add_row(
            time.cost.name,
            time.kind,
            layer.activation_level
            if layer.activation_level == layer.weight_level or not time.cost.weight_bytes
            else f"{layer.activation_level}, {layer.weight_level}",
            layer.bound,
            f"{layer.intensity:.2f}",
            f"{layer.operations_per_second / _GIGA:.1f}",
            f"{time.seconds * 1e3:.3f}",
            f"{layer.roof_seconds * 1e3:.3f}",
            f"{layer.share_of_roof:.0%}",
            f"{time.share_of_peak:.0%}",
            f"{time.share_of_time:.1%}",
        )
    return table


def _kinds(roofed: "RoofedProfile") -> Table:
    bounds = ("arithmetic", "memory", "neither")
    headings = ("kind", "layers", "of MACs", "of bytes", "of time", "ms", "of peak", "of roof")
    table = plain_table(*headings, *bounds)
    for share in roofed.kinds:
        table.add_row(
            share.kind,
            str(share.count),
            f"{share.macs:.1%}",
            f"{share.bytes:.1%}",
            f"{share.time:.1%}",
            f"{share.seconds * 1e3:.3f}",
            f"{share.share_of_peak:.0%}",
            f"{share.share_of_roof:.0%}",
            *(f"{share.bound[bound]:.0%}" for bound in bounds),
        )
    return table
