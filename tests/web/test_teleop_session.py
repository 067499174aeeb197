"""The state machine of teleoperation, without a browser and without a clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page import HAND

from headstart.data.episode import DEMONSTRATED
from headstart.demos.storage import load_demos
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.web.teleop.messages import Assist, Do, Stick, read_message
from headstart.web.teleop.session import STEPS_PER_SECOND, Session
from headstart.web.teleop.takes import Takes

TICK = 1.0 / STEPS_PER_SECOND


class Pilot:
    """Steers a session as a page would, with a clock of its own."""

    def __init__(self, **options):
        self.env = make_env("PointReach-v0", max_episode_steps=1000)
        self.spec = GoalSpec.from_env(self.env, HAND)
        self.session = Session(self.env, self.spec, **options)
        self.recorded = []
        self.session.on_recorded = self.recorded.append
        self.now = 0.0

    def do(self, deed):
        self.session.hear(Do(deed), self.now)

    def hold(self, ticks, *move, **more):
        """Hold the stick for some ticks; return the places of the hand after each."""
        places = []
        for _ in range(ticks):
            self.session.hear(Stick(move=move, **more), self.now)
            places.append(self.tick())
        return np.array(places)

    def tick(self):
        self.now += TICK
        self.session.tick(self.now)
        return self.place

    @property
    def place(self):
        return np.array(self.session.state()["hand"])

    def to_goal(self):
        """Go to the goal, by what a page is told."""
        while not self.session.state()["is_success"]:
            state = self.session.state()
            way = np.subtract(state["desired"], state["hand"]) / 0.1
            self.hold(1, *np.clip(way, -1, 1).tolist())


@pytest.fixture
def pilot():
    return Pilot()


def test_a_scene_waits_until_something_is_asked_of_it(pilot):
    start = pilot.place
    for _ in range(10):
        pilot.tick()
    pilot.hold(5, 0.0, 0.0)
    assert (pilot.session.mode, pilot.session.state()["steps"]) == ("waiting", 0)
    np.testing.assert_allclose(pilot.hold(1, 0.5, 0.0)[0] - start, [0.05, 0.0], atol=1e-9)


def test_silence_of_200_ms_is_a_hand_at_rest(pilot):
    pilot.hold(1, 0.1, 0.0)
    places = np.array([pilot.tick() for _ in range(12)])
    moved = np.abs(np.diff(places[:, 0])) > 0
    assert moved[:3].all()
    assert not moved[4:].any()


def test_undo_goes_back_a_second_as_often_as_wanted_and_what_follows_is_the_episode(pilot):
    places = pilot.hold(60, 0.01, 0.0)
    pilot.do("undo")
    assert pilot.session.mode == "waiting"
    np.testing.assert_allclose(pilot.place, places[60 - 25 - 1], rtol=1e-6)
    pilot.do("undo")
    np.testing.assert_allclose(pilot.place, places[9], rtol=1e-6)
    pilot.to_goal()
    pilot.do("success")
    (recorded,) = pilot.recorded
    episode = recorded.episode
    np.testing.assert_array_equal(episode.observations[1:11], places[:10].astype(np.float32))
    assert recorded.undone_steps == 50
    again = make_env("PointReach-v0", max_episode_steps=1000)
    again.reset(seed=0)
    again.unwrapped.restore_state(episode.snapshots[0])
    seen = [again.step(action)[0]["observation"] for action in episode.actions]
    np.testing.assert_array_equal(np.float32(seen), episode.observations[1:])


def test_undo_before_the_first_step_and_back_to_it_changes_nothing(pilot):
    start = pilot.place
    pilot.do("undo")
    pilot.hold(5, 1.0, 0.0)
    pilot.do("undo")
    pilot.do("undo")
    np.testing.assert_allclose(pilot.place, start, rtol=1e-6)
    assert pilot.session.state()["steps"] == 0


def test_the_task_says_what_a_success_is(pilot):
    pilot.hold(1, 0.0, 0.1)
    pilot.do("success")
    assert pilot.recorded == []
    assert "does not call this a success" in pilot.session.note
    pilot.to_goal()
    pilot.do("success")
    pilot.hold(3, 0.0, 0.1)
    pilot.do("failure")
    success, failure = pilot.recorded
    assert (success.is_kept, success.episode.success, success.scene) == (True, True, 0)
    assert (failure.is_kept, failure.episode.success, failure.scene) == (False, False, 1)
    assert (success.episode.sources == DEMONSTRATED).all()


def test_rerecord_is_the_same_scene_again_and_skip_the_next_one(pilot):
    desired = pilot.session.state()["desired"]
    pilot.hold(3, 1.0, 0.0)
    pilot.do("rerecord")
    assert pilot.session.state()["desired"] == desired
    pilot.do("skip")
    assert pilot.session.state()["desired"] != desired
    assert pilot.recorded == []


def test_half_speed_takes_half_the_steps_and_a_pause_none(pilot):
    pilot.do("half")
    pilot.hold(20, 0.1, 0.0)
    assert pilot.session.state()["steps"] == 10
    pilot.do("pause")
    pilot.hold(20, 0.1, 0.0)
    assert pilot.session.state()["steps"] == 10
    pilot.do("pause")
    pilot.session.leave()
    assert pilot.session.mode == "paused"


def test_an_environment_that_ends_an_episode_records_it():
    pilot = Pilot()
    pilot.env.set_wrapper_attr("_max_episode_steps", 7)
    pilot.hold(7, 0.1, 0.0)
    assert [len(recorded.episode) for recorded in pilot.recorded] == [7]
    assert not pilot.recorded[0].is_kept


def test_the_ghost_has_the_share_that_it_is_given():
    pilot = Pilot(ghost=lambda observation: np.array([1.0, -1.0], np.float32))
    start = pilot.place
    pilot.session.hear(Assist(0.25), 0.0)
    np.testing.assert_allclose(pilot.hold(1, 0.0, 1.0)[0] - start, [0.025, 0.05], atol=1e-8)
    pilot.do("failure")
    assert pilot.recorded[0].most_assisted == 0.25


def test_a_ghost_that_fails_leaves_the_pilot_alone():
    pilot = Pilot(ghost=lambda observation: np.full(2, np.nan))
    pilot.session.hear(Assist(0.5), 0.0)
    pilot.hold(2, 0.1, 0.0)
    assert "ghost" in pilot.session.note
    assert pilot.session.assist == 0.0
    assert pilot.session.state()["steps"] == 1


def test_the_hand_goes_as_far_as_it_is_to_reach(pilot):
    start = pilot.place
    pilot.session.hear(Stick(reach=(0.25, -0.05)), pilot.now)
    pilot.session.hear(Stick(reach=(0.0, -0.05)), pilot.now)
    places = pilot.hold(5)
    np.testing.assert_allclose(places[0] - start, [0.1, -0.1], atol=1e-8)
    np.testing.assert_allclose(places[-1] - start, [0.25, -0.1], atol=1e-8)


def test_the_file_holds_what_is_kept_after_every_change(pilot, tmp_path):
    takes = Takes(tmp_path / "demos.npz", pilot.spec, 0, None)
    pilot.session.on_recorded = lambda recorded: takes.add(recorded, "")
    for _ in range(2):
        pilot.to_goal()
        pilot.do("success")
    pilot.hold(2, 0.1, 0.0)
    pilot.do("failure")
    assert len(load_demos(takes.path)) == 2
    takes.keep(2, is_kept=True)
    takes.keep(0, is_kept=False)
    demos = load_demos(takes.path)
    assert [episode.success for episode in demos] == [True, False]
    assert demos.header["episode_indices"] == [1, 2]
    assert demos.header["expert"] == "teleoperation"
    for number in range(3):
        takes.keep(number, is_kept=False)
    assert not takes.path.exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=6,
)
names = st.sampled_from(["number", "move", "reach", "grip", "sliders", "do", "keep", "is_kept"])


@given(st.dictionaries(names | st.just("assist"), json_values, max_size=6))
def test_a_message_is_read_or_refused_and_never_anything_else(content):
    try:
        message = read_message(content)
    except ValueError:
        return
    if isinstance(message, Stick):
        assert max(map(abs, (*message.move, *message.sliders)), default=0.0) <= 1.0


def test_what_the_page_sends_is_read():
    stick = {"number": 3, "move": [0, 1, -0.5], "reach": [], "grip": True, "sliders": [0.25]}
    assert read_message(stick) == Stick(3, (0.0, 1.0, -0.5), (), True, (0.25,))
    assert read_message({"do": "success"}) == Do("success")
    for bad in ({"do": "format"}, {"assist": 2}, {**stick, "move": [1e9]}, {**stick, "number": -1}):
        with pytest.raises(ValueError, match="must"):
            read_message(bad)
