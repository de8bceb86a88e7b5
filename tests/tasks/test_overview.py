"""The first map of a dataset: planted types are found, the same again, and odd data are a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.expression import log_expression, variable_genes
from scviz.datasets.readers import open_file, read_counts
from scviz.datasets.variable_expression import dispersed_genes, gene_moments
from scviz.errors import DataError
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.needs import refuse_empty, refuse_idle
from scviz.tasks.overview import Request, Result
from scviz.tasks.overview.run import run
from scviz.workspace import Workspace
from scviz.workspace.records import read_record, write_record


def mapped(adata: AnnData, workspace: Workspace, tmp_path: Path, **asked: float) -> Result:
    """Open cells and draw their first map."""
    adata.write_h5ad(tmp_path / "some.h5ad")
    info = open_file(tmp_path / "some.h5ad", workspace)
    request = Request(dataset=info.id, **asked)
    refuse_idle("overview", request, workspace)
    context = Context(workspace=workspace, report=lambda _: None, folder=workspace.run_folder("one"))
    result = run(request, context)
    refuse_empty("overview", request, result)
    return result


def test_planted_types_are_clusters_and_lie_together(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    result = mapped(adata, workspace, tmp_path, n_neighbors=8)
    types = adata.obs["cell_type"].cat.codes.to_numpy()
    assert result.n_clusters == 3
    assert all(len(set(types[result.clusters == number])) == 1 for number in range(3))
    assert np.bincount(result.clusters).tolist() == [20, 20, 20]
    assert (types[result.neighbors] == types[:, None]).mean() > 0.95
    distances = np.linalg.norm(result.umap[:, None] - result.umap[None], axis=2)
    nearest = np.argsort(distances, axis=1)[:, 1:6]
    assert (types[nearest] == types[:, None]).mean() > 0.95
    assert result.pca.shape == (60, 50)
    assert result.names == ("cluster 1", "cluster 2", "cluster 3")
    assert result.verdict.startswith(
        "3 clusters among 60 cells at resolution 1, of 20 to 20 cells. 100% of the pairs"
    )


def test_the_same_question_has_the_same_answer_and_it_is_kept(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    one, other = (mapped(adata, workspace, tmp_path, n_neighbors=8) for _ in range(2))
    for name in ("pca", "neighbors", "umap", "clusters"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    (tmp_path / "record").mkdir()
    write_record(one, tmp_path / "record")
    assert np.array_equal(read_record(Result, tmp_path / "record").umap, one.umap)


def test_variable_genes_are_those_of_the_baseline(adata: AnnData) -> None:
    expression = log_expression(adata.X)
    blocks = (expression[:, start : start + 30].tocsc() for start in range(0, 200, 30))
    found = dispersed_genes(gene_moments(blocks, adata.n_obs), 60)
    assert found.tolist() == variable_genes(expression, 60).tolist()


def test_cells_without_counts_have_no_place(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    counts = adata.X.toarray()
    counts[[3, 10]] = 0
    adata.X = csr_matrix(counts)
    result = mapped(adata, workspace, tmp_path, n_neighbors=8)
    assert np.flatnonzero(result.clusters < 0).tolist() == [3, 10]
    assert np.isnan(result.umap[[3, 10]]).all()
    assert np.isfinite(np.delete(result.umap, [3, 10], axis=0)).all()
    assert (result.neighbors[[3, 10]] == -1).all()
    assert not np.isin(result.neighbors, [3, 10]).any()
    assert "2 cells of 60 without counts" in result.notes[-1]


def test_a_handful_of_cells_and_genes_makes_a_small_map(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    few = adata[:6, :5].copy()
    few.X = csr_matrix(few.X.toarray() + 1)
    result = mapped(few, workspace, tmp_path)
    assert result.umap.shape == (6, 2)
    assert result.neighbors.shape == (6, 5)
    assert np.isfinite(result.umap).all()


def test_three_cells_are_too_few(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 3 cells, too few for this run"):
        mapped(adata[:3].copy(), workspace, tmp_path)


def test_constant_genes_are_a_sentence(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    one, depth = np.random.default_rng(0).geometric(0.3, 200), np.arange(60) % 3 + 1
    adata.X = csr_matrix(np.outer(depth, one).astype(np.float32))  # cells differ in depth alone
    with pytest.raises(DataError, match="0 of 200 genes differ between these 60 cells"):
        mapped(adata, workspace, tmp_path)


def test_a_higher_resolution_gives_more_clusters(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    coarse, fine = (mapped(adata, workspace, tmp_path, resolution=number) for number in (0.1, 5))
    assert coarse.n_clusters < fine.n_clusters
    one = mapped(adata, workspace, tmp_path, resolution=0.05)
    assert one.n_clusters > 1 or "No clusters could be told apart among 60 cells" in one.verdict


def test_twins_are_no_farther_apart_than_rounding_and_the_answer_is_the_same_again(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    kinds = np.repeat(np.arange(12), 5)  # 12 kinds of cells, five of each alike
    adata.X = csr_matrix(adata.X.toarray()[kinds])
    one, other = (mapped(adata, workspace, tmp_path, resolution=3) for _ in range(2))
    assert np.isfinite(one.umap).all()
    assert np.ptp(one.pca[kinds == 0], axis=0).max() < 1e-5
    assert not one.pca[:, 11:].any(), "12 kinds of cells have 11 components"
    np.testing.assert_array_equal(one.pca, other.pca)
    np.testing.assert_array_equal(one.umap, other.umap)
    np.testing.assert_array_equal(one.clusters, other.clusters)


def test_relative_expression_has_a_map_too(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    from scviz.datasets.choices import Opening

    times = np.random.default_rng(0).uniform(0.6, 1.4, adata.shape)
    adata.X = csr_matrix((adata.X.toarray() * times).astype(np.float32))
    adata.write_h5ad(tmp_path / "relative.h5ad")
    info = open_file(tmp_path / "relative.h5ad", workspace, choices=Opening(relative=True))
    assert info.counts.how == "relative expression"
    request = Request(dataset=info.id, n_neighbors=8)
    refuse_idle("overview", request, workspace)
    context = Context(workspace=workspace, report=lambda _: None, folder=workspace.run_folder("two"))
    result = run(request, context)
    types = adata.obs["cell_type"].cat.codes.to_numpy()
    assert result.n_clusters >= 3
    assert all(len(set(types[result.clusters == number])) == 1 for number in range(result.n_clusters))


def test_it_says_how_far_it_is_and_stops_when_it_is_told(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    adata.write_h5ad(tmp_path / "some.h5ad")
    info = open_file(tmp_path / "some.h5ad", workspace)
    stages: list[Progress] = []

    def report(progress: Progress) -> None:
        stages.append(progress)
        if progress.stage == "Drawing the map" and progress.done >= 100:
            raise InterruptedError

    context = Context(workspace=workspace, report=report, folder=workspace.run_folder("one"))
    with pytest.raises(InterruptedError):
        run(Request(dataset=info.id), context)
    said = list(dict.fromkeys(one.stage for one in stages))
    assert said == [
        "Finding variable genes",
        "Reading variable genes",
        "Principal components",
        "Finding neighbors",
        "Finding clusters",
        "Drawing the map",
    ]
    assert (stages[-1].done, stages[-1].total) == (100, 500)


def test_it_is_written_into_a_copy_of_the_file(adata: AnnData, workspace: Workspace, tmp_path: Path) -> None:
    import json

    import anndata

    from scviz.tasks import exporting
    from scviz.tasks.exporting.run import run as export
    from scviz.workspace.records import to_json

    result = mapped(adata, workspace, tmp_path, n_neighbors=8)
    (info,) = workspace.datasets()
    context = Context(workspace=workspace, report=lambda _: None, folder=workspace.run_folder("one"))
    write_record(result, context.result)
    asked = {"task": "overview", "request": to_json(Request(dataset=info.id, n_neighbors=8))}
    (context.folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")
    other = replace(context, folder=workspace.run_folder("export"))
    made = export(exporting.Request(run="one"), other)
    copy = anndata.read_h5ad(other.result / made.file_name)
    assert copy.obs["scviz_cluster"].astype(str).tolist() == [
        result.names[number] for number in result.clusters
    ]
    assert np.array_equal(copy.obsm["X_scviz_umap"], result.umap)
    assert copy.n_obs == read_counts(workspace.dataset_folder(info.id)).n_obs
