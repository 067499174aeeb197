"""A policy behind a socket: what a client gets, and what it cannot do."""

import contextlib
import json

import numpy as np
import pytest
from builders import point_policy
from waiting import wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from headstart.web.server import PageServer
from headstart.web.serving import Answers

GOALS = {"achieved_goal": [0.0, 0.5], "desired_goal": [1.0, -1.0]}
GOOD = {"observation": [0.25, -1], **GOALS}


@pytest.fixture
def policy():
    return point_policy()


@pytest.fixture
def server(policy):
    answers = Answers(policy)
    with PageServer({}, answers, replies=answers.most_bytes) as running:
        yield running


def ask(client, message):
    client.send(message if isinstance(message, str) else json.dumps(message))
    return json.loads(client.recv(timeout=60))


def refused(server, message):
    with connect(server.gate.socket_link, proxy=None) as client:
        client.send(message if isinstance(message, str) else json.dumps(message))
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=60)
        return client.close_code


def test_the_action_is_the_one_of_the_policy_for_each_client(server, policy):
    with (
        connect(server.gate.socket_link, proxy=None) as one,
        connect(server.gate.socket_link, proxy=None) as other,
    ):
        for client, places in ((one, [0.25, -1]), (other, [2, 3]), (one, [-1, 1])):
            message = {**GOOD, "observation": places}
            arrays = {name: np.array(value, np.float32) for name, value in message.items()}
            assert ask(client, message) == {"action": policy(arrays).tolist()}


@pytest.mark.parametrize(
    "message",
    [
        {},
        GOALS,
        {**GOOD, "more": []},
        {**GOOD, "observation": [1.0]},
        {**GOOD, "observation": [[1.0], [2.0]]},
        {**GOOD, "observation": [True, 1.0]},
        {**GOOD, "observation": ["1", 1.0]},
        {**GOOD, "observation": [1e39, 1.0]},
        json.dumps(GOOD).replace("0.25", "NaN"),
        json.dumps(GOOD).replace("0.25", "1" * 400),
        "[]",
    ],
    ids=lambda message: str(message)[:40],
)
def test_what_is_no_observation_ends_the_connection(message, server):
    assert refused(server, message) in (1008, 1009)
    with connect(server.gate.socket_link, proxy=None) as client:
        assert len(ask(client, GOOD)["action"]) == 2


def test_a_message_that_is_too_long_ends_the_connection(server):
    assert refused(server, json.dumps(GOOD) + " " * 10_000) == 1009


@pytest.mark.parametrize(
    ("change", "options", "status"),
    [
        (lambda link: link[:-1] + "!", {}, 401),
        (lambda link: link.partition("?")[0], {}, 401),
        (lambda link: link, {"origin": "http://evil.example"}, 403),
        (lambda link: link, {"additional_headers": {"Host": "evil.example"}}, 403),
    ],
)
def test_nobody_else_connects(change, options, status, server):
    with pytest.raises(InvalidStatus) as error:
        connect(change(server.gate.socket_link), proxy=None, **options)
    assert error.value.response.status_code == status


@pytest.mark.slow
def test_a_flood_ends_its_own_connection_alone(server):
    link = server.gate.socket_link
    with connect(link, proxy=None) as calm, connect(link, proxy=None) as flood:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(20_000):
                flood.send(json.dumps(GOOD))
        wait_until(lambda: len(server._clients) == 1)
        assert "action" in ask(calm, GOOD)
