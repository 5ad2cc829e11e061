"""What a client may ask for, and how the server is set up: plain, frozen data."""

from dataclasses import dataclass, field, fields
from pathlib import Path

from npmobilenet.backends import DEFAULT_BACKEND
from npmobilenet.pretrained import DEFAULT_MODEL

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Limits:
    """Bounds that keep one client from taking all memory or time.

    Parameters
    ----------
    upload_bytes : int
        Largest body of a request.
    pixels : int
        Largest picture once decoded; decoding takes up to 12 bytes a pixel.
    request_pixels : int
        All pictures of a request together.
    pictures : int
        Most pictures in a request.
    topk : int
        Most classes for a picture.
    running : int, optional
        Computations at the same time; by default one for each core that the process may use.
    waiting : int
        Requests that may wait beside those that run; others are turned away at once.
    connections : int
        Open connections, those of the page's browsers included. Who keeps the server waiting for
        a request makes room for others.
    held_bytes : int
        All bodies together that have arrived and are not answered.
    pages : int
        Pages that were fetched and may still be opened; the oldest are forgotten.
    idle_seconds : float
        How long a connection may be open without a whole head of a request.
    receive_seconds, answer_seconds : float
        How long the body of a request may take to arrive, and an answer to be computed.
    models : int
        Models kept in memory; the one that was not used for longest goes first.

    Raises
    ------
    ValueError
        If a bound is not positive.
    """

    upload_bytes: int = 10 << 20
    pixels: int = 25_000_000
    request_pixels: int = 100_000_000
    pictures: int = 16
    topk: int = 100
    running: int | None = None
    waiting: int = 64
    connections: int = 256
    held_bytes: int = 128 << 20
    pages: int = 100
    idle_seconds: float = 15.0
    receive_seconds: float = 30.0
    answer_seconds: float = 30.0
    models: int = 4

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if value is not None and not value > 0:
                raise ValueError(f"{bound.name} must be positive, found {value!r}")


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Parameters
    ----------
    models : tuple of str or path
        Names of the catalogue and model files, the default one first. The catalogue's models
        whose weights are on this machine already are offered as well.
    input_range : tuple of float, optional
        What black and white become for the model files; by default what each file says.
    backend : str
        As in :class:`npmobilenet.model.Model`.
    host, port
        Where to listen; port 0 stands for any that is free.
    allowed_hosts : tuple of str
        Names besides ``localhost`` and this machine's by which browsers may call the server.
    api_only : bool
        Whether to leave out the page.
    limits : Limits
    """

    models: tuple[str | Path, ...] = (DEFAULT_MODEL,)
    input_range: tuple[float, float] | None = None
    backend: str = DEFAULT_BACKEND
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    allowed_hosts: tuple[str, ...] = ()
    api_only: bool = False
    limits: Limits = field(default_factory=Limits)
