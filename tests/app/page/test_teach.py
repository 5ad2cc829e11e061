"""The tab *Teach*, in a browser."""

import numpy as np
import pytest

from npmobilenet import KNNClassifier

pytestmark = pytest.mark.slow

NAME = '<img src=x onerror="document.title=1"> & <b>bold</b>'


@pytest.fixture
def teach(visit):
    """Opens the tab."""

    def open_tab(**options):
        page = visit.open(**options)
        visit.turn_to(page, "Teach")
        page.get_by_label("Name of a new class").wait_for()
        return page

    return open_tab


def add_class(page, name):
    page.get_by_label("Name of a new class").fill(name)
    page.get_by_role("button", name="Add class").click()
    card(page, name).wait_for()


def card(page, name):
    return page.locator(".card").filter(has=page.get_by_text(name, exact=True))


def add_examples(page, name, count):
    for number in range(count):
        card(page, name).get_by_role("button", name="Hold to add").click()
        wait_for_count(page, name, number + 1)


def count(page, name):
    return int(card(page, name).locator(".quiet").inner_text().split()[0])


def wait_for_count(page, name, count):
    text = "1 example" if count == 1 else f"{count} examples"
    card(page, name).get_by_text(text, exact=True).wait_for()


def predicted(page):
    page.locator(".best .bars-name").wait_for()
    return page.locator(".best .bars-name").inner_text()


def test_two_classes(visit, teach, photograph, other_photograph, screenshot):
    page = teach()
    for name, picture in (("upside down", other_photograph), ("Grace Hopper", photograph)):
        add_class(page, name)
        visit.show(page, picture)
        add_examples(page, name, 3)
    assert predicted(page) == "Grace Hopper"
    assert page.locator(".bars-value").all_inner_texts() == ["0.0 %", "100.0 %"]
    visit.show(page, other_photograph)
    assert predicted(page) == "upside down"
    visit.show(page, photograph)
    assert predicted(page) == "Grace Hopper"
    screenshot(page, "teach")


def test_the_camera_gives_examples_while_the_button_is_held(visit, teach, other_photograph):
    page = teach()
    add_class(page, "sky")
    visit.show(page, other_photograph)
    add_examples(page, "sky", 2)
    add_class(page, "person")
    page.get_by_role("button", name="Start camera").click()
    page.locator(".took").wait_for()
    button = card(page, "person").get_by_role("button", name="Hold to add")
    button.hover()
    page.mouse.down()
    visit.until(page, lambda: count(page, "person") > 3)
    page.mouse.up()

    def is_released():
        before = count(page, "person")
        page.wait_for_timeout(500)
        return count(page, "person") == before

    visit.until(page, is_released)
    assert predicted(page) == "person"


def test_names_are_text(visit, teach, photograph):
    page = teach()
    title = page.title()
    add_class(page, NAME)
    add_class(page, "other")
    visit.show(page, photograph)
    add_examples(page, NAME, 1)
    add_examples(page, "other", 1)
    names = page.locator(".bars-name").all_inner_texts()
    assert names == [NAME, "other"]
    assert page.locator(".card-name").first.inner_text() == NAME
    assert page.locator("img[src=x]").count() == 0
    assert page.title() == title


def test_keys_alone(visit, teach, photograph):
    page = teach()
    visit.show(page, photograph)
    page.get_by_label("Name of a new class").focus()
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    card(page, "typed").wait_for()
    card(page, "typed").get_by_role("button", name="Hold to add").focus()
    page.keyboard.press("Enter")
    wait_for_count(page, "typed", 1)
    page.keyboard.press("Space")
    wait_for_count(page, "typed", 2)
    card(page, "typed").get_by_role("button", name="Remove typed").focus()
    page.keyboard.press("Enter")
    card(page, "typed").wait_for(state="detached")


def test_uploads_save_load_and_reset(
    teach, served_model, photograph, other_photograph, tmp_path, visit
):
    page = teach()
    for name, picture in (("one", photograph), ("two", other_photograph)):
        add_class(page, name)
        card(page, name).locator("input[type=file]").set_input_files([picture, picture])
        wait_for_count(page, name, 2)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save").click()
    path = tmp_path / "saved.npz"
    waiting.value.save_as(path)

    saved = KNNClassifier.load(path)
    assert saved.get_class_example_count() == {"one": 2, "two": 2}
    expected = served_model.embed(photograph)[0]
    found = saved.get_classifier_dataset()["one"][0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)

    page.get_by_role("button", name="Reset").click()
    page.get_by_text("Name two or more classes").wait_for()
    page.locator(".panel", has_text="Reset").locator("input[accept='.npz']").set_input_files(path)
    wait_for_count(page, "one", 2)
    visit.show(page, other_photograph)
    assert predicted(page) == "two"


@pytest.mark.parametrize("kind", ["text", "cut off", "size"])
def test_other_files_are_not_loaded(teach, tmp_path, kind):
    page = teach()
    add_class(page, "kept")
    path = tmp_path / "file.npz"
    classifier = KNNClassifier()
    classifier.add_example(np.ones(7), "seven")
    classifier.save(path)
    if kind == "text":
        path.write_text("no examples")
    if kind == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    page.locator("input[accept='.npz']").set_input_files(path)
    trouble = page.locator(".file-button .trouble")
    trouble.wait_for()
    message = trouble.inner_text()
    assert message.startswith("file.npz: ")
    reasons = {
        "text": "not a file of a KNNClassifier",
        "cut off": "does not end with a list of its members",
        "size": "found embeddings of 7 values",
    }
    assert reasons[kind] in message
    assert str(tmp_path.parent) not in message
    assert "/tmp" not in message
    assert card(page, "kept").count() == 1


def test_what_one_visitor_teaches_no_other_sees(visit, teach, photograph):
    one, other = teach(), teach()
    add_class(one, "mine")
    visit.show(one, photograph)
    add_examples(one, "mine", 1)
    other.wait_for_timeout(300)
    assert other.locator(".card").count() == 0
    add_class(other, "mine")
    wait_for_count(other, "mine", 0)
