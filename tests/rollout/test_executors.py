import importlib
import os
import signal
import subprocess
import sys
import threading
import types

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line, point_policy, random_policy
from envs.faulty import tokens
from gymnasium.wrappers import TimeLimit
from waiting import wait_until

from headstart.demos.experts.fetch_reach import fetch_reach
from headstart.envs.make import env_source
from headstart.envs.toy import PointReach
from headstart.errors import EpisodeError, InputError
from headstart.rollout.executors import (
    ProcessExecutor,
    SerialExecutor,
    make_executor,
    open_executor,
)
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob
from headstart.rollout.processes import child_command

NOISY = Exploration(noise=0.2, random_action=0.1)


def jobs_of(count, *, policy=None, seed=0):
    policy = policy or point_policy()
    return [EpisodeJob(policy, seed, "rollout", index, NOISY) for index in range(count)]


def episodes_of(executor, jobs):
    return [pending.result() for pending in executor.submit(jobs)]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids_of(executor):
    return [collector._process.pid for collector in executor._collectors]


@pytest.mark.slow
def test_serial_and_process_executors_give_the_same_episodes_in_order():
    jobs = jobs_of(12)
    with SerialExecutor("PointReach-v0") as executor:
        serial = episodes_of(executor, jobs)
    assert len({episode.observations.tobytes() for episode in serial}) == 12
    for num_collectors in (1, 3):
        with ProcessExecutor("PointReach-v0", num_collectors) as executor:
            assert episodes_of(executor, jobs) == serial
            assert episodes_of(executor, jobs[::-1]) == serial[::-1]


def test_serial_and_process_executors_give_the_same_fetch_episodes():
    policy = random_policy(
        np.random.default_rng(0), observation_dim=10, goal_dim=3, action_dim=4, hidden=(64, 64)
    )
    jobs = jobs_of(4, policy=policy) + jobs_of(2, policy=fetch_reach, seed=1)
    with SerialExecutor("FetchReach-v4") as executor:
        serial = episodes_of(executor, jobs)
    with ProcessExecutor("FetchReach-v4", 2) as executor:
        assert episodes_of(executor, jobs) == serial


def test_what_is_fetched_twice_is_run_once():
    with SerialExecutor("PointReach-v0") as executor:
        (pending,) = executor.submit(jobs_of(1))
        assert pending.result() is pending.result()


def test_zero_collectors_means_this_process():
    with make_executor("PointReach-v0", 0) as executor:
        assert isinstance(executor, SerialExecutor)
    with make_executor("PointReach-v0", 2) as executor:
        assert isinstance(executor, ProcessExecutor)
        assert len(pids_of(executor)) == 2


def test_an_unknown_environment_is_reported_before_any_process_starts():
    with pytest.raises(InputError, match="NoSuchEnv-v0"):
        make_executor("NoSuchEnv-v0", 2)


def test_impossible_numbers_of_collectors_are_refused():
    with pytest.raises(InputError, match="collectors must not be negative, got -1"):
        make_executor("PointReach-v0", -1)
    with pytest.raises(InputError, match="collectors must be at most 1024, got 100000"):
        make_executor("PointReach-v0", 100_000)


def broken(observation):
    raise KeyError("nothing of the kind")


@pytest.mark.slow
def test_an_error_in_a_collector_is_reported_with_its_traceback_and_the_next_job_runs():
    with ProcessExecutor("PointReach-v0", 1) as executor:
        (pending,) = executor.submit(jobs_of(1, policy=broken))
        with pytest.raises(EpisodeError, match=r"failed 3 times, KeyError: .*\(test_exec.*, line"):
            pending.result()
        assert "test_executors.py" in pending.exception().details
        assert len(episodes_of(executor, jobs_of(2))) == 2


@pytest.mark.slow
def test_a_collector_that_was_killed_between_jobs_is_replaced():
    with ProcessExecutor("PointReach-v0", 1) as executor:
        os.kill(pids_of(executor)[0], signal.SIGKILL)
        assert len(episodes_of(executor, jobs_of(2))) == 2
        assert executor.repeated == 1


@pytest.mark.slow
def test_an_episode_may_take_for_ever(monkeypatch):
    failures = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    with ProcessExecutor("PointReach-v0", 1, timeout=float("inf")) as executor:
        assert len(episodes_of(executor, jobs_of(1))) == 1
    assert failures == []


@pytest.mark.parametrize("timeout", [0.0, -1.0])
def test_a_timeout_that_is_not_positive_is_refused(timeout):
    with pytest.raises(InputError, match="timeout of an episode must be positive"):
        make_executor("PointReach-v0", 1, timeout=timeout)


def test_closing_leaves_no_process_behind_even_with_work_waiting(tmp_path):
    # Every episode hangs for an hour: closing waits for none of them.
    env_id = f"envs.faulty:Faulty-v0,kind=hang,tokens={tokens(tmp_path / 'tokens', 1000)}"
    with ProcessExecutor(env_id, 2) as executor:
        pids = pids_of(executor)
        waiting = executor.submit(jobs_of(200))
    assert all(pending.cancelled() or pending.exception() for pending in waiting)
    assert not any(is_alive(pid) for pid in pids)


def test_collectors_end_when_the_parent_is_killed():
    program = """
import time
from headstart.rollout.executors import ProcessExecutor
executor = ProcessExecutor("PointReach-v0", 2)
print(*(collector._process.pid for collector in executor._collectors), flush=True)
time.sleep(3600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.slow
def test_a_script_without_a_main_guard_can_use_collectors(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from headstart.envs.make import make_env\n"
        "from headstart.rollout.executors import make_executor\n"
        "from headstart.rollout.job import EpisodeJob\n"
        "from headstart.policy import load_policy\n"
        "import sys\n"
        "policy = load_policy(sys.argv[1])\n"
        "with make_executor('PointReach-v0', 1) as executor:\n"
        "    jobs = [EpisodeJob(policy, 0, 'rollout', 0)]\n"
        "    print(len(executor.submit(jobs)[0].result()))\n"
    )
    point_policy().save(tmp_path / "policy.safetensors")
    result = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "policy.safetensors")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "30\n"


def local_policy():
    size = 0.1
    return lambda observation: np.full(2, size, np.float32)


class LockedEnv(PointReach):
    """An environment with a part that belongs to its process."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class Locked:
    """A policy with a part that belongs to its process."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, observation):
        return np.full(2, 0.1, np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("policy", [lambda _: np.full(2, 0.1, np.float32), local_policy()])
def test_functions_without_a_name_are_policies_in_collectors_too(policy):
    with SerialExecutor("PointReach-v0") as executor:
        serial = episodes_of(executor, jobs_of(2, policy=policy))
    with ProcessExecutor("PointReach-v0", 1) as executor:
        assert episodes_of(executor, jobs_of(2, policy=policy)) == serial


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Locked(), "cannot pickle '_thread.lock' object"),
        (local_policy, "it takes more than 0 MiB"),
    ],
)
def test_a_policy_that_cannot_be_sent_to_a_collector_is_refused_and_the_next_job_runs(
    policy, reason, monkeypatch
):
    with ProcessExecutor("PointReach-v0", 1) as executor:
        with monkeypatch.context() as patch:
            if "MiB" in reason:
                patch.setattr("headstart.rollout.pickled._MAX_POLICY_BYTES", 10)
            (pending,) = executor.submit(jobs_of(1, policy=policy))
        with pytest.raises(InputError) as caught:
            pending.result()
        assert str(caught.value) == (
            f"collectors are other processes, which cannot get this policy ({reason}); "
            f"use collectors=0"
        )
        assert len(episodes_of(executor, jobs_of(2))) == 2


def test_a_policy_that_cannot_be_copied_runs_in_this_process():
    with SerialExecutor("PointReach-v0") as executor:
        (episode,) = episodes_of(executor, jobs_of(1, policy=Locked()))
    assert len(episode) == 30


def test_an_environment_that_cannot_be_sent_to_a_collector_is_refused_at_once():
    with pytest.raises(InputError) as caught:
        make_executor(TimeLimit(LockedEnv(), 5), 1)
    assert str(caught.value) == (
        "collectors are other processes, which cannot get environment 'test_executors:LockedEnv"
        "(...)': neither its spec nor a pickled copy gives the same environment; pass a class or a "
        "function that builds it, or use collectors=0"
    )
    with make_executor(TimeLimit(LockedEnv(), 5), 0) as executor:
        assert len(episodes_of(executor, jobs_of(1))[0]) == 5


def test_a_function_that_cannot_be_pickled_is_refused_at_once():
    lock = threading.Lock()

    def build():
        return TimeLimit(PointReach(), 5 + lock.locked())

    with pytest.raises(InputError, match=r"cannot pickle '_thread\.lock' object\); use collec"):
        make_executor(build, 1)


@pytest.mark.slow
def test_an_environment_that_only_this_process_can_build_is_refused_in_one_line(capfd):
    pid = os.getpid()

    def build():
        if os.getpid() != pid:
            raise OSError("the camera is in use")
        return TimeLimit(PointReach(), 5)

    with make_executor(build, 1) as executor:
        (pending,) = executor.submit(jobs_of(1))
        with pytest.raises(InputError) as caught:
            pending.result()
    assert str(caught.value).endswith(
        "can be built in this process, and not in a collector (OSError: the camera is in use); "
        "use collectors=0"
    )
    assert is_one_line(str(caught.value))
    assert capfd.readouterr() == ("", "")


def class_of(module, monkeypatch):
    """A class of a module that no other process can import."""
    module = types.ModuleType(module)
    exec("from headstart.envs.toy import PointReach\nclass Mine(PointReach): pass", vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.Mine


@pytest.mark.slow
def test_an_environment_of_a_script_that_multiprocessing_imported_works(monkeypatch):
    class_of("__mp_main__", monkeypatch)
    gym.register("OfScript-v0", "__mp_main__:Mine", max_episode_steps=5)
    try:
        with make_executor("OfScript-v0", 1) as executor:
            assert len(episodes_of(executor, jobs_of(1))[0]) == 5
    finally:
        del gym.registry["OfScript-v0"]


def test_an_environment_of_a_module_that_a_collector_cannot_import_is_refused(monkeypatch, capfd):
    source = env_source(class_of("made_on_the_fly", monkeypatch), {"max_episode_steps": 5})
    with make_executor(source, 1) as executor:
        (pending,) = executor.submit(jobs_of(1))
        with pytest.raises(InputError, match="No module named 'made_on_the_fly'") as caught:
            pending.result()
    assert is_one_line(str(caught.value))
    assert capfd.readouterr() == ("", "")


def test_an_executor_of_the_callers_own_runs_the_episodes_and_stays_open():
    class Counting(SerialExecutor):
        closed = False

        def submit(self, jobs):
            self.jobs = len(jobs)
            return super().submit(jobs)

        def close(self):
            self.closed = True

    executor = Counting("PointReach-v0")
    with open_executor("PointReach-v0", 0, executor) as chosen:
        assert len(episodes_of(chosen, jobs_of(3))) == 3
    assert (executor.jobs, executor.closed) == (3, False)
    with (
        pytest.raises(InputError, match="an executor runs all episodes, collectors must be 0"),
        open_executor("PointReach-v0", 2, executor),
    ):
        pass


@pytest.mark.slow
def test_a_collector_does_not_import_what_other_tasks_are_registered_with(tmp_path, monkeypatch):
    note = tmp_path / "note"
    (tmp_path / "slowly_imported.py").write_text(
        f"from headstart.envs.toy import PointReach\n"
        f"open({str(note)!r}, 'a').write('imported ')\n"
        f"class Slow(PointReach): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("slowly_imported")
    gym.register("Slow-v0", entry_point=module.Slow, max_episode_steps=30)
    try:
        with ProcessExecutor("PointReach-v0", 1) as executor:
            expected = episodes_of(executor, jobs_of(2))
        assert note.read_text() == "imported "
        with ProcessExecutor(lambda: gym.make("Slow-v0"), 1) as executor:
            assert episodes_of(executor, jobs_of(2)) == expected
        assert note.read_text() == "imported imported "
    finally:
        del gym.registry["Slow-v0"]


@pytest.mark.parametrize("module", ["collector", "ray_driver"])
def test_a_process_whose_parent_has_died_before_it_asked_anything_ends_in_silence(module):
    if module == "ray_driver":
        pytest.importorskip("ray")
    started = child_command(module, "PointReach")
    child = subprocess.run(started, stdin=subprocess.DEVNULL, capture_output=True)
    assert (child.returncode, child.stdout, child.stderr) == (0, b"", b"")
