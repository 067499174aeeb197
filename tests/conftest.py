import gc
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import forked
import pytest
from hypothesis import HealthCheck, settings
from scratch import DISK, use_memory
from warm import WarmHeadstart

if TYPE_CHECKING:
    from headstart.demos.storage import DemoSet

SLOW = "slow: takes a second or more, or needs a cluster or a browser; left out by `make test`"


def pytest_collection_modifyitems() -> None:
    # Not above: the process that hands out the tests runs none, and need not wait for the import.
    import torch

    # More only cost time on networks this small, and much of it on a busy machine.
    torch.set_num_threads(1)
    # What is imported by now stays; the collector of garbage need not look at it each time.
    gc.freeze()


# Before pytest decides where its files are.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    use_memory(config)
    # No example is a failure because the machine is slow or busy.
    suppressed = [HealthCheck.too_slow]
    settings.register_profile("any speed", deadline=None, suppress_health_check=suppressed)
    settings.load_profile("any speed")
    config.addinivalue_line("markers", SLOW)
    # A shell that starts the tests with & has them ignore Ctrl-C, and all that they start.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmHeadstart]:
    """A process that starts the command often and fast."""
    with WarmHeadstart() as headstart:
        yield headstart


@pytest.fixture(scope="session")
def forge() -> Iterator[forked.Forge]:
    """A process that starts collectors fast."""
    with forked.Forge() as process:
        yield process


@pytest.fixture
def forked_collectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have collectors forked, for tests of something else than how they start."""
    if forked.HERE:
        start = request.getfixturevalue("forge").start
        quick = SimpleNamespace(Popen=start, PIPE=subprocess.PIPE)
        monkeypatch.setattr("headstart.rollout.processes.subprocess", quick)


@pytest.fixture
def disk() -> Iterator[Path]:
    """An empty directory on the disk, which ``tmp_path`` mostly is not."""
    with tempfile.TemporaryDirectory(dir=os.environ[DISK]) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def point_demos() -> "DemoSet":
    """Demonstrations that tests of training and of runs start from."""
    # Here: most tests need none of it.
    from builders import point_expert
    from small_runs import POINT

    from headstart.demos.record import collect_demos

    return collect_demos(POINT, point_expert, episodes=5)
