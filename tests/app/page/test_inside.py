"""The tab *Inside*, in a browser."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from npmobilenet.analysis.inside import (
    class_activation_map,
    feature_maps,
    image_grid,
    overlay,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def inside(visit, photograph):
    """The tab with a photograph in it."""
    page = visit.open()
    visit.turn_to(page, "Inside")
    page.locator(".layers tbody tr").first.wait_for()
    page.locator(".source input[type=file]").set_input_files(photograph)
    page.locator(".overlay").wait_for()
    return page


def pixels(locator):
    """The picture of an ``img`` whose address holds it."""
    address = locator.get_attribute("src")
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def settle(visit, page, before):
    """Wait until the feature maps are others."""
    visit.until(page, lambda: page.locator(".maps").get_attribute("src") != before)


def test_feature_maps_of_the_layer_one_clicks(
    visit, inside, served_model, photograph, is_real, screenshot
):
    first = inside.locator(".maps").get_attribute("src")
    inside.get_by_role("button", name="conv_pw_5", exact=True).click()
    settle(visit, inside, first)
    found = pixels(inside.locator(".maps"))
    maps = feature_maps(served_model, photograph, "conv_pw_5_relu")
    np.testing.assert_array_equal(found, image_grid(maps[..., :256]))
    assert f"{maps.shape[-1]} channels" in inside.locator(".maps").get_attribute("alt")
    chosen = inside.locator(".layers .chosen")
    assert chosen.count() == 1
    assert chosen.locator("button").inner_text() == "conv_pw_5"
    screenshot(inside, "inside")


def test_the_map_of_the_class_one_clicks(inside, served_model, photograph):
    rows = served_model.classify(photograph, 2)
    whole = np.asarray(Image.open(photograph).convert("RGB"))
    for row in rows:
        name = row.label.replace("_", " ")
        inside.get_by_role("button", name=name, exact=True).click()
        inside.locator(".best", has_text=name).wait_for()
        found = pixels(inside.locator(".overlay"))
        expected = overlay(whole, class_activation_map(served_model, photograph, row.index))
        np.testing.assert_array_equal(found, expected)
        assert name in inside.locator(".caption").first.inner_text()


def test_every_layer_with_macs_is_listed(inside, served_model):
    from npmobilenet.analysis.cost import cost

    shown = inside.locator(".layers tbody tr").all()
    text = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in shown}
    for layer in cost(served_model.network, fusing="convolutions").layers:
        if layer.macs:
            assert text[layer.name][1] == f"{layer.macs / 1e6:.1f}"


def test_arrow_keys_walk_through_the_layers(visit, inside):
    inside.get_by_role("button", name="conv1", exact=True).focus()
    inside.keyboard.press("ArrowDown")
    inside.keyboard.press("ArrowDown")
    before = inside.locator(".maps").get_attribute("src")
    inside.keyboard.press("Enter")
    settle(visit, inside, before)
    assert inside.locator(".layers .chosen button").inner_text() == "conv_pw_1"


def test_the_map_fades(visit, inside):
    inside.get_by_role("slider").focus()
    for _ in range(10):
        inside.keyboard.press("ArrowLeft")
    overlay = inside.locator(".overlay")
    visit.until(inside, lambda: overlay.evaluate("e => Number(e.style.opacity)") == 0.5)


def test_the_camera(visit, inside):
    inside.get_by_role("button", name="Start camera").click()
    inside.locator(".took").wait_for()
    before = inside.locator(".maps").get_attribute("src")
    settle(visit, inside, before)
    assert inside.locator(".overlay").count() == 1
    inside.get_by_role("button", name="Stop camera").click()
    inside.get_by_role("button", name="conv_dw_3", exact=True).click()
    inside.locator(".maps[alt^=conv_dw_3]").wait_for()  # of the last frame


def test_times_of_the_layers(inside):
    inside.locator(".layers tbody tr").first.locator("td").nth(2).get_by_text(".").wait_for()
    rows = inside.locator(".layers tbody tr").all()
    times = [row.locator("td").nth(2).inner_text() for row in rows]
    assert sum(bool(re.fullmatch(r"\d+\.\d\d", time)) for time in times) > 25
