"""``npmobilenet app``: the page in the browser, and the HTTP endpoint beside it."""

from importlib.util import find_spec

import click

from npmobilenet.app.limits import DEFAULT_HOST, DEFAULT_PORT, Limits, Settings
from npmobilenet.backends import BACKENDS, DEFAULT_BACKEND
from npmobilenet.cli.options import range_option
from npmobilenet.cli.output import notes
from npmobilenet.pretrained import DEFAULT_MODEL

_DEFAULTS = Limits()


@click.command("app")
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Where to listen.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 for any that is free.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    default=(DEFAULT_MODEL,),
    show_default=True,
    metavar="NAME|FILE",
    help="May be given several times; the first is the default.",
)
@range_option("For model files: what black and white become, such as 0 1.")
@click.option("--api-only", is_flag=True, help="Only the endpoint, without the page.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which browsers may call, besides this machine's.",
)
@click.option(
    "--max-upload",
    default=_DEFAULTS.upload_bytes,
    show_default=True,
    type=click.IntRange(min=1),
    help="Bytes of a request.",
)
@click.option(
    "--max-pixels",
    default=_DEFAULTS.pixels,
    show_default=True,
    type=click.IntRange(min=1),
    help="Of a picture.",
)
@click.option(
    "--backend", default=DEFAULT_BACKEND, show_default=True, type=click.Choice(list(BACKENDS))
)
def app_command(
    host: str,
    port: int,
    models: tuple[str, ...],
    input_range: tuple[float, float] | None,
    api_only: bool,
    allowed_hosts: tuple[str, ...],
    max_upload: int,
    max_pixels: int,
    backend: str,
) -> None:
    """Classify, teach and look inside in the browser; an HTTP endpoint below /api.

    The OpenAPI page is at /docs. Without --host only this machine can connect.
    """
    if any(find_spec(package) is None for package in ("fastapi", "nicegui", "uvicorn")):
        raise click.ClickException("this needs the extra: pip install 'npmobilenet[app]'")
    from npmobilenet.app.server import serve

    settings = Settings(
        models=models,
        input_range=input_range,
        backend=backend,
        host=host,
        port=port,
        allowed_hosts=allowed_hosts,
        api_only=api_only,
        limits=Limits(upload_bytes=max_upload, pixels=max_pixels),
    )
    serve(settings, on_start=lambda url: notes.print(f"listening on {url} (ctrl+c to stop)"))
