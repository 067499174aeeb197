"""A run that nothing happens to, which those that something happens to end like."""

import pytest
from builders import point_expert
from killed_runs import kill_again_and_again
from outcomes import outcome
from small_runs import POINT

from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("demos") / "demos.npz"
    save_demos(path, collect_demos(POINT, point_expert, episodes=3))
    return path


@pytest.fixture(scope="session")
def undisturbed(warm, demo_file, tmp_path_factory):
    """The outcome of the run of ``killed_runs`` that nothing happens to."""
    directory = tmp_path_factory.mktemp("undisturbed") / "run"
    assert kill_again_and_again(warm, directory, demo_file, []) == 0
    return outcome(directory)
