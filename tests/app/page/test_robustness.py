"""Broken pictures, large ones, many visitors, and those who leave."""

import io
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def give(page, name, content):
    file = {"name": name, "mimeType": "image/png", "buffer": content}
    page.locator(".source input[type=file]").set_input_files(file)


def png(height, width):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("tab", ["Classify", "Teach", "Inside"])
def test_broken_pictures_are_said_to_be_broken(visit, photograph, tab):
    page = visit.open()
    visit.turn_to(page, tab)
    good = photograph.read_bytes()
    trouble = page.locator(".source > .trouble")
    for content, message in (
        (b"no picture", "found no picture"),
        (good[:3000], "cannot be decoded"),
        (b"", "found no picture"),
        (png(2000, 2000), "4,000,000 pixels"),
        (bytes(4_000_000), "expected at most 3000000"),
    ):
        give(page, "broken.png", content)
        trouble.get_by_text(message).wait_for()
    give(page, "good.jpg", good)
    trouble.wait_for(state="detached")


def test_ten_visitors_at_once(visit, served_model, photograph, tmp_path):
    pages = [visit.open(width=500) for _ in range(10)]
    whole = Image.open(photograph).convert("RGB")
    paths = []
    for number, page in enumerate(pages):  # everybody another part of the photograph
        path = tmp_path / f"{number}.png"
        whole.crop((8 * number, 10 * number, 300 + 20 * number, 330 + 25 * number)).save(path)
        paths.append(path)
        page.get_by_role("button", name="Start camera").click()
    for page in pages:
        page.locator(".took").wait_for()
    for page, path in zip(pages, paths, strict=True):  # while the others' cameras are running
        page.locator(".source input[type=file]").set_input_files(path)
    for page, path in zip(pages, paths, strict=True):
        page.locator("video:visible").wait_for(state="detached")
        page.locator(".stage-spinner").wait_for(state="detached")
        expected = served_model.classify(path, 5)
        assert page.locator(".bars-name").all_inner_texts() == [
            one.label.replace("_", " ") for one in expected
        ]
        value = float(page.locator(".bars-value").first.inner_text().removesuffix(" %"))
        assert value == pytest.approx(100 * expected[0].probability, abs=0.06)


def test_a_closed_page_is_forgotten(visit, photograph):
    page, stays = visit.open(), visit.open()
    addresses = {}
    for one in (page, stays):
        with one.expect_response("**/page/inbox/*") as waiting:
            one.locator(".source input[type=file]").set_input_files(photograph)
        addresses[one] = waiting.value.url
    page.get_by_role("button", name="Start camera").click()
    page.locator(".took").wait_for()
    page.close()  # in the middle of its frames
    content = photograph.read_bytes()
    deadline = time.monotonic() + 30
    while stays.request.post(addresses[page], data=content).status != 404:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert stays.request.post(addresses[stays], data=content).status == 200
    again = stays.request.post(addresses[page], data=content)
    assert "load it again" in again.json()["detail"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_can_be_read(visit, width, scheme):
    page = visit.open(width=width, height=800, scheme=scheme)
    for tab in ("Classify", "Teach", "Inside"):
        visit.turn_to(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ink, paper = colours(page.locator("body"))
        assert (np.mean(paper) > 128) == (scheme == "light")
        assert contrast(ink, paper) > 7
        assert contrast(*colours(page.get_by_role("button", name="Choose a picture"))) > 4.5


def colours(element):
    """Of the text, and of what is behind it."""
    return element.evaluate(
        """(element) => ["color", "backgroundColor"].map((name) =>
            getComputedStyle(element)[name].match(/[0-9.]+/g).slice(0, 3).map(Number))"""
    )


def contrast(one, other):
    """WCAG 2's ratio of two colours' luminances."""

    def luminance(colour):
        values = np.array(colour) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_nothing_comes_from_elsewhere(visit, server):
    """Of the requests; the fixture looks at those of every other test as well."""
    page = visit.open()
    for tab in ("Teach", "Inside"):
        visit.turn_to(page, tab)
        page.wait_for_timeout(200)
    hosts = {urlsplit(url).hostname for url in visit.requests if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}
    assert any(url.endswith(".css") for url in visit.requests)
    assert any(url.startswith("ws://") for url in visit.requests)
