"""Options that the commands share, and how they find a model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from npmobilenet.cli.files import png_file
from npmobilenet.cli.networks import find_model
from npmobilenet.cli.options import range_option
from npmobilenet.cli.output import notes
from npmobilenet.images import RESIZE_MODES, save_png
from npmobilenet.model import DEFAULT_CROP, DEFAULT_RESIZE, Model

Command = Callable[..., Any]


def image_option(command: Command) -> Command:
    """``--image``: the pixels and nothing around them."""
    return click.option(
        "--image",
        "pixels",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=png_file,
        help="Save the picture alone, as PNG.",
    )(command)


def picture_options(command: Command) -> Command:
    """``--resize``, ``--crop`` and ``--input-range``: how pictures become batches."""
    crop = click.option(
        "--crop",
        default=DEFAULT_CROP,
        show_default=True,
        type=click.FloatRange(0, 1, min_open=True),
        help="Fraction of the picture kept around its centre.",
    )
    resize = click.option(
        "--resize", default=DEFAULT_RESIZE, show_default=True, type=click.Choice(list(RESIZE_MODES))
    )
    return resize(crop(range_option()(command)))


def open_model(
    name: str,
    resize: str = DEFAULT_RESIZE,
    crop: float = DEFAULT_CROP,
    input_range: tuple[float, float] | None = None,
) -> Model:
    """The model of a name or a file; the reference runs it, so that every layer can be seen."""
    return find_model(name, backend="numpy", input_range=input_range, resize=resize, crop=crop)


def write_image(path: Path | None, pixels: Any) -> None:
    """Save what ``--image`` asks for."""
    if path is not None:
        save_png(path, pixels)
        notes.print(f"picture: {path}", soft_wrap=True)
