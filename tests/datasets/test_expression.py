"""What plain methods read of counts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from scviz.datasets import expression
from scviz.datasets.expression import log_expression, residual_variance, variable_genes
from scviz.errors import RequestError


def test_genes_that_differ_between_cells_vary_beyond_chance_at_every_level() -> None:
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 2.0, (400, 1))
    means = np.repeat([[0.2, 0.2, 5.0, 5.0]], 400, axis=0) * depth
    means[:200, 1] *= 8
    means[:200, 3] *= 3
    filler = rng.poisson(3.0 * depth, (400, 100))  # the depth of a cell does not hang on the four
    counts = sp.csr_matrix(np.hstack([rng.poisson(means), filler, np.zeros((400, 1))]))
    found = residual_variance(counts)
    assert found[[0, 2]] == pytest.approx(1.0, abs=0.25)
    assert found[1] > 1.5
    assert found[3] > 2
    assert found[-1] == 0


def test_blocks_of_genes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = sp.csr_matrix(np.random.default_rng(0).poisson(1.0, (30, 20)).astype(np.float32))
    whole = residual_variance(counts)
    monkeypatch.setattr(expression, "GENES_PER_BLOCK", 3)
    np.testing.assert_allclose(residual_variance(counts), whole)


def planted(n_cells: int = 300) -> sp.csr_matrix:
    """(n_cells, 600) raw counts of genes of rising levels; every sixtieth varies far more than chance."""
    rng = np.random.default_rng(1)
    means = np.tile(np.linspace(1.0, 12.0, 600), (n_cells, 1))
    means[:, ::60] *= rng.gamma(0.5, 2.0, (n_cells, 10))
    return sp.csr_matrix(rng.poisson(means).astype(np.float32))


@pytest.mark.parametrize("flavor", ["seurat", "cell_ranger", "seurat_v3"])
def test_every_flavor_finds_the_genes_that_vary(flavor: expression.Flavor) -> None:
    counts = planted()
    values = counts if flavor == "seurat_v3" else log_expression(counts)
    found = variable_genes(values, 20, flavor=flavor)
    assert found.tolist() == sorted(found)
    assert len(found) == 20
    assert set(range(0, 600, 60)) <= set(found.tolist())


def test_genes_that_a_flavor_cannot_order_are_refused() -> None:
    with pytest.raises(RequestError, match="cannot be chosen by cell_ranger from 3 genes of 2 cells"):
        variable_genes(sp.csr_matrix([[1.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), 1, flavor="cell_ranger")
