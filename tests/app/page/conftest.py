"""A server with the page, and a browser whose camera shows a film made of a photograph."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from bench.browser import BROWSER_VARIABLE, find_browser, write_film
from bench.browser import browser as open_browser
from npmobilenet.cli.demo import sample_photograph
from npmobilenet.errors import NpMobileNetError
from npmobilenet.loading import load_model
from npmobilenet.pretrained import DEFAULT_MODEL, fetch


@pytest.fixture(scope="session")
def photograph():
    """Grace Hopper, a photograph of the U.S. Navy in the public domain, as matplotlib ships it."""
    return sample_photograph()


@pytest.fixture(scope="session")
def other_photograph(photograph, tmp_path_factory):
    """Another picture: the same one upside down with its colours turned."""
    path = tmp_path_factory.mktemp("pictures") / "other.png"
    pixels = np.asarray(Image.open(photograph).convert("RGB"))
    Image.fromarray(255 - pixels[::-1, :, ::-1]).save(path)
    return path


@pytest.fixture(scope="session")
def film(photograph, tmp_path_factory):
    """What the camera shows."""
    path = tmp_path_factory.mktemp("film") / "camera.mjpeg"
    write_film(photograph, path)
    return path


@pytest.fixture(scope="session")
def weights_folders():
    """Where the server may find real weights: ../shared, if it is there."""
    folders = [os.environ.get("NPMOBILENET_WEIGHTS", "")]
    shared = Path(__file__).parents[4] / "shared" / "weights" / "keras"
    if shared.is_dir():
        folders.append(str(shared))
    return os.pathsep.join(filter(None, folders))


@pytest.fixture(scope="session")
def served(weights_folders, model_file):
    """What the server shows: real weights, or a small random model where they cannot be had."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NPMOBILENET_WEIGHTS", weights_folders)
        try:
            return fetch(DEFAULT_MODEL, progress=False).path
        except NpMobileNetError:
            return model_file


@pytest.fixture(scope="session")
def is_real(served, model_file):
    return served != model_file


@pytest.fixture(scope="session")
def served_model(served):
    """The model that the server shows, in this process."""
    return load_model(served)


@pytest.fixture(scope="session")
def server(served, is_real, weights_folders, tmp_path_factory):
    """Address of a server in a process of its own; nothing may go wrong in it unseen."""
    folder = tmp_path_factory.mktemp("page")
    log = folder / "log"
    command = [sys.executable, "-m", "npmobilenet", "app", "--port", "0"]
    command += ["--max-upload", "3000000", "--max-pixels", "3000000"]
    command += ["--model", DEFAULT_MODEL if is_real else str(served)]
    environment = os.environ | {"NPMOBILENET_WEIGHTS": weights_folders}
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment)
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text()
    assert "Error" not in log.read_text()


def _address(process, log):
    for _ in range(1200):  # the first call on a machine compiles the kernels
        found = re.search(r"listening on (http://\S+)", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"not started: {log.read_text()}")


@pytest.fixture(scope="session")
def browser(film):
    pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = find_browser()
    if program is None:
        pytest.skip(f"needs Chromium or Chrome: none on the PATH, none in {BROWSER_VARIABLE}")
    with open_browser(program, film) as opened:
        yield opened


class Visit:
    """Open pages of one test. What they ask for and complain about is kept."""

    def __init__(self, browser, server):
        self._browser, self._server = browser, server
        self._contexts = []
        self.requests, self.complaints = [], []

    def open(self, width=1280, height=800, scheme="light"):
        """A page of a new visitor, once it is ready."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["camera"],
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        page.goto(self._server)
        page.get_by_text("Time here").wait_for()
        return page

    @staticmethod
    def turn_to(page, tab):
        """Show a tab; what the one before it showed is gone then."""
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("tabpanel", name=tab).wait_for()

    @staticmethod
    def show(page, picture):
        """Choose a picture; what the page says is about it then."""
        page.locator(".source input[type=file]").set_input_files(picture)
        page.locator(".stage-spinner").wait_for(state="detached")

    @staticmethod
    def until(page, condition):
        """Wait until a function of no arguments is true."""
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            page.wait_for_timeout(50)

    def _listen(self, message):
        refused = re.search(r"status of 4\d\d", message.text)  # by the server, which is tested
        if message.type in ("error", "warning") and not refused:
            self.complaints.append(message.text)

    def close(self):
        for context in self._contexts:
            context.close()


@pytest.fixture
def visit(browser, server):
    """Opens pages; no script may fail in them, and they may ask nobody but the server."""
    visit = Visit(browser, server)
    yield visit
    visit.close()
    assert visit.complaints == []
    strangers = {
        url
        for url in visit.requests
        if urlsplit(url).scheme not in ("data", "blob")
        and urlsplit(url).netloc != urlsplit(server).netloc
    }
    assert strangers == set()


@pytest.fixture(scope="session")
def pictures_folder():
    """Where screenshots go: a folder of one's choice, for the README's, or nowhere."""
    named = os.environ.get("NPMOBILENET_SCREENSHOTS")
    return Path(named).resolve() if named else None


@pytest.fixture
def screenshot(pictures_folder, is_real, tmp_path):
    """Takes a picture of a page; those of real weights are kept where one is asked to."""

    def take(page, name):
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)  # ripples and spinners come to rest
        folder = pictures_folder if pictures_folder and is_real else tmp_path
        page.screenshot(path=folder / f"app-{name}.png")
        assert np.asarray(Image.open(folder / f"app-{name}.png").convert("L")).std() > 20

    return take
