"""Antibodies, guides and tags beside the genes are told from them and left out of the counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.columns import SOURCE
from scviz.datasets.doctor import check_file
from scviz.datasets.readers import open_file, read_counts
from scviz.errors import DataError
from scviz.workspace import Workspace
from tests.datasets.conftest import Save

KINDS = ("Gene Expression", "Antibody Capture", "CRISPR Guide Capture", "Multiplexing Capture")


def with_features(adata: AnnData, column: str = "feature_types") -> AnnData:
    """The 200 genes, then 3 antibodies, 2 guides and a tag; the first three cells carry guides."""
    names = ["CD3_TotalSeqB", "CD19_TotalSeqB", "CD4_TotalSeqB", "STAT1_g1", "NT_1", "CMO301"]
    more = np.random.default_rng(0).integers(50, 500, (adata.n_obs, 6)).astype(np.float32)
    more[:, 3:5] = 0
    more[0, 3], more[1, 3:5], more[2, 4], more[3, 3] = 12, (5, 30), 7, 4
    var = pd.DataFrame(index=[*adata.var_names, *names])
    var[column] = [KINDS[0]] * adata.n_vars + [KINDS[1]] * 3 + [KINDS[2]] * 2 + [KINDS[3]]
    counts = csr_matrix(np.hstack([adata.X.toarray(), more]))
    return AnnData(X=counts, obs=adata.obs, var=var)


@pytest.mark.parametrize("column", ["feature_types", "feature_type"])
def test_genes_alone_are_counted_and_the_rest_is_named(
    column: str, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    path = save(with_features(adata, column))
    said = [finding.text for finding in check_file(path).findings]
    assert (
        "Beside 200 genes there are 3 Antibody Capture, 2 CRISPR Guide Capture, 1 Multiplexing Capture."
        in said
    )
    info = open_file(path, workspace)
    counts = read_counts(workspace.dataset_folder(info.id))
    assert np.array_equal(counts.X.toarray(), adata.X.toarray())
    assert counts.var_names.tolist() == adata.var_names.tolist()
    assert any("3 Antibody Capture" in line for line in info.history)


def test_guides_become_a_column_of_cells(adata: AnnData, save: Save, workspace: Workspace) -> None:
    info = open_file(save(with_features(adata)), workspace)
    guides = read_counts(workspace.dataset_folder(info.id)).obs["guide"]
    assert guides[:4].tolist() == ["STAT1_g1", "NT_1|STAT1_g1", "NT_1", "no guide"]
    assert (guides[4:] == "no guide").all()
    assert "guide" in [column.name for column in info.columns]
    assert any(f"{len(guides) - 3:,} cells have no guide" in line for line in info.history)


def test_a_matrix_of_antibodies_alone_is_refused(adata: AnnData, save: Save, workspace: Workspace) -> None:
    with pytest.raises(DataError, match="The matrix holds no genes, but 3 Antibody Capture") as caught:
        open_file(save(with_features(adata)[:, 200:203].copy()), workspace)
    assert "gene expression" in caught.value.hint


def test_names_tell_antibodies_and_guides_where_the_file_says_nothing(
    adata: AnnData, save: Save, workspace: Workspace
) -> None:
    cite = with_features(adata)
    del cite.var["feature_types"]
    cite.var_names = [*cite.var_names[:203], "STAT1_sg1", "sgNT-1", "CMO301"]
    path = save(cite)
    said = [finding.text for finding in check_file(path).findings]
    assert "Beside 200 genes there are 3 antibodies, 2 guides, 1 tags of samples." in said
    found = read_counts(workspace.dataset_folder(open_file(path, workspace).id))
    assert np.array_equal(found.X.toarray(), adata.X.toarray())
    assert found.obs["guide"][:2].tolist() == ["STAT1_sg1", "STAT1_sg1|sgNT-1"]


def test_spike_ins_are_told_and_kept(adata: AnnData, save: Save, workspace: Workspace) -> None:
    spiked = adata.copy()
    spiked.var_names = [*adata.var_names[:-2], "ERCC-00002", "ERCC-00171"]
    path = save(spiked)
    said = [finding.text for finding in check_file(path).findings]
    assert "2 spike-ins stand among the genes and are kept there; they are no genes of the cells." in said
    assert open_file(path, workspace).n_genes == adata.n_vars


def test_a_file_of_the_workspace_takes_no_room_twice(adata: AnnData, workspace: Workspace) -> None:
    path = workspace.home / "uploads" / "cells.h5ad"
    path.parent.mkdir(parents=True, exist_ok=True)
    adata.write_h5ad(path)
    info = open_file(path, workspace)
    assert (workspace.dataset_folder(info.id) / SOURCE).samefile(path)
