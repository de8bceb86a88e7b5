"""A published screen is fetched from a place like Harvard Dataverse, unpacked and opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.expression import log_expression
from scviz.datasets.public_screens import LICENCE, PUBLIC_SCREENS
from scviz.datasets.readers import read_counts
from scviz.datasets.simulated import simulation
from scviz.datasets.simulator import simulate
from scviz.errors import CountsError, DataError, RequestError, UnreadableFileError
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.public_screen import Request
from scviz.tasks.public_screen.run import run
from scviz.workspace import Workspace
from tests.datasets.server import Place, place, zipped

PATH = "/api/access/datafile/6154416"
MEMBER = "dixit__perturb_processed.h5ad"


@dataclass(frozen=True)
class Published:
    """A small screen as it is published: logarithms of normalized counts, as a zip archive."""

    counts: AnnData
    archive: bytes


def archive_of(adata: AnnData, folder: Path) -> bytes:
    adata.write_h5ad(folder / "screen.h5ad")
    return zipped(**{MEMBER: (folder / "screen.h5ad").read_bytes()})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    counts = simulate(simulation("tiny")).adata
    del counts.uns["truth"]
    normalized = AnnData(X=log_expression(counts.X), obs=counts.obs, var=counts.var)
    return Published(counts, archive_of(normalized, tmp_path_factory.mktemp("published")))


@pytest.fixture
def dataverse(published: Published, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place({PATH: published.archive}) as held:
        monkeypatch.setenv("SCVIZ_DATAVERSE", held.address)
        yield held


def context(workspace: Workspace, reports: list[Progress] | None = None) -> Context:
    kept: list[Progress] = [] if reports is None else reports
    return Context(workspace=workspace, report=kept.append, folder=workspace.run_folder("one"))


def test_a_screen_becomes_a_dataset_with_the_counts_behind_its_logarithms(
    dataverse: Place, published: Published, workspace: Workspace
) -> None:
    reports: list[Progress] = []
    surroundings = context(workspace, reports)
    info = workspace.dataset(run(Request(screen="dixit"), surroundings).dataset)
    assert info.name == "Dixit 2016"
    assert info.simulated == ""
    assert info.counts.how == "recovered from log values"
    assert "GSE90063" in info.history[0]
    assert any("Counts were recovered from the logarithms in X" in line for line in info.history)
    counts = read_counts(workspace.dataset_folder(info.id))
    assert np.array_equal(counts.X.toarray(), published.counts.X.toarray())
    assert list(counts.obs["condition"]) == list(published.counts.obs["condition"])
    stages = [progress.stage for progress in reports]
    assert stages[0] == "Downloading Dixit 2016"
    assert "Unpacking" in stages
    assert not (surroundings.state / "download").exists()
    assert dataverse.asked == [PATH]


def test_a_download_that_was_cut_off_goes_on(dataverse: Place, workspace: Workspace) -> None:
    dataverse.cut_after = 20_000
    with pytest.raises(DataError, match="could not be downloaded") as refusal:
        run(Request(screen="dixit"), context(workspace))
    assert f"{dataverse.address}{PATH}" in refusal.value.hint
    assert "data folder" in refusal.value.hint
    run(Request(screen="dixit"), context(workspace))
    assert dataverse.asked[0] == PATH
    assert dataverse.asked[1].startswith(f"{PATH} bytes=")
    assert len(workspace.datasets()) == 1


def test_an_archive_that_is_none_is_thrown_away(dataverse: Place, workspace: Workspace) -> None:
    good = dataverse.files[PATH]
    dataverse.files[PATH] = b"<html>Sorry</html>"
    with pytest.raises(UnreadableFileError, match="no zip archive"):
        run(Request(screen="dixit"), context(workspace))
    assert workspace.datasets() == []
    dataverse.files[PATH] = good
    run(Request(screen="dixit"), context(workspace))
    assert len(workspace.datasets()) == 1


def test_a_file_without_counts_is_refused_in_words(
    dataverse: Place, published: Published, workspace: Workspace, tmp_path: Path
) -> None:
    scaled = published.counts.copy()
    scaled.X = scaled.X.toarray() - scaled.X.mean()
    dataverse.files[PATH] = archive_of(scaled, tmp_path)
    with pytest.raises(CountsError, match="No matrix holds raw counts"):
        run(Request(screen="dixit"), context(workspace))
    assert workspace.datasets() == []


def test_an_unpacked_file_above_the_limit_is_refused(
    dataverse: Place, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCVIZ_UNPACK_GB", "0.00001")
    with pytest.raises(DataError, match="unpacks to more") as refusal:
        run(Request(screen="dixit"), context(workspace))
    assert "SCVIZ_UNPACK_GB" in refusal.value.hint


def test_an_unknown_screen_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match="'mine'") as refusal:
        Request(screen="mine")
    assert "norman" in refusal.value.hint


def test_each_screen_has_an_address_of_its_own_and_says_who_published_it() -> None:
    addresses = {screen.file.address("https://example.org/") for screen in PUBLIC_SCREENS.values()}
    assert len(addresses) == len(PUBLIC_SCREENS) == 5
    assert "https://example.org/api/access/datafile/6154020" in addresses
    for screen in PUBLIC_SCREENS.values():
        assert "doi:10." in screen.study
    assert "terms" in LICENCE
