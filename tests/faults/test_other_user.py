"""Another user of the machine, as a real second uid: what lies in the workspace, and the engine, are not hers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from example_tasks import counting

from scviz.jobs.engine import address_file, find, importable
from scviz.jobs.keys import FOLDER, make_key
from scviz.jobs.queue import RunQueue
from tests.jobs.waiting import wait_until_done

NOBODY = 65534
LOOK = """
import json, os, sys
from pathlib import Path
from distributed import Client
from scviz.jobs.keys import security_of

address, key, own, nobody, *files = sys.argv[1:]

def reaches(folder):
    try:
        Client(address, timeout=8, set_as_default=False, security=security_of(Path(folder))).close()
    except Exception as error:
        return False
    return True

def reads(path):
    try:
        return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
    except OSError:
        return False

def writes(path):
    try:
        left = Path(path, "left by another")
        left.write_text("")
        left.unlink()
    except OSError:
        return False
    return True

def found():
    return {
        "reads": [path for path in files if reads(path)],
        "writes": [path for path in files if writes(path)],
        "reaches": [folder for folder in (key, own) if reaches(folder)],
    }

first = found()  # also loads all that is loaded late
os.setgroups([])
os.setgid(int(nobody))
os.setuid(int(nobody))
print(json.dumps([first, found()]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can be another user")
def test_another_user_reads_nothing_and_does_not_reach_the_engine(new_queue: Callable[..., RunQueue]) -> None:
    queue = new_queue()
    run = queue.submit("example_tasks.counting", counting.Request(total=2)).run
    wait_until_done(queue, run)
    home, engine = queue.settings.home, find(queue.settings.home)
    assert engine is not None
    files = [home, home / "runs", home / "scviz.db", address_file(home), home / FOLDER]
    files += [queue.workspace.run_folder(run) / "request.json"]
    with TemporaryDirectory() as folder:
        own = Path(folder) / "key"
        make_key(own)
        for path in (Path(folder), own, *own.iterdir()):
            shutil.chown(path, NOBODY, NOBODY)
        said = subprocess.run(
            [sys.executable, "-c", LOOK, engine.address, home / FOLDER, own, str(NOBODY), own, *files],
            env=importable(dict(os.environ)),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    owner, other = json.loads(said)
    assert owner["reads"] == [str(path) for path in (own, *files)], "the test can find what is open"
    assert owner["reaches"] == [str(home / FOLDER)]
    assert other == {"reads": [str(own)], "writes": [str(own)], "reaches": []}
