"""The built package, in an environment where nothing else of the repository is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from scviz.settings import ROOT

NOT_BUILT = shutil.ignore_patterns(
    ".*cache*", ".git", ".venv", ".hypothesis", "__pycache__", "tests", "benchmarks"
)


@dataclass(frozen=True)
class Installed:
    """Where the package is installed, and how its programs see the world."""

    folder: Path
    wheel: Path
    env: dict[str, str]

    @property
    def bin(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def run(self, code: str, cwd: Path) -> str:
        """Carry out a piece of Python there; returns what it printed."""
        call = [str(self.bin / "python"), "-c", code]
        return subprocess.run(call, env=self.env, cwd=cwd, check=True, capture_output=True, text=True).stdout


def build(folder: Path) -> Path:
    """Make a source distribution of the repository, and a wheel of that."""
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=NOT_BUILT)
    _quietly("-c", f"from setuptools import build_meta as b; b.build_sdist({str(folder)!r})", cwd=source)
    (packed,) = folder.glob("*.tar.gz")
    _quietly(
        "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "-w", str(folder), str(packed), cwd=folder
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


OFFLINE = ("-q", "--no-deps", "--no-index", "--disable-pip-version-check")


def _quietly(*call: str, cwd: Path) -> None:
    subprocess.run([sys.executable, *call], cwd=cwd, env=_plain(), check=True, capture_output=True)


def _plain() -> dict[str, str]:
    """The environment without what leads back to the repository."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SCVIZ_HOME")}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an empty environment, which sees the packages that tests have."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(folder)
    venv.create(folder / "venv")
    env = _plain() | {"SCVIZ_HOME": str(folder / "home"), "SCVIZ_SPARE": "0"}
    installed = Installed(folder / "venv", wheel, env)
    own = installed.run("import sysconfig; print(sysconfig.get_path('purelib'))", folder).strip()
    (Path(own) / "packages_of_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    _quietly(
        *("-m", "pip", "--python", str(installed.bin / "python"), "install", *OFFLINE, str(wheel)), cwd=folder
    )
    return installed
