"""Opening as a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from anndata import AnnData

from scviz.datasets.gene_terms import read_terms
from scviz.errors import RequestError
from scviz.progress import Progress, silent
from scviz.tasks.context import Context
from scviz.tasks.opening import Request, demo_request, request_of, simulated_request
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
    assert stages == ["Checking the file", "Reading cells", "Writing genes"]


def test_a_name_is_taken_from_the_file(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = run(Request(path=str(tmp_path / "cells.h5ad"), name=""), context(workspace))
    assert workspace.dataset(result.dataset).name == "cells"


def test_the_demo_data_become_a_dataset(workspace: Workspace) -> None:
    assert workspace.dataset(run(demo_request(), context(workspace)).dataset).demo


def test_a_simulated_screen_becomes_a_dataset_with_its_terms(workspace: Workspace) -> None:
    surroundings = context(workspace)
    info = workspace.dataset(run(simulated_request("tiny", seed=3), surroundings).dataset)
    assert (info.simulated, info.name) == ("tiny", "Simulated screen (tiny, seed 3)")
    assert info.column("condition").n_values == 31
    (terms,) = workspace.terms()
    assert terms.name.startswith("Terms of the simulated screen")
    assert terms.n_genes == 230
    known = read_terms(workspace.terms_file(terms.id))
    assert any(term.startswith("SIM:pathway 1 ") for term in known["P1R2"] | known["P1R3"] | known["P1R4"])
    assert not list(surroundings.state.iterdir())


@pytest.mark.parametrize("word", ["simulated:tiny:x", "simulated:tiny:-1", "simulated:tiny:1:2"])
def test_a_word_that_is_no_simulated_screen_is_refused(word: str) -> None:
    with pytest.raises(RequestError, match="is no simulated screen") as refusal:
        request_of(word)
    assert "seed 3" in refusal.value.hint


def test_words_name_the_demo_and_simulated_screens_and_nothing_else() -> None:
    assert request_of("demo") == demo_request()
    assert request_of("simulated") == simulated_request("demo")
    assert request_of("simulated:clean") == simulated_request("clean")
    assert request_of("simulated.h5ad") is None


def test_a_simulated_screen_of_an_unknown_size_is_no_request() -> None:
    with pytest.raises(RequestError, match="no simulated screen 'huge'"):
        simulated_request("huge")


def test_no_file_is_no_request() -> None:
    with pytest.raises(RequestError, match="No file") as caught:
        Request(path="", name="")
    assert "demo data" in caught.value.hint
