"""``npmobilenet warmup``: compile the kernels ahead of the first prediction."""

import time

import click


@click.command()
def warmup() -> None:
    """Compile the kernels for this CPU, or check that it is done."""
    from npmobilenet.engine import warm_up
    from npmobilenet.kernels.cache import cache_folder

    began = time.perf_counter()
    warm_up()
    click.echo(f"kernels ready in {time.perf_counter() - began:.1f} s: {cache_folder()}")
