from collections.abc import Iterator

import gymnasium as gym
import named
import numpy as np
import pytest
from builders import is_one_line
from gymnasium import spaces

from headstart.data.layout import StateLayout
from headstart.envs.contract import check_goal_env
from headstart.envs.goal_env import GoalReward, GoalSpec, success_key
from headstart.envs.make import make_env
from headstart.envs.toy import BitFlip, PointReach
from headstart.errors import InputError

FETCH = ["FetchReach-v4", "FetchPickAndPlace-v4"]


class NoGoals(PointReach):
    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(-1.0, 1.0, (2,))


class NoDesiredGoal(PointReach):
    def __init__(self):
        super().__init__()
        kept = {key: self.observation_space[key] for key in ("observation", "achieved_goal")}
        self.observation_space = spaces.Dict(kept)


class Images(PointReach):
    def __init__(self):
        super().__init__()
        kept = dict(self.observation_space.spaces)
        self.observation_space = spaces.Dict(
            {**kept, "observation": spaces.Box(0, 255, (8, 8, 3), np.uint8)}
        )


class Buttons(PointReach):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.Discrete(4)


class Unbounded(PointReach):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.Box(-np.inf, np.inf, (2,))


class NoReward(PointReach):
    compute_reward = property()


class Shaped(PointReach):
    """The negative distance as reward: it has no least value."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)


class Positive(PointReach):
    """Reward 0 and 1 in place of -1 and 0."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return 1.0 + super().compute_reward(achieved_goal, desired_goal, info)


class WholeBatch(BitFlip):
    """Like the mazes: one norm over all rows, so one wrong bool for a batch."""

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(np.linalg.norm(np.asarray(achieved_goal) - desired_goal) < 0.5)


class BitFlipSilent(BitFlip):
    """No word of success: the reward of the exact goal, which is reached, shows it."""

    def step(self, action):
        return *super().step(action)[:-1], {}


@pytest.fixture
def built() -> Iterator:
    """Build an env of a class as Gymnasium would, without ``make_env``'s check."""
    ids = []

    def build(env_class, **spec):
        env_id = f"{env_class.__name__}Test-v0"
        ids.append(env_id)
        gym.register(env_id, entry_point=env_class, **{"max_episode_steps": 10, **spec})
        return gym.make(env_id, disable_env_checker=True)

    yield build
    for env_id in ids:
        gym.registry.pop(env_id, None)


@pytest.mark.parametrize("env_id", ["PointReach-v0", "BitFlip-v0"])
def test_toy_environments_keep_the_contract(env_id):
    check_goal_env(make_env(env_id))


@pytest.mark.parametrize("env_id", FETCH)
def test_fetch_keeps_the_contract(env_id):
    check_goal_env(make_env(env_id))


@pytest.mark.parametrize(
    ("env_class", "named"),
    [
        (NoGoals, "observation, achieved_goal, desired_goal"),
        (NoDesiredGoal, "desired_goal"),
        (Images, "observation must be a flat vector"),
        (Buttons, "Discrete(4)"),
        (Unbounded, "continuous and bounded"),
        (NoReward, "compute_reward"),
    ],
)
def test_what_breaks_the_contract_is_named(built, env_class, named):
    with pytest.raises(InputError) as caught:
        check_goal_env(built(env_class))
    message = str(caught.value)
    assert is_one_line(message)
    assert f"{env_class.__name__}Test-v0" in message
    assert named in message


def test_a_missing_time_limit_is_named(built):
    with pytest.raises(
        InputError, match=r"PointReachTest-v0 has no time limit: .*max_episode_steps"
    ):
        check_goal_env(built(PointReach, max_episode_steps=None))


def test_the_spec_of_point_reach():
    assert GoalSpec.from_env(make_env("PointReach-v0")) == GoalSpec(
        env_id="PointReach-v0",
        observation_dim=2,
        goal_dim=2,
        action_low=(-1.0, -1.0),
        action_high=(1.0, 1.0),
        max_episode_steps=30,
        reward_range=(-1.0, 0.0),
        terminates=None,
        success_key="is_success",
        layout=StateLayout(dim=2),
    )


def test_only_an_env_that_ends_at_the_goal_terminates():
    assert GoalSpec.from_env(make_env("BitFlip-v0")).terminates
    assert not GoalSpec.from_env(make_env("PointReach-v0")).terminates


def test_the_reward_range_is_probed(built):
    assert GoalSpec.from_env(built(Positive)).reward_range == (0.0, 1.0)
    assert GoalSpec.from_env(built(Shaped)).reward_range == (-np.inf, 0.0)


def test_the_spec_of_fetch():
    spec = GoalSpec.from_env(make_env("FetchPickAndPlace-v4"))
    assert (spec.observation_dim, spec.goal_dim, spec.action_dim) == (25, 3, 4)
    assert (spec.action_low, spec.action_high) == ((-1.0,) * 4, (1.0,) * 4)
    assert spec.reward_range == (-1.0, 0.0)
    assert spec.max_episode_steps == 50
    assert not spec.terminates
    assert GoalSpec.from_env(make_env("FetchReachDense-v4")).reward_range == (-np.inf, 0.0)


@pytest.mark.parametrize("env_id", FETCH)
def test_the_reward_in_bulk_is_the_one_that_fetch_paid(env_id):
    env = make_env(env_id)
    reward = GoalReward(make_env(env_id))
    rng = np.random.default_rng(0)
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        paid, achieved, desired = [], [], []
        for _ in range(20):
            action = rng.uniform(-1, 1, 4).astype(np.float32)
            observation, value, *_ = env.step(action)
            paid.append(value)
            achieved.append(observation["achieved_goal"])
            desired.append(observation["desired_goal"])
        computed, terminated = reward(np.stack(achieved), np.stack(desired))
        np.testing.assert_array_equal(computed, np.array(paid, np.float32))
        assert computed.dtype == terminated.dtype == np.float32
        assert not terminated.any()


def test_termination_is_computed_row_by_row(built):
    achieved = np.eye(8, dtype=np.float32)
    desired = achieved.copy()
    desired[1::2] = 0.0
    env = built(WholeBatch)
    _, terminated = GoalReward(env)(achieved, desired)
    np.testing.assert_array_equal(terminated, [1, 0, 1, 0, 1, 0, 1, 0])


def test_success_is_read_under_one_of_two_keys():
    assert success_key({"is_success": 1.0, "success": False}) == "is_success"
    assert success_key({"success": True}) == "success"
    assert success_key({"reward": 1.0}) is None


def test_point_reach_moves_by_the_action_and_stops_at_the_walls():
    env = PointReach()
    before = env.reset(seed=0)[0]["observation"]
    after, *_ = env.step(np.array([1.0, -0.5]))
    np.testing.assert_allclose(
        after["observation"],
        np.clip(before + np.array([0.1, -0.05]), -1.0, 1.0),
        rtol=0,
        atol=1e-12,
    )
    for _ in range(30):
        after, *_ = env.step(np.array([1.0, -1.0]))
    np.testing.assert_array_equal(after["achieved_goal"], [1.0, -1.0])


def test_bit_flip_flips_one_bit_and_ends_at_the_goal():
    env = BitFlip(4)
    observation, _ = env.reset(seed=0)
    wrong = np.flatnonzero(observation["observation"] != observation["desired_goal"])
    assert len(wrong) >= 1
    for count, bit in enumerate(wrong, start=1):
        action = np.zeros(4)
        action[bit] = 1.0
        observation, reward, terminated, _, info = env.step(action)
        is_last = count == len(wrong)
        assert (reward, terminated, info["is_success"]) == (
            0.0 if is_last else -1.0,
            is_last,
            is_last,
        )
    np.testing.assert_array_equal(observation["achieved_goal"], observation["desired_goal"])


def test_a_dense_reward_that_no_success_goes_with_is_refused_where_success_is_needed():
    env = named.build_named("DenseSilent")
    with pytest.raises(InputError, match=r"^DenseSilent-v0: nothing says whether a step") as caught:
        GoalSpec.from_env(env)
    assert is_one_line(str(caught.value))
    assert "return info['is_success'] from step" in str(caught.value)
    # Other people's training code counts no successes.
    goals = np.zeros((2, 2), np.float32)
    reward, _ = GoalReward(env)(goals + 3.0, goals)
    np.testing.assert_allclose(reward, -np.sqrt(18.0), rtol=1e-6)


@pytest.mark.parametrize("name", ["Silent", "LevelsSilent", "DenseToldAtEnd", "Dense"])
def test_success_that_is_known_is_not_asked_for(name):
    assert named.spec_of(name).goal_dim == 2


def test_exact_goals_of_a_sparse_reward_show_success(built):
    assert GoalSpec.from_env(built(BitFlipSilent)).goal_dim == 8


@pytest.mark.parametrize(
    "answer", [np.zeros((2, 1)), np.zeros(3), 0.0, np.array([0.0, np.nan])], ids=str
)
def test_a_reward_in_bulk_that_is_not_one_number_a_row_is_reported_by_name(monkeypatch, answer):
    env = make_env("PointReach-v0")
    monkeypatch.setattr(PointReach, "compute_reward", lambda *_: answer)
    spec = GoalSpec("PointReach-v0", 2, 2, (-1.0,) * 2, (1.0,) * 2, 30, (-1.0, 0.0), False)
    with pytest.raises(
        InputError, match=r"^compute_reward of PointReach-v0 returned rewards"
    ) as caught:
        GoalReward(env, spec)(*np.zeros((2, 2, 2), np.float32))
    assert "for 2 rows" in str(caught.value)
    assert is_one_line(str(caught.value))
