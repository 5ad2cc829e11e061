"""The tab *Classify*, in a browser."""

import re

import pytest

pytestmark = pytest.mark.slow


def shown(page):
    """The rows of the bars: labels and percentages."""
    page.locator(".bars-row").first.wait_for()
    names = page.locator(".bars-name").all_inner_texts()
    values = page.locator(".bars-value").all_inner_texts()
    return [
        (name, float(value.removesuffix(" %"))) for name, value in zip(names, values, strict=True)
    ]


def expected(model, picture):
    return [
        (one.label.replace("_", " "), pytest.approx(100 * one.probability, abs=0.06))
        for one in model.classify(picture, 5)
    ]


def posts(visit):
    return sum("/page/inbox/" in url for url in visit.requests)


def test_a_photograph_gets_the_library_s_label(
    visit, served_model, photograph, other_photograph, is_real, screenshot
):
    page = visit.open()
    for picture in (other_photograph, photograph):
        visit.show(page, picture)
        assert shown(page) == expected(served_model, picture)
    if is_real:
        assert shown(page)[0][0] == "military uniform"
    screenshot(page, "classify")


def test_a_dropped_picture_is_taken(visit, served_model, photograph):
    page = visit.open()
    content = photograph.read_bytes()
    page.evaluate(
        """(bytes) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "hopper.jpg"));
            const event = new DragEvent("drop", {dataTransfer: carried, bubbles: true});
            document.querySelector(".stage").dispatchEvent(event);
        }""",
        list(content),
    )
    page.locator(".stage-spinner").wait_for(state="detached")
    assert shown(page) == expected(served_model, photograph)


def test_camera_frames_get_labels_one_at_a_time(visit, is_real):
    page = visit.open()
    on_the_way = [0, 0]  # now, and at most

    def began(request):
        if "/page/inbox/" in request.url:
            on_the_way[0] += 1
            on_the_way[1] = max(on_the_way)

    def ended(request):
        if "/page/inbox/" in request.url:
            on_the_way[0] -= 1

    page.on("request", began)
    page.on("requestfinished", ended)
    page.get_by_role("button", name="Start camera").click()
    page.locator(".took").wait_for()
    visit.until(page, lambda: posts(visit) > 20)
    assert on_the_way[1] == 1
    assert re.fullmatch(r"\d+ ms from frame to label", page.locator(".took").inner_text())
    if is_real:
        seen = set()

        def different():
            seen.add(tuple(page.locator(".bars-value").all_inner_texts()))
            return len(seen)

        visit.until(page, lambda: different() > 5)  # the film moves, and so do the bars
        labels = page.locator(".bars-name").all_inner_texts()
        assert {"military uniform", "bow tie", "suit"} & set(labels)

    page.get_by_role("button", name="Stop camera").click()
    page.locator("video:visible").wait_for(state="detached")
    page.locator(".stage-spinner").wait_for(state="detached")
    before = posts(visit)
    page.wait_for_timeout(500)
    assert posts(visit) == before
    assert page.locator(".stage img").count() == 1  # the last frame stays
    assert page.locator(".bars-row").count() == 5


def test_a_frame_that_is_late_does_not_replace_a_chosen_picture(
    visit, served_model, other_photograph
):
    page = visit.open()
    page.evaluate(
        """() => {
            const encode = HTMLCanvasElement.prototype.toBlob;
            HTMLCanvasElement.prototype.toBlob = function (...all) {
                window.encoding = true;
                setTimeout(() => { encode.apply(this, all); window.encoding = false; }, 400);
            };
        }"""
    )
    page.get_by_role("button", name="Start camera").click()
    page.locator(".took").wait_for()
    page.wait_for_function("window.encoding")
    page.locator(".source input[type=file]").set_input_files(other_photograph)
    page.wait_for_timeout(1000)  # the frame is ready, and would have had its reply
    assert shown(page) == expected(served_model, other_photograph)


def test_a_frame_on_its_way_when_the_camera_stops_is_the_one_that_stays(visit):
    page = visit.open()
    held = []
    page.route("**/page/inbox/*", lambda route: held.append(route))
    page.get_by_role("button", name="Start camera").click()
    visit.until(page, lambda: held)
    page.get_by_role("button", name="Stop camera").click()
    page.get_by_role("button", name="Start camera").wait_for()
    assert page.locator(".stage img").count() == 0
    held[0].continue_()
    page.locator(".stage img").wait_for()
    assert page.locator(".bars-row").count() == 5


def test_the_camera_stops_when_another_tab_is_shown(visit):
    page = visit.open()
    page.get_by_role("button", name="Start camera").click()
    page.locator(".took").wait_for()
    visit.turn_to(page, "Teach")
    page.wait_for_timeout(300)
    before = posts(visit)
    page.wait_for_timeout(500)
    assert posts(visit) == before


def test_facts_of_the_model(visit, served_model):
    page = visit.open()
    page.locator("dd", has_text=" ms").wait_for()
    facts = dict(
        zip(
            page.locator("dt").all_inner_texts(),
            page.locator("dd").all_inner_texts(),
            strict=True,
        )
    )
    assert list(facts) == ["Size", "Parameters", "MACs", "Time here"]
    assert facts["Size"] == f"{4 * served_model.count_params() / 1e6:.1f} MB"
    assert float(facts["Time here"].removesuffix(" ms")) > 0


def test_another_model_classifies_the_same_picture(visit, photograph, is_real):
    if not is_real:
        pytest.skip("needs a second model with real weights")
    page = visit.open()
    page.get_by_label("Model").click()
    page.get_by_role("option").first.wait_for()
    options = page.get_by_role("option").all_inner_texts()
    if "mobilenet_v1_0.25_224" not in options:
        pytest.skip(f"needs the weights of V1 0.25; the chooser has {options}")
    page.keyboard.press("Escape")
    page.locator(".source input[type=file]").set_input_files(photograph)
    before = shown(page)
    page.get_by_label("Model").click()
    page.get_by_role("option", name="mobilenet_v1_0.25_224").click()
    page.locator("dd", has_text="0.48 M").wait_for()
    visit.until(page, lambda: shown(page) != before)
