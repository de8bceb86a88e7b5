"""Genes taken out of cells, turned down or up, as counts that any model can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.genes import GeneIdentifiers, identifiers, strip_version
from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.tokens import Tokens

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

    from scviz.foundation.counts import Counts

Kind = Literal["delete", "knockdown", "overexpress", "inhibit", "activate"]
"""The last two move a gene down or up in a cell's order of genes; for models that read one."""

PERCENTILE = 99.0
"""Of all expressed values: what a gene gets that no cell expresses."""
MOST_OF_A_CELL = 0.9
"""Share of a cell's counts that over-expressed genes may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is done to which genes of a cell."""

    kind: Kind
    genes: tuple[str, ...]
    """Names in the dataset, symbols or Ensembl ids; all are edited at once."""
    share: float = 0.5
    """What a knockdown leaves of the counts."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise RequestError(
                f"There is no edit {self.kind!r}.", hint=f"There are {', '.join(get_args(Kind))}."
            )
        if not self.genes:
            raise RequestError("There is no gene to edit.", hint="Choose at least one gene.")
        if not 0 < self.share < 1:
            raise RequestError(
                f"A knockdown cannot leave {self.share:g} of the counts.",
                hint="Choose a share between 0 and 1; to leave nothing, delete the gene.",
            )


def gene_columns(var: pd.DataFrame, genes: Sequence[str]) -> NDArray[np.int64]:
    """Find the columns of genes by name, (K,), gene after gene; a gene may have several.

    Raises
    ------
    GeneMatchError
        If the dataset lacks one of them.
    """
    places = _columns_by_name(identifiers(var))
    found = [sorted({*places.get(gene, ()), *places.get(strip_version(gene), ())}) for gene in genes]
    lost = [gene for gene, columns in zip(genes, found, strict=True) if not columns]
    if lost:
        raise GeneMatchError(
            f"The dataset has no gene {', '.join(lost[:4])}{' and others' if len(lost) > 4 else ''}.",
            hint="Choose genes of the dataset, by the names that it gives them.",
        )
    return np.array(list(dict.fromkeys(c for columns in found for c in columns)), dtype=np.int64)


@lru_cache(maxsize=4)  # every edit of a run asks for the same genes
def _columns_by_name(known: GeneIdentifiers) -> Mapping[str, Sequence[int]]:
    """Find the columns of every name: as in the index, symbols and Ensembl ids."""
    places: dict[str, list[int]] = {}
    for names in (known.given, known.symbol or (), known.ensembl or ()):
        for column, name in enumerate(names):
            places.setdefault(name, []).append(column)
    return places


def highest_levels(counts: Counts, columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the counts per 10,000 that over-expression brings each column to, (K,).

    It is the most that any of the cells reaches or, where none expresses it, the 99th percentile of all expressed
    values.
    """
    from scipy import sparse

    from scviz.datasets.expression import log_expression

    expression = log_expression(sparse.csr_matrix(counts))
    highest = expression[:, columns].max(axis=0).toarray().ravel()
    levels: NDArray[np.float64] = np.expm1(highest.astype(np.float64))
    if expression.nnz and not levels.all():
        levels[levels == 0] = np.expm1(np.percentile(expression.data, PERCENTILE))
    return levels


def edited_counts(
    counts: Counts,
    columns: NDArray[np.int64],
    edit: Edit,
    *,
    levels: NDArray[np.floating] | None = None,
) -> sparse.csr_matrix:
    """Edit columns of counts, (N, G); `counts` stay as they are.

    Deletion takes all counts, a knockdown leaves its share of them. Over-expression gives a gene as many counts as
    bring it to its level in the cell as it is then; a cell that is above that stays there, an empty one empty.

    Parameters
    ----------
    counts
        (N, G) raw counts.
    levels
        (K,) what `highest_levels` gives for a whole dataset, of which these cells are a part; by default that of
        these cells.

    Raises
    ------
    RequestError
        If the edit is one of an order of genes.
    """
    from scipy import sparse

    if edit.kind in ("inhibit", "activate"):
        raise RequestError(
            "Counts have no order in which a gene could be moved.",
            hint="Choose another edit, or a model that reads the order of genes.",
        )
    edited = sparse.csr_matrix(counts, copy=True).astype(np.float32)
    if edit.kind == "overexpress":
        edited = _raised(edited, columns, highest_levels(counts, columns) if levels is None else levels)
    else:
        factors = np.ones(edited.shape[1], dtype=np.float32)
        factors[columns] = 0.0 if edit.kind == "delete" else edit.share
        edited.data *= factors[edited.indices]
    edited.eliminate_zeros()
    return edited


def _raised(
    counts: sparse.csr_matrix, columns: NDArray[np.int64], levels: NDArray[np.floating]
) -> sparse.csr_matrix:
    """Bring columns to their levels, (N, G)."""
    from scipy import sparse

    from scviz.datasets.expression import TARGET_SUM

    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).reshape(-1, 1)  # (N, 1)
    now = counts[:, columns].toarray().astype(np.float64)  # (N, K)
    shares = levels / TARGET_SUM
    shares = shares * min(1.0, MOST_OF_A_CELL / max(float(shares.sum()), MOST_OF_A_CELL))
    rest = totals - now.sum(axis=1, keepdims=True)
    wanted = rest * shares / (1 - shares.sum())  # x / (rest + sum of x) is then the share
    more = np.where(totals > 0, np.maximum(wanted - now, 0.0), 0.0)
    spread = sparse.csr_matrix(
        (np.ones(len(columns)), (np.arange(len(columns)), columns)), shape=(len(columns), counts.shape[1])
    )
    return sparse.csr_matrix(counts + sparse.csr_matrix(more) @ spread, dtype=np.float32)


def cells_open_to(counts: Counts, columns: NDArray[np.int64], edit: Edit) -> NDArray[np.int64]:
    """Find the cells whose counts an edit of columns can change: all, or those that have such counts, (n,)."""
    if edit.kind == "overexpress":
        return np.arange(counts.shape[0])
    return np.flatnonzero(np.asarray((counts[:, columns] != 0).sum(axis=1)).ravel())


def changed(before: Tokens, after: Tokens) -> NDArray[np.bool_]:
    """Tell for which cells a model reads something else, (N,)."""
    length = max(before.mask.shape[1], after.mask.shape[1])
    differ = np.zeros(len(before), dtype=bool)
    for name in ("mask", "gene_ids", "values"):
        pair = (getattr(before, name), getattr(after, name))
        if pair[0] is None or pair[1] is None:
            continue
        old, new = (
            _widened(np.where(t.mask, a, 0), length) for t, a in zip((before, after), pair, strict=True)
        )
        differ |= (old != new).any(axis=1)
    return differ


def _widened(array: NDArray[np.generic], length: int) -> NDArray[np.generic]:
    """Fill rows up with zeros, (N, L)."""
    return np.pad(array, ((0, 0), (0, length - array.shape[1])))
