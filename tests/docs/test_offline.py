"""The check that the site needs no other server."""

import importlib.util
from pathlib import Path

import pytest

OFFLINE = Path(__file__).parents[2] / "docs" / "offline.py"


@pytest.fixture(scope="module")
def offline():
    spec = importlib.util.spec_from_file_location("offline", OFFLINE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/a.css">',
        '<img src="http://example/a.png">',
    ],
)
def test_what_is_fetched_from_elsewhere_is_found(offline, tmp_path, text):
    (tmp_path / "page.html").write_text(f"<html>{text}</html>")
    (found,) = offline.foreign_addresses(tmp_path)
    assert found.startswith("page.html: ")
    assert "example" in found


def test_links_and_own_files_are_fine(offline, tmp_path):
    (tmp_path / "page.html").write_text(
        '<a href="https://arxiv.org">paper</a><img src="_images/a.png"><script>1</script>'
        '<link rel="canonical" href="https://example">'
    )
    assert offline.foreign_addresses(tmp_path) == []


def test_style_sheets_are_looked_into(offline, tmp_path):
    (tmp_path / "a.css").write_text('a { background: url("https://example/a.png") }')
    assert offline.foreign_addresses(tmp_path) == ["a.css: a url()"]
