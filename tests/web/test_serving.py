"""A policy behind a socket: what a client gets, and what it cannot do."""

import json

import numpy as np
import pytest
from builders import point_policy
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from headstart.web.server import MOST_MESSAGES, PageServer
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


def test_who_asks_faster_than_the_answers_come_waits_and_others_are_served(server, policy):
    link = server.gate.socket_link
    asked = [{**GOOD, "observation": [1 / number, 0]} for number in range(1, 4 * MOST_MESSAGES)]
    with connect(link, proxy=None) as calm, connect(link, proxy=None) as eager:
        for message in asked:
            eager.send(json.dumps(message))
        assert "action" in ask(calm, GOOD)
        answers = [json.loads(eager.recv(timeout=60))["action"] for _ in asked]
    arrays = [{name: np.array(it, np.float32) for name, it in one.items()} for one in asked]
    assert answers == [policy(one).tolist() for one in arrays]
