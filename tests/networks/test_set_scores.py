from __future__ import annotations

import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData

from scviz.datasets.expression import depth_of, log_expression
from scviz.errors import RequestError
from scviz.networks.set_scores import set_score
from tests.conftest import Opened

GENES = [f"GENE{i}" for i in (1, 5, 9, 30, 77)]


@pytest.fixture
def logged(adata: AnnData) -> AnnData:
    return AnnData(log_expression(adata.X, depth_of(adata)), var=adata.var)


def test_score_is_that_of_scanpy(opened: Opened, logged: AnnData) -> None:
    sc.tl.score_genes(logged, GENES, random_state=0)
    found = set_score(opened.workspace.dataset_folder(opened.dataset), GENES, n_cells=60)
    np.testing.assert_allclose(found.values, logged.obs["score"], atol=1e-5)
    assert found.n_genes == 5
    assert found.n_controls > 5


def test_mean_z_is_that_of_a_dense_matrix(opened: Opened, logged: AnnData) -> None:
    dense = logged[:, GENES].X.toarray().astype(np.float64)
    found = set_score(opened.workspace.dataset_folder(opened.dataset), GENES, n_cells=60, how="z")
    expected = ((dense - dense.mean(axis=0)) / dense.std(axis=0)).mean(axis=1)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert found.n_controls == 0


@pytest.mark.parametrize("how", ["controls", "z"])
def test_no_gene_is_refused(opened: Opened, how: str) -> None:
    with pytest.raises(RequestError, match="No cell expresses"):
        set_score(opened.workspace.dataset_folder(opened.dataset), [], n_cells=60, how=how)  # type: ignore[arg-type]
