"""Vectors of genes from the terms that describe them, such as those of the Gene Ontology."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import scipy.sparse as sp

from scviz.errors import DataError
from scviz.foundation.perturbing import NO_TERMS
from scviz.predictors.vectors import GeneVectors

LEAST_SHARED = 0.1
"""Genes are linked if they share more of their terms than this."""
ROWS = 1024
"""Genes whose links are found at a time."""


def term_vectors(
    terms: Mapping[str, Collection[str]], n_components: int = 10, *, source: str = "Gene terms"
) -> GeneVectors:
    r"""Place genes so that those that share terms lie in the same direction.

    With J the Jaccard similarities of genes above 0.1, the vectors are the eigenvectors of J with the largest
    absolute eigenvalues, times the root of these: the adjacency spectral embedding.

    Parameters
    ----------
    terms
        Terms of each gene; genes without a term get no vector.

    Raises
    ------
    DataError
        If there are too few genes with terms.

    References
    ----------
    Ahlmann-Eltze et al. (2025), doi:10.1038/s41592-025-02772-6.
    """
    from scipy.sparse.linalg import eigsh

    genes = sorted(gene for gene, own in terms.items() if own)
    if len(genes) <= n_components + 1:
        raise DataError(
            f"{len(genes)} genes have terms, too few for vectors of width {n_components}.",
            hint="Choose a file with more genes.",
        )
    links = jaccard([terms[gene] for gene in genes])
    start = np.ones(len(genes))  # the same vectors each time
    values, vectors = eigsh(links, k=n_components, which="LM", v0=start)
    order = np.argsort(-np.abs(values))
    placed = vectors[:, order] * np.sqrt(np.abs(values[order]))  # (V, K)
    largest = placed[np.argmax(np.abs(placed), axis=0), np.arange(n_components)]
    placed *= np.where(largest < 0, -1.0, 1.0)  # signs are free
    return GeneVectors(genes=tuple(genes), vectors=placed.astype(np.float32), source=source, lack=NO_TERMS)


def jaccard(sets: list[Collection[str]], least: float = LEAST_SHARED) -> sp.csr_matrix:
    """Give the Jaccard similarity of sets where it is above `least`, (V, V), 1 on the diagonal.

    Examples
    --------
    >>> jaccard([{"a", "b"}, {"b", "c"}, {"d"}]).toarray().round(3)
    array([[1.   , 0.333, 0.   ],
           [0.333, 1.   , 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    column = {term: i for i, term in enumerate(sorted({term for own in sets for term in own}))}
    indices = [column[term] for own in sets for term in sorted(set(own))]
    sizes = np.array([len(set(own)) for own in sets])
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    members = sp.csr_matrix((np.ones(len(indices)), indices, bounds), shape=(len(sets), len(column)))
    across = members.T.tocsr()
    blocks = []
    for start in range(0, len(sets), ROWS):
        shared = (members[start : start + ROWS] @ across).tocoo()
        ratios = shared.data / (sizes[start + shared.row] + sizes[shared.col] - shared.data)
        near = ratios > least
        blocks.append(sp.csr_matrix((ratios[near], (shared.row[near], shared.col[near])), shape=shared.shape))
    return sp.csr_matrix(sp.vstack(blocks))
