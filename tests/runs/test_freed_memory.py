"""What is freed is not given back to the system, where the C library can do that."""

import os
import platform
import subprocess
import sys

import pytest

ARRAYS = """
import resource
import numpy as np
from headstart.runs.execution import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        # Together with its copy more than what glibc keeps unasked.
        np.ones(2**20, np.uint8).copy()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
keep_freed_memory()
np.ones(2**20, np.uint8).copy()
print(usual, faults())
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_arrays_of_a_megabyte_take_no_new_pages():
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC", "GLIBC"))}
    command = [sys.executable, "-c", ARRAYS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    usual, kept = map(int, done.stdout.split())
    assert kept < 100 < usual
