"""``npmobilenet inside features``: what a layer gives for a picture."""

from pathlib import Path

import click
from rich.table import Table

from npmobilenet.analysis.inside import feature_maps, image_grid
from npmobilenet.analysis.inside.grid import SCALES, Scale
from npmobilenet.cli.inside.options import image_option, open_model, picture_options, write_image
from npmobilenet.cli.options import json_option, plot_option
from npmobilenet.cli.output import console, print_json
from npmobilenet.reference import FloatArray

_SHOWN = 8  # channels in the table; the JSON has all


@click.command()
@click.argument("name")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--layer", required=True, help="Keras' name of any layer.")
@click.option("--channel", "channels", multiple=True, type=int, help="Only these channels.")
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="each",
    show_default=True,
    help="Whether each channel is drawn up to its own largest value.",
)
@picture_options
@image_option
@plot_option("Draw the channels under a title")
@json_option
def features(
    name: str,
    image: Path,
    layer: str,
    channels: tuple[int, ...],
    scale: Scale,
    resize: str,
    crop: float,
    input_range: tuple[float, float] | None,
    pixels: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Draw what a layer of NAME, from the catalogue or a model file, gives for IMAGE.

    `npmobilenet summary NAME` lists the layers.
    """
    maps = feature_maps(open_model(name, resize, crop, input_range), image, layer)
    shown = list(channels) or list(range(maps.shape[-1]))
    if not all(0 <= channel < maps.shape[-1] for channel in shown):
        raise ValueError(
            f"layer {layer!r} has channels 0 to {maps.shape[-1] - 1}, found {list(channels)}"
        )
    maps = maps[..., shown]
    grid = image_grid(maps, scale=scale)
    write_image(pixels, grid)
    if plot is not None:
        from npmobilenet.analysis.plots.inside import plot_grid

        plot_grid(grid, f"{layer} of {image.name}: {_shape(maps)}", plot)
    if as_json:
        print_json({"layer": layer, "shape": maps.shape, "channels": _rows(maps, shown)})
    else:
        _print(layer, maps, shown)


def _shape(maps: FloatArray) -> str:
    height, width, channels = maps.shape
    return f"{channels} channels of {height} x {width}"


def _rows(maps: FloatArray, shown: list[int]) -> list[dict[str, object]]:
    flat = maps.reshape(-1, maps.shape[-1])
    return [
        {
            "channel": channel,
            "minimum": float(values.min()),
            "maximum": float(values.max()),
            "mean": float(values.mean()),
        }
        for channel, values in zip(shown, flat.T, strict=True)
    ]


def _print(layer: str, maps: FloatArray, shown: list[int]) -> None:
    console.print(
        f"[bold]{layer}[/], {_shape(maps)}: {maps.min():.4g} to {maps.max():.4g}, "
        f"mean {maps.mean():.4g}, {float((maps == 0).mean()):.1%} zeros",
        soft_wrap=True,
    )
    flat = maps.reshape(-1, maps.shape[-1])
    table = Table(title="channels of the largest mean", title_justify="left", box=None)
    for heading in ("channel", "minimum", "maximum", "mean"):
        table.add_column(heading, justify="right")
    for index in abs(flat.mean(axis=0)).argsort()[::-1][:_SHOWN]:
        values = flat[:, index]
        numbers = (values.min(), values.max(), values.mean())
        table.add_row(str(shown[index]), *(f"{number:.4g}" for number in numbers))
    console.print(table)
