"""What the buffer of Stable-Baselines3 keeps, forgets, saves and loads."""

import numpy as np
import pytest

import headstart as hs
from headstart.data.strategies import final

pytest.importorskip("stable_baselines3")

from sb3_models import BITS, STEPS, assert_is_point_reach, demo_rows, envs, mark_demos, model, rows
from stable_baselines3 import DDPG


def test_an_episode_cut_by_learn_stays_an_episode_of_its_own():
    learner = model(envs()).learn(40)
    assert learner.replay_buffer.size() == STEPS
    learner.learn(40)
    assert learner.replay_buffer.size() == STEPS + 10 + STEPS
    assert_is_point_reach(learner)
    learner.learn(20, reset_num_timesteps=False)
    assert learner.replay_buffer.size() == STEPS + 10 + 2 * STEPS


def test_the_oldest_episodes_are_forgotten(demos):
    learner = model(envs(), settings={"buffer_size": 100}, demos=demos).learn(3 * STEPS)
    buffer = learner.replay_buffer
    assert (buffer.size(), buffer.pos, buffer.full) == (3 * STEPS, 3 * STEPS, False)
    learner.learn(STEPS, reset_num_timesteps=False)
    assert (buffer.size(), buffer.pos, buffer.full) == (3 * STEPS, 3 * STEPS, True)
    buffer.reset()
    assert (buffer.size(), buffer.pos, buffer.full) == (0, 0, False)
    assert_is_point_reach(learner)


def test_a_saved_buffer_continues_in_another_model(tmp_path, demos):
    settings = {"buffer_size": 200}
    model(envs(), settings=settings, demos=mark_demos(demos)).learn(70).save_replay_buffer(
        tmp_path / "buffer"
    )
    learner = model(envs())
    learner.load_replay_buffer(tmp_path / "buffer")
    assert learner.replay_buffer.size() == 70
    assert demo_rows(learner, 100) == 50
    learner.learn(5 * STEPS)
    assert learner.replay_buffer.full


def test_a_loaded_buffer_finishes_its_episode_and_relabels_old_and_new_ones(tmp_path):
    learner = model(envs(), relabel_fraction=1.0, strategy=final).learn(70)
    learner.save_replay_buffer(tmp_path / "buffer")
    learner.load_replay_buffer(tmp_path / "buffer", truncate_last_traj=False)
    assert learner.replay_buffer.size() == 2 * STEPS
    learner.learn(2 * STEPS + 20, reset_num_timesteps=False)
    assert learner.replay_buffer.size() == 5 * STEPS
    assert_is_point_reach(learner)
    assert len(np.unique(rows(learner)[0]["desired_goal"], axis=0)) == 5


def test_a_buffer_is_not_loaded_into_another_environment(tmp_path):
    model(envs()).save_replay_buffer(tmp_path / "buffer")
    with pytest.raises(hs.InputError, match="BitFlip-v0"):
        model(envs(BITS)).load_replay_buffer(tmp_path / "buffer")


def test_a_saved_model_finds_its_demonstrations_again(tmp_path, demos):
    hs.save_demos(tmp_path / "demos.npz", demos)
    model(envs(), demos=tmp_path / "demos.npz").save(tmp_path / "model")
    assert_is_point_reach(DDPG.load(tmp_path / "model", env=envs()))
