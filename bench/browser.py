"""A browser without a window, whose camera shows a film: for the page's tests and timings."""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

BROWSER_VARIABLE = "NPMOBILENET_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
_FILM_SIZE = (640, 480)
_FRAMES = 20


def find_browser() -> str | None:
    """The program that ``NPMOBILENET_BROWSER`` names, or a Chromium or Chrome on the PATH."""
    named = os.environ.get(BROWSER_VARIABLE)
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def browser(program: str, film: Path) -> Iterator:
    """Playwright's browser, its camera showing a film."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = [*_FLAGS, f"--use-file-for-fake-video-capture={film}"]
        opened = playwright.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


def write_film(photograph: Path, path: Path) -> None:
    """A view that glides over a photograph, so that every frame is another; Motion JPEG."""
    width, height = _FILM_SIZE
    with Image.open(photograph) as image:
        whole = image.convert("RGB").resize((width, round(image.height * width / image.width)))
    with path.open("wb") as stream:
        for number in range(_FRAMES):
            top = round(60 * np.sin(np.pi * number / _FRAMES) ** 2)
            buffer = io.BytesIO()
            whole.crop((0, top, width, top + height)).save(buffer, "JPEG", quality=90)
            stream.write(buffer.getvalue())
