"""Files whose values are something else than plain counts, or no counts at all."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from scipy import sparse

from scviz.datasets.choices import Opening
from tests.badfiles.case import COUNTS, N_CELLS, Case, cells
from tests.badfiles.encodings import as_it_is, edited

SUMS = COUNTS.sum(axis=1, keepdims=True)
RNG = np.random.default_rng(7)


def normalized(target: float = 1e4) -> np.ndarray:
    return COUNTS / SUMS * target


def held(values: np.ndarray, **layers: np.ndarray) -> AnnData:
    """The cells with other values, and layers beside them."""
    adata = cells(values)
    adata.layers.update({name: sparse.csr_matrix(one.astype(np.float32)) for name, one in layers.items()})
    return adata


def file(values: np.ndarray, **layers: np.ndarray) -> object:
    return edited(as_it_is, held(values, **layers))


def logs(base: float = np.e, target: float = 1e4) -> np.ndarray:
    return np.log1p(normalized(target)) / np.log(base)


def bins(n_bins: int = 51) -> np.ndarray:
    found = np.zeros(COUNTS.shape)
    for cell, counts in enumerate(COUNTS):
        seen = counts > 0
        edges = np.quantile(counts[seen], np.linspace(0, 1, n_bins - 1))
        found[cell, seen] = np.digitize(counts[seen], edges)
    return found


SPLICED = RNG.binomial(COUNTS, 0.8)
LENGTHS = RNG.uniform(300, 9000, COUNTS.shape[1])
TPM = COUNTS / LENGTHS / (COUNTS / LENGTHS).sum(axis=1, keepdims=True) * 1e6
CORRECTED = np.maximum(COUNTS - RNG.uniform(0, 0.45, COUNTS.shape), 0) * (COUNTS > 0)
RANKS = (COUNTS + RNG.uniform(0, 0.4, COUNTS.shape)).argsort(axis=1).argsort(axis=1)
GAPS = COUNTS.astype(float)
GAPS[3, 4] = np.nan

CASES = (
    Case(name="log1p of 10,000", make=file(logs()), said=("recovered from the logarithms in X",)),
    Case(name="log1p of a million", make=file(logs(target=1e6))),
    Case(name="log1p of 5,000", make=file(logs(target=5e3))),
    Case(name="log2 of one plus CPM", make=file(logs(2, 1e6))),
    Case(name="log10 of one plus 10,000", make=file(logs(10))),
    Case(name="logarithms stored to three decimals", make=file(np.round(logs(), 3))),
    Case(
        name="normalized without logarithm",
        make=file(normalized()),
        said=("from the normalized values in X",),
    ),
    Case(name="CPM without logarithm", make=file(normalized(1e6))),
    Case(name="decimals of SoupX", make=file(CORRECTED), said=("they were rounded",)),
    Case(
        name="decimals of EM",
        make=file(np.where(RNG.random(COUNTS.shape) < 0.1, COUNTS + 0.3, COUNTS) * (COUNTS > 0)),
    ),
    Case(
        name="bins beside counts", make=file(logs(), X_binned=bins(), counts=COUNTS), said=("layers/counts",)
    ),
    Case(name="bins beside logarithms", make=file(logs(), X_binned=bins()), said=("logarithms in X",)),
    Case(
        name="velocity beside logarithms",
        make=file(logs(), spliced=SPLICED, unspliced=COUNTS - SPLICED, ambiguous=COUNTS // 4),
        said=("logarithms in X",),
    ),
    Case(
        name="velocity beside scaled values",
        make=file(COUNTS - COUNTS.mean(axis=0), spliced=SPLICED, unspliced=COUNTS - SPLICED),
        said=("layers/spliced + layers/unspliced",),
    ),
    Case(
        name="spliced alone, as chosen",
        make=file(logs(), spliced=SPLICED, unspliced=COUNTS - SPLICED),
        counts=SPLICED,
        choices=Opening(counts_location="layers/spliced"),
    ),
    Case(
        name="bins alone",
        make=file(bins()),
        counts=None,
        said=("bins, no counts", "choose the matrix yourself"),
    ),
    Case(name="ranks alone", make=file(RANKS), counts=None, said=("ranks of genes",)),
    Case(
        name="zeros and ones alone",
        make=file(np.minimum(COUNTS, 1)),
        counts=None,
        said=("which genes were seen",),
    ),
    Case(
        name="zeros and ones, as chosen",
        make=file(np.minimum(COUNTS, 1)),
        counts=np.minimum(COUNTS, 1),
        choices=Opening(counts_location="X"),
        said=("as was chosen",),
    ),
    Case(
        name="scaled values alone", make=file(COUNTS - COUNTS.mean(axis=0)), counts=None, said=("negative",)
    ),
    Case(
        name="scaled values, as chosen",
        make=file(COUNTS - COUNTS.mean(axis=0)),
        counts=None,
        choices=Opening(counts_location="X"),
        said=("no raw counts", "centering"),
    ),
    Case(name="TPM", make=file(TPM), counts=None, said=("TPM, FPKM or CPM", "relative expression")),
    Case(
        name="TPM as relative expression",
        make=file(TPM),
        counts=TPM.astype(np.float32),
        choices=Opening(relative=True),
        said=("taken as relative expression; they are no counts",),
    ),
    Case(name="logarithms of TPM", make=file(np.log1p(TPM)), counts=None, said=("not all values",)),
    Case(name="missing values", make=file(GAPS), counts=None, said=("missing or infinite",)),
    Case(
        name="infinite values",
        make=file(np.where(COUNTS > 50, np.inf, COUNTS)),
        counts=None,
        said=("infinite",),
    ),
    Case(name="zeros alone", make=file(COUNTS * 0), counts=None, said=("All values are zero",)),
    Case(
        name="a matrix that was not named",
        make=file(COUNTS),
        counts=None,
        choices=Opening(counts_location="layers/x"),
        said=("no matrix 'layers/x'", "Its matrices are: X"),
    ),
    Case(
        name="rows are genes, in an h5ad",
        make=edited(as_it_is, AnnData(held(COUNTS).X.T.tocsr(), obs=held(COUNTS).var, var=held(COUNTS).obs)),
        said=("Rows were read as genes",),
        columns={"n": [i * 0.5 for i in range(N_CELLS)]},
    ),
    Case(
        name="rows are genes, dense",
        make=edited(
            as_it_is, AnnData(COUNTS.T.astype(np.float32), obs=held(COUNTS).var, var=held(COUNTS).obs)
        ),
        said=("Rows were read as genes",),
    ),
)
