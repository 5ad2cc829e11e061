"""``npmobilenet inside channels``: what each channel does on given pictures."""

from pathlib import Path

import click
from rich.table import Table

from npmobilenet.analysis.inside import ChannelStatistics, channel_statistics
from npmobilenet.cli.inside.options import open_model, picture_options
from npmobilenet.cli.options import json_option, plot_option
from npmobilenet.cli.output import console, print_json


@click.command()
@click.argument("name")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--layer", "layers", multiple=True, help="List the channels of this layer.")
@picture_options
@plot_option("Draw ranges and shares")
@json_option
def channels(
    name: str,
    images: tuple[Path, ...],
    layers: tuple[str, ...],
    resize: str,
    crop: float,
    input_range: tuple[float, float] | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure the channels of NAME, from the catalogue or a model file, over IMAGES."""
    model = open_model(name, resize, crop, input_range)
    found = channel_statistics(model, images, layers or None)
    if plot is not None:
        from npmobilenet.analysis.plots.inside import plot_channels

        plot_channels(found, plot)
    if as_json:
        print_json([_as_data(row) for row in found])
    elif layers:
        for row in found:
            console.print(_channels(row))
    else:
        console.print(_layers(found))
        console.print(
            f"\nOver {len(images)} picture{'s' if len(images) > 1 else ''}. dead: channels that "
            "are 0 everywhere; constant: that have one value everywhere, the dead ones among them.",
            soft_wrap=True,
        )


def _layers(found: list[ChannelStatistics]) -> Table:
    table = Table(box=None)
    table.add_column("layer")
    headings = ("channels", "minimum", "maximum", "mean", "zeros", "clipped")
    for heading in (*headings, "subnormal", "dead", "constant"):
        table.add_column(heading, justify="right")
    for row in found:
        table.add_row(
            row.layer,
            str(row.mean.size),
            f"{row.minimum.min():.4g}",
            f"{row.maximum.max():.4g}",
            f"{row.mean.mean():.4g}",
            _share(row.zeros.mean()),
            "" if row.clipped is None else _share(row.clipped.mean()),
            _share(row.subnormals.mean()),
            str(row.dead.size),
            str(row.constant.size),
        )
    return table


def _channels(row: ChannelStatistics) -> Table:
    table = Table(box=None, title=row.layer, title_justify="left")
    for heading in ("channel", "minimum", "maximum", "mean", "zeros", "clipped", "subnormal", ""):
        table.add_column(heading, justify="right")
    dead, constant = set(row.dead), set(row.constant)
    for index in range(row.mean.size):
        numbers = (row.minimum[index], row.maximum[index], row.mean[index])
        table.add_row(
            str(index),
            *(f"{number:.4g}" for number in numbers),
            _share(row.zeros[index]),
            "" if row.clipped is None else _share(row.clipped[index]),
            _share(row.subnormals[index]),
            "dead" if index in dead else "constant" if index in constant else "",
        )
    return table


def _share(value: float) -> str:
    return f"{value:.2%}" if value else "0"


def _as_data(row: ChannelStatistics) -> dict[str, object]:
    arrays = ("minimum", "maximum", "mean", "zeros", "clipped", "subnormals", "dead", "constant")
    values = {name: getattr(row, name) for name in arrays}
    return {"layer": row.layer, "type": row.type, "pictures": row.pictures} | {
        name: None if value is None else value.tolist() for name, value in values.items()
    }
