"""Episodes on a Ray cluster of two nodes, one of which is killed: the same bits as on this machine.

The nodes are Ray's own processes on this machine, as Ray's own tests have them.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from builders import point_expert, point_policy
from envs.faulty import tokens
from small_runs import POINT, SMALL, Diary, weights_of
from waiting import TIMEOUTS, wait_until

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.errors import EpisodeError, RunError
from headstart.rollout.cluster import RayExecutor
from headstart.rollout.executors import make_executor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.sweeps.plan import Grid
from headstart.sweeps.ray import RayRuns
from headstart.sweeps.spec import Base
from headstart.sweeps.sweep import run_sweep

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="pip install 'headstart[cluster]'"),
]
NOISE = Exploration(noise=0.2)


DIES_ONCE = """
import os, pathlib, sys
if "--mode=specific-server" in sys.orig_argv:
    try:
        (pathlib.Path(__file__).parent / "dies-once").unlink()
        os.kill(os.getpid(), 9)
    except FileNotFoundError:
        pass
"""
"""Run as Python starts: kills what a Ray Client server starts for a client, if a file says so."""


@pytest.fixture(scope="module")
def ray_cluster():
    """A cluster that ``--collectors ray`` finds, closed to who has no token, and what adds nodes.

    Each node has one processor.
    """
    options = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    # Paths of sockets cannot be long.
    place = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", place)
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("PYTHONPATH", place, prepend=os.pathsep)
        Path(place, "sitecustomize.py").write_text(DIES_ONCE)
        from ray._raylet import AuthenticationTokenLoader, Config
        from ray.cluster_utils import Cluster

        # What Ray keeps of the variables, if another test has imported it.
        Config.initialize("")
        AuthenticationTokenLoader.instance().reset_cache()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        head = {**options, "ray_client_server_port": port}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        cluster.client_address = f"ray://127.0.0.1:{port}"
        cluster.dies_once = Path(place, "dies-once")
        patch.setenv("RAY_ADDRESS", cluster.address)
        try:
            yield cluster, lambda: cluster.add_node(**options)
        finally:
            cluster.shutdown()
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def executor(ray_cluster):
    with RayExecutor(POINT) as ray_executor:
        yield ray_executor


def jobs_of(count, policy=None):
    return [EpisodeJob(policy or point_policy(), 0, "rollout", n, NOISE) for n in range(count)]


def episodes_of(executor, jobs):
    return [pending.result() for pending in executor.submit(jobs)]


@pytest.fixture(scope="module")
def local():
    with make_executor(POINT, 0) as here:
        return episodes_of(here, jobs_of(12))


def test_a_killed_node_changes_no_episode(ray_cluster, executor, local):
    cluster, add_node = ray_cluster
    assert episodes_of(executor, jobs_of(12)) == local
    node = add_node()
    pending = executor.submit(jobs_of(12))
    first = pending[0].result()
    cluster.remove_node(node, allow_graceful=False)
    assert [first, *(each.result() for each in pending[1:])] == local
    assert executor.repeated == 0
    assert executor.cpu_seconds > 0.0


class KillsNode(Diary):
    """Kills a node of a cluster at the first evaluation."""

    def __init__(self, cluster, node):
        super().__init__()
        self.kill = lambda: cluster.remove_node(node, allow_graceful=False)

    def evaluated(self, *of):
        if not self.rows:
            self.kill()
        super().evaluated(*of)


@pytest.fixture(scope="module")
def weights():
    return weights_of(train(POINT, SMALL).policy).tobytes()


def test_a_run_that_loses_a_node_ends_with_the_weights_of_one_here(ray_cluster, executor, weights):
    cluster, add_node = ray_cluster
    killer = KillsNode(cluster, add_node())
    result = train(POINT, SMALL, executor=executor, observers=[killer])
    assert len(killer.rows) == 3
    assert weights_of(result.policy).tobytes() == weights


def test_a_run_begun_here_and_resumed_on_the_cluster_has_the_weights_of_one_here(
    ray_cluster, weights, tmp_path
):
    train(POINT, replace(SMALL, env_steps=150), out=tmp_path, collectors=0)
    result = resume(tmp_path, SMALL, collectors="ray")
    assert weights_of(result.policy).tobytes() == weights


def test_what_dies_hangs_or_fails_is_run_again_and_given_up_as_by_collectors_here(
    ray_cluster, local, tmp_path
):
    # On a slow machine a sound episode may take as long as the first of them, too.
    for timeout in TIMEOUTS:
        faults = tokens(tmp_path / f"{timeout:g}", 0)
        for kind in ("kill", "hang", "step"):
            (faults / f"{kind} 0").touch()
        env_id = f"envs.faulty:Faulty-v0,kind=any,tokens={faults}"
        with RayExecutor(env_id, timeout=timeout) as executor:
            (failing,) = executor.submit(jobs_of(1))
            with pytest.raises(EpisodeError, match="failed 3 times, ZeroDivisionError") as caught:
                failing.result()
            assert "Traceback" in caught.value.details
            assert episodes_of(executor, jobs_of(3)) == local[:3]
            if executor.repeated == 3:
                break
    assert executor.repeated == 3
    assert not list(faults.iterdir())


class KillsWorker:
    """Acts as a policy, and once kills the worker of Ray that its collector belongs to."""

    def __init__(self, policy, token):
        self.policy, self.token = policy, token

    def __call__(self, observation):
        if self.token.exists():
            self.token.unlink()
            os.kill(os.getppid(), signal.SIGKILL)
        return self.policy(observation)


def test_a_killed_worker_of_ray_is_replaced(executor, local, tmp_path):
    token = tmp_path / "token"
    token.touch()
    before = executor.repeated
    assert episodes_of(executor, jobs_of(3, KillsWorker(point_policy(), token))) == local[:3]
    assert not token.exists()
    assert executor.repeated == before


def test_demonstrations_are_the_same(executor):
    here = collect_demos(POINT, point_expert, episodes=4)
    assert (
        collect_demos(POINT, point_expert, episodes=4, executor=executor).episodes == here.episodes
    )


def test_through_ray_client_the_command_prints_one_json_object_alone(
    ray_cluster, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr("headstart.rollout.cluster._CONNECT_SECONDS", 500.0)
    policy = tmp_path / "policy.safetensors"
    train(POINT, SMALL).policy.save(policy)
    printed = []
    ray_cluster[0].dies_once.touch()
    for collectors in ("0", ray_cluster[0].client_address):
        main([*("evaluate", str(policy), "--env", POINT, "--json", "--episodes", "3"),
              *("--collectors", collectors)])  # fmt: skip
        printed.append(json.loads(capfd.readouterr().out))
    assert printed[0] == printed[1]
    assert not ray_cluster[0].dies_once.exists()


def test_a_ray_of_its_own_has_a_token_ends_with_it_and_its_loss_is_one_line(monkeypatch, local):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with make_executor(POINT, "ray") as executor:
        assert executor._driver.opened.has_token
        assert executor.at_once >= 1
        assert episodes_of(executor, jobs_of(2)) == local[:2]
        # Not all: what of Ray has nothing to do takes a minute to see that its node is gone.
        of_it = descendants_of(executor._driver._process.pid)
        daemons = {
            pid for pid in of_it if re.search("gcs_server|raylet|collector", command_of(pid))
        }
        assert len(daemons) > 2
        executor._driver._process.kill()
        with pytest.raises(RunError, match=r"^the Ray cluster of its own is lost: [^\n]+$"):
            episodes_of(executor, jobs_of(1))
    wait_until(lambda: not any(map(is_running, daemons)))


def descendants_of(pid):
    """Return the processes that descend from one, by what Linux lists."""
    parents = {int(path.name): stat_of(path)[1] for path in Path("/proc").glob("[0-9]*")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().partition("--")[0]


def is_running(pid):
    return stat_of(Path(f"/proc/{pid}"))[0] not in ("Z", "")


def stat_of(path):
    """Return state and parent of a process."""
    try:
        state, parent, *_ = (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    return state, int(parent)


def test_the_runs_of_a_sweep_can_be_tasks(ray_cluster, tmp_path):
    import ray

    config = SMALL.with_({"demos.find": 0, "env_steps": 100})
    plan = Grid(base=Base(env_id=POINT, config=config), seeds=[3])
    try:
        (result,) = run_sweep(tmp_path / "sweep", plan, RayRuns())
    finally:
        ray.shutdown()
    assert result.state.stage == "finished", result.state.error
    train(POINT, config.with_(seed=3), out=tmp_path / "alone")
    one, other = (
        (directory / "policies" / "latest.safetensors").read_bytes()
        for directory in (tmp_path / "sweep" / "seed3", tmp_path / "alone")
    )
    assert one == other
