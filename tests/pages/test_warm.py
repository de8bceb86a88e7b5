"""The first visitor of a server waits for no library."""

from __future__ import annotations

import subprocess
import sys

from pages.components.warm import FIRST_PAGE, imported
from scviz.settings import ROOT

LOADED = "import sys, dashboard; print(*sys.modules)"


def test_the_server_has_loaded_what_its_first_page_needs_before_it_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "No runtime found" not in done.stderr
    loaded = set(done.stdout.split())
    assert {*imported(FIRST_PAGE), "pandas", "zarr", "sqlalchemy"} <= loaded
    assert not {"torch", "scanpy", "anndata"} & loaded


def test_what_a_page_imports_is_read_from_its_script() -> None:
    names = imported(FIRST_PAGE)
    assert {"pages.components.frame", "pages.views.home.cells", "scviz.tasks"} <= set(names)
    assert "streamlit" not in names
