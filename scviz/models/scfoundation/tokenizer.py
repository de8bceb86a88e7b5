"""Cells as expression values with two numbers: T, the depth they should have, and S, the depth they have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.errors import CountsError, GeneMatchError, RequestError
from scviz.foundation.counts import Counts, raw_counts
from scviz.foundation.tokens import Tokens
from scviz.models.scfoundation.config import MASK, PAD

TARGET_SUM = 10_000
"""Counts per cell after normalization."""


@dataclass(frozen=True, slots=True)
class TargetDepth:
    """How T follows from the total counts of a cell."""

    kind: Literal["t", "f", "a"]
    number: float

    @classmethod
    def parse(cls, text: str) -> TargetDepth:
        """Read "t4", "f1.5" or "a1".

        Raises
        ------
        RequestError
            If the text is none of these, or T could not be above 0.

        Examples
        --------
        >>> TargetDepth.parse("f1.5")
        TargetDepth(kind='f', number=1.5)
        """
        found = re.fullmatch(r"([tfa])(-?\d+(?:\.\d+)?)", text)
        if found is None:
            raise RequestError(
                f"{text!r} is no depth.",
                hint="Write t4 for 10^4 reads, f2 for twice the reads of each cell, a1 for ten times as many.",
            )
        depth = cls(cast('Literal["t", "f", "a"]', found[1]), float(found[2]))
        if depth.kind in "tf" and not depth.number > 0:
            raise RequestError(
                f"The depth {text!r} is not above 0.", hint="Choose a higher one, such as t4 or f1."
            )
        return depth

    def of(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return T for cells with these totals, (N,).

        Examples
        --------
        >>> TargetDepth.parse("a1").of(np.array([100.0])).tolist()
        [3.0]
        """
        if self.kind == "t":
            return np.full(len(totals), self.number)
        if self.kind == "f":
            return _log10(totals * self.number)
        return _log10(totals) + self.number


@dataclass(frozen=True, slots=True)
class Profiles:
    """Cells on the scale that the network reads."""

    values: sparse.csr_matrix
    """(N, G) log1p expression of the genes of the list, zeros not stored; float64."""
    target: NDArray[np.float64]
    """(N,) T."""
    source: NDArray[np.float64]
    """(N,) S."""

    def rows(self) -> NDArray[np.float32]:
        """Give all genes, then T and S, (N, G+2)."""
        parts = (self.values.toarray(), self.target[:, None], self.source[:, None])
        return np.hstack(parts).astype(np.float32)

    def lengths(self, *, depth_tokens: bool) -> NDArray[np.int64]:
        """Count the tokens of each cell, (N,); 0 where S is not above 0, as in cells with one count or none."""
        n_genes = np.diff(self.values.indptr).astype(np.int64)
        return np.where((n_genes > 0) & (self.source > 0), n_genes + 2 * depth_tokens, 0)

    def tokens(self, *, depth_tokens: bool) -> Tokens:
        """Give the expressed genes in their order, then T and S, if wanted.

        Raises
        ------
        RequestError
            If T is not above 0 in a cell; the network would not see it.
        """
        lengths = self.lengths(depth_tokens=depth_tokens)
        read, n_genes = lengths > 0, self.values.shape[1]
        low = read & ~(self.target > 0)
        if depth_tokens and low.any():
            raise RequestError(
                f"The depth to reach is one read or less in {low.sum():,} of {len(low):,} cells.",
                hint="Choose a higher depth.",
            )
        places = np.arange(lengths.max(initial=0))
        mask = places < lengths[:, None]  # (N, L)
        genes = places < (lengths - 2 * depth_tokens)[:, None]
        entries = np.repeat(read, np.diff(self.values.indptr))
        gene_ids = np.full(mask.shape, n_genes + 2, dtype=np.int64)
        values = np.full(mask.shape, PAD, dtype=np.float32)
        gene_ids[genes] = self.values.indices[entries]
        values[genes] = self.values.data[entries]
        if depth_tokens:
            rows = np.flatnonzero(read)
            for place, kind, depth in ((2, 0, self.target), (1, 1, self.source)):
                gene_ids[rows, lengths[rows] - place] = n_genes + kind
                values[rows, lengths[rows] - place] = depth[rows]
        return Tokens(gene_ids=gene_ids, values=values, mask=mask)


def select_genes(matrix: Counts, positions: NDArray[np.integer], n_genes: int) -> sparse.csr_matrix:
    """Lay the columns of a dataset out on the gene list, (N, n_genes) float64.

    Genes that the dataset lacks are 0, those that the list lacks are left out, columns of one gene are summed.

    Parameters
    ----------
    matrix
        (N, K) counts or log1p values.
    positions
        (K,) place of each column in the list, -1 where it has none.

    Raises
    ------
    CountsError
        If a value is negative or missing.
    GeneMatchError
        If the list has none of the genes.
    """
    known = np.flatnonzero(positions >= 0)
    if not len(known):
        raise GeneMatchError(
            f"None of the {len(positions):,} genes is in the list of this checkpoint.",
            hint="The list holds symbols of human genes. Look at the names of the genes and the species on the "
            "Data page.",
        )
    found = raw_counts(matrix, np.float64)
    places = (known, np.asarray(positions)[known])
    selected = found @ sparse.csr_matrix((np.ones(len(known)), places), shape=(len(positions), n_genes))
    selected.sum_duplicates()
    selected.eliminate_zeros()
    return selected


def profiles(counts: sparse.csr_matrix, target: TargetDepth) -> Profiles:
    """Normalize counts to log1p of counts per 10,000; S is log10 of the total.

    Parameters
    ----------
    counts
        (N, G) counts of the genes of the list; the total of a cell is their sum.
    """
    totals = _totals(counts)
    return Profiles(_log1p(counts, TARGET_SUM, totals), target.of(totals), _log10(totals))


def profiles_of_logs(
    values: sparse.csr_matrix, target: TargetDepth, *, totals: NDArray[np.floating] | None = None
) -> Profiles:
    """Take log1p values as they are.

    Parameters
    ----------
    totals
        (N,) total counts of each cell. Where they are unknown the authors take the sum of the log1p values.

    Raises
    ------
    CountsError
        If a value is too high for a logarithm.
    """
    _check_logs(values)
    known = _totals(values) if totals is None else np.asarray(totals, dtype=np.float64)
    return Profiles(values, target.of(known), _log10(known))


def renamed_genes(genes: Sequence[str]) -> dict[str, str]:
    """Give the former symbols of two families that were renamed as a whole, for the genes of a list.

    Spreadsheets take MARCH1 and SEPT1 for dates, so in 2020 they became MARCHF1 and SEPTIN1.

    Examples
    --------
    >>> renamed_genes(["CD4", "MARCHF1", "SEPTIN12"])
    {'MARCH1': 'MARCHF1', 'SEPT12': 'SEPTIN12'}
    """
    families = (("MARCHF", "MARCH"), ("SEPTIN", "SEPT"))
    former = {
        re.sub(rf"^{new}(?=\d+$)", old, gene): gene
        for gene in genes
        for new, old in families
        if re.fullmatch(rf"{new}\d+", gene)
    }
    return {old: gene for old, gene in former.items() if old not in set(genes)}


def _totals(matrix: sparse.csr_matrix) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _log10(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the logarithm, and 0 where there is none."""
    return np.log10(np.where(totals > 0, totals, 1.0))


def _log1p(counts: sparse.csr_matrix, scale: float, totals: NDArray[np.float64]) -> sparse.csr_matrix:
    factors = scale / np.where(totals > 0, totals, 1.0)
    return sparse.csr_matrix(sparse.diags(factors) @ counts).log1p()


def _check_logs(values: sparse.csr_matrix) -> None:
    """Refuse what cannot be a logarithm of expression, and what the network takes for a sign."""
    if values.data.max(initial=0.0) >= MASK:
        raise CountsError(
            f"The matrix holds {values.data.max():,.0f}, so these are not log1p values.",
            hint="Hand them in as raw counts.",
        )
