"""The HTTP endpoint under load, on loopback: ``python -m bench.http``.

Clients and server share the cores, as they do on a user's machine. Every answer is compared with
what the library gives for the same picture.
"""

import io
import json
import statistics
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, perf_counter

import click
import numpy as np
from PIL import Image

from bench.compare import RESULTS
from bench.machine import today
from bench.peers import installed_versions
from npmobilenet import Model, load_model, load_pretrained
from npmobilenet.analysis.machine import QUIET, busy_cores, cores, cpu_name
from npmobilenet.pretrained import DEFAULT_MODEL

PACKAGES = ("npmobilenet", "fastapi", "uvicorn", "numpy", "numba", "pillow")
PICTURES, SIZE = 8, (640, 480)
TOPK = 5


@dataclass(frozen=True)
class Load:
    """So many clients, each sending its next request as soon as it has an answer.

    Parameters
    ----------
    clients, requests, wrong : int
        ``wrong`` counts answers that are not the library's own, errors included.
    requests_per_second : float
        Median over the rounds.
    p50, p99 : float
        Milliseconds from the request to the whole answer, over all rounds.
    """

    clients: int
    requests: int
    wrong: int
    requests_per_second: float
    p50: float
    p99: float


@click.command()
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME|FILE")
@click.option("--clients", multiple=True, type=int, default=(1, 4, 16), show_default=True)
@click.option("--requests", default=300, show_default=True, help="For each number of clients.")
@click.option("--seconds", default=10.0, show_default=True, help="At most, for the same.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path))
def main(model, clients, requests, seconds, rounds, results) -> None:
    """Measure requests a second and latencies, and write a table."""
    pictures = _pictures()
    library = load_model(model) if Path(model).is_file() else load_pretrained(model)
    expected = [_expected(library, picture) for picture in pictures]
    busy = busy_cores()
    with _server(model) as port:
        _run(port, pictures, expected, 1, 20, seconds)  # caches of both sides
        samples = {count: [] for count in clients}
        for _ in range(rounds):
            for count in clients:
                samples[count].append(_run(port, pictures, expected, count, requests, seconds))
        direct = _direct(library, pictures)
        loads = [_load(count, found) for count, found in samples.items()]
    report = {
        "cpu": cpu_name(),
        "cores": len(cores()),
        "date": today(),
        "versions": installed_versions(PACKAGES),
        "model": library.name,
        "picture": f"JPEG of {SIZE[0]} x {SIZE[1]}, {len(pictures[0])} bytes",
        "rounds": rounds,
        "direct_milliseconds": direct,
        "loads": [asdict(load) for load in loads],
        "quiet": max(busy, busy_cores()) <= QUIET,
    }
    table = "\n".join(_document(report)) + "\n"
    results.mkdir(parents=True, exist_ok=True)
    (results / "http.json").write_text(json.dumps(report, indent=1) + "\n")
    (results / "http.md").write_text(table)
    click.echo(table)


def _pictures() -> list[bytes]:
    """Smooth noise, which compresses about as photographs do."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(PICTURES):
        coarse = rng.integers(0, 256, (60, 80, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC).save(stream, "JPEG")
        pictures.append(stream.getvalue())
    return pictures


def _expected(library: Model, picture: bytes) -> list[dict]:
    return [asdict(row) for row in library.classify(picture, TOPK)]


def _direct(library: Model, pictures: list[bytes], calls: int = 50) -> float:
    """Median milliseconds of the same work without a server."""
    times = []
    for call in range(calls):
        began = perf_counter()
        library.classify(pictures[call % len(pictures)], TOPK)
        times.append(1e3 * (perf_counter() - began))
    return statistics.median(times)


@contextmanager
def _server(model: str):
    """The port of a server in a process of its own."""
    command = [sys.executable, "-m", "npmobilenet", "app", "--api-only", "--port", "0"]
    with subprocess.Popen(
        [*command, "--model", model], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stderr:
                if line.startswith("listening on "):
                    yield int(line.split()[2].rpartition(":")[2])
                    return
            raise click.ClickException("the server did not start")
        finally:
            process.terminate()


@dataclass(frozen=True)
class _Round:
    """Latencies in milliseconds, wrong answers, and how long it took."""

    latencies: list[float]
    wrong: int
    seconds: float


def _run(port, pictures, expected, clients, requests, seconds) -> _Round:
    bodies = [_body(picture) for picture in pictures]
    latencies: list[float] = []
    wrong: list[int] = []
    left = iter(range(requests))
    end = monotonic() + seconds
    together = threading.Barrier(clients + 1)

    def client() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        together.wait()
        for number in left:
            if monotonic() > end:
                break
            chosen = number % len(pictures)
            began = perf_counter()
            connection.request("POST", "/api/classify", *bodies[chosen])
            answer = connection.getresponse()
            content = answer.read()
            latencies.append(1e3 * (perf_counter() - began))
            right = answer.status == 200 and json.loads(content)["results"] == [expected[chosen]]
            if not right:
                wrong.append(number)
        connection.close()

    with ThreadPoolExecutor(clients) as pool:
        work = [pool.submit(client) for _ in range(clients)]
        together.wait()
        began = perf_counter()
        for done in work:
            done.result()
        took = perf_counter() - began
    return _Round(latencies, len(wrong), took)


def _body(picture: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    parts = [head % (b"topk", b""), str(TOPK).encode(), b"\r\n"]
    parts += [head % (b"images", b'; filename="picture.jpg"'), picture, b"\r\n--x--\r\n"]
    return b"".join(parts), {"Content-Type": "multipart/form-data; boundary=x"}


def _load(clients: int, rounds: list[_Round]) -> Load:
    latencies = [value for found in rounds for value in found.latencies]
    return Load(
        clients=clients,
        requests=len(latencies),
        wrong=sum(found.wrong for found in rounds),
        requests_per_second=statistics.median(
            len(found.latencies) / found.seconds for found in rounds
        ),
        p50=float(np.percentile(latencies, 50)),
        p99=float(np.percentile(latencies, 99)),
    )


def _document(report: dict):
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield f"{report['date']}, {report['cpu']}, {report['cores']} cores. {versions}."
    yield (
        f"\n`POST /api/classify` of {report['model']} on loopback, one picture a request "
        f"({report['picture']}); clients and server share the cores. Each client sends its next "
        "request as soon as it has an answer. Every answer is compared with that of the library, "
        f"which alone takes {report['direct_milliseconds']:.1f} ms from file to labels.\n"
    )
    yield "| clients | requests | requests a second | p50, ms | p99, ms | wrong answers |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for load in report["loads"]:
        yield (
            f"| {load['clients']} | {load['requests']} | {load['requests_per_second']:.0f} "
            f"| {load['p50']:.1f} | {load['p99']:.1f} | {load['wrong']} |"
        )
    if not report["quiet"]:
        yield "\nOther processes were at work; do not trust these figures."


if __name__ == "__main__":
    main()
