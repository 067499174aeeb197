"""Limits of control groups, read from directories that look like those of Linux."""

import pytest

from headstart.doctor.machine import Limits, container_limits

GIB = 2**30
NOTHING = Limits(cores=None, memory=None)


@pytest.fixture
def root(tmp_path):
    def write(files):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        return tmp_path

    return write


def test_without_control_groups_there_are_no_limits(tmp_path):
    assert container_limits(tmp_path) == NOTHING


def test_version_2(root):
    files = {
        "proc/self/cgroup": "0::/docker/abc",
        "sys/fs/cgroup/docker/abc/cpu.max": "150000 100000",
        "sys/fs/cgroup/docker/abc/memory.max": 2 * GIB,
    }
    assert container_limits(root(files)) == Limits(cores=1.5, memory=2 * GIB)


def test_version_1(root):
    files = {
        "proc/self/cgroup": "4:memory:/box\n3:cpu,cpuacct:/box\n1:name=systemd:/box",
        "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "400000",
        "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": 3 * GIB,
    }
    assert container_limits(root(files)) == Limits(cores=4.0, memory=3 * GIB)


def test_in_a_container_its_own_group_is_the_root_of_all(root):
    files = {
        "proc/self/cgroup": "0::/kubepods/pod1/not-mounted-here",
        "sys/fs/cgroup/cpu.max": "200000 100000",
        "sys/fs/cgroup/memory.max": GIB,
    }
    assert container_limits(root(files)) == Limits(cores=2.0, memory=GIB)


def test_the_smallest_limit_of_the_groups_around_counts(root):
    files = {
        "proc/self/cgroup": "0::/outer/inner",
        "sys/fs/cgroup/outer/cpu.max": "100000 100000",
        "sys/fs/cgroup/outer/inner/cpu.max": "300000 100000",
        "sys/fs/cgroup/outer/memory.max": 4 * GIB,
        "sys/fs/cgroup/outer/inner/memory.max": GIB,
    }
    assert container_limits(root(files)) == Limits(cores=1.0, memory=GIB)


@pytest.mark.parametrize(
    "files",
    [
        {"cpu.max": "max 100000", "memory.max": "max"},
        {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"},
        # 2**63 less the rest of a page.
        {"memory.limit_in_bytes": "9223372036854771712"},
        {"cpu.max": "", "memory.max": ""},
    ],
)
def test_what_says_no_limit_is_none(files, root):
    here = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    assert container_limits(root({"proc/self/cgroup": "0::/", **here})) == NOTHING
