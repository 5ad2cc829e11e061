"""Options that the commands which measure have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from npmobilenet.cli.files import figure_file
from npmobilenet.cli.networks import input_size

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def plot_option(draws: str) -> Decorator:
    """``--plot FILE``."""
    return click.option(
        "--plot",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=figure_file,
        metavar="FILE",
        help=f"{draws}, to a PNG or SVG file.",
    )


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
