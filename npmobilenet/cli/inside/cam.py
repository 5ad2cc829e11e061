"""``npmobilenet inside cam``: which parts of a picture speak for a class."""

from pathlib import Path

import click
from rich.table import Table

from npmobilenet.analysis.inside import ClassActivationMap, class_activation_map, overlay
from npmobilenet.cli.inside.options import image_option, open_model, picture_options, write_image
from npmobilenet.cli.options import json_option, plot_option
from npmobilenet.cli.output import console, print_json
from npmobilenet.model import Model


@click.command()
@click.argument("name")
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--class",
    "wanted",
    metavar="LABEL|INDEX",
    help="By default the most probable class.",
)
@picture_options
@image_option
@plot_option("Draw the picture and the map over it")
@json_option
def cam(
    name: str,
    image: Path,
    wanted: str | None,
    resize: str,
    crop: float,
    input_range: tuple[float, float] | None,
    pixels: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Draw the class activation map of IMAGE, by the model NAME of the catalogue or a file.

    The numbers are contributions to the logit: their mean, plus the class's bias, is the logit.
    """
    model = open_model(name, resize, crop, input_range)
    found = class_activation_map(model, image, _class_index(model, wanted))
    write_image(pixels, overlay(image, found))
    if plot is not None:
        from npmobilenet.analysis.plots.inside import plot_class_activation

        plot_class_activation(image, found, plot)
    if as_json:
        print_json(_as_data(found))
    else:
        _print(found)


def _class_index(model: Model, wanted: str | None) -> int | None:
    if wanted is None:
        return None
    if wanted.isdecimal() and wanted not in model.labels.names:
        return int(wanted)
    return model.labels.indices([wanted])[0]


def _print(found: ClassActivationMap) -> None:
    console.print(
        f"[bold]{found.label}[/] (class {found.class_index}), logit {found.logit:.4f} = "
        f"mean of the map {found.values.mean():.4f} + offset {found.offset:.4f}",
        soft_wrap=True,
    )
    if not found.is_linear:
        console.print(
            "The head is not linear: another picture would weigh its pixels in another way.",
            soft_wrap=True,
        )
    table = Table(box=None, show_header=False, title=f"{found.layer}", title_justify="left")
    largest = abs(found.values).max()
    for row in found.values:
        table.add_row(*(_cell(value, largest) for value in row))
    console.print(table)


def _cell(value: float, largest: float) -> str:
    if abs(value) < largest / 4:
        return f"{value:.1f}"
    return f"[{'red' if value > 0 else 'blue'}]{value:.1f}[/]"


def _as_data(found: ClassActivationMap) -> dict[str, object]:
    return {
        "class_index": found.class_index,
        "label": found.label,
        "layer": found.layer,
        "logit": found.logit,
        "offset": found.offset,
        "is_linear": found.is_linear,
        "picture_shape": found.picture_shape,
        "box": dict(zip(("top", "left", "height", "width"), found.box, strict=True)),
        "values": found.values.tolist(),
    }
