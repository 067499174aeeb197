from dataclasses import fields

import numpy as np
import pytest
from builders import counted_episode, random_batch, random_episode

from headstart.data.batch import Batch
from headstart.data.hindsight import HindsightSampler
from headstart.data.mixture import MixedSampler
from headstart.data.replay import EpisodeReplay


def no_reward(achieved_goal, _desired_goal, _reward_info):
    return np.zeros(len(achieved_goal), np.float32), np.zeros(len(achieved_goal), np.float32)


def sampler_of(number, *, is_demo):
    episode = counted_episode(number, 6)
    return HindsightSampler(
        EpisodeReplay.from_episodes([episode.demonstrated() if is_demo else episode]),
        no_reward,
        relabel_fraction=0.8,
        rng=np.random.default_rng(number),
    )


def mix(demo_fraction):
    return MixedSampler(
        online=sampler_of(0, is_demo=False),
        demos=sampler_of(1, is_demo=True),
        demo_fraction=demo_fraction,
    )


@pytest.mark.parametrize(
    ("count", "demo_fraction", "num_demos"),
    [(1024, 0.125, 128), (256, 0.5, 128), (10, 0.25, 2), (10, 0.0, 0), (3, 0.01, 0), (1, 0.9, 1)],
)
def test_the_share_is_exact(count, demo_fraction, num_demos):
    batch = mix(demo_fraction).sample(count)
    assert len(batch) == count
    assert batch.is_demo.sum() == num_demos


def test_rows_come_from_the_replay_they_claim_to_come_from():
    batch = mix(0.3).sample(50)
    np.testing.assert_array_equal(batch.observation[:, 0], batch.is_demo)


@pytest.mark.parametrize("share", [-0.5, 1.0, 2.0, float("nan")])
def test_a_share_that_leaves_no_experience_is_refused(share):
    with pytest.raises(ValueError, match=rf"demo_fraction must lie in \[0, 1\), got {share}"):
        mix(share)


def test_two_rewards_are_refused():
    demos = sampler_of(1, is_demo=True)
    demos.reward = lambda *rows: no_reward(*rows)
    with pytest.raises(ValueError, match="share one reward"):
        MixedSampler(online=sampler_of(0, is_demo=False), demos=demos, demo_fraction=0.5)


def test_demonstrations_of_other_widths_are_refused():
    demos = sampler_of(1, is_demo=True)
    wide = random_episode(np.random.default_rng(0), 5)
    demos.replay = EpisodeReplay.from_episodes([wide])
    with pytest.raises(ValueError, match="differ in width"):
        MixedSampler(online=sampler_of(0, is_demo=False), demos=demos, demo_fraction=0.5)


def test_map_applies_a_function_to_every_field():
    widths = {"observation_dim": 3, "goal_dim": 2, "action_dim": 1}
    batch = random_batch(np.random.default_rng(0), 4, **widths)
    doubled = batch.map(lambda array: 2 * array)
    for field in fields(Batch):
        np.testing.assert_array_equal(getattr(doubled, field.name), 2 * getattr(batch, field.name))
