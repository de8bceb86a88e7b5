"""Terms of genes come from a file or a download, and are kept once."""

from __future__ import annotations

import pickle  # noqa: TID251 - the published file is one
from pathlib import Path

import pytest

from scviz.datasets.gene_terms import read_terms
from scviz.errors import DataError, RequestError
from scviz.networks.gmt import sets_of_terms
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.gene_terms import PUBLISHED, Request
from scviz.tasks.gene_terms.run import run
from scviz.workspace import Workspace
from tests.datasets.server import place

PATH = "/api/access/datafile/6153417"
TERMS = {"KLF1": frozenset({"GO:1", "GO:2"}), "GATA1": frozenset({"GO:1"})}


def context(workspace: Workspace) -> Context:
    return Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))


def test_a_file_is_taken_in(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine.gmt").write_text("GO:1\t\tKLF1\tGATA1\nGO:2\t\tKLF1\n", encoding="utf-8")
    result = run(Request(path=str(tmp_path / "mine.gmt")), context(workspace))
    assert (result.n_genes, result.n_terms) == (2, 2)
    assert read_terms(workspace.terms_file(result.terms)) == TERMS
    assert run(Request(path=str(tmp_path / "mine.gmt")), context(workspace)) == result
    (info,) = workspace.terms()
    assert (info.name, info.source) == ("mine", "from the file mine.gmt")
    named = run(Request(path=str(tmp_path / "mine.gmt"), name="Blood"), context(workspace))
    assert named.terms.startswith("blood-")


def test_the_published_terms_are_downloaded_and_taken_in(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place({PATH: pickle.dumps({gene: set(known) for gene, known in TERMS.items()})}) as held:
        monkeypatch.setenv("SCVIZ_DATAVERSE", held.address)
        surroundings = context(workspace)
        result = run(Request(download=True), surroundings)
        assert held.asked == [PATH]
    assert read_terms(workspace.terms_file(result.terms)) == TERMS
    assert workspace.terms()[0].name == PUBLISHED
    assert not list(surroundings.state.iterdir())


def test_a_download_that_could_run_something_is_refused_and_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place({PATH: pickle.dumps({"KLF1": Path("x")})}) as held:
        monkeypatch.setenv("SCVIZ_DATAVERSE", held.address)
        surroundings = context(workspace)
        with pytest.raises(DataError, match="no plain dictionary"):
            run(Request(download=True), surroundings)
    assert workspace.terms() == []
    assert not list(surroundings.state.iterdir())


def test_a_place_that_cannot_be_reached_is_told_with_the_way_by_hand(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place({}) as held:
        monkeypatch.setenv("SCVIZ_DATAVERSE", held.address)
    with pytest.raises(DataError, match="could not be downloaded") as refusal:
        run(Request(download=True), context(workspace))
    assert PATH in refusal.value.hint


def test_a_library_is_downloaded_and_taken_in(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    library = "/geneSetLibrary?mode=text&libraryName=Reactome_2022"
    with place({library: b"Heme R-HSA-1\t\tKLF1\tGATA1\t\nRed cell\t\tKLF1\t\n"}) as held:
        monkeypatch.setenv("SCVIZ_ENRICHR", held.address)
        result = run(Request(library="Reactome_2022"), context(workspace))
        assert held.asked == [library]
    sets = {one.name: one.genes for one in sets_of_terms(workspace.terms_file(result.terms))}
    assert sets == {"Heme R-HSA-1": ("GATA1", "KLF1"), "Red cell": ("KLF1",)}
    (info,) = workspace.terms()
    assert (info.name, info.source) == ("Reactome pathways, 2022", "Reactome_2022 of Enrichr")


def test_a_page_in_place_of_a_library_is_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = "/geneSetLibrary?mode=text&libraryName=Reactome_2022"
    with place({library: b"<html>busy</html>"}) as held:
        monkeypatch.setenv("SCVIZ_ENRICHR", held.address)
        surroundings = context(workspace)
        with pytest.raises(DataError, match="holds no gene annotations") as refusal:
            run(Request(library="Reactome_2022"), surroundings)
    assert "Reactome_2022.gmt" in refusal.value.hint
    assert workspace.terms() == []
    assert not list(surroundings.state.iterdir())


def test_a_library_that_nobody_knows_is_refused() -> None:
    with pytest.raises(RequestError, match="no library 'Mine'") as refusal:
        Request(library="Mine")
    assert "MSigDB_Hallmark_2020" in refusal.value.hint


@pytest.mark.parametrize("asked", [{}, {"path": "a.gmt", "download": True}, {"path": "a", "library": "b"}])
def test_a_file_and_a_download_exclude_each_other(asked: dict[str, object]) -> None:
    with pytest.raises(RequestError, match="Choose one") as refusal:
        Request(**asked)
    assert ".gmt" in refusal.value.hint
