"""Cells are known again in a part of a file that taught weights or a reference, and no others are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.marked_genes import marked_genes
from scviz.datasets.readers import open_file
from scviz.datasets.steps import Step, apply_step
from scviz.tasks.transfer import Request
from scviz.tasks.transfer.references import keep_reference
from scviz.tasks.transfer.run import run
from scviz.workspace import Workspace
from scviz.workspace.cell_marks import SHIPPED, gene_keys, kept_marks, marks_of, read_marks, share_taught
from scviz.workspace.store import write_checkpoint_info
from tests.tasks.test_transfer import Two, made, two  # noqa: F401 - two is a fixture
from tests.workspace.test_store import checkpoint


def marks(counts: np.ndarray, genes: list[str]) -> np.ndarray:
    return marks_of(csr_matrix(counts.astype(np.float32)), gene_keys(genes))


def opened(workspace: Workspace, folder: Path, adata: AnnData, name: str) -> str:
    adata.write_h5ad(folder / f"{name}.h5ad")
    return open_file(folder / f"{name}.h5ad", workspace, name=name).id


def blood(n_cells: int, seed: int) -> AnnData:
    rng = np.random.default_rng(seed)
    counts = rng.negative_binomial(0.6, 0.25, (n_cells, 160)).astype(np.float32)
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(160)])
    obs = pd.DataFrame(index=[f"{seed}-{i}" for i in range(n_cells)])
    return AnnData(csr_matrix(counts), obs, var)


def test_a_mark_is_of_genes_and_counts_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    counts, genes = rng.poisson(2.5, (40, 80)), [f"Gene{i}" for i in range(80)]
    own = marks(counts, genes)
    cells, columns = rng.permutation(40), rng.permutation(80)
    moved = marks(counts[cells][:, columns], [genes[at].upper() for at in columns])
    assert moved.tolist() == own[cells].tolist()
    some = own[own != 0]
    assert len(set(some.tolist())) == len(some) > 60
    changed = counts.copy()
    changed[0, np.flatnonzero(counts[0] >= 2)[0]] += 1
    assert (marks(changed, genes) != own).sum(axis=1).tolist() == [1] + [0] * 39


def test_a_gene_that_is_left_out_changes_one_hand() -> None:
    rng = np.random.default_rng(2)
    counts, genes = rng.poisson(4, (30, 100)), [f"G{i}" for i in range(100)]
    own, fewer = marks(counts, genes), marks(counts[:, 1:], genes[1:])
    assert (own != fewer).sum(axis=1).tolist() == (counts[:, 0] >= 2).astype(int).tolist()


def test_the_same_genes_by_other_names_give_the_same_marks() -> None:
    symbols = GeneIdentifiers(ensembl=None, symbol=("MS4A1", "SEPT2", "CD3D", "NKG7"))
    ids = GeneIdentifiers(
        ensembl=("ENSG00000156738", "ENSG00000168385", "ENSG00000167286", "ENSG00000105374"), symbol=None
    )
    assert marked_genes(symbols) == marked_genes(ids) == ("MS4A1", "SEPTIN2", "CD3D", "NKG7")


def test_genes_counted_once_and_absent_genes_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    counts, genes = rng.poisson(4, (5, 100)), [f"G{i}" for i in range(100)]
    counts[:, 80:] = 1
    assert marks(counts, genes).all()
    assert marks(counts, genes).tolist() == marks(counts[:, :80], genes[:80]).tolist()


def test_cells_with_few_genes_have_no_mark() -> None:
    few = np.zeros((2, 60))
    few[:, :9] = 5
    assert not marks(few, [f"G{i}" for i in range(60)]).any()
    assert len(kept_marks(np.zeros(2, dtype=np.uint64))) == 0


def test_a_part_of_the_cells_that_taught_a_checkpoint_is_seen(workspace: Workspace, tmp_path: Path) -> None:
    taught, other = blood(400, 1), blood(400, 2)
    ids = {"taught": opened(workspace, tmp_path, taught, "taught")}
    part = taught[np.random.default_rng(0).permutation(400)[:60]].copy()
    part.obs_names = [f"renamed-{i}" for i in range(60)]
    ids["part"] = opened(workspace, tmp_path, part, "part")
    common = anndata.concat([part, other])
    common.obs_names_make_unique()
    ids["mixed"] = opened(workspace, tmp_path, common, "mixed")
    ids["other"] = opened(workspace, tmp_path, other, "other")
    ids["step"] = apply_step(workspace, ids["taught"], Step(line="Some.", cells=np.arange(400) < 50)).id
    folder = workspace.checkpoint_folder("scgpt/own")
    folder.mkdir(parents=True)
    write_checkpoint_info(checkpoint("own", trained_on=(ids["taught"],)), folder)
    told = {name: workspace.seen_in_training("scgpt/own", one) for name, one in ids.items()}
    assert told == {"taught": "seen", "part": "seen", "mixed": "seen", "step": "seen", "other": "not seen"}


def test_a_part_of_the_cells_that_taught_a_classifier_is_said(two: Two, tmp_path: Path) -> None:  # noqa: F811
    run(two.ask(), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace)
    taught = made(240, seed=1)
    part = anndata.concat([taught[:80], made(80, seed=9)])
    part.obs_names_make_unique()
    del part.obs["cell_type"]
    asked = Request(dataset=opened(two.workspace, tmp_path, part, "part"), reference=kept.id)
    share = share_taught(
        read_marks(two.workspace.dataset_folder(asked.dataset)),
        read_marks(two.workspace.dataset_folder(two.reference)),
    )
    assert 0.3 < share < 0.7
    notes = " ".join(run(asked, two.context("part")).notes)
    assert f"About {100 * share:.0f} % or more of the cells are among those that taught" in notes
    new = replace(asked, dataset=two.query)
    assert "that taught" not in " ".join(run(new, two.context("new")).notes)


@pytest.mark.parametrize("name", ["pbmc_sorted_3500", "kang_ifnb_2000"])
def test_a_part_of_a_public_file_is_known_to_the_shipped_reference(
    workspace: Workspace, shared: Path, tmp_path: Path, name: str
) -> None:
    whole = anndata.read_h5ad(shared / "data" / name / f"{name}.h5ad")
    part = AnnData(whole.X[100:300], whole.obs.iloc[100:300][[]], whole.var[[]])
    info = open_file(_written(part, tmp_path / "part.h5ad"), workspace, name="part")
    for model in ("geneformer/geneformer-blood", "scgpt/scgpt-blood"):
        assert workspace.seen_in_training(model, info.id) == "seen"
    pbmc = anndata.read_h5ad(shared / "data" / "pbmc3k_labelled" / "pbmc3k_labelled.h5ad")[:300].copy()
    new = open_file(_written(pbmc, tmp_path / "new.h5ad"), workspace, name="new")
    assert workspace.seen_in_training("geneformer/geneformer-blood", new.id) == "not seen"


def _written(adata: AnnData, path: Path) -> Path:
    adata.write_h5ad(path)
    return path


def test_marks_of_what_taught_the_shipped_models_come_along() -> None:
    found = {path.stem: np.load(path) for path in SHIPPED.glob("*.npy")}
    assert set(found) == {"4c63d345", "bf2528c4", "6ad4ad7c", "446d1957", "demo"}
    assert all(one.dtype == np.uint64 and (one % np.uint64(8) == 0).all() for one in found.values())
    both = np.isin(found["6ad4ad7c"], found["bf2528c4"]).sum()
    assert both > 50  # 687 cells are in both files of Kang et al., with other genes under other names
    assert not np.isin(found["446d1957"], found["bf2528c4"]).any()
