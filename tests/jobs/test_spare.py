"""A process that waits for a run, and what happens when it does not fit or is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scviz.jobs.engine import importable
from scviz.jobs.spare import Spare
from scviz.workspace import Workspace
from tests.jobs.conftest import settings_for
from tests.jobs.waiting import wait_for


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return importable({**os.environ, "SCVIZ_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"})


@pytest.fixture
def spare(env: dict[str, str]) -> Iterator[Spare]:
    spare = Spare()
    spare.prepare(env)
    yield spare
    spare.close()


@pytest.fixture
def run(tmp_path: Path) -> str:
    folder = Workspace.from_settings(settings_for(tmp_path)).run_folder("squares")
    folder.mkdir(parents=True)
    asked = {"task": "example_tasks.counting", "request": {"total": 3, "label": "spare"}}
    (folder / "request.json").write_text(json.dumps(asked))
    return "squares"


def wait_until_warm(spare: Spare) -> None:
    wait_for(spare.is_warm, "it has imported all", seconds=90)


def test_it_carries_out_one_run(spare: Spare, run: str, tmp_path: Path, env: dict[str, str]) -> None:
    log = tmp_path / "log.txt"
    assert spare.hand_over(run, log, env) is None, "it has not imported anything yet"
    wait_until_warm(spare)
    child = spare.hand_over(run, log, env)
    assert child is not None
    with child:
        said = child.stdout.read().splitlines()
    assert json.loads(said[-1])["state"] == "done"
    assert log.exists()
    assert spare.hand_over(run, log, env) is None, "there was one"


def test_other_settings_need_another_process(
    spare: Spare, run: str, tmp_path: Path, env: dict[str, str]
) -> None:
    other = env | {"SCVIZ_HOME": str(tmp_path / "other")}
    wait_until_warm(spare)
    assert spare.hand_over(run, tmp_path / "log.txt", other) is None
    spare.prepare(other)
    assert not spare.is_warm()
    assert spare.hand_over(run, tmp_path / "log.txt", env) is None


def test_one_that_was_killed_is_not_handed_a_run(
    spare: Spare, run: str, tmp_path: Path, env: dict[str, str]
) -> None:
    wait_until_warm(spare)
    spare.close()
    assert spare.hand_over(run, tmp_path / "log.txt", env) is None
