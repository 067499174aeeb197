"""Every attack of ``docs/teleop.md`` on a real server, over real sockets."""

import contextlib
import http.client
import socket

import pytest
from page import address, join, say, words
from waiting import wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from headstart.errors import InputError
from headstart.web.gate import SOCKET
from headstart.web.server import MOST_BYTES, MOST_CLIENTS, File, PageServer, page_files

FILES = {
    "/": File(b"<!doctype html>", "text/html; charset=utf-8"),
    "/page.js": File(b"'use strict'", "text/javascript", is_public=True),
}


def read(content):
    if content.keys() != {"stick"}:
        raise ValueError(f"a message holds stick alone, got {sorted(content)}")
    return content["stick"]


@pytest.fixture
def server():
    with PageServer(FILES, read) as running:
        yield running


def get(server, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.gate.port, timeout=60)
    headers = {} if host is None else {"Host": host}
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read(), response.headers


def messages(server):
    return [event.message for event in server.events() if event.kind == "message"]


def status_of(refused, **options):
    with pytest.raises(InvalidStatus) as error:
        connect(refused, proxy=None, **options)
    return error.value.response.status_code


def closed_with(page):
    with contextlib.suppress(ConnectionClosed):
        while True:
            page.recv(timeout=60)
    return page.close_code


def test_the_link_opens_the_page_with_nothing_from_elsewhere(server):
    status, content, headers = get(server, f"/?token={server.gate.token}")
    assert (status, content) == (200, FILES["/"].content)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert get(server, "/page.js")[0] == 200
    assert get(server, f"/../../etc/passwd?token={server.gate.token}")[0] == 404


def test_what_the_page_says_arrives_and_what_is_said_reaches_all_pages(server):
    with join(server) as first, join(server) as second:
        say(first, stick=[1, 0])
        wait_until(lambda: len(server._events) == 3)
        joined, _, message = server.events()
        assert (joined.kind, message.kind, message.message) == ("joined", "message", [1, 0])
        server.say({"all": True})
        server.say({"only": True}, joined.client)
        assert [words(first), words(first), words(second)] == [
            {"all": True},
            {"only": True},
            {"all": True},
        ]
        server.show(0, b"picture")
        assert second.recv(timeout=60) == b"\1\0\0\0\0picture"
    wait_until(lambda: len(server._events) == 2)
    assert {event.kind for event in server.events()} == {"left"}


@pytest.mark.parametrize("token", ["", "wrong", "é", "%ff"])
def test_without_the_token_there_is_neither_page_nor_socket(token, server):
    from urllib.parse import quote

    given = quote(token, safe="%")
    assert get(server, f"/?token={given}")[0] == 401
    assert status_of(address(server, given)) == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1"]
)
def test_a_name_that_was_made_to_point_here_is_refused(host, server):
    host = host.format(port=server.gate.port)
    for path in (f"/?token={server.gate.token}", "/page.js", f"{SOCKET}?token={server.gate.token}"):
        assert get(server, path, host)[0] == 403


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}"]
)
def test_a_page_of_another_origin_does_not_connect_even_with_the_token(origin, server):
    given = origin and origin.format(port=server.gate.port)
    assert status_of(address(server), origin=given) == 403
    assert server.events() == []


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "[1]",
        '{"stick": NaN}',
        '{"stick": 1, "stick": 2}',
        '{"stick": ' + "[" * 99 + "]" * 99 + "}",
        '{"other": 1}',
        '{"seen": "1"}',
        b"\xff\xfe",
    ],
)
def test_a_message_that_is_not_understood_ends_the_connection_and_is_not_passed_on(message, server):
    with join(server) as page:
        page.send(message)
        assert closed_with(page) == 1008
    assert messages(server) == []


def test_a_message_that_is_too_large_ends_the_connection(server):
    with join(server) as page:
        page.send('{"stick": "' + "x" * MOST_BYTES + '"}')
        assert closed_with(page) == 1009
    assert messages(server) == []


def test_a_page_that_takes_no_messages_refuses_them():
    with PageServer(FILES) as server, join(server) as page:
        say(page, seen=1)
        say(page, stick=1)
        assert closed_with(page) == 1008


def test_of_50_connections_some_are_served_and_the_others_refused_until_these_leave(server):
    with contextlib.ExitStack() as pages:
        codes = []
        for _ in range(50):
            try:
                pages.enter_context(join(server))
            except InvalidStatus as error:
                codes.append(error.response.status_code)
        assert codes == [503] * (50 - MOST_CLIENTS)
    wait_until(lambda: not server._clients)
    with join(server) as page:
        server.say({"back": True})
        assert words(page) == {"back": True}


@pytest.mark.slow
def test_a_flood_ends_its_own_connection_and_no_other(server):
    with join(server) as calm, join(server) as flood:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(20_000):
                say(flood, stick=[1, 0])
        assert closed_with(flood) == 1008
        say(calm, stick=[0, 1])
        wait_until(lambda: len(server._events) and server._events[-1].message == [0, 1])
        assert len(messages(server)) < 2000


def test_connections_that_say_nothing_do_not_keep_a_page_from_opening(server):
    silent = [socket.create_connection(("127.0.0.1", server.gate.port)) for _ in range(50)]
    assert get(server, f"/?token={server.gate.token}")[0] == 200
    for connection in silent:
        connection.close()


def test_a_port_that_is_taken_is_named(server):
    with pytest.raises(InputError, match=f"cannot listen at 127.0.0.1 port {server.gate.port} "):
        PageServer(FILES, port=server.gate.port).__enter__()


def test_files_of_the_package_are_public_but_for_the_page():
    files = page_files("link.js")
    assert list(files) == ["/"]
    assert not files["/"].is_public
