"""A real server in a process of its own, under load and with clients that behave badly."""

import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import httpx2
import numpy as np
import pytest

LIMIT = 200_000


@pytest.fixture(scope="module")
def server(model_file, tmp_path_factory):
    """The address of a server, and the file with what it prints."""
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "npmobilenet", "app", "--api-only", "--port", "0"]
    command += ["--model", str(model_file), "--max-upload", str(LIMIT)]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
        try:
            yield _address(process, log), log
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text()


def _address(process, log):
    for _ in range(1200):  # the first call on a machine compiles the kernels
        found = re.search(r"listening on (http://\S+)", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"not started: {log.read_text()}")


@pytest.mark.parametrize("clients", [1, 4, 16])
def test_no_wrong_answer_under_load(server, model, pictures, clients):
    expected = [[asdict(row) for row in model.classify(picture, 7)] for picture in pictures]
    embeddings = model.embed(pictures)
    start = threading.Barrier(clients)

    def ask(number):
        rng = np.random.default_rng(number)
        with httpx2.Client(base_url=server[0], timeout=60) as client:
            start.wait()
            for step in range(24):
                chosen = rng.integers(0, len(pictures), 1 + step % 3)
                files = [("images", pictures[i]) for i in chosen]
                if step % 2:
                    answer = client.post("/api/classify", files=files, data={"topk": 7}).json()
                    assert answer["results"] == [expected[i] for i in chosen]
                else:
                    answer = client.post("/api/embed", files=files).json()
                    found = np.array(answer["embeddings"], np.float32)
                    np.testing.assert_array_equal(found, embeddings[chosen])
        return step

    with ThreadPoolExecutor(clients) as pool:
        assert list(pool.map(ask, range(clients))) == [23] * clients


def test_clients_that_leave_hold_no_place(server, pictures):
    host, port = httpx2.URL(server[0]).host, httpx2.URL(server[0]).port
    head = b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n'
    for number in range(100):  # more than may wait
        with socket.create_connection((host, port)) as connection:
            connection.sendall((head + part + pictures[0])[: 60 + 15 * number])
    with httpx2.Client(base_url=server[0]) as client:
        for _ in range(100):
            if client.get("/api/health").json()["in_flight"] == 0:
                break
            time.sleep(0.05)
        assert client.get("/api/health").json()["in_flight"] == 0
        assert client.post("/api/classify", files={"images": pictures[0]}).status_code == 200


def test_bodies_without_a_length_are_cut_off(server):
    def endless():
        for _ in range(10_000):
            yield b" " * 10_000

    headers = {"content-type": "application/json"}
    with httpx2.Client(base_url=server[0]) as client:
        try:
            answer = client.post("/api/classify", content=endless(), headers=headers)
        except httpx2.WriteError:
            pass  # the server closed the connection while the client was still sending
        else:
            assert answer.status_code == 413
        large = client.post("/api/classify", content=b" " * (LIMIT + 1), headers=headers)
        assert large.status_code == 413


def test_other_hosts_do_not_reach_it(server):
    port = httpx2.URL(server[0]).port
    outside = {address[4][0] for address in socket.getaddrinfo(socket.gethostname(), port)}
    for address in outside - {"127.0.0.1", "::1", "127.0.1.1"}:
        with pytest.raises(OSError), socket.create_connection((address, port), timeout=2):  # noqa: PT011
            pass


def test_a_taken_port_is_one_line(server, model_file):
    port = httpx2.URL(server[0]).port
    command = [sys.executable, "-m", "npmobilenet", "app", "--api-only", "--port", str(port)]
    found = subprocess.run(
        [*command, "--model", str(model_file)], capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 1
    assert found.stderr.startswith("error:")
    assert str(port) in found.stderr
    assert found.stderr.count("\n") == 1
