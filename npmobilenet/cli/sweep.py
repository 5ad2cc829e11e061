"""``npmobilenet sweep``: time over multiply-adds for all widths and resolutions."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import Progress

from npmobilenet.analysis.data import as_data
from npmobilenet.analysis.machine import threads_text
from npmobilenet.cli.options import json_option, plot_option, seconds_option, threads_option
from npmobilenet.cli.output import console, notes, plain_table, print_json, say_busy

if TYPE_CHECKING:
    from npmobilenet.analysis.sweep import Sweep

VERSIONS = {"v1": 1, "v2": 2}


@click.command("sweep")
@click.argument("versions", nargs=-1, type=click.Choice(list(VERSIONS)), metavar="[v1|v2]...")
@click.option(
    "--alpha",
    "alphas",
    multiple=True,
    type=click.FloatRange(1 / 32, 10),
    help="Width multiplier, may be given more than once; by default the published ones.",
)
@click.option(
    "--resolution",
    "sizes",
    multiple=True,
    type=click.IntRange(32, 1024),
    help="Height and width, may be given more than once; by default the published ones.",
)
@threads_option()
@seconds_option(5.0)
@plot_option("Draw time over multiply-adds")
@json_option
def sweep_command(
    versions: tuple[str, ...],
    alphas: tuple[float, ...],
    sizes: tuple[int, ...],
    threads: int,
    seconds: float,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure V1 and V2 for all widths and resolutions (V1's Tables 6 and 7).

    Both versions without an argument. Weights are random; nothing is fetched.
    """
    from npmobilenet.analysis.sweep import GRIDS, sweep  # Numba takes long

    found: list[Sweep] = []
    with Progress(console=notes, transient=True) as bars:
        for name in dict.fromkeys(versions or VERSIONS):
            version = VERSIONS[name]
            bar = bars.add_task(name, total=1.0)

            def show(text: str, share: float, name: str = name, bar: object = bar) -> None:
                bars.update(bar, description=f"{name} {text}", completed=share)  # type: ignore[arg-type]

            grid = GRIDS[version]
            if alphas or sizes:
                wide = dict.fromkeys(alphas or (alpha for alpha, _ in grid))
                high = dict.fromkeys(sizes or (size for _, size in grid))
                grid = tuple((alpha, size) for alpha in wide for size in high)
            found.append(sweep(version, grid, threads=threads, seconds=seconds, progress=show))
    if as_json:
        print_json(as_data(found))
    else:
        for one in found:
            _print(one)
    if plot is not None:
        from npmobilenet.analysis.plots.sweep import plot_sweep

        plot_sweep(found, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)
    say_busy(max(one.busy for one in found))


def _print(found: "Sweep") -> None:
    headings = ("alpha", "pixels", "MACs M", "params M", "ms", "of peak", "MACs ratio")
    table = plain_table(*headings, "time ratio", texts=0)
    for point in found.points:
        table.add_row(
            f"{point.alpha:g}",
            str(point.resolution),
            f"{point.macs / 1e6:.1f}",
            f"{point.parameters / 1e6:.2f}",
            f"{point.seconds * 1e3:.3f}",
            f"{point.share_of_peak:.0%}",
            f"{point.macs_ratio:.3f}",
            f"{point.time_ratio:.3f}",
        )
    console.print(f"[bold]MobileNet V{found.version}[/], {threads_text(found.threads)}")
    console.print(table)
    console.print(
        f"Ratios to the network of most multiply-adds. Medians of {found.rounds} rounds, "
        f"{found.cpu}, FMA peak {found.peak / 1e9:.0f} GFLOP/s.\n",
        soft_wrap=True,
    )
