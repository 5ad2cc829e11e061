"""Names of files that commands write: found wrong before the work is done, not after."""

from pathlib import Path

import click


def figure_file(
    _context: click.Context, _parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Callback of an option: a figure ends in .png or .svg."""
    return _ending(value, (".png", ".svg"))


def png_file(
    _context: click.Context, _parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Callback of an option: a picture ends in .png."""
    return _ending(value, (".png",))


def _ending(value: Path | None, known: tuple[str, ...]) -> Path | None:
    if value is not None and value.suffix.lower() not in known:
        raise click.BadParameter(f"'{value}' does not end in {' or '.join(known)}")
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder '{value.parent}'")
    return value
