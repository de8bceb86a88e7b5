"""Counts from which ambient RNA was taken away, and logarithms in half precision: they open, and it is said how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.choices import Opening
from scviz.datasets.counts import scale_of
from scviz.datasets.readers import open_file, read_counts
from scviz.datasets.recovery import HALF_EXACT
from scviz.datasets.rows import Rows
from scviz.errors import CountsError
from scviz.workspace import DatasetInfo, Workspace

N_CELLS, N_GENES = 200, 1_500


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    """Counts of cells that differ in depth; most of what is above 0 is 1."""
    rng = np.random.default_rng(0)
    level = 1.5 * rng.lognormal(-2, 1.5, N_GENES) * rng.lognormal(0, 0.4, (N_CELLS, 1))
    return rng.poisson(level).astype(np.float64)


def without_ambient(counts: np.ndarray, share: float) -> np.ndarray:
    """Take from each cell a share of its counts, spread over genes as they are in all cells together."""
    ambient = counts.sum(axis=0) / counts.sum()
    return np.clip(counts - share * counts.sum(axis=1, keepdims=True) * ambient, 0, None)


def logs(counts: np.ndarray) -> np.ndarray:
    return np.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True))


def rows_of(values: np.ndarray) -> Rows:
    matrix = csr_matrix(values.astype(np.float32))
    return Rows(values=matrix.data, bounds=matrix.indptr.astype(np.int64))


def opened(values: np.ndarray, kind: type, workspace: Workspace, folder: Path, **more: object) -> DatasetInfo:
    stored = csr_matrix(values.astype(np.float32)).astype(kind) if kind != np.float16 else values.astype(kind)
    adata = AnnData(stored)
    adata.var_names = [f"GENE{i}" for i in range(values.shape[1])]
    adata.write_h5ad(folder / "some.h5ad")
    return open_file(folder / "some.h5ad", workspace, choices=Opening(**more) if more else None)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.15])
def test_what_ambient_rna_was_taken_from_is_rounded_and_said(
    share: float, counts: np.ndarray, workspace: Workspace, tmp_path: Path
) -> None:
    corrected = without_ambient(counts, share)
    info = opened(corrected, np.float32, workspace, tmp_path)
    assert info.counts.how == "rounded"
    assert "counts from which something was taken away" in info.counts.evidence
    assert any("have decimals; they were rounded to whole numbers" in note for note in info.history)
    found = read_counts(workspace.dataset_folder(info.id)).X.toarray()
    assert np.array_equal(found, np.rint(corrected.astype(np.float32)))


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_counts_behind_logarithms_in_half_precision_come_back(
    kind: type, counts: np.ndarray, workspace: Workspace, tmp_path: Path
) -> None:
    values = logs(counts).astype(np.float16).astype(np.float64)
    info = opened(values, kind, workspace, tmp_path)
    assert info.counts.how == "recovered from log values"
    assert any(
        "half precision, so that counts above about 100 are approximate" in note for note in info.history
    )
    found = read_counts(workspace.dataset_folder(info.id)).X.toarray()
    small = counts <= HALF_EXACT
    assert np.array_equal(found[small], counts[small])


def test_large_counts_behind_half_precision_are_near(
    counts: np.ndarray, workspace: Workspace, tmp_path: Path
) -> None:
    more = counts.copy()
    more[:, :5] += np.random.default_rng(1).integers(150, 400, (N_CELLS, 5))
    info = opened(logs(more).astype(np.float16).astype(np.float64), np.float32, workspace, tmp_path)
    found = read_counts(workspace.dataset_folder(info.id)).X.toarray()
    assert np.array_equal(found[:, 5:][more[:, 5:] <= HALF_EXACT], more[:, 5:][more[:, 5:] <= HALF_EXACT])
    np.testing.assert_allclose(found[:, :5], more[:, :5], rtol=0.02)


def test_other_logarithms_in_half_precision_are_no_counts(
    counts: np.ndarray, workspace: Workspace, tmp_path: Path
) -> None:
    moved = np.where(counts > 0, logs(counts) * np.random.default_rng(0).normal(1, 0.1, N_GENES), 0.0)
    with pytest.raises(CountsError):
        opened(moved.clip(0).astype(np.float16).astype(np.float64), np.float32, workspace, tmp_path)


def test_smoothed_and_batch_corrected_values_are_not_taken_for_corrected_counts(counts: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    smooth = counts @ rng.random((N_GENES, N_GENES)) / N_GENES
    noisy = np.clip(counts + rng.normal(0, 0.2, counts.shape), 0, None) * (counts > 0)
    for values in (smooth, noisy, counts / rng.lognormal(0, 1, N_GENES)):
        assert scale_of(rows_of(values)).kind not in ("counts", "counts with decimals")
