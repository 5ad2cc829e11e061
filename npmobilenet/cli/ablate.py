"""``npmobilenet ablate``: what changes when one decision is undone."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from npmobilenet.analysis.ablation.switches import SWITCHES
from npmobilenet.analysis.data import as_data
from npmobilenet.cli.networks import find_sized_model
from npmobilenet.cli.options import input_option, json_option, plot_option, range_option
from npmobilenet.cli.output import console, notes, print_json

if TYPE_CHECKING:
    from npmobilenet.analysis.ablation import Ablations, Drift

_WIDTH = 160  # a narrower terminal wraps the lines; rich would cut the numbers off


@click.command("ablate")
@click.argument("name")
@click.option(
    "--images",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    help="A folder of pictures.",
)
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many pictures, spread evenly over all.",
)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    type=click.Choice(SWITCHES),
    help="Only these; may be given more than once.",
)
@input_option
@range_option()
@plot_option("Draw predictions, probabilities and every layer")
@json_option
def ablate_command(
    name: str,
    folder: Path,
    limit: int,
    switches: tuple[str, ...],
    size: tuple[int, int] | None,
    input_range: tuple[float, float] | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure what one decision changes in NAME, from the catalogue or a model file.

    The baseline is the network as it is, in float32 in plain NumPy with sums rounded once; each
    row changes one thing. V1 1.0-224 takes some 5 seconds a picture for all of them, sums in
    float16 and bfloat16 most of it. Names of pictures that begin with a WordNet id, or folders
    called like classes, give accuracies too.
    """
    from npmobilenet.analysis.ablation import ablate, chosen, find_pictures

    pictures = find_pictures(folder, limit)
    model = find_sized_model(name, size, input_range)
    with Progress(console=notes, transient=True) as bar:
        task = bar.add_task(f"{len(pictures)} pictures", total=None)
        found = ablate(
            model,
            pictures,
            chosen(switches),
            lambda done, of: bar.update(task, completed=done, total=of),
        )
    if as_json:
        print_json(as_data(found))
    else:
        _print(found)
    if plot is not None:
        from npmobilenet.analysis.plots.ablation import plot_ablations

        plot_ablations(found, plot)
        notes.print(f"figure: {plot}", soft_wrap=True)


def _print(found: "Ablations") -> None:
    accuracy = ""
    if found.top1_accuracy is not None and found.top5_accuracy is not None:
        accuracy = f", accuracy {found.top1_accuracy:.1%} / {found.top5_accuracy:.1%} (top 1 / 5)"
    wide = Console(highlight=False, width=max(console.width, _WIDTH))
    wide.print(f"[bold]{found.network}[/], {found.images} pictures{accuracy}")
    wide.print(f"baseline {found.seconds:.2f} s a picture, {found.macs / 1e6:,.1f} M MACs\n")
    table = Table(box=None, pad_edge=False)
    for heading in ("switch", "setting"):
        table.add_column(heading, no_wrap=True)
    headings = ["top 1 same", "top 5 same", "of five", "prob. mean", "max"]
    if accuracy:
        headings += ["top 1", "top 5"]
    headings += ["median layer", "worst layer"]
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("", no_wrap=True)
    for heading in ("M MACs", "s"):
        table.add_column(heading, justify="right")
    for row in found.rows:
        table.add_row(row.switch, row.setting, *_cells(row, bool(accuracy)))
    wide.print(table)
    console.print(
        "\nSame: share of the pictures with the same first class, and the same five in any order; "
        "of five: how many of the five stay. Probability: largest change of any class, mean and "
        "largest over pictures. Layers: RMS of the difference over RMS of the baseline.",
        style="dim",
        soft_wrap=True,
    )


def _cells(row: "Drift", accuracy: bool) -> list[str]:
    found = row.found
    if found is None:
        return ["as it is"]
    cells = [
        f"{found.top1_agreement:.1%}",
        f"{found.top5_agreement:.1%}",
        f"{5 * found.top5_overlap:.2f}",
        f"{found.mean_probability_change:.1e}",
        f"{found.max_probability_change:.1e}",
    ]
    if accuracy:
        cells += [f"{found.top1_accuracy:.1%}", f"{found.top5_accuracy:.1%}"]
    worst = found.worst_layer
    return [
        *cells,
        f"{found.median_layer:.1e}",
        f"{worst.rms_relative:.1e}",
        worst.name if worst.rms_relative else "",
        f"{row.macs / 1e6:,.0f}",
        f"{row.seconds:.2f}",
    ]
