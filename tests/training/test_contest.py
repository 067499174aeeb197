"""Which of two clones is trained on, by what their actors see."""

import re
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from builders import random_batch, random_episode
from cut_runs import BASE, Cut, PowerCut
from outcomes import outcome
from plane_tasks import GLIDE, Glide, brake
from small_runs import POINT

from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.data.layout import StateLayout
from headstart.demos.record import collect_demos
from headstart.errors import InputError
from headstart.runs.preparation import prepare_run
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import TrainConfig
from headstart.training.contest import Contest, Tally


def contest(**tallies):
    """A contest of agents that are their names, with episodes and successes of each."""
    found = Contest({name: name for name in tallies})
    found.keep({name: Tally(*tally) for name, tally in tallies.items()})
    return found


FRAME = StateLayout(positions=(0,), goal_positions=(0,), shift_axes=(0, 1), dim=2)


VIEWS = ("neither", "no-absolute", "all")


def scored(scores):
    """A contest of all views after ten episodes of each."""
    return contest(**{view: (10, score) for view, score in zip(VIEWS, scores, strict=True)})


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ((8.0, 0.0, 4.0), "neither"),
        ((7.5, 9.0, 10.0), "neither"),
        ((2.0, 8.0, 9.0), "no-absolute"),
        ((2.0, 2.0, 9.0), "all"),
        ((0.1, 0.0, 0.0), "neither"),
    ],
)
def test_of_clones_that_are_good_already_the_one_that_sees_least_is_chosen(scores, chosen):
    held = scored(scores)
    assert held.decide(final=False)
    assert list(held.agents) == [chosen]


@pytest.mark.parametrize(
    ("scores", "left"),
    [
        ((5.0, 5.0, 5.0), VIEWS),
        ((5.0, 1.0, 2.0), ("neither", "all")),
        ((1.0, 5.0, 3.0), ("no-absolute", "all")),
        ((3.0, 7.0, 8.0), VIEWS),
        ((0.0, 0.0, 0.0), VIEWS),
    ],
)
def test_where_it_is_doubtful_all_that_may_be_good_stay_and_are_counted_anew(scores, left):
    held = scored(scores)
    assert not held.decide(final=False)
    assert tuple(held.agents) == left
    assert list(held.tallies.values()) == [Tally()] * len(left)


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ((7.5, 7.5, 7.5), "neither"),
        ((8.0, 9.0, 9.0), "no-absolute"),
        ((9.0, 9.0, 9.1), "all"),
    ],
)
def test_at_last_the_best_is_chosen_and_of_equal_ones_that_which_sees_least(scores, chosen):
    held = scored(scores)
    assert held.decide(final=True)
    assert list(held.agents) == [chosen]


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ((7.4, 6.0, 6.0), "all"),
        ((5.0, 5.0, 3.9), "no-absolute"),
        ((6.0, 4.5, 3.0), "neither"),
        ((2.0, 0.0, 1.0), "neither"),
        ((0.0, 0.1, 0.1), "all"),
        ((0.0, 0.0, 0.0), "all"),
    ],
)
def test_of_weak_ones_that_do_about_as_well_the_one_that_sees_most_is_chosen(scores, chosen):
    held = scored(scores)
    assert held.decide(final=True)
    assert list(held.agents) == [chosen]


@pytest.mark.parametrize(
    ("layout", "tried"),
    [
        (StateLayout(), ["all"]),
        (StateLayout(velocities=(2, 3)), ["neither", "all"]),
        (FRAME, ["neither", "all"]),
        (replace(FRAME, velocities=(2, 3)), ["neither", "no-absolute", "all"]),
        (replace(FRAME, velocities=(2, 3), shift_axes=()), ["neither", "all"]),
    ],
    ids=["nothing", "velocities", "a frame", "both", "a frame that cannot be shifted"],
)
def test_what_is_the_same_is_tried_once(glides, layout, tried):
    class Declared(Glide):
        state_layout = layout

    gym.register("OwnGlide-v0", Declared, max_episode_steps=40)
    with prepare_run("OwnGlide-v0", SMALL, replace(glides, env_id="OwnGlide-v0"), 0, None, ()) as (
        trainer,
        _,
    ):
        assert list(trainer.contest.agents) == tried
    del gym.registry["OwnGlide-v0"]


def episode_of(is_success, *, ends=False):
    """An episode that is at its goal in these steps."""
    episode = random_episode(np.random.default_rng(0), len(is_success))
    terminated = np.arange(len(is_success)) == len(is_success) - 1
    return replace(
        episode, is_success=np.array(is_success, bool), terminated=terminated & np.bool_(ends)
    )


def test_agents_run_episodes_in_turn_whichever_leads():
    held = contest(less=(0, 0), everything=(0, 0))
    held.count(0, episode_of([0, 1, 1, 1, 0, 1, 1, 0]))
    held.lead("everything")
    held.count(1, episode_of([1, 0, 1, 0, 1, 1, 0, 1]))
    held.count(2, episode_of([0, 0, 0, 1], ends=True))
    held.count(5, episode_of([0, 0, 0, 0], ends=True))
    assert held.leading == "everything"
    assert held.tallies == {"less": Tally(2, 1.5), "everything": Tally(2, 0.5)}


def test_of_one_agent_nothing_is_decided():
    held = contest(everything=(0, 0))
    assert held.decide(final=False)
    assert held.leading == "everything"


@pytest.mark.parametrize("tally", [(1, 2.0), (3, -1.0), (-1, -1.0)])
def test_a_score_beyond_the_episodes_is_refused(tally):
    with pytest.raises(ValueError, match="a score of"):
        Tally(*tally)


@pytest.fixture(scope="module")
def glides():
    """Demonstrations in which velocities matter."""
    gym.register(GLIDE, Glide, max_episode_steps=40)
    yield collect_demos(GLIDE, brake, episodes=6)
    del gym.registry[GLIDE]


SMALL = TrainConfig(
    env_steps=500,
    agent=replace(BASE.agent, hidden_sizes=(32, 32)),
    warm_start=replace(BASE.warm_start, bc_updates=300, episodes=8, critic_updates=20),
    evaluation=replace(BASE.evaluation, every=200),
)


@pytest.mark.slow
def test_velocities_stay_where_a_clone_fails_without_them(glides, caplog):
    with caplog.at_level("INFO", "headstart"):
        trained = train(GLIDE, SMALL, demos=glides)
    assert trained.policy.inputs.terms == ((2, -1), (3, -1), (6, 4), (7, 5))
    (line,) = [text for text in caplog.messages if text.startswith("the actor sees")]
    assert re.search(r"clones ended at their goals in \d% with neither, \d+% with no-abs", line)


@pytest.mark.slow
def test_cloning_alone_shows_the_better_clone(glides):
    alone = replace(SMALL, env_steps=0)
    # Of several clones none is chosen without env steps, and none is cloned to the end.
    longer = replace(alone.warm_start, bc_updates=2 * alone.warm_start.bc_updates)
    best = train(GLIDE, replace(alone, warm_start=longer), demos=glides)
    less = train(GLIDE, replace(alone, actor_inputs="neither"), demos=glides)
    everything = train(GLIDE, replace(alone, actor_inputs="all"), demos=glides)
    others = [less.evaluation.success_rate, everything.evaluation.success_rate]
    assert others[0] < others[1]
    assert best.evaluation.success_rate >= max(others)


@pytest.mark.slow
def test_a_run_is_the_same_however_it_is_cut_and_made_longer(glides, tmp_path):
    config = replace(SMALL, checkpoint=BASE.checkpoint)
    train(GLIDE, config, demos=glides, out=tmp_path / "whole")
    with pytest.raises(PowerCut):
        train(
            GLIDE,
            replace(config, env_steps=0),
            demos=glides,
            out=tmp_path / "cut",
            observers=Cut(2),
        )
    resume(tmp_path / "cut", env=GLIDE)
    for env_steps in (90, 500):
        resume(tmp_path / "cut", {"env_steps": env_steps}, env=GLIDE)
    whole, cut = outcome(tmp_path / "whole"), outcome(tmp_path / "cut")
    for name in ("agent", "state", "replay"):
        assert whole[name] == cut[name], name


@pytest.mark.slow
def test_a_run_in_doubt_is_the_same_however_it_is_cut_and_made_longer(glides, tmp_path):
    # After one update no clone is good.
    in_doubt = replace(SMALL.warm_start, bc_updates=4, episodes=4, episodes_in_doubt=9)
    config = replace(SMALL, env_steps=440, checkpoint=BASE.checkpoint, warm_start=in_doubt)
    whole = train(GLIDE, config, demos=glides, out=tmp_path / "whole")
    assert whole.progress.warm_start_env_steps == 9 * 40
    shorter = replace(config, env_steps=200)
    with pytest.raises(PowerCut):
        train(GLIDE, shorter, demos=glides, out=tmp_path / "cut", observers=Cut(3))
    for env_steps in (200, 440):
        resume(tmp_path / "cut", {"env_steps": env_steps}, env=GLIDE)
    ones, others = outcome(tmp_path / "whole"), outcome(tmp_path / "cut")
    for name in ("agent", "state", "replay"):
        assert ones[name] == others[name], name


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"warm_start": replace(SMALL.warm_start, bc_updates=0)},
        {"warm_start": replace(SMALL.warm_start, episodes=0, critic_updates=0)},
        {"actor_inputs": "all"},
    ],
    ids=["no cloning", "no episodes to judge by", "asked for"],
)
def test_everything_is_seen_where_nothing_is_detected(glides, changes):
    config = replace(SMALL, env_steps=200, **changes)
    assert train(GLIDE, config, demos=glides).policy.inputs is None


def test_everything_is_seen_without_demonstrations():
    assert train(POINT, replace(BASE, env_steps=90)).policy.inputs is None


def test_a_layout_with_an_entry_too_many_is_refused():
    class Wide(Glide):
        state_layout = StateLayout(velocities=(4,))

    gym.register("Wide-v0", Wide, max_episode_steps=40)
    with pytest.raises(InputError, match="velocities of its layout names entry 4"):
        train("Wide-v0", SMALL)
    del gym.registry["Wide-v0"]


def test_what_is_seen_of_a_point_is_the_way_to_its_goal(point_demos):
    policy = train(
        POINT, replace(BASE, actor_inputs="neither", env_steps=90), demos=point_demos
    ).policy
    one = {"observation": np.zeros(2), "achieved_goal": np.zeros(2), "desired_goal": np.ones(2)}
    other = {name: value + 0.3 for name, value in one.items()}
    np.testing.assert_allclose(policy(one), policy(other), atol=1e-6)


def test_clones_do_the_same_whatever_the_normaliser_sees_after_them():
    sizes = {"observation_dim": 3, "goal_dim": 2}
    agent = DDPG(
        DDPGConfig(hidden_sizes=(16, 16)),
        **sizes,
        action_low=[-1.0, 0.0],
        action_high=[1.0, 3.0],
        reward_range=(-1.0, 0.0),
        seed=0,
    )
    held = Contest({"all": agent}, keeps_clones=True)
    shown = random_batch(np.random.default_rng(0), 200, **sizes, action_dim=2, num_demos=200)
    layer = agent.actor.weights[0].clone()
    held.observe(replace(shown, observation=0.01 * shown.observation))
    # Nothing is cloned yet, and an untrained network is as it was drawn.
    torch.testing.assert_close(agent.actor.weights[0], layer, rtol=0.0, atol=0.0)
    for _ in range(20):
        held.clone([shown.map(torch.from_numpy)])
    held.end_cloning()
    states = {
        "observation": 0.01 * shown.observation,
        "achieved_goal": shown.achieved_goal,
        "desired_goal": shown.desired_goal,
    }
    before = [agent.policy(deployed=deployed)(states) for deployed in (False, True)]
    held.observe(replace(shown, observation=0.1 + 0.05 * shown.observation))
    after = [agent.policy(deployed=deployed)(states) for deployed in (False, True)]
    np.testing.assert_allclose(before, after, atol=1e-3)
    held.observe(replace(shown, observation=2.0 * shown.observation))
    assert np.abs(agent.policy(deployed=True).mean[:3]).max() > 0.01
