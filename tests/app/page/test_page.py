"""The page without a browser: what its parts make, and that nothing stays when it is gone."""

import asyncio
import gc
import weakref

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from nicegui import Client
from PIL import Image

from npmobilenet import KNNClassifier
from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.inside import class_activation_map, overlay
from npmobilenet.app.answers import add_handlers
from npmobilenet.app.failures import RequestError
from npmobilenet.app.limits import Settings
from npmobilenet.app.page.elements import prediction_rows
from npmobilenet.app.page.inbox import Inboxes
from npmobilenet.app.page.layers import first_layer, layer_rows
from npmobilenet.app.page.looking import LONGEST_SIDE, evidence, map_over_picture, maps
from npmobilenet.app.page.saved_examples import (
    LONGEST_NAME,
    MOST_CLASSES,
    read_examples,
    write_examples,
)
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.server import create_app
from npmobilenet.errors import ImageError


@pytest.fixture(scope="session")
def page(model_file):
    """The application with the page, called without a network."""
    app = create_app(Settings(models=(model_file,)))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_it_needs_nothing_from_elsewhere(page):
    text = page.get("/").text
    assert "npmobilenet" in text
    assert 'src="http' not in text
    assert 'href="http' not in text
    assert "url(http" not in text


def test_the_endpoint_is_beside_it(page, pictures):
    answer = page.post("/api/classify", files={"images": pictures[0]})
    assert answer.status_code == 200
    assert page.get("/docs").status_code == 200
    for address, status in (("/api/nothing", 404), ("/api/classify", 405)):
        answer = page.get(address)
        assert answer.status_code == answer.json()["status"] == status


def test_nothing_of_a_visitor_stays(page):
    clients, others = set(Client.instances), visitors()
    page.get("/")
    (client,) = set(Client.instances) - clients
    (visitor,) = [one for one in visitors() if one not in others]
    page.portal.call(delete, client)
    gc.collect()
    assert visitor() is None


def visitors():
    return [weakref.ref(one) for one in gc.get_objects() if type(one) is Visitor]


async def delete(name):
    Client.instances[name].delete()
    await asyncio.sleep(0)


class Element:
    """Stands for an element of a page that can be closed."""

    is_deleted = False


@pytest.fixture
def inboxes():
    app = FastAPI()
    add_handlers(app)
    inboxes = Inboxes(app, receive_seconds=5)
    return inboxes, TestClient(app)


def test_an_inbox_answers_until_its_page_is_closed(inboxes):
    inboxes, client = inboxes

    async def count(content):
        return {"bytes": len(content)}

    element = Element()
    closing, open_ = inboxes.open(element, count), inboxes.open(Element(), count)
    assert closing.address != open_.address
    assert client.post(closing.address, content=b"12345").json() == {"bytes": 5}
    element.is_deleted = True
    assert client.post(closing.address, content=b"12345").status_code == 404
    assert client.post(open_.address, content=b"").json() == {"bytes": 0}
    assert client.get(open_.address).status_code == 405
    assert client.post("/page/inbox/guess").status_code == 404
    del closing
    gc.collect()
    assert len(inboxes) == 1


def test_an_inbox_says_what_is_wrong(inboxes):
    inboxes, client = inboxes

    async def refuse(content):
        raise ImageError("no picture") if content else RequestError(422, "nothing in it")

    inbox = inboxes.open(Element(), refuse)
    assert client.post(inbox.address, content=b"1").json()["detail"] == "no picture"
    answer = client.post(inbox.address)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "nothing in it"


def test_rows_of_layers(model):
    rows = layer_rows(model, {"conv1": 0.002, "conv_pw_1": 0.004})
    layers = cost(model.network, fusing="convolutions").layers
    assert [row["name"] for row in rows] == [layer.name for layer in layers]
    assert rows[0]["layer"] == first_layer(model) == "conv1_relu"
    assert rows[0]["shape"] == "16 x 16 x 8"
    assert (rows[0]["time"], rows[0]["time_share"]) == ("2.00", 0.5)
    assert rows[1]["time"] == ""
    assert max(row["macs_share"] for row in rows) == 1


def test_rows_of_predictions(model, pictures):
    found = model.classify(pictures[0], 3)
    assert [row["best"] for row in prediction_rows(found)] == [True, False, False]
    rows = prediction_rows(found, found[2].index)
    assert [row["best"] for row in rows] == [False, False, True]
    assert rows[2]["key"] == found[2].index


def test_a_large_picture_is_drawn_small(model, rng):
    picture = rng.integers(0, 256, (900, 1500, 3), np.uint8)
    found = class_activation_map(model, picture)
    drawn = map_over_picture(picture, found)
    assert drawn.shape == (384, LONGEST_SIDE, 3)
    whole = Image.fromarray(overlay(picture, found)).resize((LONGEST_SIDE, 384))
    difference = np.asarray(whole, np.float64) - drawn
    assert np.abs(difference).mean() < 2  # rounding, and the order of mixing and shrinking
    tall = map_over_picture(picture[:, :2], class_activation_map(model, picture[:, :2]))
    assert tall.shape == (640, 1, 3)


def test_drawings_say_what_they_show(model, rng):
    picture = rng.integers(0, 256, (60, 50, 3), np.uint8)
    drawn = evidence(model, picture, 2)
    assert drawn.address.startswith("data:image/png;base64,")
    assert drawn.caption.startswith("cat, logit ")
    assert maps(model, picture, "conv1").caption.startswith("conv1: 8 channels of 16 x 16")
    assert "negative" in maps(model, picture, "conv1").caption
    assert "black is 0" in maps(model, picture, "conv1_relu").caption


def examples(**classes):
    classifier = KNNClassifier()
    for name, count in classes.items():
        classifier.add_class(name)
        for number in range(count):
            classifier.add_example(np.arange(4) + number, name)
    return classifier


def test_saved_examples_are_the_same_when_read():
    content = write_examples(examples(a=2, b=0))
    found = read_examples(content, 4)
    assert found.get_class_example_count() == {"a": 2, "b": 0}
    found.add_example(np.ones(4), "b")


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (examples(a=1), "embeddings of 4 values, expected 5"),
        (examples(**{str(n): 0 for n in range(MOST_CLASSES + 1)}), "51 classes"),
        (examples(**{"x" * (LONGEST_NAME + 1): 1}), "names of classes"),
        (examples(**{"": 1}), "names of classes"),
    ],
)
def test_other_examples_are_refused(classifier, message):
    with pytest.raises(RequestError, match=message) as caught:
        read_examples(write_examples(classifier), 5)
    assert caught.value.status == 422


def test_numbers_are_no_names():
    classifier = KNNClassifier()
    classifier.add_example(np.ones(4), 7)
    with pytest.raises(RequestError, match="names of classes"):
        read_examples(write_examples(classifier), 4)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}"])
def test_what_is_no_file_of_examples(content):
    with pytest.raises(
        RequestError, match=r"^(not a file of a KNNClassifier|the archive does not end)"
    ) as caught:
        read_examples(content, 4)
    assert "tmp" not in str(caught.value)
