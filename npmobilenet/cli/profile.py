"""``npmobilenet profile``: the time of each layer, beside what the layer costs."""

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
    from npmobilenet.analysis.profile import Profile


@click.command("profile")
@click.argument("name")
@input_option
@threads_option()
@fused_option
@seconds_option(2.0)
@plot_option("Draw time and speed of each layer")
@json_option
def profile_command(
    name: str,
    size: tuple[int, int] | None,
    threads: int,
    fused: bool,
    seconds: float,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure each layer of NAME, from the catalogue or a model file, on one image.

    Names get random weights, on which no time depends; nothing is fetched. The engine runs a layer
    with its batch norm and activation, or a whole block, as one step; a step's time is taken in
    the network's order, so that it finds the caches as in the run.
    """
    from npmobilenet.analysis.profile import Subject, profile_together  # Numba takes long

    network, weights = find_network_and_weights(name, size)
    with notes.status("measuring"):
        subjects = [Subject(network, weights, way) for way in (fused, not fused)]
        found, other = profile_together(subjects, threads=threads, seconds=seconds)
    if as_json:
        data = as_data(found)
        ways = {("fused" if way.fused else "unfused"): way.seconds for way in (found, other)}
        print_json(data | {"seconds_by_fusing": ways})
    else:
        shape = " x ".join(str(length) for length in found.input_shape)
        way = "fused" if fused else "unfused"
        console.print(f"[bold]{found.network}[/], input {shape}, {way}, {threads_text(threads)}")
        console.print(_layers(found))
        console.print(_closing(found, other), soft_wrap=True)
    if plot is not None:
        from npmobilenet.analysis.plots.profile import plot_profile

        plot_profile(found, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)
    say_busy(found.busy)


def _layers(found: "Profile") -> Table:
    headings = ("layer", "kind", "output", "MACs M", "MB", "ms", "GFLOP/s", "of peak", "GB/s")
    table = plain_table(*headings, "of time", texts=3)
    for layer in found.layers:
        cost = layer.cost
        table.add_row(
            cost.name,
            layer.kind,
            "x".join(str(size) for size in cost.output_shape),
            f"{cost.macs / 1e6:.2f}",
            f"{cost.bytes / 1e6:.2f}",
            f"{layer.seconds * 1e3:.3f}",
            f"{layer.flops_per_second / 1e9:.1f}",
            f"{layer.share_of_peak:.0%}",
            f"{layer.bytes_per_second / 1e9:.1f}",
            f"{layer.share_of_time:.1%}",
        )
    return table


def _closing(found: "Profile", other: "Profile") -> str:
    copied = (
        f", and {found.copy_seconds * 1e3:.3f} ms for a copy of the input"
        if found.copy_seconds
        else ""
    )
    return (
        f"\nLayers {found.layers_seconds * 1e3:.3f} ms{copied}: {found.accounted:.1%} of one call "
        f"of the whole, {found.seconds * 1e3:.3f} ms; "
        f"{'fused' if other.fused else 'unfused'} it takes {other.seconds * 1e3:.3f} ms.\n"
        f"{found.macs / 1e6:,.1f} M MACs, 1 MAC = 2 FLOP: {found.share_of_peak:.1%} of the FMA "
        f"peak, {found.peak / 1e9:.0f} GFLOP/s.\n"
        "MB: weights and activations, read and written once. Medians of "
        f"{found.rounds} rounds; starting a layer, {found.idle_seconds * 1e6:.1f} us, is in its "
        f"time. {found.cpu}, {threads_text(found.threads)}."
    )
