"""Demonstrations from demonstrations, on blocks without a simulator and on Fetch tasks."""

from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line
from carrying import Carrying, Demonstrator, Forgetful, layout
from expanding import STEPS, demonstrate, expand

from headstart import InputError, collect_demos, expand_demos, expert_for, load_demos, save_demos
from headstart.demos.expansion.cost import ExpansionCost, cost_of, expansion_env_steps
from headstart.demos.expansion.player import Player
from headstart.demos.expansion.rounds import Tally, choose_sources
from headstart.demos.expansion.skill import read_skill
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.foreign.joining import join_demos
from headstart.demos.record import CollectingInterrupted
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.rollout.job import EpisodeJob, run_episode
from headstart.rollout.task_source import EpisodeTask, Start


def first_successes(demos):
    return [int(np.argmax(episode.is_success)) + 1 for episode in demos.episodes]


def test_one_demonstration_becomes_many_in_other_scenes():
    source = demonstrate()
    demos = expand(source, episodes=20)
    assert len(demos.episodes) == 20
    assert demos.success_rate == 1.0
    goals = {episode.desired_goals[0].tobytes() for episode in demos.episodes}
    assert len(goals - {source.episodes[0].desired_goals[0].tobytes()}) == 20
    assert all(episode.snapshots.shape[1] for episode in demos.episodes)
    assert demos.header["noise"] == 0.0


def test_every_new_demonstration_happens_as_it_is_recorded():
    demos = expand(demonstrate(), episodes=3)
    env = make_env(Carrying, **STEPS)
    for episode in demos.episodes:
        env.reset(seed=0)
        env.unwrapped.restore_state(episode.snapshots[0])
        for step, action in enumerate(episode.actions):
            observation, *_, info = env.step(action)
            np.testing.assert_allclose(
                observation["observation"], episode.observations[step + 1], atol=1e-6
            )
        assert info["is_success"]


def test_every_step_is_counted():
    demos = expand(demonstrate(), env_kwargs={"slips": 0.4}, episodes=12)
    cost = cost_of(demos.header)
    assert cost.kept == 12 < cost.attempts
    assert cost.attempts - cost.kept == demos.header["failed_attempts"] > 0
    assert cost.branch_steps > 0
    assert cost.env_steps > demos.num_transitions + cost.branch_steps


def test_without_restored_states_a_failed_move_is_a_failed_attempt():
    slipping = {"slips": 0.4}
    with_states = expand(demonstrate(), env_kwargs=slipping, episodes=12)
    without = expand(demonstrate(), Forgetful, env_kwargs=slipping, episodes=12)
    assert cost_of(without.header).branch_steps == 0
    assert cost_of(without.header).attempts > cost_of(with_states.header).attempts
    assert all(episode.snapshots.shape[1] == 0 for episode in without.episodes)


@pytest.mark.parametrize(
    "demonstrator",
    [Demonstrator(pace=0.4), Demonstrator(noise=0.1)],
    ids=["slow", "noisy"],
)
def test_slow_and_noisy_demonstrations_are_played_quickly_and_calmly(demonstrator):
    source = demonstrate(demonstrator, max_episode_steps=120)
    demos = expand(source)
    assert max(first_successes(demos)) < 60
    moves = np.concatenate([episode.actions[:, :3] for episode in demos.episodes])
    assert np.abs(moves).max() < 1.0


def test_a_demonstration_that_failed_shows_what_it_did_achieve():
    (episode,) = demonstrate().episodes
    elsewhere = replace(
        episode,
        desired_goals=episode.desired_goals + np.float32(0.2),
        is_success=np.zeros(len(episode), bool),
        rewards=np.zeros(0, np.float32),
    )
    demos = expand(DemoSet("carrying:Carrying", (elsewhere,)))
    assert demos.success_rate == 1.0


def test_blocks_are_stacked_one_after_another():
    options = {"blocks": 3, "stacked": True, "max_episode_steps": 200}
    source = demonstrate(**options)
    demos = expand(source, env_kwargs=options, episodes=4)
    for episode in demos.episodes:
        heights = episode.achieved_goals[-1].reshape(3, 3)[:, 2]
        np.testing.assert_allclose(heights, [0.0, 0.05, 0.1], atol=0.03)


def test_a_higher_speed_takes_fewer_steps():
    source = demonstrate()
    slow, fast = (expand(source, speed=speed) for speed in (1.0, 2.0))
    assert np.mean(first_successes(fast)) < 0.9 * np.mean(first_successes(slow))


def test_sources_that_work_are_chosen():
    (good,) = demonstrate().episodes
    # The hand closes beside the block, which jumps into it later.
    beside = good.observations.copy()
    beside[:, :3] += np.float32([0.03, 0.0, 0.0])
    bad = replace(good, observations=beside, rewards=np.zeros(0, np.float32))
    demos = expand(DemoSet("carrying:Carrying", (bad, good)), Forgetful, episodes=20)
    tried = [source["attempts"] for source in demos.header["expansion"]["sources"]]
    assert tried[1] > 2 * tried[0]


def test_the_best_source_comes_next_and_equal_ones_take_turns():
    assert choose_sources([Tally(), Tally(), Tally()], 6) == [0, 1, 2, 0, 1, 2]
    assert choose_sources([Tally(8, 0), Tally(8, 8)], 3) == [1, 1, 1]
    assert sorted(choose_sources([Tally(1, 0), Tally(), Tally(1, 1)], 2)) == [1, 2]


def test_sources_need_neither_snapshots_nor_rewards(tmp_path):
    (episode,) = demonstrate().episodes
    np.savez(
        tmp_path / "recorded.npz",
        observations=episode.observations[None],
        achieved_goals=episode.achieved_goals[None],
        desired_goals=episode.desired_goals[None],
        actions=episode.actions[None],
    )
    demos = expand(tmp_path / "recorded.npz", episodes=3)
    assert demos.success_rate == 1.0


def test_seeds_decide_and_nothing_else():
    source = demonstrate()
    first = expand(source, seed=1)
    assert expand(source, seed=1) == first
    assert expand(source, seed=2).episodes != first.episodes


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
def test_the_file_does_not_depend_on_collectors(tmp_path):
    source = demonstrate(episodes=3)
    contents = []
    for collectors in (0, 1, 2):
        path = tmp_path / f"{collectors}.npz"
        made = expand(source, env_kwargs={"slips": 0.3}, episodes=20, collectors=collectors)
        save_demos(path, made)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_an_interrupted_expansion_holds_the_first_demonstrations():
    def stop(episode):
        seen.append(episode)
        if len(seen) == 3:
            raise KeyboardInterrupt

    seen = []
    with pytest.raises(CollectingInterrupted) as stopped:
        expand(demonstrate(), on_episode=stop)
    assert list(stopped.value.demos.episodes) == seen
    assert cost_of(stopped.value.demos.header).kept == 3


def resting(episode, *, at_goal):
    """Return an episode in which the hand moves alone."""
    achieved = np.repeat(episode.achieved_goals[:1], len(episode) + 1, axis=0)
    goals = achieved[:-1] if at_goal else episode.desired_goals
    success = np.full(len(episode), at_goal)
    observations = episode.observations.copy()
    observations[:, 4:7] = achieved
    nothing = np.zeros(0, np.float32)
    fields = {"achieved_goals": achieved, "desired_goals": goals, "is_success": success}
    return replace(episode, observations=observations, rewards=nothing, **fields)


@pytest.mark.parametrize(
    ("at_goal", "reason"), [(False, "the object never moved"), (True, "it started at its goal")]
)
def test_a_demonstration_that_moves_nothing_is_refused(at_goal, reason):
    (episode,) = demonstrate().episodes
    still = DemoSet("carrying:Carrying", (resting(episode, at_goal=at_goal),))
    with pytest.raises(InputError, match=f"cannot be expanded: {reason}") as refused:
        expand(still)
    assert is_one_line(str(refused.value))


def test_some_that_move_nothing_are_left_out(caplog):
    (episode,) = demonstrate().episodes
    both = DemoSet("carrying:Carrying", (resting(episode, at_goal=False), episode))
    demos = expand(both)
    assert [source["episode"] for source in demos.header["expansion"]["sources"]] == [1]
    assert "1 of 2 demonstrations cannot be expanded: the object never moved" in caplog.text


class Undeclared(Carrying):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_layout = layout(self.blocks, hand_actions=(), hand_steps=())


class Misdeclared(Carrying):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_layout = layout(self.blocks, hand_steps=(0.05, -0.05, 0.05))


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        (Undeclared, "nothing is declared about its hand"),
        (Misdeclared, "action 1 is declared to move the hand by -0.05 a unit"),
    ],
)
def test_what_is_declared_of_the_hand_must_be_there_and_right(env, reason):
    with pytest.raises(InputError, match=reason) as refused:
        expand(demonstrate(), env)
    assert is_one_line(str(refused.value))


def test_attempts_that_never_succeed_are_given_up():
    with pytest.raises(InputError, match=r"no attempt of 20 to expand 1 demonstration") as refused:
        expand(demonstrate(), Forgetful, env_kwargs={"slips": 1.0})
    assert is_one_line(str(refused.value))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"episodes": 0}, "episodes must be at least 1, got 0"),
        ({"speed": 9}, "speed must lie in"),
        ({"seed": -1}, "seed must not be negative"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        expand(demonstrate(), **options)


def test_costs_of_joined_files_are_added(tmp_path):
    source = demonstrate()
    one, other = expand(source, episodes=2), expand(source, episodes=3, seed=5)
    joined = join_demos([("one", one), ("other", other), ("source", source)])
    save_demos(tmp_path / "joined.npz", joined)
    found = load_demos(tmp_path / "joined.npz")
    assert cost_of(found.header) == cost_of(one.header) + cost_of(other.header)
    assert expansion_env_steps(source.header) == 0


@pytest.mark.parametrize("written", [None, 3, [], {"env_steps": -1}, {"env_steps": "many"}])
def test_a_header_without_a_cost_has_none(written):
    assert cost_of({"expansion": written, "joined": [{"expansion": written}, 3]}) is None
    assert cost_of({"expansion": {"env_steps": 7}}) == ExpansionCost(env_steps=7)


@pytest.mark.parametrize(
    "env_id", ["FetchPickAndPlace-v4", "FetchPush-v4", "FetchReach-v4"], ids=lambda env_id: env_id
)
def test_fetch_demonstrations_are_expanded(env_id):
    source = collect_demos(env_id, expert_for(env_id), episodes=2, seed=3)
    demos = expand_demos(source, episodes=3)
    assert demos.env_id == env_id
    assert demos.success_rate == 1.0
    assert cost_of(demos.header).env_steps >= demos.num_transitions


def push_player():
    [shown] = collect_demos("FetchPush-v4", expert_for("FetchPush-v4"), episodes=1, seed=3)
    env = make_env("FetchPush-v4")
    workspace = Workspace.of(GoalSpec.from_env(env))
    return Player(read_skill(shown, workspace), workspace, 1.0, restores=False), shown, env


def test_a_push_goes_by_the_scene_alone_and_so_can_be_cloned():
    player, _, env = push_player()
    episode = run_episode(env, EpisodeJob(player, 0, "expansion", 0))
    for step, action in enumerate(episode.actions):
        # As if the episode began here, whatever went before.
        player.reset(seed=0)
        observation = {
            "observation": episode.observations[step],
            "achieved_goal": episode.achieved_goals[step],
            "desired_goal": episode.desired_goals[step],
        }
        np.testing.assert_allclose(player(observation), action, atol=1e-3)


def test_a_hand_in_the_middle_of_a_push_can_be_led_to_any_goal():
    player, shown, env = push_player()
    middle = int(np.argmax(shown.is_success)) // 2
    for index, way in enumerate([[0.1, 0.1], [0.1, -0.1], [-0.1, 0.1], [-0.1, -0.1]]):
        goal = np.append(np.array([1.34, 0.75]) + way, shown.achieved_goals[0, 2])
        task = EpisodeTask(start=Start.of(shown, middle + index, goal))
        assert run_episode(env, EpisodeJob(player, 0, "expansion", index, task=task)).success
