"""NaN and infinity, wherever they come from: the run ends in words, and what is saved is sound."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from kill_at import Moment
from outcomes import find_damage
from small_runs import POINT, SMALL, Diary, weights_of

from headstart.agents.ddpg import DDPG
from headstart.errors import InputError, RunError
from headstart.files.tensors import unpack
from headstart.runs.checkpoint import AGENT
from headstart.runs.checkpoint_files import newest_run
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import FailuresConfig
from headstart.training.observer import Observer

BASE = replace(SMALL, checkpoint=replace(SMALL.checkpoint, seconds=0.0))
STRICT = replace(BASE, failures=FailuresConfig(share=0.0, at_least=0))


class BreaksIt(Diary):
    """Breaks the environment after the first evaluation."""

    def __init__(self, broken):
        super().__init__()
        self.broken = broken

    def evaluated(self, *of):
        super().evaluated(*of)
        self.broken.touch()


def saved_env_steps(run):
    """Return how far the newest checkpoint goes, which must be whole and sound."""
    saved = newest_run(run)
    for content in (saved.files[AGENT], *saved.parts.values()):
        arrays, _ = unpack(content)
        assert all(np.isfinite(array).all() for array in arrays.values())
    assert find_damage(run) == []
    return json.loads(saved.files["state.json"])["trainer"]["progress"]["env_steps"]


def assert_ended_in_words(caught, expected):
    message = str(caught.value)
    assert re.search(r"^after \d+ env steps: ", message), message
    assert re.search(expected, message), message
    return message


@pytest.fixture(scope="module")
def whole():
    """The weights that a run ends with to which nothing happens."""
    return weights_of(train(POINT, BASE).policy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("observation", "-inf"),
        ("achieved_goal", "nan"),
        ("desired_goal", "inf"),
        ("reward", "nan"),
        ("huge", "nan"),
        ("compute_reward", "nan"),
    ],
)
def test_an_environment_whose_numbers_are_none_ends_the_run_before_they_are_stored(
    tmp_path, whole, kind, value
):
    broken, run = tmp_path / "broken", tmp_path / "run"
    number = json.dumps(float(value)) if value == "nan" else f'"{value}"'
    env_id = f"unsound:Unsound-v0,kind={kind},broken={broken},value={number}"
    with pytest.raises(RunError) as caught:
        train(env_id, STRICT, out=run, observers=[BreaksIt(broken)])
    assert_ended_in_words(caught, "Unsound-v0.* (holds NaN or infinity|not (a |one )?finite)")
    assert saved_env_steps(run) >= 120
    broken.unlink()
    assert (weights_of(resume(run).policy) == whole).all()
    assert saved_env_steps(run) == 300


def test_an_environment_that_is_unsound_from_the_start_is_bad_input(tmp_path):
    (tmp_path / "broken").touch()
    env_id = f"unsound:Unsound-v0,kind=observation,broken={tmp_path / 'broken'}"
    with pytest.raises(InputError, match=r"Unsound-v0: observation\[0\] is nan"):
        train(env_id, BASE, out=tmp_path / "run")


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
def test_a_simulator_that_loses_its_state_in_a_collector_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo logs where it stands
    broken, run = tmp_path / "broken", tmp_path / "run"
    with pytest.raises(RunError) as caught:
        train(
            f"unsound:Thrown-v0,broken={broken}",
            STRICT,
            out=run,
            collectors=1,
            observers=[BreaksIt(broken)],
        )
    message = assert_ended_in_words(caught, r"MuJoCo lost its state \(BADQ\w+\) and reset itself")
    assert "the episode was not kept" in message
    assert saved_env_steps(run) == 180
    broken.unlink()
    assert resume(run).progress.env_steps == 300


class Cut(Observer):
    """Ends a run where it stands after 180 env steps."""

    env_steps = 0

    def progressed(self, progress):
        self.env_steps = progress.env_steps

    def resumable(self):
        if self.env_steps > 180:
            raise SystemExit


def cut_short(run):
    """Make a run that is 180 env steps old."""
    with pytest.raises(SystemExit):
        train(POINT, BASE, out=run, observers=[Cut()])
    assert saved_env_steps(run) == 180


def test_a_learning_rate_that_is_too_large_is_reported_and_another_one_continues(tmp_path):
    run = tmp_path / "run"
    cut_short(run)
    wild = replace(BASE, agent=replace(BASE.agent, critic_lr=1e30, actor_lr=1e30))
    with pytest.raises(RunError) as caught:
        resume(run, wild, allow_change=True)
    message = assert_ended_in_words(
        caught, r"learning diverged: \S+ is not finite after \d+ updates"
    )
    assert "smaller --agent.critic-lr and --agent.actor-lr may help" in message
    assert saved_env_steps(run) == 180
    assert resume(run, BASE, allow_change=True).progress.env_steps == 300
    assert saved_env_steps(run) == 300


def spoil_weight(agent):
    next(agent.actor.parameters()).data[0, 0] = torch.nan


def spoil_target(agent):
    next(agent.target_critics.parameters()).data[0, 0] = torch.inf


def spoil_optimizer(agent):
    optimizer = agent.optimizers["critics"]
    optimizer.state[next(agent.critics.parameters())]["exp_avg"].fill_(torch.nan)


def spoil_normalizer(agent):
    agent.moments.mean[0] = np.nan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "spoil"),
    [
        ("update", spoil_weight),
        ("update", spoil_target),
        ("policy", spoil_optimizer),
        ("policy", spoil_normalizer),
        ("values", spoil_normalizer),
        ("values", spoil_weight),
    ],
)
def test_what_is_not_finite_in_an_agent_is_neither_executed_nor_saved(
    tmp_path, monkeypatch, whole, spoil, method
):
    run, calls, real = tmp_path / "run", [], getattr(DDPG, method)

    def spoiling(agent, *arguments, **options):
        result = real(agent, *arguments, **options)
        calls.append(method)
        if len(calls) == 2:
            spoil(agent)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(DDPG, method, spoiling)
        with pytest.raises(RunError) as caught:
            train(POINT, BASE, out=run)
    assert_ended_in_words(caught, "not finite|NaN or infinity")
    assert len(calls) < 8
    newest_run(run) is None or saved_env_steps(run)
    assert (weights_of(resume(run).policy) == whole).all()


def test_losses_that_overflow_are_reported_though_the_networks_are_finite_yet(
    tmp_path, monkeypatch, whole
):
    run, update = tmp_path / "run", DDPG.update
    cut_short(run)

    def overflowing(agent, batch):
        return {**update(agent, batch), "critic_loss": torch.tensor(torch.inf)}

    with monkeypatch.context() as patch:
        patch.setattr(DDPG, "update", overflowing)
        with pytest.raises(RunError) as caught:
            resume(run, BASE)
    assert_ended_in_words(caught, r"learning diverged: critic_loss is not finite .*critic_loss inf")
    assert saved_env_steps(run) == 180
    assert (weights_of(resume(run, BASE).policy) == whole).all()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, r"the run cannot be saved, layers\.2\.bias holds NaN or infinity"),
        (1e9, r"episode \d+: the policy returned an action that is not finite"),
    ],
)
def test_a_policy_that_is_not_finite_is_neither_saved_nor_executed(
    tmp_path, monkeypatch, whole, seconds, expected
):
    run, policy = tmp_path / "run", DDPG.policy
    cut_short(run)

    def wandering(agent, **options):
        found = policy(agent, **options)
        weight, bias = found.layers[-1]
        return replace(found, layers=(*found.layers[:-1], (weight, bias * np.nan)))

    with monkeypatch.context() as patch:
        patch.setattr(DDPG, "policy", wandering)
        with pytest.raises(RunError) as caught:
            resume(run, replace(BASE, checkpoint=replace(BASE.checkpoint, seconds=seconds)))
    assert_ended_in_words(caught, expected)
    assert saved_env_steps(run) == 180
    assert (weights_of(resume(run, BASE).policy) == whole).all()


def test_the_command_says_what_when_and_what_to_do(warm, tmp_path):
    broken, run, log = tmp_path / "broken", tmp_path / "run", tmp_path / "log"
    env_id = f"unsound:Unsound-v0,kind=achieved_goal,broken={broken}"
    command = ["train", env_id, "--out", run, "--collectors", 0, "--env-steps", 300]
    small = ["--warm-start.episodes", 2, "--warm-start.critic-updates", 10, "--cycle.updates", 4]
    breaks = Moment(
        place="headstart.agents.ddpg:DDPG.update",
        when="after",
        count=2,
        deed=("os:mknod", [str(broken)]),
    )
    strict = ["--failures.at-least", 0]
    often = [*strict, "--cycle.episodes", 2, "--evaluation.episodes", 2, "--checkpoint.seconds", 0]
    code = warm(*command, *small, *often, log=log, moments=[breaks])
    assert code == 1
    *_, what, what_now = log.read_text().splitlines()
    assert re.fullmatch(
        r"headstart: after \d+ env steps: Unsound-v0, episode with seed \d+: the observation holds "
        r"NaN or infinity; 1 episode failed, at most 0 may: --failures.at-least and "
        r"--failures.share allow more",
        what,
    )
    assert f"continue with: headstart resume {run} --env 'unsound:Unsound-v0," in what_now
    broken.unlink()
    assert warm("resume", run, "--env", env_id, "--collectors", 0, log=log) == 0
