"""The package installs: what the repository shows is there from any folder, by the command `scviz serve`."""

from __future__ import annotations

import re
import socket
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scviz.settings import ROOT
from tests.deploy.conftest import Installed
from tests.jobs.waiting import wait_for

pytestmark = pytest.mark.slow
SERVED = "from scviz.settings import ROOT; import scviz; print(ROOT); print(scviz.__file__)"
FIRST_PAGE = """
import os
from scviz.settings import ROOT
os.chdir(ROOT)
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
print([error.value for error in (*page.error, *page.exception)], [one.value for one in page.header])
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def server(installed: Installed, port: int, tmp_path: Path) -> Iterator[str]:
    """The address of `scviz serve`, started in a folder that has nothing to do with it."""
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(installed.bin / "scviz"), "serve", "--port", str(port)],
            env=installed.env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    try:
        return bool(urllib.request.urlopen(address).status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def test_the_wheel_has_the_dashboard_within_the_package_and_no_folder_pages_beside_it(
    installed: Installed,
) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"scviz"}
    pages = {f"scviz/site/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "pages").rglob("*.py")}
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "scviz").rglob("*.py")}
    assert pages | code <= set(names)
    assert "scviz/site/.streamlit/config.toml" in names
    assert not [name for name in names if re.search(r"secret|__pycache__|screenshots|egg-info", name)]


def test_it_says_what_it_needs_and_what_one_may_ask_for_besides(installed: Installed) -> None:
    archive = zipfile.ZipFile(installed.wheel)
    (about,) = [name for name in archive.namelist() if name.endswith("METADATA")]
    said = archive.read(about).decode()
    assert set(re.findall(r"^Provides-Extra: (\w+)", said, re.MULTILINE)) == {
        "postgres",
        "auth",
        "gpu",
        "dev",
    }
    (torch,) = re.findall(r"^Requires-Dist: (torch==[\d.]+)$", said, re.MULTILINE)
    assert f'Requires-Dist: {torch}; extra == "gpu"' in said
    assert re.search(r"^Requires-Dist: streamlit<2,>=1", said, re.MULTILINE)


def test_the_installed_command_opens_the_first_page_from_any_folder(
    installed: Installed, server: str, tmp_path: Path
) -> None:
    root, package = installed.run(SERVED, tmp_path).split()
    assert Path(root) == Path(package).parent / "site"
    assert installed.folder in Path(package).parents
    wait_for(lambda: answers(server), "the server answers", 120)
    text = urllib.request.urlopen(server).read().decode()
    assert '<div id="root"></div>' in text
    assert installed.run(FIRST_PAGE, tmp_path).strip() == "[] ['Home']"
