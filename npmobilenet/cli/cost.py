"""``npmobilenet cost``: what a network costs, layer by layer."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from npmobilenet.analysis.cost import Cost, cost
from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.stages import FUSINGS, Fusing
from npmobilenet.cli.networks import find_network, input_size
from npmobilenet.cli.output import console, print_json

_WIDTH = 140  # a narrower terminal wraps the lines; rich would cut the numbers off
_ARITHMETIC = {"macs": "MACs", "flops": "FLOPs"}


@click.command("cost")
@click.argument("name")
@click.option(
    "--input",
    "size",
    metavar="HxW",
    callback=input_size,
    help="Height and width of the image, such as 192x224.",
)
@click.option(
    "--convention",
    type=click.Choice(["macs", "flops"]),
    default="macs",
    show_default=True,
    help="Count multiply-adds, or two FLOP for each.",
)
@click.option(
    "--fusing",
    type=click.Choice(FUSINGS),
    default="none",
    show_default=True,
    help="What runs as one row of the table.",
)
@click.option(
    "--bytes",
    "bytes_per_value",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Of one weight or activation.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plot", type=click.Path(path_type=Path), help="Save a figure as PNG, SVG or PDF.")
def cost_command(
    name: str,
    size: tuple[int, int] | None,
    convention: str,
    fusing: Fusing,
    bytes_per_value: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Print what NAME, from the catalogue or a model file, costs for one image."""
    network = find_network(name, size)
    costs = {way: cost(network, fusing=way, bytes_per_value=bytes_per_value) for way in FUSINGS}
    found = costs[fusing]
    if plot is not None:
        from npmobilenet.analysis.plots.cost import plot_cost

        plot_cost(found, plot)
    if as_json:
        data = as_data(found)
        data["peak_bytes_by_fusing"] = {way: other.peak_bytes for way, other in costs.items()}
        print_json(data)
        return
    wide = Console(highlight=False, width=max(console.width, _WIDTH))
    shape = " x ".join(str(length) for length in found.input_shape)
    wide.print(f"[bold]{found.network}[/], input {shape}, fusing: {fusing}")
    wide.print(_layers(found, convention))
    wide.print(_totals(found, convention))
    wide.print(f"Traffic and activation memory, {bytes_per_value} bytes a value:")
    wide.print(_memory(costs))


def _layers(found: Cost, convention: str) -> Table:
    table = Table(box=None)
    table.add_column("layer")
    table.add_column("output")
    headings = (
        _ARITHMETIC[convention],
        "other ops",
        "params",
        "w/o BN",
        "weights B",
        "read B",
        "written B",
    )
    for heading in (*headings, "op/B", "alive B"):
        table.add_column(heading, justify="right")
    for layer in found.layers:
        counts = (
            getattr(layer, convention),
            layer.operations,
            layer.parameters,
            layer.parameters_without_batch_norm,
            layer.weight_bytes,
            layer.read_bytes,
            layer.written_bytes,
        )
        table.add_row(
            layer.name,
            "x".join(str(size) for size in layer.output_shape),
            *(f"{value:,}" for value in counts),
            f"{layer.intensity:.2f}",
            f"{layer.live_bytes:,}",
        )
    return table


def _totals(found: Cost, convention: str) -> str:
    return (
        f"\n{_ARITHMETIC[convention]} (1 MAC = 2 FLOP): {getattr(found, convention):,}\n"
        f"Other operations: {found.operations:,}\n"
        f"Parameters: {found.parameters:,}, "
        f"without batch norm {found.parameters_without_batch_norm:,}\n"
    )


def _memory(costs: dict[Fusing, Cost]) -> Table:
    """Traffic and peak memory with and without fusing."""
    table = Table(box=None)
    table.add_column("fusing")
    headings = ("weights B", "activations read B", "written B", "op/B", "peak alive B")
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("peak at")
    for way, found in costs.items():
        counts = (found.weight_bytes, found.read_bytes, found.written_bytes)
        table.add_row(
            way,
            *(f"{value:,}" for value in counts),
            f"{found.intensity:.2f}",
            f"{found.peak_bytes:,}",
            found.peak_layer,
        )
    return table
