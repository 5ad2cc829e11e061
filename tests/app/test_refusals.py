"""Every bad request gets a status of its own, one sentence, and no traceback."""

import base64
import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.server import create_app
from npmobilenet.errors import DownloadError

URLS = ("/api/classify", "/api/embed")
JSON = {"content-type": "application/json"}


def refused(answer, status, *words):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    for word in words:
        assert word in answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


@pytest.mark.parametrize("url", URLS)
def test_broken_pictures(client, pictures, url):
    png = pictures[0]
    for content in (b"", b"no picture", png[:200], png[:8] + b"\0" * 500, b"<svg/>"):
        files = [("images", ("fine.png", png)), ("images", ("broken.png", content))]
        refused(client.post(url, files=files), 400, "images[1]")


@pytest.mark.parametrize("url", URLS)
def test_too_many_pixels_are_refused_before_they_are_decoded(client, url):
    stream = io.BytesIO()
    Image.new("1", (6000, 6000)).save(stream, "PNG")  # some 5 kB for 36 million pixels
    assert len(stream.getvalue()) < 10_000
    refused(client.post(url, files={"images": stream.getvalue()}), 413, "6000 x 6000")


@pytest.mark.parametrize("url", URLS)
def test_large_bodies_announced_or_not(client, url):
    refused(client.post(url, content=b" " * 200_001, headers=JSON), 413, "announced 200001")

    def endless():
        for _ in range(50):
            yield b" " * 10_000

    refused(client.post(url, content=endless(), headers=JSON), 413, "more than 200000")
    form = {"content-type": "multipart/form-data; boundary=x"}
    refused(client.post(url, content=endless(), headers=form), 413, "more than 200000")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "image/png"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=str,
)
def test_other_types_of_bodies(client, pictures, headers):
    for url in URLS:
        refused(client.post(url, content=pictures[0], headers=headers), 415, "content type")


def test_other_types_of_parts(client, pictures):
    files = {"images": ("a.txt", pictures[0], "text/plain")}
    refused(client.post("/api/embed", files=files), 415, "text/plain", "image/*")
    files = {"images": ("a.bin", pictures[0], "application/octet-stream")}
    assert client.post("/api/embed", files=files).status_code == 200


def test_unknown_models(client, pictures):
    for url in URLS:
        answer = client.post(url, files={"images": pictures[0]}, data={"model": "resnet"})
        refused(answer, 404, "resnet", "zoo")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"topk": 0}, "topk"),
        ({"topk": 6}, "at most 5"),
        ({"topk": "many"}, "topk"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": "nan"}, "threshold"),
        ({"allow": ["unicorn"]}, "unicorn"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_options_that_make_no_sense(client, pictures, options, word):
    answer = client.post("/api/classify", files={"images": pictures[0]}, data=options)
    refused(answer, 422, word)
    image = base64.b64encode(pictures[0]).decode()
    refused(client.post("/api/classify", json={"images": [image], **options}), 422, word)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b""),
        (400, b"{"),
        (400, b'{"images": ["'),
        (400, b"\xff\xfe"),
        (422, b"[]"),
        (422, b"null"),
        (422, b"{}"),
        (422, b'{"images": []}'),
        (422, b'{"images": "AAAA"}'),
        (422, b'{"images": [1]}'),
        (422, b'{"images": ["%%%"]}'),
        (400, b"[" * 1000),
        (422, b"[" * 100_000),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_json_that_is_none_or_another(client, status, body):
    for url in URLS:
        refused(client.post(url, content=body, headers=JSON), status)


def test_forms_that_are_none_or_another(client, pictures):
    part = b'--x\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n'
    for kind, body, status in (
        ("multipart/form-data", b"", 400),  # no boundary
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"garbage", 400),
        ("multipart/form-data; boundary=x", part + pictures[0], 400),  # never ends
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--\r\n", 400),
        (
            "multipart/form-data; boundary=x; charset=hex",
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nff\r\n--x--\r\n',
            422,
        ),
    ):
        refused(client.post("/api/embed", content=body, headers={"content-type": kind}), status)
    for head in (
        b"a: b\r\n" * 20_000,
        b"a: " + b"b" * 100_000 + b"\r\n",
        b"a" * 100_000 + b":b\r\n",
    ):
        body = b"--x\r\n" + head + part[5:] + pictures[0] + b"\r\n--x--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=x"}
        refused(client.post("/api/embed", content=body, headers=kind), 400)
    refused(client.post("/api/embed", files={"pictures": pictures[0]}), 422, "pictures")
    twice = [("images", pictures[0]), ("model", (None, b"zoo")), ("model", (None, b"zoo"))]
    refused(client.post("/api/embed", files=twice), 422, "more than once")
    many = [("images", pictures[0])] * 13
    refused(client.post("/api/embed", files=many), 400, "Maximum number of files is 12")
    image = base64.b64encode(b"x").decode()
    refused(client.post("/api/embed", json={"images": [image] * 13}), 422, "at most 12")


def test_other_addresses_and_methods(client):
    refused(client.get("/api/nothing"), 404, "/docs")
    refused(client.get("/api/classify"), 405, "expected POST, found GET")
    assert client.delete("/api/models").headers["allow"] == "GET"
    assert client.get("/api/models").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil", "[", "a b"]
)
def test_foreign_names_of_the_server(client, host):
    refused(client.get("/api/health", headers={"host": host}), 403, "--allow-host")


@pytest.mark.parametrize(
    "host", ["localhost:80", "LOCALHOST", "127.0.0.1", "127.0.0.1:8080", "[::1]:80"]
)
def test_own_names_of_the_server(client, host):
    headers = {"host": host, "origin": f"http://{host.lower()}"}
    assert client.get("/api/health", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://[", ""]
)
def test_pages_of_other_sites(client, pictures, origin):
    answer = client.post("/api/embed", files={"images": pictures[0]}, headers={"origin": origin})
    refused(answer, 403, "may not call")
    assert "access-control-allow-origin" not in answer.headers


@pytest.fixture
def fragile(model_file, model):
    """An application whose service can be broken."""
    app = create_app(Settings(models=(model_file,), api_only=True))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def test_what_goes_wrong_inside_stays_inside(fragile, pictures, monkeypatch):
    def broken(*_, **__):
        raise KeyError("/home/somebody/secret")

    monkeypatch.setattr("npmobilenet.app.service.Service.embed", broken)
    answer = fragile.post("/api/embed", files={"images": pictures[0]})
    refused(answer, 500)
    assert "secret" not in answer.text
    assert "KeyError" not in answer.text


def test_weights_that_cannot_be_had(fragile, pictures, monkeypatch):
    def missing(*_, **__):
        raise DownloadError("not in /home/somebody/cache")

    monkeypatch.setattr("npmobilenet.app.models.load_model", missing)
    answer = fragile.post("/api/embed", files={"images": pictures[0]})
    refused(answer, 503, "cannot be had")
    assert "somebody" not in answer.text


def test_a_model_without_classifier_only_embeds(tmp_path, lively_weights, pictures, model):
    from npmobilenet.architecture import mobilenet_v2
    from npmobilenet.formats import write_keras_model

    network = mobilenet_v2((32, 32, 3), 0.35, include_top=False)
    write_keras_model(tmp_path / "trunk.h5", network, lively_weights(network))
    app = create_app(Settings(models=(tmp_path / "trunk.h5",), api_only=True))
    with TestClient(app, base_url="http://localhost") as client:
        refused(client.post("/api/classify", files={"images": pictures[0]}), 422, "only embed")
        answer = client.post("/api/embed", files={"images": pictures[0]}).json()
        assert answer["size"] == 1280
        assert np.isfinite(answer["embeddings"]).all()
        assert client.get("/api/models").json()[0]["is_classifier"] is False


@pytest.mark.parametrize("bound", ["upload_bytes", "pixels", "pictures", "topk", "answer_seconds"])
def test_bounds_are_positive(bound):
    with pytest.raises(ValueError, match=bound):
        Limits(**{bound: 0})
