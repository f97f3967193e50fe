"""The server over real sockets: what a client may send, and that nobody else waits for it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from multiprocessing import get_context

import pytest
from flask import Flask, Response, request

from statuspage.admin import body_limits
from statuspage.runtime import gateway, server
from tests.chaos.processes import wait_until
from tests.ports import free_port

pytestmark = pytest.mark.only_on("sqlite")

HEAD = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def small_app() -> Flask:
    """An application with the product's limits, and views that show what arrived."""
    app = Flask("small")
    body_limits.register(app)
    taken = 0

    @app.post("/form")
    def form() -> str:
        nonlocal taken
        taken += 1
        return f"{len(request.form)} fields"

    @app.post("/large")
    @body_limits.takes_up_to(lambda asked: 3 * 1024**2 if "Cookie" in asked.headers else 0)
    def large() -> str:
        return f"{len(request.get_data())} bytes"

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter(["one ", "two ", "three"]), mimetype="text/plain")

    @app.get("/broken")
    def broken() -> Response:
        def lines() -> Iterator[str]:
            yield "a beginning"
            raise RuntimeError

        return Response(lines())

    @app.get("/posts")
    def posts() -> str:
        return str(taken)

    @app.get("/names")
    def names() -> str:
        return " ".join(sorted(name for name, _ in request.headers))

    @app.get("/tagged")
    def tagged() -> Response:
        response = Response("a text")
        response.set_etag("a")
        return response.make_conditional(request)

    @app.get("/where")
    @app.get("/where/<path:_more>")
    def where(_more: str = "") -> str:
        return f"{request.path} {request.args.get('q')} {request.remote_addr}"

    return app


def serve_small_app(port: int, constants: dict[str, float]) -> None:
    """Serve until the process is asked to end; in a process of its own."""
    for name, value in {"LINGER_SECONDS": 0.2, **constants}.items():
        module = server if hasattr(server, name) else gateway
        setattr(module, name, value)
    server.run(gateway.Gateway(small_app()), "127.0.0.1", port)


@contextmanager
def serving(**constants: float) -> Iterator[int]:
    port = free_port()
    process = get_context("fork").Process(target=serve_small_app, args=(port, constants))
    process.start()
    try:
        wait_until(lambda: answers(port), what="the server answers")
        yield port
    finally:
        process.terminate()
        process.join(20)
    assert process.exitcode == 0


def answers(port: int) -> bool:
    with suppress(OSError), ask(port, "GET", "/where") as answer:
        return answer.status == 200
    return False


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture(scope="module")
def impatient_port() -> Iterator[int]:
    """A server whose deadlines are over at once."""
    with serving(IDLE_SECONDS=1, BODY_SECONDS=0.1) as port:
        yield port


class ask:  # noqa: N801
    """One request on a connection of its own."""

    def __init__(self, port: int, method: str, path: str, **more: object) -> None:
        self._client = HTTPConnection("127.0.0.1", port, timeout=20)
        self._client.request(method, path, **more)  # type: ignore[arg-type]

    def __enter__(self) -> HTTPResponse:
        return self._client.getresponse()

    def __exit__(self, *_: object) -> None:
        self._client.close()


def posts(port: int) -> int:
    with ask(port, "GET", "/posts") as answer:
        return int(answer.read())


def say(port: int, text: str) -> socket.socket:
    """A connection on which these very characters were sent."""
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(text.encode("latin-1"))
    return client


def all_of(client: socket.socket) -> str:
    """What the server says until it ends the connection."""
    with client:
        said = b""
        while piece := client.recv(65536):
            said += piece
        return said.decode("latin-1")


def get(path: str, *lines: str) -> str:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *lines, "", ""])


def post(framing: str, body: str, *lines: str) -> str:
    return "\r\n".join(["POST /form HTTP/1.1", HEAD + framing, *lines, "", body])


def test_a_form_arrives_whole(port: int) -> None:
    with ask(port, "POST", "/form", body="a=1&b=2", headers=FORM) as answer:
        assert (answer.status, answer.read()) == (200, b"2 fields")


def test_half_sent_forms_hold_nobody_else_up(port: int) -> None:
    half = [say(port, post("Content-Length: 9", "a")) for _ in range(99)]
    with ask(port, "POST", "/form", body="a=1", headers=FORM) as answer:
        assert answer.status == 200
    half[0].sendall(b"aaaaaaaa")
    assert half[0].recv(99).startswith(b"HTTP/1.1 200")
    for client in half:
        client.close()


@pytest.mark.parametrize(
    "sent",
    [
        f"POST /form HTTP/1.1\r\n{HEAD}Content-Length: 9\r\n\r\na",
        f"POST /form HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\na",
    ],
)
def test_a_half_sent_body_ends_at_its_deadline(impatient_port: int, sent: str) -> None:
    assert all_of(say(impatient_port, sent)).startswith("HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", ["", "GET /where HTTP/1.1\r\nX-Half: "])
def test_a_half_sent_head_ends_like_an_idle_connection(impatient_port: int, sent: str) -> None:
    assert all_of(say(impatient_port, sent)) == ""


def test_a_body_that_trickles_in_ends_at_its_deadline(impatient_port: int) -> None:
    client = say(impatient_port, post("Content-Length: 1000", "a"))
    client.settimeout(0.02)
    said = b""
    for _ in range(500):
        with suppress(TimeoutError):
            said = client.recv(999)
            break
        client.sendall(b"a")
    client.close()
    assert said.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_kept_longer_than_balancers_keep_theirs(port: int) -> None:
    assert server.IDLE_SECONDS >= 75
    with say(port, get("/where")) as client:
        assert client.recv(999).startswith(b"HTTP/1.1 200")
        client.sendall(get("/where").encode())
        assert client.recv(999).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [body_limits.STRANGERS + 1, 40 * 1024**2])
def test_a_large_form_of_a_stranger_is_refused(port: int, chunked: bool, size: int) -> None:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    client = say(port, f"POST /form HTTP/1.1\r\n{HEAD}{framing}\r\n\r\n")
    # It reads a little further, for the answer, and then no more.
    with suppress(ConnectionError):
        if chunked:
            client.sendall(f"{size:x}\r\n".encode())
        client.sendall(b"a&" * (size // 2 + 1))
    said = client.recv(999).decode()
    client.close()
    assert said.startswith("HTTP/1.1 413 ")
    assert "connection: close" in said


def test_many_fields_are_not_parsed(port: int) -> None:
    with ask(port, "POST", "/form", body="a&" * body_limits.MOST_FIELDS, headers=FORM) as answer:
        assert answer.status == 413


@pytest.mark.parametrize("body", [b"x" * 2 * 1024**2, iter([b"x" * 1024**2] * 2)])
def test_whoever_may_send_more_can(port: int, body: object) -> None:
    with ask(port, "POST", "/large", body=body, headers={"Cookie": "known"}) as answer:
        assert answer.read() == b"2097152 bytes"


@pytest.mark.parametrize("body", [b"x" * 4 * 1024**2, iter([b"x" * 1024**2] * 4)])
def test_nobody_may_send_without_limit(port: int, body: object) -> None:
    client = HTTPConnection("127.0.0.1", port, timeout=20)
    with suppress(ConnectionError):
        client.request("POST", "/large", body=body, headers={"Cookie": "known"})  # type: ignore[arg-type]
    assert client.getresponse().status == 413
    client.close()


def test_a_client_that_asks_first_is_told_before_it_sends(port: int) -> None:
    with say(port, post("Content-Length: 3", "", "Expect: 100-continue")) as client:
        assert client.recv(999) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"a=1")
        assert client.recv(999).startswith(b"HTTP/1.1 200")
    said = all_of(say(port, post("Content-Length: 70000", "", "Expect: 100-continue")))
    assert said.startswith("HTTP/1.1 413")


def test_requests_sent_ahead_are_answered_in_order(port: int) -> None:
    form = f"POST /form HTTP/1.1\r\n{HEAD}Content-Length: 3\r\n\r\na=1"
    said = all_of(say(port, get("/where?q=1") + form + get("/where?q=2", "Connection: close")))
    places = [said.index(part) for part in ("/where 1", "1 fields", "/where 2")]
    assert places == sorted(places)
    assert said.count("HTTP/1.1 200") == 3


def test_an_answer_made_in_pieces_is_sent_whole(port: int) -> None:
    with ask(port, "GET", "/stream") as answer:
        assert answer.headers["Content-Length"] == "13"
        assert answer.read() == b"one two three"
    said = all_of(say(port, "GET /stream HTTP/1.0\r\n\r\n"))
    assert said.endswith("\r\n\r\none two three")


def test_an_answer_that_breaks_is_an_error(port: int) -> None:
    with ask(port, "GET", "/broken") as answer:
        assert answer.status == 500


def test_head_has_no_body(port: int) -> None:
    said = all_of(say(port, get("/where", "Connection: close").replace("GET", "HEAD", 1)))
    assert said.endswith("\r\n\r\n")
    assert "content-length: 21" in said


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("GET /where HTTP/1.1\r\n\r\n", 400),
        ("GARBAGE\r\n\r\n", 400),
        (post("Content-Length: 1", "ab", "Content-Length: 2"), 400),
        (get("/where", *[f"X-{n}: 1" for n in range(200)]), 431),
        (get("/where", "X-Long: " + "x" * 300_000), 431),
    ],
)
def test_what_is_no_request_is_refused(port: int, sent: str, status: int) -> None:
    assert all_of(say(port, sent)).startswith(f"HTTP/1.1 {status} ")


def test_another_protocol_is_not_spoken(port: int) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    with say(port, get("/where", *upgrade)) as client:
        assert client.recv(999).startswith(b"HTTP/1.1 200 OK")


def test_chunks_count_where_a_length_is_said_too(port: int) -> None:
    """RFC 9112, 6.3: what follows is never read as a request of its own."""
    framing = "Transfer-Encoding: chunked\r\nConnection: close"
    said = all_of(say(port, post("Content-Length: 1", "3\r\na=1\r\n0\r\n\r\n", framing)))
    assert said.startswith("HTTP/1.1 200")
    assert said.count("HTTP/1.1") == 1


def test_trailers_are_not_taken(port: int) -> None:
    chunks = "3\r\na=1\r\n0\r\nX-Sum: 1\r\n\r\n"
    said = all_of(say(port, post("Transfer-Encoding: chunked", chunks, "Trailer: X-Sum")))
    assert said.startswith("HTTP/1.1 400 ")


def test_a_header_cannot_pass_for_another(port: int) -> None:
    said = all_of(say(port, get("/where", "Content_Length: 5", "Connection: close")))
    assert said.startswith("HTTP/1.1 200")


def test_the_absolute_form_names_the_same(port: int) -> None:
    said = all_of(say(port, get("http://localhost/where?q=%C3%A9", "Connection: close")))
    assert said.endswith("/where Ã© 127.0.0.1")


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        ("/caf%C3%A9?q=%C3%A9", "/caf\xc3\xa9 \xc3\xa9"),
        ("/a%2Fb%25", "/a/b%"),
        ("/caf%E9", "/caf\xef\xbf\xbd"),
        ("/caf\xc3\xa9?q=\xc3\xa9", "/caf\xc3\xa9 \xc3\xa9"),
    ],
)
def test_an_address_of_any_letters_arrives_decoded(port: int, sent: str, arrives: str) -> None:
    said = all_of(say(port, get(f"/where{sent}", "Connection: close")))
    assert f"\r\n\r\n/where{arrives}" in said


def test_a_header_that_is_not_ascii_is_as_good_as_absent(port: int) -> None:
    lines = ("Cookie: a=\xc3\xa9", "X-Name: \xe9", "Connection: close")
    assert all_of(say(port, get("/names", *lines))).endswith("Connection Host")
    said = all_of(say(port, "GET /where HTTP/1.1\r\nHost: caf\xe9\r\n\r\n"))
    assert said.startswith("HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "sent",
    [
        post("Content-Length: 9", "a=1"),
        post("Transfer-Encoding: chunked", "3\r\na=1\r\n"),
        post("Transfer-Encoding: chunked", "3\r\na=1\r\n3\r\na"),
    ],
)
def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(port: int, sent: str) -> None:
    before = posts(port)
    client = say(port, sent)
    client.shutdown(socket.SHUT_WR)
    assert "HTTP/1.1 200" not in all_of(client)
    assert posts(port) == before


def test_what_the_client_has_already_is_not_sent_again(port: int) -> None:
    said = all_of(say(port, get("/tagged", 'If-None-Match: "a"', "Connection: close")))
    assert said.startswith("HTTP/1.1 304 ")
    assert said.endswith("\r\n\r\n")
    assert "content-length" not in said.lower()


def test_a_client_that_leaves_is_forgotten(port: int) -> None:
    for _ in range(20):
        say(port, get("/stream")).close()
    with ask(port, "GET", "/where") as answer:
        assert answer.status == 200
