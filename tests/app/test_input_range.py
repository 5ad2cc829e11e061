"""Models whose files do not say what pictures become for them."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from npmobilenet.app.limits import Settings
from npmobilenet.app.server import create_app
from npmobilenet.architecture import Conv2D, Dense, GlobalAveragePooling2D, Input, NetworkBuilder
from npmobilenet.architecture import mobilenet_v1 as v1
from npmobilenet.formats import write_keras_model


@pytest.fixture(scope="module")
def files(tmp_path_factory, lively_weights):
    net = NetworkBuilder(Input(name="in", shape=(32, 32, 3)))
    net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 3), activation="relu"))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=1, activation="sigmoid"))
    folder = tmp_path_factory.mktemp("models")
    own, assumed = net.build("own"), replace(v1((32, 32, 3), 0.25, classes=3), input_range=None)
    write_keras_model(folder / "own.h5", own, lively_weights(own), ("no", "yes"))
    write_keras_model(folder / "assumed.h5", assumed, lively_weights(assumed))
    return folder / "own.h5", folder / "assumed.h5"


def client(files, **options):
    settings = Settings(models=files, backend="numpy", api_only=True, **options)
    return TestClient(
        create_app(settings), base_url="http://localhost", raise_server_exceptions=False
    )


@pytest.mark.parametrize("route", ["classify", "embed"])
def test_an_unknown_range_is_refused(route, files, pictures):
    with client(files) as asked:
        answer = asked.post(f"/api/{route}", files={"images": pictures[0]})
        assert answer.status_code == 422
        assert "--input-range 0 1" in answer.json()["detail"]
        other = asked.post(
            f"/api/{route}", files={"images": pictures[0]}, data={"model": "assumed"}
        )
        assert other.status_code == 200


def test_models_say_what_was_assumed(files):
    with client(files) as asked:
        own, assumed = asked.get("/api/models").json()[:2]
    assert (own["input_range"], own["classes"], own["is_classifier"]) == (None, 2, True)
    assert any("probability of 'yes'" in line for line in own["assumptions"])
    assert assumed["input_range"] == [-1, 1]
    assert any("images come as values of -1 to 1" in line for line in assumed["assumptions"])


def test_a_range_that_is_given(files, pictures):
    with client(files, input_range=(0.0, 1.0)) as asked:
        assert [one["input_range"] for one in asked.get("/api/models").json()[:2]] == [[0, 1]] * 2
        (found,) = asked.post("/api/classify", files={"images": pictures[0]}).json()["results"]
    assert {one["label"] for one in found} == {"no", "yes"}
    assert sum(one["probability"] for one in found) == pytest.approx(1)
