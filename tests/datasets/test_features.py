"""Antibodies, guides and tags beside the genes are told from them and left out of the counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

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
