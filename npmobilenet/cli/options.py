"""Options that the commands which measure have in common."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from npmobilenet.architecture.pictures import checked_range
from npmobilenet.cli.files import figure_file
from npmobilenet.cli.networks import input_size

Shape = tuple[int, int, int]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def image_shapes(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> list[Shape]:
    """Callback of an option or argument: ``14x14x512`` as (height, width, channels), each."""
    found = [re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})x([1-9]\d{0,4})", v) for v in values]
    for value, match in zip(values, found, strict=True):
        if match is None:
            raise click.BadParameter(f"{value!r} is no height, width and channels as in 14x14x512")
    return [(int(match[1]), int(match[2]), int(match[3])) for match in found if match]


def plot_option(draws: str) -> Decorator:
    """``--plot FILE``."""
    return click.option(
        "--plot",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=figure_file,
        metavar="FILE",
        help=f"{draws}, to a PNG or SVG file.",
    )


def range_option(
    text: str = "What black and white become, such as 0 1; by default what the file says.",
) -> Decorator:
    """``--input-range LOW HIGH``."""
    return click.option(
        "--input-range",
        nargs=2,
        type=float,
        metavar="LOW HIGH",
        callback=_checked_range,
        help=text,
    )


def _checked_range(
    _context: click.Context, _parameter: click.Parameter, value: tuple[float, float] | None
) -> tuple[float, float] | None:
    try:
        return None if value is None else checked_range(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def threads_option(text: str = "Threads of the engine.") -> Decorator:
    """``--threads N``, 1 by default."""
    return click.option(
        "--threads", default=1, show_default=True, type=click.IntRange(min=1), help=text
    )


def seconds_option(default: float) -> Decorator:
    """``--seconds S``."""
    return click.option(
        "--seconds",
        default=default,
        show_default=True,
        type=click.FloatRange(min=0),
        help="How long to measure, about; longer is steadier.",
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

input_option = click.option(
    "--input",
    "size",
    metavar="HxW",
    callback=input_size,
    help="Height and width of the image, such as 192x224.",
)

fused_option = click.option(
    "--fused/--unfused",
    default=True,
    show_default=True,
    help="List blocks that run as one kernel, or every layer with weights by itself.",
)
