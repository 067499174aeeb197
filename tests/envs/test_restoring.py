"""Whether states are restored: noise, wrappers and methods of another meaning are distinguished."""

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line
from envs.sound import Reach
from gymnasium import spaces, wrappers
from named import build_named

from headstart.demos.record import collect_demos
from headstart.demos.resets import check_resets
from headstart.envs.make import make_env
from headstart.envs.restoring import check_restores
from headstart.envs.snapshot import require_restorable, restorable
from headstart.errors import InputError


def register_in(name, kind, wrap=()):
    """Return an environment of a class, in wrappers that are registered with it."""
    gym.register(f"{name}-v0", lambda: apply_wrappers(kind(), wrap), max_episode_steps=20)
    env = make_env(f"{name}-v0")
    env.reset(seed=0)
    return env


def apply_wrappers(env, wrap):
    for wrapper in wrap:
        env = wrapper(env)
    return env


def refusal(env):
    with pytest.raises(InputError) as caught:
        check_restores(env)
    assert is_one_line(str(caught.value))
    return str(caught.value)


class Drifting(gym.Env):
    """A goal environment that saves its position and forgets its speed."""

    def __init__(self):
        box = spaces.Box(-100.0, 100.0, (1,))
        keys = ("observation", "achieved_goal", "desired_goal")
        self.observation_space = spaces.Dict(dict.fromkeys(keys, box))
        self.action_space = spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.speed = self.np_random.uniform(-1, 1, (2, 1))
        self.goal = np.zeros(1)
        return self._observe(), {}

    def step(self, action):
        self.speed = self.speed + action
        self.position = self.position + 0.1 * self.speed
        return self._observe(), -1.0, False, False, {"is_success": False}

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -np.ones(np.shape(achieved_goal)[:-1])

    def save_state(self):
        return self.position.copy()

    def restore_state(self, state, desired_goal=None):
        self.position = state.copy()
        self.goal = np.zeros(1) if desired_goal is None else desired_goal

    def _observe(self):
        return {
            "observation": self.position.copy(),
            "achieved_goal": self.position.copy(),
            "desired_goal": self.goal.copy(),
        }


class Brief(Drifting):
    """Forgets nothing, ends after a few steps, and takes none behind the end."""

    steps = 3

    def reset(self, *, seed=None, options=None):
        self.left = self.steps
        return super().reset(seed=seed)

    def step(self, action):
        assert self.left > 0, "stepped behind the end of the episode"
        self.left -= 1
        observation, reward, _, _, info = super().step(action)
        return observation, reward, self.left == 0, False, info

    def save_state(self):
        return np.array([self.position[0], self.speed[0]])

    def restore_state(self, state, desired_goal=None):
        super().restore_state(state[:1], desired_goal)
        self.speed = state[1:].copy()


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_an_environment_is_not_stepped_behind_the_end_of_an_episode(monkeypatch, steps):
    gym.register(f"Brief{steps}-v0", entry_point=Brief, max_episode_steps=20)
    monkeypatch.setattr(Brief, "steps", steps)
    env = make_env(f"Brief{steps}-v0")
    check_restores(env)
    monkeypatch.setattr(Brief, "save_state", Drifting.save_state)
    monkeypatch.setattr(Brief, "restore_state", Drifting.restore_state)
    with pytest.raises(InputError, match="the same actions lead elsewhere"):
        check_restores(env)


def test_an_environment_that_forgets_a_part_of_its_state_is_detected():
    gym.register("Drifting-v0", entry_point=Drifting, max_episode_steps=20)
    with pytest.raises(InputError, match="Drifting-v0: the same actions lead elsewhere") as caught:
        check_restores(make_env("Drifting-v0"))
    assert is_one_line(str(caught.value))


def test_saved_states_of_changing_width_are_refused_by_name():
    with pytest.raises(InputError, match=r"^Growing-v0: save_state\(\) returned shape") as caught:
        check_restores(build_named("Growing"))
    assert "(4,) at the start and (5,) after step 4" in str(caught.value)
    assert is_one_line(str(caught.value))


class Numbered(Reach):
    """Returns the number of a state that it keeps, as panda-gym does."""

    def save_state(self):
        self.kept = (*getattr(self, "kept", ()), super().save_state())
        return len(self.kept) - 1

    def restore_state(self, state_id):
        super().restore_state(self.kept[state_id])


class NumberedWithGoal(Numbered):
    def restore_state(self, state, goal=None):
        super().restore_state(state)


class ToFile(Reach):
    def save_state(self, path):
        raise AssertionError("headstart has no path")


class AsDict(Reach):
    def save_state(self):
        return {"position": self._position}


class AsBytes(Reach):
    def save_state(self):
        return self._position.tobytes()


class AsNothing(Reach):
    def save_state(self):
        self._kept = self._position


class Unwritten(Reach):
    def save_state(self):
        raise NotImplementedError


class Attributes(Reach):
    """Has a model, data and a goal, none of them of MuJoCo."""

    save_state = None

    def reset(self, **options):
        self.model, self.data, self.goal = object(), [], self._goal
        return super().reset(**options)


FOREIGN = [
    (Numbered, "restore_state(state_id) takes other arguments"),
    (NumberedWithGoal, "save_state() returns int, not a vector of numbers"),
    (ToFile, "save_state(path) takes other arguments"),
    (AsDict, "save_state() returns dict, not a vector"),
    (AsBytes, "save_state() returns bytes, not a vector"),
    (AsNothing, "save_state() returns NoneType, not a vector"),
    (Unwritten, "save_state() fails (NotImplementedError)"),
    (Attributes, "and is not a MuJoCo task with `model`, `data` and `goal`"),
]


@pytest.mark.parametrize(("kind", "reason"), FOREIGN)
def test_methods_of_another_meaning_are_not_taken_for_ours(kind, reason):
    env = register_in(kind.__name__, kind)
    assert restorable(env) is None
    with pytest.raises(InputError, match=f"the state of {kind.__name__}-v0 cannot be") as caught:
        require_restorable(env)
    assert reason in str(caught.value)
    assert is_one_line(str(caught.value))


def test_demonstrations_are_collected_without_snapshots_where_nothing_restores():
    register_in("Plain", Numbered)
    demos = collect_demos("Plain-v0", lambda observation: np.zeros(2), episodes=2,
                          keep_failures=True)  # fmt: skip
    assert [episode.snapshots.shape[1] for episode in demos.episodes] == [0, 0]
    with pytest.raises(InputError, match=r"the state of Plain-v0 cannot be restored: restore_stat"):
        check_resets(make_env("Plain-v0"), demos)


class Noise(gym.ObservationWrapper):
    """Sensor noise from the generator of the environment, or from one of its own."""

    own = False

    def reset(self, *, seed=None, options=None):
        self.sensor = [np.random.default_rng(seed)]
        return super().reset(seed=seed, options=options)

    def observation(self, observation):
        rng = self.sensor[0] if self.own else self.np_random
        return {**observation, "observation": observation["observation"] + rng.normal(0, 0.01, 2)}


class OwnNoise(Noise):
    own = True


class Wind(Reach):
    def step(self, action):
        return super().step(action + self.np_random.normal(0.0, 0.1, 2))


@pytest.mark.parametrize(
    ("name", "kind", "wrap"),
    [("Noise", Reach, [Noise]), ("OwnNoise", Reach, [OwnNoise]), ("Wind", Wind, [])],
)
def test_random_numbers_of_steps_are_not_taken_for_a_state_that_is_forgotten(name, kind, wrap):
    check_restores(register_in(name, kind, wrap))


class Trail(gym.ObservationWrapper):
    """Shows the observation before too."""

    def reset(self, *, seed=None, options=None):
        self.last = np.zeros(2)
        return super().reset(seed=seed, options=options)

    def observation(self, observation):
        self.last, before = observation["observation"], self.last
        return {**observation, "observation": self.last - before}


class SavedTrail(Trail):
    """A trail that is part of the state."""

    def save_state(self):
        return np.concatenate([self.last, self.env.save_state()])

    def restore_state(self, state, desired_goal=None):
        self.last = state[:2]
        self.env.restore_state(state[2:], desired_goal)


def test_a_wrapper_that_keeps_a_state_is_named():
    def sticky(env):
        return wrappers.StickyAction(env, 0.5)

    message = refusal(register_in("StickyNoisy", Reach, [Noise, sticky]))
    assert message.startswith("StickyNoisy-v0: the wrapper StickyAction keeps a state of its own")
    message = refusal(register_in("Trail", Reach, [Trail, Noise]))
    assert "the wrapper Trail keeps" in message
    check_restores(register_in("SavedTrail", Reach, [SavedTrail]))


class OwnGoalAgain(Reach):
    """Ignores the goal that it is given."""

    def restore_state(self, state, desired_goal=None):
        super().restore_state(state)


def test_a_goal_that_is_not_taken_is_detected():
    assert "was given the goal" in refusal(register_in("OwnGoalAgain", OwnGoalAgain))
