import signal

import pytest


def pytest_collection_modifyitems() -> None:
    # Not above: the process that hands out the tests runs none, and need not wait for the import.
    import torch

    # More only cost time on networks this small, and much of it on a busy machine.
    torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mujoco: steps the MuJoCo simulator")
    # A shell that starts the tests with & has them ignore Ctrl-C, and all that they start.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
