"""What plain methods read of counts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from scviz.datasets import expression
from scviz.datasets.expression import residual_variance


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
