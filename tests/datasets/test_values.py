"""Matrices of every kind of value, opened: the true counts come out, or a refusal that says what there is."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.choices import Opening
from scviz.datasets.doctor import check_file
from scviz.datasets.readers import open_file, read_counts
from scviz.errors import CountsError
from scviz.workspace import Workspace
from tests.datasets.conftest import Save

N_CELLS, N_GENES = 60, 200


@pytest.fixture
def counts() -> np.ndarray:
    """(60, 200) counts of cells of different depth; the largest is above 100, so that fractions are no logarithms."""
    rng = np.random.default_rng(0)
    means = rng.gamma(0.6, 4.0, N_GENES) * np.linspace(0.5, 3.0, N_CELLS)[:, None]
    counts = rng.poisson(means)
    counts[:, 0] = rng.integers(100, 200, N_CELLS)
    counts[:, 1] = 1
    return counts


def normalized(counts: np.ndarray, target: float = 1e4) -> np.ndarray:
    return counts / counts.sum(axis=1, keepdims=True) * target


def values_of(adata: AnnData, values: np.ndarray) -> AnnData:
    return AnnData(X=values.astype(np.float32), obs=adata.obs, var=adata.var)


def opened(path: Path, workspace: Workspace, **choices: object) -> tuple[np.ndarray, tuple[str, ...], str]:
    info = open_file(path, workspace, choices=Opening(**choices))
    counts = read_counts(workspace.dataset_folder(info.id)).X.toarray()
    return counts, info.history, info.counts.how


MADE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log1p of 10,000": lambda c: np.log1p(normalized(c)),
    "log1p of 1,000,000": lambda c: np.log1p(normalized(c, 1e6)),
    "log1p of the median": lambda c: np.log1p(normalized(c, float(np.median(c.sum(axis=1))))),
    "log2 of 10,000": lambda c: np.log2(1 + normalized(c)),
    "log10 of 1,000,000": lambda c: np.log10(1 + normalized(c, 1e6)),
    "ln without pseudo-count": lambda c: np.log(normalized(c, 1e6), where=c > 0, out=np.zeros(c.shape)),
    "log2 without pseudo-count": lambda c: np.log2(normalized(c, 1e6), where=c > 0, out=np.zeros(c.shape)),
    "10,000 without logarithm": normalized,
    "CPM without logarithm": lambda c: normalized(c, 1e6),
    "size factors without logarithm": lambda c: c / np.linspace(0.5, 2.1, len(c))[:, None],
}


@pytest.mark.parametrize("made", MADE)
def test_counts_come_back_from_what_was_made_of_them(
    made: str, counts: np.ndarray, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    found, history, how = opened(save(values_of(adata, MADE[made](counts))), workspace)
    assert np.array_equal(found, counts)
    assert how.startswith("recovered from")
    assert "all values are whole multiples of one unit" in history[0]


def test_counts_that_were_corrected_for_ambient_rna_are_rounded(
    counts: np.ndarray, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    rng = np.random.default_rng(1)
    less = np.maximum(counts - rng.uniform(0, 0.45, counts.shape), 0) * (counts > 0)
    found, history, how = opened(save(values_of(adata, less)), workspace)
    assert np.array_equal(found, counts)
    assert (how, history[0]) == (
        "rounded",
        "The counts in X have decimals; they were rounded to whole numbers.",
    )


def test_counts_that_were_shared_out_among_genes_are_rounded(
    counts: np.ndarray, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    shared = counts.astype(float)
    shared[:, 4] += 0.25
    shared[:, 5] += 0.75
    found, _, how = opened(save(values_of(adata, shared)), workspace)
    assert np.array_equal(found, np.rint(shared))
    assert how == "rounded"


def test_tpm_is_no_count_and_opens_as_relative_expression_alone(
    counts: np.ndarray, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    lengths = np.random.default_rng(2).uniform(300, 9000, N_GENES)
    path = save(values_of(adata, normalized(counts / lengths, 1e6)))
    with pytest.raises(CountsError, match="speaks for TPM, FPKM or CPM") as caught:
        open_file(path, workspace)
    assert "relative expression" in caught.value.hint
    found, history, how = opened(path, workspace, relative=True)
    assert np.allclose(found, normalized(counts / lengths, 1e6), rtol=1e-5)
    assert (how, history[0]) == (
        "relative expression",
        "The values in X were taken as relative expression; they are no counts.",
    )


def test_logarithms_without_counts_behind_them_open_as_relative_expression(
    counts: np.ndarray, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    lengths = np.random.default_rng(2).uniform(300, 9000, N_GENES)
    tpm = normalized(counts / lengths, 1e6)
    path = save(values_of(adata, np.log1p(tpm)))
    with pytest.raises(CountsError, match="not all values"):
        open_file(path, workspace)
    assert np.allclose(opened(path, workspace, relative=True)[0], tpm, rtol=1e-4)


def bins(counts: np.ndarray) -> np.ndarray:
    """Bins 1 to 50 of the genes of each cell, as scGPT makes them."""
    found = np.zeros(counts.shape)
    for cell, values in enumerate(counts):
        seen = values > 0
        edges = np.quantile(values[seen], np.linspace(0, 1, 50))
        found[cell, seen] = np.digitize(values[seen], edges)
    return found


def ranks(counts: np.ndarray) -> np.ndarray:
    jitter = counts + np.random.default_rng(3).uniform(0, 0.5, counts.shape) * (counts > 0)
    return jitter.argsort(axis=1).argsort(axis=1)


@pytest.mark.parametrize(("made", "said"), [(bins, "bins"), (ranks, "ranks")])
def test_whole_numbers_that_are_no_counts_are_refused_until_they_are_chosen(
    made: Callable[[np.ndarray], np.ndarray],
    said: str,
    counts: np.ndarray,
    adata: AnnData,
    save: Save,
    workspace: Workspace,
) -> None:
    path = save(values_of(adata, made(counts)))
    with pytest.raises(CountsError, match=said) as caught:
        open_file(path, workspace)
    assert "choose the matrix yourself" in caught.value.hint
    found, history, _ = opened(path, workspace, counts_location="X")
    assert np.array_equal(found, made(counts))
    assert history[0] == "The whole numbers in X were taken for counts, as was chosen."


@pytest.mark.parametrize(
    "layer",
    [
        "spliced",
        "unspliced",
        "ambiguous",
        "X_binned",
        "bins",
        "ranks",
        "scaled",
        "denoised",
        "imputed",
        "magic",
        "Ms",
    ],
)
def test_a_layer_that_says_it_is_no_count_never_stands_before_others(
    layer: str, counts: np.ndarray, adata: AnnData, save: Save
) -> None:
    file = values_of(adata, np.log1p(normalized(counts)))
    file.layers[layer] = np.minimum(counts, 7).astype(np.float32)
    assert check_file(save(file)).counts == "X"
    file.X = np.minimum(counts, 9).astype(np.float32)
    file.layers["counts"] = counts.astype(np.float32)
    assert check_file(save(file)).counts == "layers/counts"


def test_the_parts_of_velocity_are_offered_as_a_sum_where_nothing_else_is(
    counts: np.ndarray, adata: AnnData, save: Save, workspace: Workspace
) -> None:
    file = values_of(adata, counts - counts.mean(axis=0))
    spliced = np.random.default_rng(4).binomial(counts, 0.8)
    file.layers["spliced"] = spliced.astype(np.float32)
    file.layers["unspliced"] = (counts - spliced).astype(np.float32)
    path = save(file)
    report = check_file(path)
    assert report.counts == "layers/spliced + layers/unspliced"
    assert any(finding.level == "ask" for finding in report.findings)
    assert np.array_equal(opened(path, workspace)[0], counts)


@pytest.mark.parametrize("base", [math.e, 2.0])
def test_values_of_real_depth_are_not_taken_for_corrected_counts(
    base: float, counts: np.ndarray, adata: AnnData, save: Save
) -> None:
    rng = np.random.default_rng(5)
    noise = np.log1p(normalized(counts) * rng.uniform(0.9, 1.1, counts.shape)) / math.log(base)
    assert check_file(save(values_of(adata, noise))).counts is None
