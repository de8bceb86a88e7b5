"""The genes that reference and dataset share, read alike in both: scaled to what a cell of the reference has there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import N_COMPONENTS, SHALLOW, TARGET_SUM, variable_genes
from scviz.datasets.gene_matching import match_list
from scviz.datasets.genes import identifiers
from scviz.tasks.transfer.refusals import listed_genes, refuse_few

N_GENES = 2000
"""Variable genes that are read; more cost space and hardly help."""
MOST_SCALED = 10.0
"""Standard deviations beyond which a gene does not count more."""
FEW_MOLECULES = 200
"""Of the shared genes in half of the cells: fewer, and the names of such cells say so."""
CELLS_AT_A_TIME = 4000

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneSpace:
    """How counts of a reference, and of whatever is named by it, become numbers."""

    genes: tuple[str, ...]
    """The A genes whose molecules count for the depth of a cell."""
    profile: NDArray[np.float64]
    """(A,) share of each in the molecules of the reference."""
    target: float
    """Molecules that every cell is scaled to."""
    chosen: NDArray[np.int64]
    """(G,) places of the variable genes among them."""
    mean: Floats
    """(G,) log expression of the training cells."""
    scale: Floats
    """(G,) its standard deviation."""
    components: Floats
    """(G, P) principal components of the training cells, by log expression less its mean."""

    def centered(self, counts: sp.csr_matrix, places: NDArray[np.int64]) -> Floats:
        """Read cells: log expression less the mean of the reference; genes that the cells lack are at the mean.

        Parameters
        ----------
        counts
            (n, S) molecules of the shared genes.
        places
            (S,) their places among the genes of the reference.

        Returns
        -------
        (n, G).
        """
        totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
        share = float(self.profile[places].sum())
        factors = np.divide(self.target * share, totals, out=np.zeros_like(totals), where=totals > 0)
        at = np.full(len(self.genes), -1, dtype=np.int64)
        at[places] = np.arange(len(places))
        there = np.flatnonzero(at[self.chosen] >= 0)
        scaled = sp.csr_matrix(sp.diags(factors) @ counts[:, at[self.chosen[there]]].astype(np.float64))
        scaled.data = np.log1p(scaled.data)
        read = np.zeros((counts.shape[0], len(self.chosen)), dtype=np.float32)
        read[:, there] = scaled.toarray() - self.mean[there]
        return read

    def scaled(self, centered: Floats) -> Floats:
        """Divide by the standard deviations, both (n, G), and cut what is beyond ten."""
        return np.asarray(np.clip(centered / self.scale, -MOST_SCALED, MOST_SCALED), dtype=np.float32)

    def blocks(self, shared: Shared) -> Iterator[tuple[slice, Floats]]:
        """Read cells some at a time: which, and (n, G) of them."""
        for start in range(0, shared.counts.shape[0], CELLS_AT_A_TIME):
            rows = slice(start, start + CELLS_AT_A_TIME)
            yield rows, self.centered(shared.counts[rows], shared.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The molecules of the genes that a dataset shares with a list."""

    counts: sp.csr_matrix
    """(N, S)"""
    places: NDArray[np.int64]
    """(S,) places in the list."""

    def where_read(self, values: Floats) -> Floats:
        """Take (N, K) values, such as probabilities, from cells without a molecule of these genes: NaN."""
        read = np.asarray(self.counts.sum(axis=1)).ravel() > 0
        return np.where(read[:, None], values, np.float32(np.nan))

    def notes(self) -> tuple[str, ...]:
        """Say it where the cells to be named hold so few molecules that no test here speaks for their names."""
        half = float(np.median(np.asarray(self.counts.sum(axis=1)))) if self.counts.shape[0] else 0.0
        if half >= FEW_MOLECULES:
            return ()
        return (
            f"Half of the cells hold {half:,.0f} or fewer molecules of the shared genes. Names of so shallow cells "
            "were not tested: that a name is sure says little.",
        )


def shared_genes(adata: AnnData, genes: tuple[str, ...]) -> Shared:
    """Find the genes of a list in a dataset, by whatever name.

    Raises
    ------
    GeneMatchError
        If next to none is there.
    """
    return _found(adata, match_list(identifiers(adata.var), genes).places)


def _found(adata: AnnData, places: NDArray[np.int64]) -> Shared:
    there = np.flatnonzero(places >= 0)
    refuse_few(len(there), adata.n_vars)
    return Shared(counts=sp.csr_matrix(adata.X)[:, there], places=places[there])


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The S genes that two datasets share."""

    genes: tuple[str, ...]
    """Their names in the reference."""
    reference: Shared
    """Molecules of them in the reference, (R, S)."""
    query: Shared
    """The same in the dataset to be named, (N, S)."""
    n_reference: int
    """Genes of the reference that could be shared: those that are left out by rule are not counted."""
    read: float
    """Share of the molecules of these that lie on shared ones."""


def both_have(reference: AnnData, query: AnnData) -> Common:
    """Find the S genes that two datasets share, ribosomal and mitochondrial ones left out.

    These differ between preparations of the same cells more than between types.

    Raises
    ------
    GeneMatchError
        If next to none is shared.
    """
    listed = listed_genes(identifiers(reference.var))
    found = _found(query, match_list(identifiers(query.var), listed.found_by).places)
    order = np.argsort(found.places)
    places = found.places[order]
    together = np.arange(len(places))
    whole = sp.csr_matrix(reference.X)
    molecules = np.asarray(whole.sum(axis=0), dtype=np.float64).ravel()[listed.places]
    return Common(
        genes=tuple(listed.names[at] for at in places),
        reference=Shared(counts=whole[:, listed.places[places]], places=together),
        query=Shared(counts=found.counts[:, order], places=together),
        n_reference=len(listed.places),
        read=float(molecules[places].sum() / max(molecules.sum(), 1)),
    )


def fit_space(
    shared: Shared, genes: tuple[str, ...], train: NDArray[np.int64], *, seed: int, n_genes: int = N_GENES
) -> GeneSpace:
    """Choose variable genes and principal components by training cells, (n,) rows of the reference."""
    from sklearn.decomposition import PCA

    counts = shared.counts[train]
    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    median = float(np.median(totals[totals > 0]))
    target = median if median < SHALLOW else TARGET_SUM
    factors = np.divide(target, totals, out=np.zeros_like(totals), where=totals > 0)
    expression = sp.csr_matrix(sp.diags(factors) @ counts.astype(np.float64))
    profile = np.asarray(expression.sum(axis=0)).ravel()
    expression.data = np.log1p(expression.data)
    expression = expression.astype(np.float32)
    chosen = variable_genes(expression, n_genes)
    read = expression[:, chosen].toarray()  # (n, G)
    mean, scale = read.mean(axis=0), read.std(axis=0)
    n_components = min(N_COMPONENTS, min(read.shape) - 1)
    pca = PCA(n_components=n_components, svd_solver="arpack", random_state=seed).fit(read - mean)
    return GeneSpace(
        genes=genes,
        profile=profile / profile.sum(),
        target=target,
        chosen=chosen,
        mean=mean,
        scale=np.where(scale > 0, scale, 1.0).astype(np.float32),
        components=np.ascontiguousarray(pca.components_.T, dtype=np.float32),
    )


def space_of(genes: tuple[str, ...], target: float, tensors: Mapping[str, NDArray[np.generic]]) -> GeneSpace:
    """Read the space of a saved reference; (A,) `profile`, (G,) `mean` and so on, as it is written."""
    read = {name: np.asarray(tensors[name], dtype=np.float32) for name in ("mean", "scale", "components")}
    return GeneSpace(
        genes=genes,
        target=target,
        profile=np.asarray(tensors["profile"], dtype=np.float64),
        chosen=np.asarray(tensors["chosen"], dtype=np.int64),
        **read,
    )
