"""The page of ``npmobilenet app`` in a browser: ``python -m bench.page``.

Browser and server share the cores, as they do on a user's machine.
"""

import json
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from urllib.request import urlopen

import click
import numpy as np

from bench.browser import BROWSER_VARIABLE, browser, find_browser, write_film
from bench.compare import RESULTS
from bench.machine import today
from bench.peers import installed_versions
from npmobilenet.analysis.machine import QUIET, busy_cores, cores, cpu_name
from npmobilenet.cli.demo import sample_photograph
from npmobilenet.pretrained import DEFAULT_MODEL

PACKAGES = ("npmobilenet", "nicegui", "fastapi", "uvicorn", "numpy", "numba", "pillow")

# The clock starts where a frame is drawn for sending, and stops where the bars have changed, and
# again where the browser has painted them.
_CLOCK = """
window.changed = [];
window.painted = [];
let began = null;
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...given) {
  began = performance.now();
  return draw.apply(this, given);
};
new MutationObserver((records) => {
  if (began === null) return;
  if (!records.some((record) => record.target.parentElement?.closest(".bars"))) return;
  const start = began;
  began = null;
  window.changed.push(performance.now() - start);
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.painted.push(performance.now() - start);
    channel.port2.postMessage(null);
  });
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


@dataclass(frozen=True)
class Frames:
    """Camera frames of so many pages at once; milliseconds from the frame.

    Parameters
    ----------
    clients, frames : int
    frames_per_second : float
        Of all pages together.
    label, label_p95 : float
        Until the bars have changed: median and 95th percentile.
    painted, painted_p95 : float
        Until the browser has painted them.
    """

    clients: int
    frames: int
    frames_per_second: float
    label: float
    label_p95: float
    painted: float
    painted_p95: float


@click.command()
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME|FILE")
@click.option("--starts", default=7, show_default=True, help="Of the server.")
@click.option("--clients", multiple=True, type=int, default=(1, 10), show_default=True)
@click.option("--seconds", default=10.0, show_default=True, help="For each number of clients.")
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path))
def main(model, starts, clients, seconds, results) -> None:
    """Measure the start and the way from a frame to its label, and write a table."""
    program = find_browser()
    if program is None:
        raise click.ClickException(
            f"needs Chromium or Chrome, on the PATH or in {BROWSER_VARIABLE}"
        )
    busy = busy_cores()
    _start(model)  # caches
    seconds_to_page = [_start(model) for _ in range(starts)]
    with TemporaryDirectory() as folder:
        film = Path(folder) / "camera.mjpeg"
        write_film(sample_photograph(), film)
        with _server(model) as address, browser(program, film) as opened:
            _frames(opened, address, 1, 2.0)
            frames = [_frames(opened, address, count, seconds) for count in clients]
            version = opened.version
    report = {
        "cpu": cpu_name(),
        "cores": len(cores()),
        "date": today(),
        "versions": installed_versions(PACKAGES) | {"chromium": version},
        "model": model,
        "start_seconds": statistics.median(seconds_to_page),
        "start_seconds_most": max(seconds_to_page),
        "starts": starts,
        "frames": [asdict(found) for found in frames],
        "quiet": max(busy, busy_cores()) <= QUIET,
    }
    table = "\n".join(_document(report)) + "\n"
    results.mkdir(parents=True, exist_ok=True)
    (results / "page.json").write_text(json.dumps(report, indent=1) + "\n")
    (results / "page.md").write_text(table)
    click.echo(table)


@contextmanager
def _server(model: str):
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "npmobilenet", "app", "--port", "0", "--model", model]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if line.startswith("listening on "):
                    yield line.split()[2]
                    return
            raise click.ClickException("the server did not start")
        finally:
            process.terminate()


def _start(model: str) -> float:
    """Seconds from the start of the process until the whole page has come."""
    began = perf_counter()
    with _server(model) as address, urlopen(address) as answer:
        answer.read()
        return perf_counter() - began


def _frames(opened, address: str, clients: int, seconds: float) -> Frames:
    contexts = [opened.new_context(permissions=["camera"]) for _ in range(clients)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.add_init_script(_CLOCK)
        page.goto(address)
        page.locator("dd", has_text=" ms").wait_for(timeout=120_000)
        page.get_by_role("button", name="Start camera").click()
    for page in pages:
        page.locator(".took").wait_for(timeout=120_000)
    for page in pages:
        page.evaluate("window.changed.length = window.painted.length = 0")
    began = perf_counter()
    sleep(seconds)
    found = [page.evaluate("[window.changed, window.painted]") for page in pages]
    took = perf_counter() - began
    for context in contexts:
        context.close()
    changed = np.concatenate([one for one, _ in found])
    painted = np.concatenate([one for _, one in found])
    return Frames(
        clients=clients,
        frames=len(changed),
        frames_per_second=len(changed) / took,
        label=float(np.median(changed)),
        label_p95=float(np.percentile(changed, 95)),
        painted=float(np.median(painted)),
        painted_p95=float(np.percentile(painted, 95)),
    )


def _document(report: dict):
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield f"{report['date']}, {report['cpu']}, {report['cores']} cores. {versions}."
    yield (
        f"\n`npmobilenet app` with {report['model']}, kernels and files in the caches: "
        f"{report['start_seconds']:.2f} s from the start of the process until the page has "
        f"answered (median of {report['starts']}, at most {report['start_seconds_most']:.2f} s)."
    )
    yield (
        "\nFrames of a camera of 640 x 480, headless browser and server on the same cores: from "
        "taking the frame until its label stands in the page, and until it is painted.\n"
    )
    yield (
        "| pages at once | frames | frames a second | label, ms: median | p95 "
        "| painted, ms: median | p95 |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    for found in report["frames"]:
        yield (
            f"| {found['clients']} | {found['frames']} | {found['frames_per_second']:.0f} "
            f"| {found['label']:.0f} | {found['label_p95']:.0f} "
            f"| {found['painted']:.0f} | {found['painted_p95']:.0f} |"
        )
    if not report["quiet"]:
        yield "\nOther processes were at work; do not trust these figures."


if __name__ == "__main__":
    main()
