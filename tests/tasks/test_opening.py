"""Opening as a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from anndata import AnnData

from scviz.errors import RequestError
from scviz.progress import Progress, silent
from scviz.tasks.context import Context
from scviz.tasks.opening import Request, demo_request
from scviz.tasks.opening.run import run
from scviz.workspace import Workspace


def context(workspace: Workspace, reports: list[Progress] | None = None) -> Context:
    report = silent if reports is None else reports.append
    return Context(workspace=workspace, report=report, folder=workspace.run_folder("one"))


def test_a_file_becomes_a_dataset(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    adata.write_h5ad(tmp_path / "cells.h5ad")
    reports: list[Progress] = []
    request = Request(path=str(tmp_path / "cells.h5ad"), name="My cells")
    result = run(request, context(workspace, reports))
    assert workspace.dataset(result.dataset).name == "My cells"
    assert result.dataset.startswith("my-cells-")
    stages = [progress.stage for progress in reports]
    assert stages == [
        "Checking the file",
        "Reading cells",
        "Reading names and columns",
        "Writing the dataset",
    ]


def test_a_name_is_taken_from_the_file(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = run(Request(path=str(tmp_path / "cells.h5ad"), name=""), context(workspace))
    assert workspace.dataset(result.dataset).name == "cells"


def test_the_demo_data_become_a_dataset(workspace: Workspace) -> None:
    assert workspace.dataset(run(demo_request(), context(workspace)).dataset).demo


def test_no_file_is_no_request() -> None:
    with pytest.raises(RequestError, match="No file") as caught:
        Request(path="", name="")
    assert "demo data" in caught.value.hint
