"""Known links come from where they are published, once, and are kept if they can be read."""

from __future__ import annotations

import pytest

from scviz.datasets.known_links import COLLECTIONS, chip_atlas
from scviz.errors import DataError, RequestError
from scviz.networks.priors import read_prior
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.known_links import Request
from scviz.tasks.known_links.run import run
from scviz.workspace import Workspace
from tests.datasets.server import place

TABLES = {
    "collectri": b"source,target,weight,resources,references,sign_decision\n"
    b"MYC,TERT,1,a;b,1;2,PMID\nSPI1,BGLAP,1,,,\n",
    "dorothea": b"source\ttarget\tsource_genesymbol\ttarget_genesymbol\tdorothea_level\n"
    b"P42224\tP05161\tSTAT1\tISG15\tA\n",
}
LINKS = {"collectri": {"MYC": {"TERT"}, "SPI1": {"BGLAP"}}, "dorothea": {"STAT1": {"ISG15"}}}


def context(workspace: Workspace) -> Context:
    return Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_collection_is_downloaded_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, collection: str
) -> None:
    source = COLLECTIONS[collection]
    with place({source.path: TABLES[collection]}) as held:
        monkeypatch.setenv("SCVIZ_LINKS", held.address)
        result = run(Request(collection=collection), context(workspace))
        assert run(Request(collection=collection), context(workspace)) == result
        assert held.asked == [source.path]
    path = workspace.links_folder / source.file
    assert result.path == str(path)
    assert read_prior(path).targets == LINKS[collection]
    assert (result.n_links, result.n_regulators) == (len(LINKS[collection]), len(LINKS[collection]))


def test_targets_of_one_regulator_come_from_chip_atlas(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = b"Target_genes\tSTAT1|Average\tSRX1|K-562\tSTRING\nISG15\t500.1\t500\t900\nIFIT1\t3.5\t4\t0\n"
    with place({"/data/hg38/target/STAT1.5.tsv": table}) as held:
        monkeypatch.setenv("SCVIZ_LINKS", held.address)
        result = run(Request(regulator="STAT1", distance=5), context(workspace))
    assert read_prior(workspace.links_folder / "STAT1.5.tsv").targets == {"STAT1": {"ISG15", "IFIT1"}}
    assert (result.n_links, result.n_regulators) == (2, 1)


def test_what_is_no_table_is_refused_and_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place({COLLECTIONS["collectri"].path: b"<html>moved</html>"}) as held:
        monkeypatch.setenv("SCVIZ_LINKS", held.address)
        with pytest.raises(DataError, match="no column") as refusal:
            run(Request(collection="collectri"), context(workspace))
    assert "save https://zenodo.org/" in refusal.value.hint
    assert not list(workspace.links_folder.iterdir())


def test_a_place_that_cannot_be_reached_says_what_to_do(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place({}) as held:
        monkeypatch.setenv("SCVIZ_LINKS", held.address)
        with pytest.raises(DataError, match="404") as refusal:
            run(Request(regulator="STAT1"), context(workspace))
    assert "STAT1.10.tsv" in refusal.value.hint


@pytest.mark.parametrize(
    "more",
    [{}, {"collection": "collectri", "regulator": "MYC"}, {"collection": "mine"}, {"regulator": "../x"}],
)
def test_a_request_names_one_place(more: dict[str, str]) -> None:
    with pytest.raises(RequestError):
        Request(**more)


def test_only_published_distances_are_asked_for() -> None:
    assert chip_atlas("STAT1", 1).address().endswith("/data/hg38/target/STAT1.1.tsv")
    with pytest.raises(RequestError, match="within 3 kb"):
        chip_atlas("STAT1", 3)
