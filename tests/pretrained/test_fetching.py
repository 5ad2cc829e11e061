"""Every way in which weights are found, and every way in which that fails."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import h5py
import numpy as np
import pytest

from npmobilenet import atomic
from npmobilenet.errors import DownloadError, UnknownModelError
from npmobilenet.formats import read_weights, write_keras_h5
from npmobilenet.pretrained import CATALOGUE, Entry, downloading, places


def assert_nothing_left(cache):
    assert not cache.exists() or list(cache.iterdir()) == []


def assert_right(fetched, entry: Entry, weights):
    found = read_weights(fetched.path, entry.network())
    assert found.keys() == weights.keys()
    for name, tensor in weights.items():
        np.testing.assert_array_equal(found[name], tensor)


# Download --------------------------------------------------------------------------------------


def test_download_is_verified_and_kept(fetch, server, cache, entry, weights):
    fetched = fetch(entry.name)
    assert fetched.verified
    assert fetched.entry == entry
    assert fetched.path == cache / entry.filename
    assert fetched.source.endswith(f"/mirror/mobilenet/{entry.filename}")
    assert [path.name for path in cache.iterdir()] == [entry.filename]
    assert_right(fetched, entry, weights)

    again = fetch(entry.name)
    assert again.source == f"cache {cache}"
    assert again.verified
    assert server.requests == [f"/mirror/mobilenet/{entry.filename}"]


def test_without_a_digest_names_and_shapes_are_checked(fetch, server):
    name = "mobilenet_v1_0.25_128"
    assert CATALOGUE[name].digest is None
    assert not fetch(name).verified
    assert not fetch(name).verified  # nor from the cache
    assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", ["truncated", "missing", "stalled"])
def test_failing_servers_leave_nothing(fetch, server, cache, entry, behaviour, monkeypatch):
    monkeypatch.setattr(downloading, "TIMEOUT", 0.3)
    server.behaviour = behaviour
    reason = {"truncated": "bytes", "missing": "404", "stalled": "timed out"}[behaviour]
    with pytest.raises(DownloadError, match=rf"mirror/.*(?i:{reason})") as caught:
        fetch(entry.name)
    assert "\n" not in str(caught.value)
    assert places.WEIGHTS_VARIABLE in str(caught.value)
    assert_nothing_left(cache)


def test_refused_connection_leaves_nothing(fetch, cache, entry):
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9/\S*: .*refused"):
        fetch(entry.name)
    assert_nothing_left(cache)


def test_corrupt_content_is_refused(fetch, server, cache, entry, good_file, tmp_path):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(good_file.read_bytes())
    with h5py.File(damaged, "r+") as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if "conv1/" in name else None)
        dataset = next(file[name] for name in found if isinstance(file[name], h5py.Dataset))
        dataset[(0,) * dataset.ndim] += 1e-3  # one value of half a million
    server.content = damaged.read_bytes()
    with pytest.raises(DownloadError, match="digest"):
        fetch(entry.name)
    assert_nothing_left(cache)


@pytest.mark.parametrize("content", [b"", b"<html>no such bucket</html>", b"\x89HDF\r\n\x1a\n"])
def test_content_that_is_no_model_is_refused(fetch, server, cache, content):
    server.content = content
    with pytest.raises(DownloadError, match=r"mirror/.*\.h5"):
        fetch("mobilenet_v1_0.25_128")
    assert_nothing_left(cache)


def test_weights_of_another_network_are_refused(fetch, server, cache, write_file, tmp_path):
    other = write_file(tmp_path / "other.h5", CATALOGUE["mobilenet_v1_0.5_128"], 3)
    server.content = other.read_bytes()
    with pytest.raises(DownloadError, match="conv1"):
        fetch("mobilenet_v1_0.25_128")
    assert_nothing_left(cache)


def test_interrupted_download_leaves_nothing(fetch, server, cache, entry, monkeypatch, weights):
    def interrupt(self, received):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(downloading.ProgressBar, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(entry.name)
    assert_nothing_left(cache)
    assert_right(fetch(entry.name), entry, weights)


def test_a_damaged_cache_is_replaced(fetch, server, cache, entry, weights):
    cache.mkdir()
    (cache / entry.filename).write_bytes(b"half a file")
    fetched = fetch(entry.name)
    assert "mirror" in fetched.source
    assert_right(fetched, entry, weights)


def test_a_cache_that_cannot_be_written_is_named(fetch, server, entry, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv(places.CACHE_VARIABLE, str(blocked / "cache"))
    with pytest.raises(DownloadError, match="Not a directory"):
        fetch(entry.name)


def test_threads_do_not_clash(fetch, server, cache, entry):
    results = []
    threads = [threading.Thread(target=lambda: results.append(fetch(entry.name))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert {(result.path, result.verified) for result in results} == {
        (cache / entry.filename, True)
    }
    assert [path.name for path in cache.iterdir()] == [entry.filename]


def test_processes_do_not_clash(server, cache):
    name = "mobilenet_v1_0.25_128"
    code = f"from npmobilenet.pretrained import fetch; print(fetch({name!r}).path)"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    expected = str(cache / CATALOGUE[name].filename)
    assert [child.communicate(timeout=60)[0].strip() for child in children] == [expected] * 3
    assert [path.name for path in cache.iterdir()] == [CATALOGUE[name].filename]


# Folders ---------------------------------------------------------------------------------------


def test_folders_come_first_and_are_not_copied(
    fetch, server, cache, entry, good_file, tmp_path, monkeypatch
):
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv(
        places.WEIGHTS_VARIABLE, os.pathsep.join(["", str(tmp_path / "absent"), str(folder)])
    )
    (folder / entry.filename).write_bytes(good_file.read_bytes())
    fetched = fetch(entry.name)
    assert fetched.path == folder / entry.filename
    assert fetched.source == f"folder {folder}"
    assert fetched.verified
    assert server.requests == []
    assert_nothing_left(cache)


def test_a_checkout_brings_its_weights(fetch, entry, good_file, tmp_path, monkeypatch):
    (tmp_path / entry.filename).write_bytes(good_file.read_bytes())
    monkeypatch.setattr(places, "checkout_folder", lambda: tmp_path)
    assert fetch(entry.name).source == f"folder {tmp_path}"


def test_the_digest_finds_a_file_of_any_name(
    fetch, entry, good_file, tmp_path, monkeypatch, write_file
):
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv(places.WEIGHTS_VARIABLE, str(folder))
    (folder / "notes.txt").write_text("no model")
    (folder / "noise.bin").write_bytes(b"\0" * good_file.stat().st_size)
    write_file(folder / "another_training.h5", entry, 8)
    (folder / "my_download (1)").write_bytes(good_file.read_bytes())
    fetched = fetch(entry.name)
    assert fetched.path.name == "my_download (1)"
    assert fetched.verified


def test_without_a_digest_only_the_name_counts(fetch, good_file, tmp_path, monkeypatch):
    monkeypatch.setenv(places.WEIGHTS_VARIABLE, str(good_file.parent))
    with pytest.raises(DownloadError, match=r"no mobilenet_2_5_128_tf\.h5"):
        fetch("mobilenet_v1_0.25_128")


def test_a_wrong_file_in_a_folder_is_passed_over(
    fetch, server, entry, tmp_path, monkeypatch, write_file
):
    monkeypatch.setenv(places.WEIGHTS_VARIABLE, str(tmp_path))
    write_file(tmp_path / entry.filename, entry, 5)
    assert "mirror" in fetch(entry.name).source
    server.behaviour = "missing"
    (places.cache_folder() / entry.filename).unlink()
    with pytest.raises(DownloadError, match=r"folder .*digest.*404"):
        fetch(entry.name)


def test_1001_classes_lose_the_background(fetch, cache, entry, weights, tmp_path, monkeypatch):
    monkeypatch.setenv(places.WEIGHTS_VARIABLE, str(tmp_path))
    wide = dict(weights)
    for name in ("conv_preds/kernel", "conv_preds/bias"):
        background = np.ones((*wide[name].shape[:-1], 1), np.float32)
        wide[name] = np.concatenate([background, wide[name]], axis=-1)
    write_keras_h5(tmp_path / "wide.h5", entry.network(classes=1001), wide)
    fetched = fetch(entry.name)
    assert fetched.verified
    assert fetched.source == f"folder {tmp_path}"
    assert fetched.path == cache / entry.filename
    assert_right(fetched, entry, weights)


def test_a_file_with_the_top_serves_and_verifies_the_network_without(
    fetch, entry, good_file, tmp_path, monkeypatch, weights
):
    monkeypatch.setenv(places.WEIGHTS_VARIABLE, str(tmp_path))
    (tmp_path / entry.filename).write_bytes(good_file.read_bytes())
    no_top = CATALOGUE[f"{entry.name}_no_top"]
    fetched = fetch(no_top.name)
    assert fetched.verified
    backbone = {name: weights[name] for name in no_top.network().variables}
    assert_right(fetched, no_top, backbone)


def test_a_wrong_file_with_the_top_does_not_serve_the_network_without(
    fetch, entry, tmp_path, monkeypatch, write_file
):
    monkeypatch.setenv(places.WEIGHTS_VARIABLE, str(tmp_path))
    write_file(tmp_path / entry.filename, entry, 5)
    with pytest.raises(DownloadError, match=r"folder .*digest"):
        fetch(f"{entry.name}_no_top")


def test_unknown_names(fetch):
    with pytest.raises(UnknownModelError, match="nearest"):
        fetch("mobilenet_v3_1.0_224")


# Surroundings ----------------------------------------------------------------------------------


def test_importing_loads_nothing_that_downloads():
    code = (
        "import sys, npmobilenet.pretrained; "
        "print(sorted({'pooch', 'requests', 'rich', 'platformdirs'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_places_follow_the_environment(monkeypatch, tmp_path):
    assert places.weight_folders() == []
    assert places.base_url() == "http://127.0.0.1:9/"
    for variable in (places.CACHE_VARIABLE, places.BASE_URL_VARIABLE):
        monkeypatch.setenv(variable, "")
    assert places.cache_folder().name == "npmobilenet"
    assert places.base_url() == "https://storage.googleapis.com/tensorflow/keras-applications/"


def test_the_bar_counts_on_terminals_only(capfd):
    with downloading.ProgressBar("file.h5", shown=True) as bar:
        bar.total = 10
        bar.update(4)
        assert bar.total == 10
        bar.reset()
        bar.close()
    assert capfd.readouterr() == ("", "")


def test_entries_are_data():
    with pytest.raises(AttributeError):
        CATALOGUE["mobilenet_v1_1.0_224"].alpha = 2
    assert replace(CATALOGUE["mobilenet_v1_1.0_224"], digest=None).digest is None


def test_a_server_that_never_stops_sending(fetch, server, entry, cache, monkeypatch):
    monkeypatch.setattr(downloading, "MAX_BYTES", 1_000_000)
    with pytest.raises(DownloadError, match=r"the server sends more than 1,000,000 bytes"):
        fetch(entry.name)
    assert_nothing_left(cache)


@pytest.mark.skipif(atomic.fcntl is None, reason="this system has no such locks")
def test_what_a_killed_fetch_left_goes_with_the_next(fetch, server, entry, cache):
    server.behaviour = "stalled"
    code = f"from npmobilenet.pretrained import fetch; fetch({entry.name!r}, progress=False)"
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        while not list(cache.glob(f".npmobilenet-*/{entry.filename}")):
            assert child.poll() is None
            time.sleep(0.01)
        child.kill()
    server.finish.set()
    server.behaviour = "good"
    fetch(entry.name)
    assert [path.name for path in cache.iterdir()] == [entry.filename]
