"""Markers of every group: planted ones first, known ones suggest a name, and nothing is suggested by chance."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.cli import markers as command
from scviz.cli import parser
from scviz.datasets.readers import open_file
from scviz.errors import RequestError
from scviz.tasks.cell_groups import CellGroup, members
from scviz.tasks.markers import Request, Result
from scviz.tasks.markers.ranking import given_names, markers_of
from scviz.tasks.markers.run import run
from scviz.tasks.markers.suggesting import cell_programs
from scviz.workspace import Workspace
from scviz.workspace.records import read_record, write_record
from tests.conftest import Opened

KNOWN = ("B cells", "Monocytes, classical CD14", "Platelets and megakaryocytes")
"""Programs that three of the groups express; a fourth has genes that are on no list."""


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """240 cells of four groups; the first three express a third of the genes of a program, the fourth its own."""
    rng = np.random.default_rng(1)
    lists = {one.name: one.genes[:18] for one in cell_programs()}
    genes = list(dict.fromkeys(gene for own in lists.values() for gene in own))
    genes += [f"OTHER{i}" for i in range(600)]
    place = {gene: i for i, gene in enumerate(genes)}
    groups = np.arange(240) % 4
    means = np.tile(rng.gamma(1.0, 0.6, len(genes)), (240, 1))
    for k, name in enumerate(KNOWN):
        means[np.ix_(groups == k, [place[gene] for gene in lists[name]])] += 4
    means[np.ix_(groups == 3, [place[f"OTHER{i}"] for i in range(20)])] += 4
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical([f"type {k}" for k in groups]),
            "leiden": pd.Categorical([str(k) for k in groups]),
        },
        index=[f"cell{i}" for i in range(240)],
    )
    folder = tmp_path_factory.mktemp("markers")
    data = anndata.AnnData(
        csr_matrix(rng.poisson(means).astype("f4")), obs=obs, var=pd.DataFrame(index=genes)
    )
    data.write_h5ad(folder / "typed.h5ad")
    workspace = Workspace(folder / "home")
    return Opened(workspace, open_file(folder / "typed.h5ad", workspace, name="typed").id, "")


@pytest.fixture(scope="module")
def found(typed: Opened) -> Result:
    return run(Request(dataset=typed.dataset, column="cell_type"), typed.context())


def test_planted_markers_come_first_and_suggest_the_name_of_their_program(
    found: Result, tmp_path: Path
) -> None:
    assert [one.name for one in found.suggestions] == [*KNOWN, ""]
    assert found.suggestions[0].expected < 5 < len(found.suggestions[0].genes)
    assert found.suggestions[0].fdr <= 0.05
    assert {found.genes[i] for i in markers_of(found, 3)[:20]} == {f"OTHER{i}" for i in range(20)}
    assert given_names(found) == dict(enumerate(KNOWN))
    assert not found.circular
    assert "4 of 4 groups have markers compared with all other cells" in found.verdict
    assert "3 of 4 resemble a type of cells known by its markers" in found.verdict
    assert found.sets[3].name == "markers of type 3"
    assert set(found.sets[3].genes[:20]) == {f"OTHER{i}" for i in range(20)}
    write_record(found, tmp_path / "kept")
    assert (
        read_record(Result, tmp_path / "kept").suggestions[:3] == found.suggestions[:3]
    )  # NaN is not itself


def test_groups_found_on_the_same_genes_are_called_circular(typed: Opened) -> None:
    result = run(Request(dataset=typed.dataset, column="leiden", method="welch"), typed.context())
    assert result.circular
    assert "ranks count, p values do not" in result.verdict


def test_shuffled_groups_have_no_suggestion(typed: Opened) -> None:
    numbers = np.random.default_rng(0).permutation(np.arange(240) % 4)
    result = run(Request(dataset=typed.dataset, run=clustered(typed, "chance", numbers)), typed.context())
    assert result.names == ("cluster 1", "cluster 2", "cluster 3", "cluster 4")
    assert [one.name for one in result.suggestions] == ["", "", "", ""]


def clustered(opened: Opened, name: str, clusters: np.ndarray) -> str:
    """Keep clusters as those of a finished run."""
    folder = opened.workspace.run_folder(name)
    (folder / "result").mkdir(parents=True, exist_ok=True)
    asked = {"task": "overview", "request": {"dataset": opened.dataset}}
    (folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")
    np.savez(folder / "result" / "arrays.npz", clusters=clusters)
    return name


def test_clusters_of_a_run_are_groups_from_one(typed: Opened) -> None:
    clusters = np.where(np.arange(240) < 5, -1, np.arange(240) % 3)
    name = clustered(typed, "three", clusters)
    found = members(CellGroup(run=name, cluster=2), typed.dataset, typed.workspace)
    np.testing.assert_array_equal(found.truth.yes, clusters == 1)
    assert not found.truth.no[:5].any()  # cells in no cluster are on neither side
    for group, why in (
        (CellGroup(run=name, cluster=4), "There is no cluster 4"),
        (CellGroup(run="gone", cluster=1), "no finished run 'gone' with clusters"),
    ):
        with pytest.raises(RequestError, match=why):
            members(group, typed.dataset, typed.workspace)
    with pytest.raises(RequestError, match="by the run that found it and its number"):
        CellGroup(run=name)


def test_what_cannot_be_grouped_is_refused(typed: Opened) -> None:
    with pytest.raises(RequestError, match="one of these"):
        Request(dataset=typed.dataset)
    with pytest.raises(RequestError, match="0 groups with 100 cells or more"):
        run(Request(dataset=typed.dataset, column="cell_type", fewest_cells=100), typed.context())
    sizes = np.where(np.arange(240) < 4, 2, np.arange(240) % 2)
    result = run(Request(dataset=typed.dataset, run=clustered(typed, "small", sizes)), typed.context())
    assert result.names == ("cluster 1", "cluster 2")
    assert "cluster 3: fewer than 10 cells, left out." in result.notes
    assert (result.groups[:4] == -1).all()


def test_the_command_prints_the_first_markers_and_writes_all(
    typed: Opened, found: Result, tmp_path: Path
) -> None:
    options = parser().parse_args(["markers", "typed", "--method", "welch"])
    request = command.request_of(options, typed.dataset, typed.workspace)
    assert (request.column, request.method) == ("cell_type", "welch")
    said = command.summary(found)["groups"]
    assert said["type 0"]["resembles"] == KNOWN[0]
    assert said["type 3"]["resembles"] == "no suggestion"
    command.write_markers(found, tmp_path / "markers.csv")
    with (tmp_path / "markers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * len(found.genes)
    assert float(rows[0]["score"]) == pytest.approx(float(found.score[0].max()))
