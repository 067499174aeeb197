"""Clusters that are not there: refused in one line, before anything is run."""

import re
import socket
import sys
from importlib.util import find_spec

import pytest
from builders import is_one_line, point_policy
from small_runs import POINT

from headstart.cli.main import main
from headstart.errors import InputError
from headstart.rollout import cluster
from headstart.rollout.executors import make_executor
from headstart.rollout.ray_protocol import installed_versions, other_version


def refusal(collectors):
    with pytest.raises(InputError) as caught:
        make_executor(POINT, collectors)
    assert is_one_line(str(caught.value))
    return str(caught.value)


def test_without_ray_a_line_says_what_to_install(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "run `pip install 'headstart[cluster]'`" in refusal("ray")


@pytest.mark.parametrize("address", ["ray://", "ray://head", "ray://head:99999", "ray://a b:1"])
def test_an_address_that_is_none_is_refused(address):
    assert "must be ray://HOST:PORT, e.g. ray://head:10001" in refusal(address)


def test_an_address_in_the_surroundings_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "head")
    assert refusal("ray").startswith("RAY_ADDRESS 'head': must be HOST:PORT, ray://HOST:PORT or")


def test_an_address_where_nothing_answers_ends_the_command_with_2(tmp_path, capsys, closed_port):
    policy = tmp_path / "policy.safetensors"
    point_policy().save(policy)
    command = ["evaluate", str(policy), "--env", POINT]
    with pytest.raises(SystemExit, match="2"):
        main([*command, "--collectors", f"ray://127.0.0.1:{closed_port}"])
    out, told = capsys.readouterr()
    assert out == ""
    assert is_one_line(told.strip())
    assert "nothing answers there (Connection refused)" in told


@pytest.fixture
def closed_port():
    """A port that no other process gets meanwhile, and at which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="pip install 'headstart[cluster]'")
def test_what_listens_and_is_no_ray_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        told = refusal(f"ray://127.0.0.1:{mute.getsockname()[1]}")
    assert told.endswith("cannot be used: no answer within 1 s")


def test_a_node_with_another_version_is_named():
    there = tuple((name, f"{version}.1") for name, version in installed_versions())
    refused = other_version(there, "node-7")
    assert re.fullmatch(r"node node-7 has headstart (\S+) and the learner \1\.1: .*", refused)
    assert other_version(installed_versions(), "node-7") is None


def test_a_word_that_is_neither_a_number_nor_a_cluster_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["demos", "collect", POINT, "--out", "demos.npz", "--collectors", "rays"])
    assert "must be an integer, `ray` or `ray://HOST:PORT`, got rays" in capsys.readouterr().err
