"""Connections that keep a server waiting, on a real socket and both of uvicorn's parsers."""

import asyncio
import base64
import contextlib
import json
import threading

import pytest
import uvicorn
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from npmobilenet.app.connections import Guard, SocketLimit, guarded_protocol
from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.server import create_app
from npmobilenet.app.service import Service

HEAD = b"POST /api/embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPLOAD = 1 << 20


def protocols():
    with contextlib.suppress(ImportError):
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        yield HttpToolsProtocol
    yield H11Protocol


class Served:
    """A server in the test's own event loop."""

    def __init__(self, server, service, port):
        self.server, self.service, self.port = server, service, port
        self.writers = []

    async def open(self, sent=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        self.writers.append(writer)
        writer.write(sent)
        return reader, writer

    async def close(self):
        for writer in self.writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def ask(self, sent):
        """What comes back until the server closes or has answered with a body."""
        reader, writer = await self.open(sent)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        answer = await answered(reader)
        writer.close()
        return answer

    @property
    def connections(self):
        return self.server.server_state.connections

    async def until(self, condition):
        """Let the server go on; the time limit of tests ends what never comes."""
        while not condition():
            await asyncio.sleep(0.005)


async def answered(reader):
    """Status and body of the next answer; (0, b"") if the connection ends instead."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].split(b"\r\n")[0]
        body = reader.readexactly(int(length)) if length else reader.read()
        return int(head.split()[1]), await body
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""


@pytest.fixture(params=list(protocols()), ids=lambda kind: kind.__name__)
def served(request, model_file, model):
    """``served(test, **limits)``: run a coroutine function with a server of these limits."""

    def run(test, **limits):
        async def main():
            settings = Settings(
                models=(model_file,),
                api_only=True,
                limits=Limits(**({"upload_bytes": UPLOAD} | limits)),
            )
            service = Service(settings)
            config = uvicorn.Config(
                create_app(settings, service),
                port=0,
                log_level="critical",
                http=guarded_protocol(settings.limits, request.param),
                timeout_keep_alive=300,
            )
            server = uvicorn.Server(config)
            server.install_signal_handlers = lambda: None
            running = asyncio.create_task(server._serve())
            while not server.started:
                await asyncio.sleep(0.005)
            port = server.servers[0].sockets[0].getsockname()[1]
            it = Served(server, service, port)
            try:
                await test(it)
            finally:
                await it.close()
                server.should_exit = server.force_exit = True
                await running

        asyncio.run(main())

    return run


def test_idle_connections_make_room(served):
    async def test(it):
        silent = [await it.open() for _ in range(12)]
        half = [await it.open(b"GET /api/health HTTP/1.1\r\nHost: loc") for _ in range(12)]
        assert (await it.ask(HEALTH))[0] == 200
        await it.until(lambda: len(it.connections) <= 8)
        assert await answered(silent[0][0]) == (0, b"")  # the oldest went first
        half[-1][1].write(b"alhost\r\n\r\n")  # and the youngest is still there
        assert (await answered(half[-1][0]))[0] == 200

    served(test, connections=8)


def test_bodies_that_do_not_come_make_room_after_those_that_are_idle(served, pictures):
    body = json.dumps({"images": [base64.b64encode(pictures[0]).decode()]}).encode()
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)

    async def test(it):
        slow = [await it.open(head + body[:5]) for _ in range(6)]
        await it.until(lambda: sum(one.waits_for_body for one in it.connections) == 6)
        idle = [await it.open() for _ in range(2)]
        await it.until(lambda: len(it.connections) == 8)
        assert it.service.workers.admitted == 0  # they hold no place among what is computed
        for _ in range(2):
            await it.open()
        assert [await answered(reader) for reader, _ in idle] == [(0, b"")] * 2
        slow[-1][1].write(body[5:])
        assert (await answered(slow[-1][0]))[0] == 200
        for _ in range(10):
            await it.open(head + body[:5])
            assert (await it.ask(head + body))[0] == 200
        assert await answered(slow[0][0]) == (0, b"")

    served(test, connections=8, waiting=1)


def test_a_server_that_computes_on_every_connection_says_so(served, pictures, monkeypatch):
    go_on = threading.Event()
    decode = Service.decode

    def slow(service, content, **options):
        assert go_on.wait(60)
        return decode(service, content, **options)

    monkeypatch.setattr(Service, "decode", slow)
    body = json.dumps({"images": [base64.b64encode(pictures[0]).decode()]}).encode()

    async def test(it):
        sent = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        busy = [await it.open(sent) for _ in range(3)]
        await it.until(lambda: it.service.workers.admitted == 3)
        reader, _ = await it.open()
        assert await answered(reader) == (503, b"")
        go_on.set()
        for reader, _ in busy:
            assert (await answered(reader))[0] == 200

    served(test, connections=3)


def test_connections_without_a_request_are_closed_in_time(served):
    async def test(it):
        silent, _ = await it.open()
        half, _ = await it.open(b"GET /api/health HTTP/1.1\r\n")
        used, writer = await it.open(HEALTH)
        assert (await answered(used))[0] == 200
        writer.write(b"GET /api/he")  # little by little
        for reader in (silent, half, used):
            assert await answered(reader) == (0, b"")
        await it.until(lambda: not it.connections)

    served(test, idle_seconds=0.2)


def test_a_body_that_nobody_reads_is_not_waited_for(served, monkeypatch):
    async def never(*_):
        await asyncio.sleep(300)

    monkeypatch.setattr("npmobilenet.app.api.read_request", never)

    async def test(it):
        reader, _ = await it.open(HEAD + b"Content-Length: 100\r\n\r\n{")
        assert await answered(reader) == (0, b"")
        await it.until(lambda: not it.connections)

    served(test, receive_seconds=0.1, idle_seconds=0.1)


def test_who_does_not_read_is_not_waited_for(served):
    async def test(it):
        reader, _ = await it.open()
        await it.until(lambda: len(it.connections) == 1)
        (connection,) = it.connections
        reader._transport.pause_reading()
        connection.transport.write(bytes(32 << 20))  # more than the system takes
        await it.until(lambda: not it.connections)

    served(test, receive_seconds=0.2, idle_seconds=300)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 1_000_000,
        b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000,
        b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200_000,
    ],
    ids=["address", "value", "headers"],
)
def test_heads_have_an_end(served, head):
    async def test(it):
        assert (await it.ask(head))[0] in (0, 400, 431)
        reader, writer = await it.open(HEALTH)  # a second request on a connection
        assert (await answered(reader))[0] == 200
        writer.write(head)
        assert (await answered(reader))[0] in (0, 400, 431)
        await it.until(lambda: not it.connections)

    served(test)


def test_trailers_are_dropped_and_have_an_end(served):
    async def test(it):
        chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
        assert (await it.ask(chunked + b"X: a\r\n\r\n"))[0] == 400  # "{" is no JSON
        reader, writer = await it.open(chunked + b"X: a\r\n" * 1000)
        await it.until(lambda: len(it.connections) == 1)
        (connection,) = it.connections
        await it.until(lambda: connection.cycle is not None)
        assert len(connection.cycle.scope["headers"]) < 10
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(b"X: a\r\n" * 8000)
                await writer.drain()
        assert (await answered(reader))[0] in (0, 400)
        await it.until(lambda: not it.connections)

    served(test)


def test_large_bodies_and_many_requests_on_one_connection(served, pictures):
    """What is bounded for one request is counted anew for the next."""
    body = json.dumps({"images": [base64.b64encode(pictures[0]).decode()]}).encode()
    body += b" " * (UPLOAD - len(body))

    async def test(it):
        reader, writer = await it.open()
        for _ in range(8):
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert (await answered(reader))[0] == 200
        writer.write(HEALTH)
        assert (await answered(reader))[0] == 200

    served(test)


def test_a_body_that_is_too_large_is_answered_while_it_is_still_sent(served):
    async def test(it):
        for _ in range(3):
            reader, writer = await it.open(HEAD + b"Content-Length: %d\r\n\r\n" % (2 * UPLOAD))
            writer.write(bytes(2 * UPLOAD))
            assert (await answered(reader))[0] == 413
            writer.close()

    served(test)


def test_web_sockets_have_a_bound():
    async def run():
        go_on = asyncio.Event()
        sent = []

        async def inner(scope, receive, send):
            if scope["type"] == "websocket":
                await go_on.wait()
                raise WebSocketDisconnect

        async def send(message):
            sent.append(message)

        limit = SocketLimit(inner, most=2)
        scope = {"type": "websocket", "extensions": {}}
        waiting = [asyncio.create_task(limit(scope, None, send)) for _ in range(2)]
        await asyncio.sleep(0)
        await limit(scope, None, send)
        assert [message["code"] for message in sent] == [1013]
        await limit({"type": "http"}, None, None)
        go_on.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert limit.open == 0
        with pytest.raises(WebSocketDisconnect):
            await limit(scope, None, send)

    asyncio.run(run())


def test_the_guard_stands_before_the_parser(served):
    """It calls what it overrides, whichever parser is used."""

    async def test(it):
        await it.open()
        await it.until(lambda: len(it.connections) == 1)
        (connection,) = it.connections
        assert isinstance(connection, Guard)
        assert type(connection).__mro__[1] is Guard

    served(test)
