"""What training makes of demonstrations, which it refuses, and what it does without them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from builders import point_expert, stored_rows
from small_runs import POINT, SMALL, Diary, Noted, weights_of
from sorting import SORT, sort

from headstart.agents.ddpg import DDPG
from headstart.data.batch import Batch
from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.policy import load_policy
from headstart.rollout.executors import SerialExecutor
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.assembly import build_trainer
from headstart.training.config import (
    DemosConfig,
    HindsightConfig,
    ResetsConfig,
    WarmStartConfig,
)
from headstart.training.contest import Contest


def test_without_demonstrations_the_warm_start_collects_blindly():
    diary = Diary()
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    with SerialExecutor(POINT) as executor:
        reward = GoalReward(env)
        trainer = build_trainer(SMALL, spec, None, executor, reward, [diary])
        list(trainer._warm_start())
    actions = trainer.replay.actions[stored_rows(trainer.replay)]
    assert len(actions) == 60
    # Uniform over [-1, 1]: mean 0 and deviation 0.577.
    np.testing.assert_allclose(actions.std(axis=0), 0.577, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("bc_weight", [0.0, 1.0])
@pytest.mark.parametrize("q_filter", [True, False])
def test_every_use_of_demonstrations_runs(point_demos, bc_weight, q_filter):
    diary = Diary()
    agent = replace(SMALL.agent, bc_weight=bc_weight, q_filter=q_filter, q_filter_from=0)
    result = train(POINT, replace(SMALL, agent=agent), demos=point_demos, observers=[diary])
    assert result.progress.updates > 0
    last = diary.rows[-1]
    assert ("train/q_filter_pass_rate" in last) == (bc_weight > 0)
    if bc_weight and not q_filter:
        assert last["train/q_filter_pass_rate"] == 1.0


def test_only_as_many_demonstrations_as_asked_are_used(tmp_path, point_demos):
    config = replace(SMALL, demos=DemosConfig(fraction=0.25, num_episodes=2))
    train(POINT, config, demos=point_demos, out=tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    assert record["demos"]["episodes"] == 2
    fewer = replace(point_demos, episodes=point_demos.episodes[:2])
    one, two = (
        train(POINT, replace(SMALL, env_steps=60, demos=c), demos=d).policy
        for c, d in [(config.demos, point_demos), (SMALL.demos, fewer)]
    )
    np.testing.assert_array_equal(weights_of(one), weights_of(two))


def test_demonstrations_of_another_env_are_refused_before_anything_is_written(
    tmp_path, point_demos
):
    with pytest.raises(InputError, match="PointReach-v0, not of BitFlip-v0"):
        train("BitFlip-v0", SMALL, demos=point_demos, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Batches(DDPG):
    """An agent that keeps the batches it learns from."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.batches: list[Batch] = []

    def update(self, batch):
        self.batches.append(batch)
        return super().update(batch)


def test_batches_hold_the_promised_share_of_demonstrations(point_demos):
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    with SerialExecutor(POINT) as executor:
        reward = GoalReward(env)
        trainer = build_trainer(SMALL, spec, point_demos.episodes, executor, reward, ())
        recording = Batches(
            SMALL.agent,
            observation_dim=spec.observation_dim,
            goal_dim=spec.goal_dim,
            action_low=spec.action_low,
            action_high=spec.action_high,
            reward_range=spec.reward_range,
            seed=0,
        )
        trainer.contest = Contest({"all": recording})
        trainer.run()
    batches = recording.batches
    assert len(batches) == trainer.progress.updates
    assert {len(batch) for batch in batches} == {32}
    assert {int(batch.is_demo.sum()) for batch in batches} == {8}
    actions = {tuple(row) for episode in point_demos.episodes for row in episode.actions.tolist()}
    for batch in batches:
        assert all(tuple(row) in actions for row in batch.action[batch.is_demo == 1].tolist())


@pytest.mark.parametrize(("relabelled", "own"), [(None, True), (0.0, False), (1.0, False)])
def test_demonstrations_are_cloned_for_what_they_end_at(relabelled, own):
    def beside(observation):
        return -point_expert(observation)

    good = collect_demos(POINT, point_expert, episodes=2).episodes
    failed = collect_demos(POINT, beside, episodes=2, seed=1, keep_failures=True).episodes
    assert not any(demo.success for demo in failed)
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    config = replace(SMALL, demos=DemosConfig(relabel_fraction=relabelled))
    with SerialExecutor(POINT) as executor:
        trainer = build_trainer(config, spec, [*good, *failed], executor, GoalReward(env), ())
        batch = trainer.demo_sampler.sample(200)
    ends = [
        *(demo.desired_goals[0] for demo in good),
        *(demo.achieved_goals[-1] for demo in failed),
    ]
    wanted = {tuple(goal) for goal in np.array(ends).tolist()}
    assert ({tuple(goal) for goal in batch.desired_goal.tolist()} == wanted) is own
    # Those that resets may start from are what they were.
    assert all(np.array_equal(*pair) for pair in goals_of(trainer.demos, [*good, *failed]))


@pytest.mark.parametrize("relabelled", [None, 0.8])
def test_without_hindsight_demonstrations_keep_their_goals(point_demos, relabelled):
    failed = [demo.first(1) for demo in point_demos.episodes[:2]]
    assert not any(demo.success for demo in failed)
    hindsight = HindsightConfig(strategy="none", relabel_fraction=0.8)
    config = replace(SMALL, hindsight=hindsight, demos=DemosConfig(relabel_fraction=relabelled))
    wanted = {tuple(demo.desired_goals[0].tolist()) for demo in failed}
    assert goals_sampled(POINT, config, failed) == [wanted, wanted]


def test_with_one_component_in_view_demonstrations_are_not_relabelled():
    shown = collect_demos(SORT.format(2), sort, episodes=2).episodes
    failed = [demo.first(8) for demo in shown]
    assert not any(demo.success for demo in failed)
    wanted = {tuple(demo.achieved_goals[-1].tolist()) for demo in failed}
    config = replace(SMALL, demos=DemosConfig())
    assert goals_sampled(SORT.format(2), config, failed) == [wanted, wanted]


def goals_sampled(env_id, config, demos):
    """The goals of demonstrated rows, when cloning and in training."""
    env = make_env(env_id)
    spec = GoalSpec.from_env(env)
    with SerialExecutor(env_id) as executor:
        trainer = build_trainer(config, spec, demos, executor, GoalReward(env), ())
        batches = [each.sample(100) for each in (trainer.demo_sampler, trainer.sampler.demos)]
    return [{tuple(goal) for goal in batch.desired_goal.tolist()} for batch in batches]


def goals_of(*sets):
    return zip(*([demo.desired_goals for demo in demos] for demos in sets), strict=True)


@pytest.mark.slow
def test_training_resets_to_demonstrated_states_and_evaluation_never_does(point_demos):
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    config = replace(SMALL, env_steps=1200, resets=ResetsConfig(probability=0.5))
    with Noted(POINT) as executor:
        reward = GoalReward(env)
        build_trainer(config, spec, point_demos.episodes, executor, reward, ()).run()
    started = {
        stream: [job.task.start is not None for job in executor.jobs if job.stream == stream]
        for stream in ("rollout", "validation")
    }
    assert len(started["rollout"]) >= 40
    assert 0.2 < np.mean(started["rollout"]) < 0.8
    assert started["validation"]
    assert not any(started["validation"])


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
@pytest.mark.parametrize("goal", ["achieved", "desired"])
def test_resets_do_not_depend_on_the_collectors(point_demos, goal):
    config = replace(SMALL, resets=ResetsConfig(probability=0.5, goal=goal))
    one, two = (
        train(POINT, config, demos=point_demos, collectors=collectors).policy
        for collectors in (0, 2)
    )
    np.testing.assert_array_equal(weights_of(one), weights_of(two))


def test_resets_without_demonstrations_are_refused():
    config = replace(SMALL, resets=ResetsConfig(probability=0.5))
    with pytest.raises(InputError, match=r"resets\.probability must be 0 without demonstrations"):
        train(POINT, config)


def test_resets_to_demonstrations_without_snapshots_are_refused_before_anything_is_written(
    tmp_path,
):
    bare = collect_demos(POINT, point_expert, episodes=2, snapshots=False)
    config = replace(SMALL, resets=ResetsConfig(probability=0.5))
    with pytest.raises(InputError, match="hold no snapshots"):
        train(POINT, config, demos=bare, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("bc_updates", [1, 60])
def test_after_cloning_the_averaged_actor_is_the_clone(tmp_path, point_demos, bc_updates):
    policies = []
    for deploy in ("averaged", "online"):
        warm_start = replace(SMALL.warm_start, bc_updates=bc_updates)
        agent = replace(SMALL.agent, deploy=deploy)
        config = replace(SMALL, env_steps=0, agent=agent, warm_start=warm_start)
        policies.append(train(POINT, config, demos=point_demos, out=tmp_path / deploy).policy)
        policies.append(resume(tmp_path / deploy).policy)
    for policy in policies[1:]:
        np.testing.assert_array_equal(weights_of(policy), weights_of(policies[0]))


def test_the_averaged_actor_follows_slowly_after_cloning(point_demos):
    result = train(POINT, SMALL, demos=point_demos)
    online = replace(SMALL, agent=replace(SMALL.agent, deploy="online"))
    assert not np.array_equal(
        weights_of(result.policy), weights_of(train(POINT, online, demos=point_demos).policy)
    )


def test_no_env_steps_leave_the_cloning_alone(point_demos):
    diary = Diary()
    result = train(POINT, replace(SMALL, env_steps=0), demos=point_demos, observers=[diary])
    assert result.progress.env_steps == 0
    assert result.progress.updates == 0
    assert result.progress.warm_start_updates == 20
    assert len(diary.results) == 1


def test_no_env_steps_and_nothing_to_clone_are_refused(point_demos):
    unwarmed = replace(SMALL, env_steps=0, warm_start=WarmStartConfig(bc_updates=0))
    for config, demos in [(replace(SMALL, env_steps=0), None), (unwarmed, point_demos)]:
        with pytest.raises(InputError, match="env_steps must be at least 1"):
            train(POINT, config, demos=demos)


def test_an_actor_that_sees_less_is_trained_saved_and_resumed(tmp_path):
    config = SMALL.with_(actor_inputs="no-velocities", **{"task.velocities": (1,)})
    trained = train(POINT, config, out=tmp_path / "run")
    policy = load_policy(tmp_path / "run")
    assert policy.inputs is not None
    assert (1, -1) not in policy.inputs.terms
    state = {name: np.array([0.3, -0.2]) for name in ("achieved_goal", "desired_goal")}
    actions = [policy({**state, "observation": np.array([0.3, place])}) for place in (-0.9, 0.9)]
    np.testing.assert_array_equal(*actions)
    longer = config.with_(env_steps=2 * config.env_steps)
    whole = train(POINT, longer, out=tmp_path / "whole")
    resumed = resume(tmp_path / "run", longer)
    assert resumed.policy.arrays().keys() == whole.policy.arrays().keys()
    for name, array in whole.policy.arrays().items():
        np.testing.assert_array_equal(resumed.policy.arrays()[name], array)
    assert trained.policy.inputs == resumed.policy.inputs
