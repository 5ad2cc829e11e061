"""A bar on stderr for what takes many steps."""

import sys
from collections.abc import Iterable
from typing import Literal, TypeVar

Verbose = Literal["auto", 0, 1, 2]
"""Whether a bar is drawn; ``"auto"``: for more than one step, in a terminal."""

T = TypeVar("T")


def with_bar(
    steps: Iterable[T], count: int | None, verbose: Verbose, description: str
) -> Iterable[T]:
    """The same steps, with a bar while they are taken.

    Parameters
    ----------
    steps : iterable
    count : int, optional
        How many there are, where that is known.
    verbose : {"auto", 0, 1, 2}
    description : str
    """
    shown = sys.stderr.isatty() and count != 1 if verbose == "auto" else bool(verbose)
    if not shown:
        return steps
    from rich.console import Console
    from rich.progress import track

    return track(steps, description, total=count, console=Console(stderr=True))
