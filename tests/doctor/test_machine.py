"""Cores, memory and what a processor can, on machines made of files."""

import pytest

from headstart.doctor.check import Check
from headstart.doctor.machine import (
    check_cores,
    check_memory,
    check_torch,
    usable_cores,
)


@pytest.fixture
def machine(tmp_path):
    """Return a function that writes the files of a machine, in GiB."""

    def write(*, total=16.0, available=8.0, limit=None, cpu="max 100000"):
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text("0::/\n")
        sizes = f"MemTotal: {int(total * 2**20)} kB\nMemAvailable: {int(available * 2**20)} kB\n"
        (tmp_path / "proc/meminfo").write_text(f"{sizes}HugePages_Total: 0\n")
        (tmp_path / "sys/fs/cgroup/cpu.max").write_text(f"{cpu}\n")
        size = "max" if limit is None else int(limit * 2**30)
        (tmp_path / "sys/fs/cgroup/memory.max").write_text(f"{size}\n")
        return tmp_path

    return write


def test_cores_without_a_limit(machine):
    (check,) = check_cores(machine())
    assert check.status == "ok"
    assert check.found.startswith(f"{usable_cores()}")


@pytest.mark.parametrize("quota", [50_000, 0.999 * 100_000])
def test_a_container_with_less_than_a_core_gets_one_collector(quota, machine):
    (check,) = check_cores(machine(cpu=f"{quota:.0f} 100000"))
    assert check.status == "advice"
    assert check.found.endswith(f", of which this container may use {quota / 1e5:g}")
    assert check.repair.startswith("add `--collectors 1` to commands")


def test_enough_memory(machine):
    (check,) = check_memory(machine(total=128.0, available=64.0))
    assert check == Check("memory", "ok", "64.0 of 128.0 GiB available")


def test_too_little_memory_for_a_learner_is_a_problem(machine):
    (check,) = check_memory(machine(available=0.5))
    assert (check.status, check.found) == ("problem", "0.5 of 16.0 GiB available")
    assert check.repair == "close other programs: training takes 0.6 GiB"


def test_memory_for_fewer_collectors_than_cores_names_their_number(machine):
    (check,) = check_memory(machine(available=0.7))
    assert check.status == "advice"
    assert check.repair.startswith("add `--collectors 0` to commands")


def test_the_memory_of_a_container_is_its_limit(machine):
    (check,) = check_memory(machine(limit=0.25))
    assert (check.status, check.found) == ("problem", "0.2 of 0.2 GiB available")


def test_a_system_without_these_files_is_not_a_reason_to_worry(tmp_path):
    unknown = "unknown on this system"
    assert list(check_memory(tmp_path)) == [Check("memory", "ok", unknown)]


def test_more_threads_than_cores_are_advised_against():
    threads, gpu, _ = check_torch(usable_cores() + 1, "Some GPU", False)
    assert threads.status == "advice"
    assert threads.found.startswith(f"torch takes {usable_cores() + 1} by default;")
    assert threads.repair.startswith("run `unset OMP_NUM_THREADS MKL_NUM_THREADS`")
    assert gpu == Check("gpu", "ok", "Some GPU; training uses it with --device cuda")
    threads, gpu, _ = check_torch(usable_cores(), None, False)
    assert threads.status == "ok"
    assert gpu.found == "torch sees none; training runs on the CPU"


@pytest.mark.parametrize(
    ("rounds", "found"),
    [(True, "torch multiplies in it"), (False, "torch multiplies float32 here all the same")],
)
def test_bfloat16_is_advised_where_products_are_made_of_it(rounds, found):
    *_, check = check_torch(1, None, rounds)
    assert check.status == "ok"
    assert check.found.startswith(found)
