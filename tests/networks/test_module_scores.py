"""Scores of gene sets in cells."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from anndata import AnnData

from scviz.networks.module_scores import control_genes, expression_bins, module_scores, zero_to_one


@pytest.fixture
def expression() -> sp.csr_matrix:
    rng = np.random.default_rng(0)
    means = rng.gamma(0.6, 1.0, 2000)
    return sp.csr_matrix(np.log1p(rng.poisson(means, (40, 2000))).astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 7])
def test_scores_are_those_of_scanpy(expression: sp.csr_matrix, seed: int) -> None:
    import scanpy as sc

    adata = AnnData(expression)
    rng = np.random.default_rng(1)
    modules = [np.sort(rng.choice(2000, size, replace=False)) for size in (5, 40, 300)]
    ours = module_scores(expression, modules, seed=seed)
    for column, module in enumerate(modules):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sc.tl.score_genes(adata, adata.var_names[module], random_state=seed)
        np.testing.assert_allclose(ours[:, column], adata.obs["score"], atol=1e-5)


def test_cells_that_express_a_module_more_score_higher(expression: sp.csr_matrix) -> None:
    module = np.arange(30)
    raised = expression.tolil()
    raised[:20, module] = raised[:20, module].toarray() + 1.0
    scores = module_scores(sp.csr_matrix(raised), [module])[:, 0]
    assert scores[:20].min() > scores[20:].max()


def test_controls_are_expressed_alike_and_are_not_of_the_module(expression: sp.csr_matrix) -> None:
    bins, module = expression_bins(expression), np.arange(0, 60, 2)
    controls = control_genes(bins, module)
    assert not set(controls) & set(module)
    assert set(bins[controls]) == set(bins[module])
    assert (np.bincount(bins[controls]) <= 50).all()


def test_few_genes_and_a_module_of_all_of_them_still_have_a_score() -> None:
    scores = module_scores(sp.csr_matrix(np.eye(3, dtype=np.float32)), [np.arange(3)])
    np.testing.assert_allclose(scores, 1 / 3, atol=1e-6)


def test_scores_are_stretched_within_a_row_or_a_column() -> None:
    scores = np.array([[0.0, 10.0], [1.0, 20.0], [4.0, 30.0]])
    assert zero_to_one(scores).tolist() == [[0.0, 0.0], [0.25, 0.5], [1.0, 1.0]]
    assert zero_to_one(scores, axis=1).tolist() == [[0.0, 1.0]] * 3
    assert np.isnan(zero_to_one(np.array([[np.nan], [1.0], [3.0]]))[0, 0])
