"""Random and damaged requests: always an answer of the endpoint's own, never a 500."""

import base64
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URLS = st.sampled_from(["/api/classify", "/api/embed"])
KINDS = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x; charset=rot13",
        "multipart/form-data",
        "text/plain",
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["images", "model", "topk", "threshold", "allow", "deny", "x"]), inner
        )
    ),
    max_leaves=12,
)
slow_fixtures = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def post(client, url, body, kind):
    """Send bytes in several pieces, as a network would bring them."""
    pieces = [body[start : start + 997] for start in range(0, len(body), 997)]
    answer = client.post(url, content=iter(pieces), headers={"content-type": kind})
    assert answer.status_code in (200, 400, 404, 413, 415, 422), answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    return answer


@slow_fixtures
@given(url=URLS, kind=KINDS, body=st.binary(max_size=3000))
def test_random_bytes(client, url, kind, body):
    assert post(client, url, body, kind).status_code != 200


@slow_fixtures
@given(url=URLS, document=ANY_JSON)
def test_random_documents(client, url, document):
    post(client, url, json.dumps(document).encode(), "application/json")


@slow_fixtures
@given(url=URLS, data=st.data())
def test_damaged_documents(client, pictures, url, data):
    images = [base64.b64encode(pictures[0]).decode()]
    body = bytearray(json.dumps({"images": images}).encode())
    damage(body, data)
    post(client, url, bytes(body), "application/json")


@slow_fixtures
@given(url=URLS, data=st.data())
def test_damaged_forms(client, pictures, url, data):
    head = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    body = bytearray(
        head % (b"images", b'; filename="a.png"')
        + data.draw(st.sampled_from(pictures))
        + b"\r\n"
        + head % (b"model", b"")
        + b"zoo\r\n--x--\r\n"
    )
    damage(body, data)
    post(client, url, bytes(body), "multipart/form-data; boundary=x")


@slow_fixtures
@given(data=st.data())
def test_damaged_pictures(client, pictures, data):
    picture = bytearray(data.draw(st.sampled_from(pictures)))
    damage(picture, data)
    answer = client.post("/api/embed", files={"images": bytes(picture)})
    assert answer.status_code in (200, 400, 413), answer.text


def damage(body, data):
    """Cut, overwrite or double a part."""
    start = data.draw(st.integers(0, len(body) - 1))
    stop = data.draw(st.integers(start, min(start + 200, len(body))))
    kind = data.draw(st.sampled_from(["end", "cut", "overwrite", "double"]))
    if kind == "end":
        del body[start:]
    elif kind == "cut":
        del body[start:stop]
    elif kind == "overwrite":
        body[start:stop] = data.draw(st.binary(min_size=stop - start, max_size=stop - start))
    else:
        body[start:start] = body[start:stop]
