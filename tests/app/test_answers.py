"""What the endpoint answers is what the library gives."""

import base64
import json
from dataclasses import asdict

import numpy as np
import pytest
from click.testing import CliRunner

from npmobilenet.cli import main


def as_json(pictures, **options):
    return {"json": {"images": [base64.b64encode(p).decode() for p in pictures], **options}}


def as_form(pictures, **options):
    return {"files": [("images", (f"{i}.bin", p)) for i, p in enumerate(pictures)], "data": options}


@pytest.mark.parametrize("body", [as_json, as_form])
def test_classify_as_the_model_does(client, model, pictures, body):
    options = {"topk": 3, "threshold": 0.01, "allow": ["ant", "bee", "cat", "fox"], "deny": ["bee"]}
    answer = client.post("/api/classify", **body(pictures, **options))
    assert answer.status_code == 200
    expected = [[asdict(row) for row in model.classify(p, **options)] for p in pictures]
    assert answer.json() == {"model": "zoo", "results": expected}


@pytest.mark.parametrize("body", [as_json, as_form])
def test_embed_as_the_model_does(client, model, pictures, body):
    answer = client.post("/api/embed", **body(pictures, model="zoo")).json()
    assert (answer["model"], answer["size"]) == ("zoo", 256)
    found = np.array(answer["embeddings"], np.float32)
    np.testing.assert_array_equal(found, model.embed(pictures))


def test_models_says_what_there_is(client):
    (zoo, *_) = client.get("/api/models").json()
    assert (zoo["name"], zoo["default"], zoo["is_classifier"]) == ("zoo", True, True)
    assert (zoo["input_size"], zoo["classes"], zoo["embedding_size"]) == ([32, 32], 7, 256)
    assert zoo["parameters"] > 200_000
    assert zoo["macs"] > 800_000


def test_health_says_the_limits(client, limits):
    answer = client.get("/api/health").json()
    assert answer["status"] == "ok"
    assert answer["limits"] == asdict(limits)
    assert answer["in_flight"] == 0


def test_the_documentation_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("/docs-assets/") == 3
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert client.get(f"/docs-assets/{name}").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/api/classify", "/api/embed"):
        body = paths[path]["post"]["requestBody"]
        assert set(body["content"]) == {"application/json", "multipart/form-data"}
        refused = paths[path]["post"]["responses"]["422"]["content"]["application/problem+json"]
        places = refused["schema"]["properties"]["errors"]["anyOf"][0]["items"]
        assert set(places["properties"]) == {"field", "message"}
        assert "$defs" not in json.dumps(paths[path])  # nobody would find them there
        assert {"400", "404", "413", "415", "422", "503"} < set(paths[path]["post"]["responses"])


def test_without_the_page_the_root_leads_to_the_documentation(client):
    assert client.get("/", follow_redirects=False).headers["location"] == "/docs"


def test_the_command_says_what_is_wrong_before_it_listens(tmp_path):
    for arguments in (("--model", "mobilenet_v9"), ("--model", str(tmp_path / "none.h5"))):
        result = CliRunner().invoke(main, ["app", "--api-only", "--port", "0", *arguments])
        assert result.exit_code == 1
        assert result.stderr.startswith("error:")
