"""SIGKILL at chosen calls and at random moments: resumed, a run ends as if it had never been."""

import os

import numpy as np
import pytest
from kill_at import Moment
from killed_runs import command_for, kill_again_and_again
from outcomes import differences, outcome

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

TRAINING, RUNS = "headstart.training", "headstart.runs"
# fmt: off
PLACES = {
    # With which calls of a start kill it. What comes early in a run, and then what comes later.
    f"{RUNS}.directory:save_demos": (1, 1),
    "headstart.agents.ddpg:DDPG.clone": (70, 20),
    "headstart.agents.ddpg:DDPG.update_critics": (20, 5),
    "headstart.rollout.worker:run_episode": (1, 9),
    "pathlib:Path.write_text": (1, 5, 1),
    "pathlib:Path.write_bytes": (2, 26, 11),
    "os:mkdir": (4, 2),
    "os:fsync": (7, 60),
    "os:replace": (1, 9),
    "os:rename": (1, 4),
    "headstart.agents.ddpg:DDPG.update": (2, 9),
    "headstart.data.replay:EpisodeReplay.add": (9, 10),
    f"{TRAINING}.trainer:each_trial": (1, 2),
    f"{RUNS}.metrics_log:MetricsLog.write": (1, 2),
    f"{RUNS}.directory:RunDirectory.evaluated": (1, 1),
    f"{RUNS}.checkpoint:pack": (3, 8),
    f"{RUNS}.checkpoint_files:CheckpointFiles.prune": (1, 4),
    "os:unlink": (21, 30),
    "os:rmdir": (2, 3),
    "shutil:rmtree": (3, 8),
}
# fmt: on
GROUPS = 10
WRITES = ("pathlib:Path.write_bytes", "pathlib:Path.write_text")
ON_RESUME = (
    f"{TRAINING}.trainer:Trainer.continue_from",
    f"{RUNS}.directory:RunDirectory.put_back",
)


def kills_at(place):
    """Kill before and after the call in turn, and where files are written during it too."""
    sides = ("during", "before", "after") if place in WRITES else ("before", "after")
    return [
        {"moments": [Moment(place=place, when=sides[number % len(sides)], count=count)]}
        for number, count in enumerate(PLACES[place])
    ]


# An early and a late one a run: to begin and to end it takes longer than to kill it.
@pytest.mark.slow
@pytest.mark.parametrize("places", [list(PLACES)[first::GROUPS] for first in range(GROUPS)])
def test_a_run_killed_at_calls_ends_as_if_it_had_never_been(
    warm, demo_file, tmp_path, undisturbed, places
):
    disturbances = [kill for place in places for kill in kills_at(place)]
    kills = kill_again_and_again(warm, tmp_path / "run", demo_file, disturbances)
    assert kills == len(disturbances)
    assert differences(outcome(tmp_path / "run"), undisturbed) == []


def test_a_run_killed_as_it_is_put_back_ends_as_if_it_had_never_been(
    warm, demo_file, tmp_path, undisturbed
):
    # To have something to put back.
    update = Moment(place="headstart.agents.ddpg:DDPG.update", when="after", count=14)
    kills = [
        Moment(place=place, when=when, count=1)
        for place in ON_RESUME
        for when in ("before", "after")
    ]
    disturbances = [{"moments": [moment]} for moment in (update, *kills)]
    killed = kill_again_and_again(warm, tmp_path / "run", demo_file, disturbances)
    assert killed == len(disturbances)
    assert differences(outcome(tmp_path / "run"), undisturbed) == []


@pytest.fixture(scope="module")
def num_calls(warm, demo_file, tmp_path_factory):
    """How many calls the run makes that nothing happens to."""
    directory = tmp_path_factory.mktemp("calls")
    command, calls = command_for(directory / "run", demo_file), directory / "calls"
    assert warm(*command, log=directory / "log", calls_file=calls) == 0
    return int(calls.read_text())


# A moment is a call, not a time: it comes on a fast machine and on a slow one.
@pytest.mark.slow
def test_runs_killed_at_random_moments_end_as_if_they_had_never_been(
    warm, demo_file, disk, undisturbed, num_calls
):
    rng = np.random.default_rng(0)
    kills = 0
    for number in range(2):
        disturbances = [
            {
                "kill_at_call": int(rng.integers(1, num_calls // 2)),
                "collectors": int(rng.integers(3)),
            }
            for _ in range(4)
        ]
        directory = disk / f"run-{number}"
        kills += kill_again_and_again(warm, directory, demo_file, disturbances)
        assert differences(outcome(directory), undisturbed) == []
    assert kills >= 4
