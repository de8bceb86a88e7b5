"""How much genes vary, told from a file that lies in any way."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from anndata import AnnData
from scipy.sparse import csc_matrix, csr_matrix

from scviz.datasets import variability as module
from scviz.datasets.matrices import matrix_at
from scviz.datasets.variability import variability

COUNTS = np.random.default_rng(0).poisson(np.linspace(0.1, 3, 12), (40, 12)).astype(np.float32)
STORED = {"csr": csr_matrix, "csc": csc_matrix, "dense": np.asarray}


@pytest.mark.parametrize("rows", ["cells", "genes"])
@pytest.mark.parametrize("stored", STORED)
def test_every_way_of_storing_gives_the_variance_of_scaled_counts(
    tmp_path: Path, stored: str, rows: str
) -> None:
    turned = rows == "genes"
    AnnData(STORED[stored](COUNTS.T if turned else COUNTS)).write_h5ad(tmp_path / "cells.h5ad")
    scaled = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4)
    with h5py.File(tmp_path / "cells.h5ad") as file:
        found = variability(matrix_at(file, "X"), turned=turned)
    np.testing.assert_allclose(found, scaled.var(axis=0), rtol=1e-6)


def test_a_large_matrix_stored_by_gene_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AnnData(csc_matrix(COUNTS)).write_h5ad(tmp_path / "cells.h5ad")
    monkeypatch.setattr(module, "SAMPLE_VALUES", 10)
    with h5py.File(tmp_path / "cells.h5ad") as file:
        assert np.isnan(variability(matrix_at(file, "X"))).all()
