"""A small network of the catalogue with made-up weights, and a server that misbehaves on demand."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from npmobilenet.formats import tensors_digest, write_keras_h5
from npmobilenet.pretrained import CATALOGUE, Entry, fetching, places

NAME = "mobilenet_v1_0.25_128"


def random_weights(entry: Entry, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = entry.network().variables
    return {name: rng.random(shape, np.float32) for name, shape in shapes.items()}


@pytest.fixture(scope="session")
def weights() -> dict[str, np.ndarray]:
    """Tensors of the small network."""
    return random_weights(CATALOGUE[NAME], 1)


@pytest.fixture(scope="session")
def good_file(tmp_path_factory, weights) -> Path:
    """A Keras file of them."""
    path = tmp_path_factory.mktemp("good") / "good.h5"
    write_keras_h5(path, CATALOGUE[NAME].network(), weights)
    return path


@pytest.fixture
def write_file():
    """``write_file(path, entry, seed)``: a Keras file of other tensors for an entry."""

    def write_file(path: Path, entry: Entry, seed: int) -> Path:
        write_keras_h5(path, entry.network(), random_weights(entry, seed))
        return path

    return write_file


@pytest.fixture
def entry(monkeypatch, weights) -> Entry:
    """The small network's entry, with a digest in the catalogue."""
    known = replace(CATALOGUE[NAME], digest=tensors_digest(weights))
    monkeypatch.setitem(CATALOGUE, NAME, known)
    return known


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache; no folder of weights; no server and no package index within reach."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(places.CACHE_VARIABLE, str(folder))
    monkeypatch.delenv(places.WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setenv(places.BASE_URL_VARIABLE, "http://127.0.0.1:9/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(places, "checkout_folder", lambda: None)
    return folder


class Server(ThreadingHTTPServer):
    """Answers every request with ``content`` in the way that ``behaviour`` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = b""
        self.behaviour = "good"
        self.requests: list[str] = []
        self.finish = threading.Event()


class Handler(BaseHTTPRequestHandler):
    """``good``, ``missing`` (404), ``truncated`` (breaks off), ``stalled`` (stops sending)."""

    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        content, behaviour = self.server.content, self.server.behaviour
        if behaviour == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if behaviour == "good":
            self.wfile.write(content)
            return
        self.wfile.write(content[: len(content) // 2])
        if behaviour == "stalled":
            self.wfile.flush()
            self.server.finish.wait(60)
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Nothing: the tests look at ``requests``."""


@pytest.fixture
def server(monkeypatch, good_file) -> Iterator[Server]:
    """A server of the good file, at the base URL."""
    with Server() as server:
        server.content = good_file.read_bytes()
        monkeypatch.setenv(
            places.BASE_URL_VARIABLE, f"http://127.0.0.1:{server.server_address[1]}/mirror/"
        )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.finish.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch():
    """``fetch`` without a progress bar."""
    return lambda name: fetching.fetch(name, progress=False)
