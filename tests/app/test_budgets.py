"""No request gets more work or memory than its budget, and none once nobody waits for it."""

import asyncio
import base64
import io
import json
import threading
from concurrent.futures import Future

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from npmobilenet.app import json_budget
from npmobilenet.app.body_limit import BodyLimit
from npmobilenet.app.failures import RequestError
from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.server import create_app
from npmobilenet.app.service import Service

URLS = ("/api/classify", "/api/embed")
JSON = {"content-type": "application/json"}


def refused(answer, status, *words):
    assert answer.status_code == status, answer.text[:300]
    for word in words:
        assert word in answer.text
    assert len(answer.content) < 20_000


def in_base64(content):
    return base64.b64encode(content).decode()


# Values of JSON --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"images": [%s 1]}' % (b"1," * 60_000),
        b'{"images": [%s 1]}' % (b"1.5," * 40_000),
        b'{"images": [%s ""]}' % (b'"",' * 60_000),
        b'{"images": [%s {}]}' % (b"{}," * 60_000),
        b'{"images": [%s []]}' % (b"[]," * 60_000),
        b'{"images": ["AAAA"], "allow": [%s ""]}' % (b'"",' * 60_000),
        b"{%s}" % b",".join(b'"k%d":1' % number for number in range(15_000)),
        b"[" * 150_000,
        b'{"a":' * 30_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_many_values_are_refused_before_objects_are_made_of_them(client, body, monkeypatch):
    def parsed(*_, **__):
        raise AssertionError("parsed")

    monkeypatch.setattr("pydantic.BaseModel.model_validate_json", parsed)
    for url in URLS:
        refused(client.post(url, content=body, headers=JSON), 422, "more than 5012 values")


def test_as_many_values_as_a_request_may_have(client, pictures):
    labels = [f'one, "two", [{number}], {{3}}' for number in range(2000)]
    body = {"images": [in_base64(pictures[0])] * 2, "deny": labels[:1999], "allow": ["bee"]}
    answer = client.post("/api/classify", json=body)
    refused(answer, 422, "one, ")  # no such classes, but that is the labels' concern
    assert Limits().pictures + 2 * 2000 + 10 < json_budget.MOST_VALUES


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (b'"a,b" , "c"', 3),
        (b'"a\\",b"', 1),
        (b'"a\\\\",b', 2),
        (b'"' + b'\\"' * 100_000, 1),  # never ends: looked at once, and not from each mark again
        (b'"' + b"\\" * 99_999, 1),
        (b'"' + b"\\u0041" * 50_000 + b'"', 1),
        (b'"' + b"\n\x00\xff" * 1000 + b'"', 1),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_strings_count_as_one_whatever_they_hold(text, tokens):
    assert len(list(json_budget._TOKEN.finditer(text))) == tokens


def test_exactly_as_many_as_allowed():
    json_budget.check_json(b"[1, 2, 3]", most=3)
    with pytest.raises(RequestError, match="more than 2"):
        json_budget.check_json(b"[1, 2, 3]", most=2)


# Answers ---------------------------------------------------------------------------------------


def test_what_a_client_sends_comes_back_in_part_at_most(client, pictures):
    long = "k" * 100_000
    refused(client.post("/api/embed", json={long: 1, "images": ["AAAA"]}), 422, "kkk ... kkk")
    refused(client.post("/api/embed", json={"model": long, "images": ["AAAA"]}), 422, "model")
    refused(client.get(f"/api/{long[:50_000]}"), 404, " ... ")
    image = in_base64(pictures[0])
    body = {"images": [image], "allow": [f"{number:0199}" for number in range(800)]}
    refused(client.post("/api/classify", json=body), 422, " ... ")
    keys = {f"{number:0100}": 1 for number in range(1500)}
    refused(client.post("/api/embed", json=keys), 422)
    many = [("images", pictures[0]), *((f"field{number}", (None, b"")) for number in range(900))]
    refused(client.post("/api/embed", files=many), 422)
    refused(client.get("/api/health", headers={"host": long[:50_000]}), 403, "kkk ... ")


# Pictures --------------------------------------------------------------------------------------


def test_pictures_are_decoded_one_at_a_time(client, pictures, monkeypatch):
    steps = []
    for name in ("decode", "classify", "embed"):
        method = getattr(Service, name)

        def noted(*arguments, name=name, method=method, **options):
            steps.append(name)
            return method(*arguments, **options)

        monkeypatch.setattr(Service, name, noted)
    for name, url in zip(("classify", "embed"), URLS, strict=True):
        steps.clear()
        assert client.post(url, json={"images": [in_base64(pictures[0])] * 3}).status_code == 200
        assert steps == ["decode", name] * 3


def test_all_pictures_of_a_request_together_have_a_bound(model_file, model):
    stream = io.BytesIO()
    Image.new("L", (100, 90)).save(stream, "PNG")
    image = in_base64(stream.getvalue())
    limits = Limits(pixels=10_000, request_pixels=20_000)
    with TestClient(
        create_app(Settings(models=(model_file,), api_only=True, limits=limits)),
        base_url="http://localhost",
    ) as client:
        for url in URLS:
            assert client.post(url, json={"images": [image] * 2}).status_code == 200
            refused(
                client.post(url, json={"images": [image] * 3}),
                413,
                "images[2]",
                "20,000 for all pictures of a request",
            )


# Work that nobody waits for --------------------------------------------------------------------


class Steps:
    """A service whose first picture takes until the test says so."""

    def __init__(self, monkeypatch):
        self.begun, self.go_on, self.ended = threading.Event(), threading.Event(), Future()
        self.decoded = 0
        run = Service.decode

        def decode(service, content, **options):
            self.decoded += 1
            self.begun.set()
            assert self.go_on.wait(60)
            return run(service, content, **options)

        monkeypatch.setattr(Service, "decode", decode)


@pytest.fixture
def steps(monkeypatch):
    found = Steps(monkeypatch)
    yield found
    found.go_on.set()


def app_with(model_file, **limits):
    service = Service(Settings(models=(model_file,), api_only=True, limits=Limits(**limits)))
    return create_app(service.settings, service), service


def test_work_ends_with_its_time(model_file, model, pictures, steps):
    app, service = app_with(model_file, running=1, answer_seconds=1.0)
    with TestClient(app, base_url="http://localhost") as client:
        body = {"images": [in_base64(pictures[0])] * 5}
        refused(client.post("/api/classify", json=body), 503, "no answer within")
        steps.go_on.set()
        # The one thread is free again, after one picture of five (or none, on a busy machine).
        service.workers._pool.submit(lambda: None).result(60)
        assert steps.decoded <= 1


def test_work_ends_when_its_client_leaves(model_file, model, pictures, steps):
    app, service = app_with(model_file, running=1)
    body = json.dumps({"images": [in_base64(pictures[0])] * 5}).encode()
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    sent = []

    async def receive():
        if messages:
            return messages.pop()
        await asyncio.to_thread(steps.begun.wait, 60)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/classify",
        "raw_path": b"/api/classify",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert service.workers.admitted == 0
    steps.go_on.set()
    service.workers._pool.submit(lambda: None).result(60)
    assert steps.decoded == 1
    service.close()


def test_health_answers_while_all_threads_are_at_work(model_file, model, pictures, steps):
    app, _ = app_with(model_file, running=1, waiting=1)
    with TestClient(app, base_url="http://localhost") as client:
        asking = threading.Thread(
            target=client.post, args=("/api/embed",), kwargs={"files": {"images": pictures[0]}}
        )
        asking.start()
        assert steps.begun.wait(60)
        health = client.get("/api/health").json()
        assert health["in_flight"] == 1
        steps.go_on.set()
        asking.join()


# Bytes of all requests together ----------------------------------------------------------------


def test_all_bodies_together_have_a_bound_and_are_given_back():
    most_held = []

    async def run():
        full = asyncio.Event()

        async def inner(scope, receive, send):
            while (await receive()).get("more_body"):
                most_held.append(limit.held)
            await full.wait()

        async def send(message):
            sent.append(message)

        sent = []
        limit = BodyLimit(inner, most=100, held=250)

        def request(size):
            parts = [
                {"type": "http.request", "body": bytes(size), "more_body": i < 1} for i in (0, 1)
            ]
            parts = parts[::-1]

            async def receive():
                return parts.pop()

            return asyncio.create_task(limit({"type": "http", "headers": []}, receive, send))

        waiting = [request(50), request(50)]
        await asyncio.sleep(0)
        assert limit.held == 200
        await request(50)
        assert sent[0]["status"] == 503
        assert b"come back later" in sent[1]["body"]
        assert limit.held == 200
        assert not waiting[0].done()
        full.set()
        await asyncio.gather(*waiting)
        assert limit.held == 0
        await request(50)
        assert limit.held == 0

    asyncio.run(run())
    assert max(most_held) <= 300


@pytest.mark.parametrize("size", [150, 60])
def test_a_refusal_survives_what_others_make_of_the_exception(size):
    """Middleware that runs the application in a task group raises a group of exceptions."""
    sent = []

    async def inner(scope, receive, send):
        try:
            while True:
                await receive()
        except Exception as error:
            raise ExceptionGroup("unhandled errors", [error]) from error

    async def receive():
        return {"type": "http.request", "body": bytes(size), "more_body": True}

    async def send(message):
        sent.append(message)

    limit = BodyLimit(inner, most=100, held=250)
    asyncio.run(limit({"type": "http", "headers": []}, receive, send))
    assert sent[0]["status"] == 413
    assert b"expected at most 100" in sent[1]["body"]
    assert limit.held == 0


def test_embeddings_one_by_one_are_those_of_a_batch(client, model, pictures):
    files = [("images", picture) for picture in pictures[:4]]
    found = np.array(client.post("/api/embed", files=files).json()["embeddings"], np.float32)
    np.testing.assert_array_equal(found, model.embed(pictures[:4]))
