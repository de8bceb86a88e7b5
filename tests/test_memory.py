"""Free memory of a machine and of a container, from made folders of control groups."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from scviz.memory import GIGABYTE, available_gb, is_out_of_memory, killed_for_memory, room
from scviz.settings import ROOT

VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
VERSION_2 = ("memory.max", "memory.current", "")
MACHINE_GB = psutil.virtual_memory().total / GIGABYTE
UNLIMITED = "9223372036854771712"
"""What version 1 writes where there is no limit."""


class Container:
    """A made `/proc` and `/sys/fs/cgroup`."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.cgroups = folder / "proc", folder / "cgroup"
        (self.proc / "self").mkdir(parents=True)
        self.belongs("0::/")

    def belongs(self, *lines: str) -> None:
        (self.proc / "self" / "cgroup").write_text("".join(f"{line}\n" for line in lines))

    def group(
        self,
        path: str,
        version: tuple[str, str, str],
        *,
        limit: str,
        used: int = 0,
        cache: tuple[int, int] = (0, 0),
    ) -> None:
        """Write the files of one group."""
        folder = self.cgroups / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / version[0]).write_text(f"{limit}\n")
        (folder / version[1]).write_text(f"{used}\n")
        active, inactive = cache
        stat = f"anon 5\n{version[2]}active_file {active}\n{version[2]}inactive_file {inactive}\n"
        (folder / "memory.stat").write_text(stat)

    def free_bytes(self) -> int:
        return round(available_gb(self.proc, self.cgroups) * GIGABYTE)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def test_a_limit_counts_less_what_is_used_and_cannot_be_given_back(container: Container) -> None:
    container.group("", VERSION_2, limit="1000000", used=600_000, cache=(100_000, 200_000))
    assert container.free_bytes() == 1_000_000 - (600_000 - 300_000)


def test_version_1_is_read_below_its_own_folder(container: Container) -> None:
    container.belongs("9:cpu:/", "4:memory:/docker/one", "0::/")
    container.group("memory/docker/one", VERSION_1, limit="1000000", used=600_000, cache=(100_000, 200_000))
    assert container.free_bytes() == 700_000


@pytest.mark.parametrize(
    ("version", "top", "line"), [(VERSION_1, "memory/", "3:cpu,memory:/a/b/c"), (VERSION_2, "", "0::/a/b/c")]
)
def test_the_tightest_of_nested_limits_counts(
    container: Container, version: tuple[str, str, str], top: str, line: str
) -> None:
    container.belongs(line)
    container.group(f"{top}a/b/c", version, limit="900000")
    container.group(f"{top}a/b", version, limit="800000", used=300_000)
    container.group(f"{top}a", version, limit="max" if version is VERSION_2 else UNLIMITED, used=1)
    assert container.free_bytes() == 500_000


def test_a_container_that_sees_only_its_own_group_reads_the_top(container: Container) -> None:
    container.belongs("4:memory:/docker/not-visible-from-here")
    container.group("memory", VERSION_1, limit="1000000", used=1)
    assert container.free_bytes() == 999_999


def test_version_2_beside_version_1_lies_in_a_folder_of_its_own(container: Container) -> None:
    container.belongs("4:memory:/", "0::/user")
    container.group("memory", VERSION_1, limit=UNLIMITED)
    container.group("unified/user", VERSION_2, limit="1000000")
    assert container.free_bytes() == 1_000_000


def test_a_group_that_uses_more_than_it_may_has_nothing_left(container: Container) -> None:
    container.group("", VERSION_2, limit="1000", used=5000)
    assert container.free_bytes() == 0


def no_limit(container: Container) -> None:
    container.group("", VERSION_2, limit="max", used=5000)


def huge_limit(container: Container) -> None:
    container.belongs("4:memory:/")
    container.group("memory", VERSION_1, limit=UNLIMITED, used=5000)


def no_groups(container: Container) -> None:
    (container.proc / "self" / "cgroup").unlink()


def torn(container: Container) -> None:
    container.group("", VERSION_2, limit="1000")
    (container.cgroups / "memory.current").unlink()


@pytest.mark.parametrize("made", [no_limit, huge_limit, no_groups, torn])
def test_without_a_limit_the_machine_counts(container: Container, made: Callable[[Container], None]) -> None:
    made(container)
    assert 0.001 < available_gb(container.proc, container.cgroups) < MACHINE_GB


def test_this_machine_has_free_memory() -> None:
    assert 0.001 < available_gb() < MACHINE_GB


def test_the_least_of_machine_container_and_setting_counts(container: Container) -> None:
    container.group("", VERSION_2, limit="500000000", used=100_000_000)
    inside = room(0.0, container.proc, container.cgroups)
    assert (round(inside.gigabytes, 3), inside.why) == (0.36, "that is what its container has left")
    assert room(2.0, container.proc, container.cgroups) == inside
    asked = room(0.3, container.proc, container.cgroups)
    assert (asked.gigabytes, asked.why) == (0.3, "that is what SCVIZ_MEMORY_GB allows")
    (container.cgroups / "memory.max").write_text("max\n")
    assert room(10**6, container.proc, container.cgroups).why == "that is what this machine has free"


def test_what_the_system_ended_is_counted_in_both_versions(container: Container) -> None:
    container.belongs("4:memory:/one", "0::/two")
    container.group("memory/one", VERSION_1, limit="1000")
    container.group("two", VERSION_2, limit="1000")
    assert killed_for_memory(container.proc, container.cgroups) == 0
    (container.cgroups / "memory" / "one" / "memory.oom_control").write_text("under_oom 0\noom_kill 2\n")
    (container.cgroups / "two" / "memory.events").write_text("oom 9\noom_kill 1\n")
    (container.proc / "vmstat").write_text("nr_free_pages 7\noom_kill 4\n")
    assert killed_for_memory(container.proc, container.cgroups) == 7


SHORT = (
    MemoryError(),
    RuntimeError("CUDA error: Out of memory"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
)
OTHERS = (OSError(errno.ENOENT, "No such file"), ValueError("out of memory"))


@pytest.mark.parametrize("error", [*SHORT, *OTHERS])
def test_errors_that_mean_too_little_memory(error: Exception) -> None:
    assert is_out_of_memory(error) is (error in SHORT)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which counts what a parent held")
def test_the_peak_of_a_child_is_its_own() -> None:
    held = np.ones(60_000_000)  # 0.48 GB that the child never holds
    code = "from scviz.memory import peak_gb; print(peak_gb())"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert 0 < float(said.stdout) < 0.3 < held.nbytes / 1e9
