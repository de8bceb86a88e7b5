"""Columns of other tools, and how their names stand to each other by the Cell Ontology."""

from __future__ import annotations

from pathlib import Path

import anndata
import pytest

from scviz.datasets.label_terms import take_term
from scviz.datasets.name_relations import AUTHORS, RELATIONS, coarse_label, named_columns, relations_of
from scviz.datasets.readers import open_file
from scviz.workspace import ColumnInfo, Workspace

TOOLS = {
    "predicted_labels": "CellTypist",
    "majority_voting": "CellTypist",
    "predicted.celltype.l1": "Azimuth or Seurat",
    "predicted.celltype.l2": "Azimuth or Seurat",
    "coarse_cell_type": "Cell Ranger",
    "fine_cell_type": "Cell Ranger",
    "SingleR.labels": "SingleR",
    "scviz_scgpt_label": "scviz",
}


def test_columns_of_tools_are_known_by_their_names(
    workspace: Workspace, adata: anndata.AnnData, tmp_path: Path
) -> None:
    for name in TOOLS:
        adata.obs[name] = ["T cell" if i % 2 else "B cell" for i in range(adata.n_obs)]
    for name in ("conf_score", "predicted.celltype.l1.score", "mapping.score"):
        adata.obs[name] = 0.5 + 0.001 * adata.obs.reset_index().index.to_numpy()
    adata.write_h5ad(tmp_path / "cells.h5ad")
    columns = open_file(tmp_path / "cells.h5ad", workspace).columns
    found = {one.column: one.tool for one in named_columns(columns)}
    assert found.items() >= TOOLS.items()
    assert not {name for name in found if "score" in name}
    assert "cell_type" in found


def test_a_column_of_donors_is_no_column_of_names() -> None:
    donor = ColumnInfo(name="donor", kind="batch", n_values=2, values=("a", "b"))
    assert named_columns([donor]) == ()


@pytest.mark.parametrize("values", [("0", "1", "2"), ("c1", "C2", "Cluster 3"), ("0.1", "1.2", "leiden_4")])
@pytest.mark.parametrize("name", ["louvain", "leiden", "cell_type", "predicted.cluster"])
def test_numbers_of_clusters_are_no_names(name: str, values: tuple[str, ...]) -> None:
    assert named_columns([ColumnInfo(name=name, kind="label", n_values=3, values=values)]) == ()


@pytest.mark.parametrize(
    ("name", "values", "tool"),
    [
        ("louvain", ("CD4 T cells", "B cells", "6"), AUTHORS),
        ("cell_line", ("H1975", "A549"), AUTHORS),
        ("time_label", ("early", "late"), None),
    ],
)
def test_authors_name_types_by_their_column_or_by_words_of_the_ontology(
    name: str, values: tuple[str, ...], tool: str | None
) -> None:
    found = named_columns([ColumnInfo(name=name, kind="label", n_values=3, values=values)])
    assert [one.tool for one in found] == ([tool] if tool else [])


@pytest.fixture
def folder(workspace: Workspace, adata: anndata.AnnData, tmp_path: Path) -> Path:
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return workspace.dataset_folder(open_file(tmp_path / "cells.h5ad", workspace).id)


PAIRS = {
    ("CD4 T", "CD4-positive, alpha-beta T cell"): "same",
    ("CD14+ Mono", "CD14+ Monocytes"): "same",
    ("T cell", "Naive CD4 T"): "broader",
    ("CD4TCM", "CD4 T cells"): "narrower",
    ("CD4 T", "CD8 T"): "coarse",
    ("CD14+ Mono", "Classical monocytes"): "coarse",
    ("Platelet", "Megakaryocytes"): "coarse",
    ("B", "NK cells"): "different",
    ("H1975", "B"): "unknown",
}


@pytest.mark.parametrize(("names", "wanted"), PAIRS.items())
def test_names_are_compared_by_what_they_mean(folder: Path, names: tuple[str, str], wanted: str) -> None:
    assert RELATIONS[relations_of(folder, [names[0]], [names[1]])[0, 0]] == wanted


def test_a_choice_of_the_user_decides(folder: Path) -> None:
    take_term(folder, "CD14+ Mono", "classical monocyte")
    assert RELATIONS[relations_of(folder, ["CD14+ Mono"], ["Classical monocytes"])[0, 0]] == "same"


def test_a_label_has_a_coarse_type_also_where_its_term_is_open() -> None:
    assert (coarse_label("CD14+ Mono", ""), coarse_label("odd", "CL:0000624"), coarse_label("odd", "")) == (
        *("monocyte", "T cell", ""),
    )
