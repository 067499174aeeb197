import signal

import pytest
import torch

# More threads than one only cost time on networks this small, and much of it on a busy machine.
torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mujoco: steps the MuJoCo simulator")
    # A shell that starts the tests with & has them ignore Ctrl-C, and all that they start.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
