"""Runs that start from a saved policy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import is_one_line, point_policy, random_batch
from cut_runs import BASE, Cut, PowerCut
from outcomes import outcome
from small_runs import POINT
from sorting import SORT, sort

from headstart import InputError, collect_demos, evaluate, resume, train
from headstart.agents.ddpg import DDPG, DDPGConfig
from headstart.agents.start import start_from
from headstart.data.inputs import InputMap
from headstart.training.config import TrainConfig

NOTHING_LEARNED = {"cycle.updates": 0, "warm_start.bc_updates": 0, "warm_start.critic_updates": 0}
SORTING = TrainConfig().with_(
    {
        "env_steps": 0,
        "batch_size": 64,
        "agent.hidden_sizes": (64, 64),
        "agent.actor_lr": 3e-3,
        "warm_start.bc_updates": 1500,
        "evaluation.episodes": 25,
    }
)


@pytest.mark.parametrize("inputs", [None, InputMap(((0, -1), (5, 3)), 3, 2, (4.0,))])
def test_the_agent_does_what_the_policy_does_however_it_standardises(inputs):
    sizes = {"observation_dim": 3, "goal_dim": 2}
    agents = [
        DDPG(
            DDPGConfig(hidden_sizes=(16, 16)),
            **sizes,
            action_low=[-1.0, 0.0],
            action_high=[1.0, 3.0],
            reward_range=(-1.0, 0.0),
            seed=seed,
            actor_inputs=inputs,
        )
        for seed in (0, 1)
    ]
    rng = np.random.default_rng(0)
    batch = random_batch(rng, 200, **sizes, action_dim=2)
    agents[0].observe(replace(batch, observation=5.0 + 2.0 * batch.observation))
    agents[0].update(batch.map(torch.from_numpy))
    agents[1].observe(batch)
    policy = agents[0].policy(deployed=False)
    start_from(agents[1], policy)
    near = {name: getattr(batch, name) * 0.5 for name in ("achieved_goal", "desired_goal")}
    near["observation"] = batch.observation
    for deployed in (False, True):
        action = agents[1].policy(deployed=deployed)(near)
        np.testing.assert_allclose(action, policy(near), atol=1e-3)


def test_a_run_that_learns_nothing_keeps_it_without_demonstrations(tmp_path):
    first = train(POINT, BASE.with_(env_steps=90), out=tmp_path / "first")
    config = BASE.with_({**NOTHING_LEARNED, "init_policy": str(tmp_path / "first")})
    second = train(POINT, config).policy
    rng = np.random.default_rng(0)
    state = {
        name: rng.uniform(-1.0, 1.0, (50, 2)).astype(np.float32)
        for name in ("observation", "achieved_goal", "desired_goal")
    }
    np.testing.assert_allclose(second(state), first.best_policy(state), atol=0.01)


@pytest.mark.slow
def test_what_is_learned_of_two_components_starts_three(tmp_path):
    two = collect_demos(SORT.format(2), sort, episodes=40, noise=0.2)
    train(SORT.format(2), SORTING, demos=two, out=tmp_path / "two")
    three = SORT.format(3)
    demos = collect_demos(three, sort, episodes=3, noise=0.2)
    config = SORTING.with_({"warm_start.bc_updates": 0, "init_policy": str(tmp_path / "two")})
    moved = evaluate(tmp_path / "two", three, episodes=20).success_rate
    config = config.with_({**NOTHING_LEARNED, "env_steps": 210, "warm_start.episodes": 1})
    begun = train(three, config, demos=demos, out=tmp_path / "three")
    assert evaluate(begun.policy, three, episodes=20).success_rate > moved - 0.2 > 0.3
    with pytest.raises(InputError, match="sees something else"):
        train(three, replace(config, actor_inputs="all"), demos=demos)


@pytest.mark.slow
def test_it_is_not_needed_to_resume(tmp_path, point_demos):
    point = BASE.with_(init_policy=str(tmp_path / "policy.safetensors"))
    first = train(POINT, BASE.with_(env_steps=90, actor_inputs="all"), demos=point_demos)
    first.policy.save(tmp_path / "policy.safetensors")
    train(POINT, point, demos=point_demos, out=tmp_path / "whole")
    with pytest.raises(PowerCut):
        train(POINT, point, demos=point_demos, out=tmp_path / "cut", observers=[Cut(1)])
    (tmp_path / "policy.safetensors").unlink()
    resume(tmp_path / "cut")
    assert outcome(tmp_path / "whole") == outcome(tmp_path / "cut")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"agent.hidden_sizes": (8,)}, "pass --agent.hidden-sizes 16 16"),
        ({"agent.goal_input": "relative"}, "sees something else"),
    ],
)
def test_another_form_is_refused(tmp_path, changes, named):
    point_policy().save(tmp_path / "policy.safetensors")
    config = BASE.with_({**changes, "init_policy": str(tmp_path / "policy.safetensors")})
    with pytest.raises(InputError, match=named) as refusal:
        train(POINT, config, out=tmp_path / "run")
    assert is_one_line(str(refusal.value))
    assert not (tmp_path / "run").exists()


def test_a_policy_of_another_environment_is_refused(tmp_path):
    point_policy().save(tmp_path / "policy.safetensors")
    config = SORTING.with_({"env_steps": 70, "init_policy": str(tmp_path / "policy.safetensors")})
    with pytest.raises(InputError, match="sees something else"):
        train(SORT.format(2), config)
    missing = config.with_(init_policy=str(tmp_path / "none"))
    with pytest.raises(InputError, match="no such policy file"):
        train(SORT.format(2), missing)
