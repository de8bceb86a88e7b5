"""A cell as its expressed genes, each with the bin of its expression, after `<cls>`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.errors import GeneMatchError
from scviz.foundation.counts import Counts, raw_counts
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.scgpt.binning import Draws, SeededDraws, bin_values, binned, sum_over_genes


@dataclass(frozen=True, slots=True, kw_only=True)
class BinRules:
    """How cells become tokens."""

    max_length: int
    """Most tokens of a cell, `<cls>` included; of a cell with more, a random part is read."""
    n_bins: int | None = 51
    """Bins, with bin 0 for what is not expressed; None takes the values as they are."""
    ties: Literal["highest", "random"] = "highest"
    """Bin of a value that is so common that it fills several: the highest, or a random one for each gene."""
    cls_value: float = -2
    """Value of `<cls>`: that of padding in pre-training, 0 in the authors' fine-tuning."""
    pad_value: float = -2
    include_zeros: bool = False
    """Read genes that are not expressed, too."""
    sampling: bool = True
    """Of a cell that is too long read random genes; without, the first ones, as the authors' collator does then."""
    seed: int = 0
    """Of the random choices; each cell has its own, whatever cells come with it."""
    published: bool = False
    """Let a gene that has two columns appear twice, as the authors' code does, instead of summing them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Some genes of one cell."""

    gene_ids: NDArray[np.int64]
    """(n,) tokens."""
    values: NDArray[np.number]
    """(n,) expression, or its bins."""

    def __len__(self) -> int:
        return len(self.gene_ids)

    def take(self, places: NDArray[np.integer | np.bool_] | slice) -> Cell:
        """Keep some of the genes, (n,)."""
        return Cell(self.gene_ids[places], self.values[places])


def n_tokens(counts: Counts, tokens: NDArray[np.int64], rules: BinRules) -> NDArray[np.int64]:
    """Count the tokens of each cell, `<cls>` included, without making them, (N,); 0 where no gene is known."""
    matrix, tokens = known_genes(counts, tokens, rules)
    n_genes = np.full(matrix.shape[0], len(tokens))
    if not rules.include_zeros:
        n_genes = np.bincount(
            np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[matrix.data != 0],
            minlength=matrix.shape[0],
        )
    return np.where(n_genes > 0, np.minimum(n_genes + 1, rules.max_length), 0)


def tokenize(
    counts: Counts,
    tokens: NDArray[np.int64],
    *,
    vocab: GeneVocab,
    rules: BinRules,
    draws: Draws | None = None,
) -> Tokens:
    """Turn cells into `<cls>` and their genes with bins, in the order of columns.

    Parameters
    ----------
    counts
        (N, G) raw counts, sparse or dense.
    tokens
        (G,) token of each column, -1 where unknown.
    draws
        Where chance comes from; by default from the seed of the rules.

    Returns
    -------
    (N, L) tokens in the order of the cells; a cell without a known gene has no token, `<cls>` neither.
    """
    matrix, tokens = known_genes(counts, tokens, rules)
    return collate(
        read_cells(matrix, tokens, rules), vocab=vocab, rules=rules, draws=draws or SeededDraws(rules.seed)
    )


def known_genes(
    counts: Counts, tokens: NDArray[np.int64], rules: BinRules
) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Keep the columns that have a token, (N, K), with the columns of one gene summed, and their tokens, (K,).

    Raises
    ------
    CountsError
        If there are negative or missing values.
    GeneMatchError
        If no column has a token.
    """
    matrix = raw_counts(counts)
    columns = np.flatnonzero(tokens >= 0)
    genes, first, gene_of = np.unique(tokens[columns], return_index=True, return_inverse=True)
    if not len(genes):
        raise GeneMatchError(
            f"None of the {len(tokens):,} genes is in the vocabulary of this checkpoint.",
            hint="Look at the names of the genes and the species on the Data page, or choose another checkpoint.",
        )
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    if rules.published or len(genes) == len(columns):
        kept = matrix if len(columns) == len(tokens) else matrix[:, columns]
        return kept, tokens[columns]
    order = np.argsort(np.argsort(first))  # genes stay where their first column is
    sums = sparse.csr_matrix(
        (np.ones(len(columns), dtype=matrix.dtype), (columns, order[gene_of])),
        shape=(len(tokens), len(genes)),
    )
    summed = sparse.csr_matrix(matrix @ sums)
    summed.sort_indices()
    return summed, tokens[columns[np.sort(first)]]


def read_cells(matrix: sparse.csr_matrix, tokens: NDArray[np.int64], rules: BinRules) -> list[Cell]:
    """Give the genes of each row, not binned yet, in the order of columns.

    Parameters
    ----------
    matrix
        (N, G) expression.
    tokens
        (G,) token of each column.
    """
    if rules.include_zeros:
        return [Cell(tokens, row) for row in matrix.toarray()]
    rows = (slice(start, stop) for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False))
    cells = (Cell(tokens[matrix.indices[row]], matrix.data[row]) for row in rows)
    return [cell.take(cell.values != 0) for cell in cells]


def collate(cells: Sequence[Cell], *, vocab: GeneVocab, rules: BinRules, draws: Draws) -> Tokens:
    """Bin the values of each cell, take some genes of cells that are too long, and put `<cls>` first.

    Bins come before sampling, so that they are those of all genes of a cell.
    """
    length = min(rules.max_length, 1 + max((len(cell) for cell in cells), default=0))
    return _with_cls(
        [
            shortened(bin_cell(cell, rules, draws), length - 1, draws if rules.sampling else None)
            for cell in cells
        ],
        vocab,
        rules,
    )


def tokenize_edited(
    before: Counts, after: Counts, tokens: NDArray[np.int64], *, vocab: GeneVocab, rules: BinRules
) -> Tokens:
    """Tokenize edited cells, with chance as it was before the edit, so that the edit alone makes a difference.

    Equal values fall into the bins into which they fell, and of a cell that is too long the same genes are read, and
    besides them those that were edited.

    Parameters
    ----------
    before, after
        (N, G) raw counts of the same cells.
    """
    old, new = (read_cells(*known_genes(counts, tokens, rules), rules) for counts in (before, after))
    cells = [_edited_cell(a, b, rules=rules) for a, b in zip(old, new, strict=True)]
    return _with_cls(cells, vocab, rules)


def _edited_cell(before: Cell, after: Cell, *, rules: BinRules) -> Cell:
    """Bin a cell, and keep of it what was read before the edit and what the edit changed."""
    draws = SeededDraws(rules.seed)
    chance = draws if rules.sampling else None
    read = shortened(bin_cell(before, rules, draws), rules.max_length - 1, chance).gene_ids
    expressed = before.take(binned(before.values))
    like = sum_over_genes(expressed.gene_ids, expressed.values)
    old = dict(zip(before.gene_ids.tolist(), before.values.tolist(), strict=True))
    pairs = zip(after.gene_ids.tolist(), after.values.tolist(), strict=True)
    changed = np.array([old.get(gene) != value for gene, value in pairs], dtype=bool)
    same = np.flatnonzero(~changed & np.isin(after.gene_ids, read))
    same = same[: rules.max_length - 1 - int(changed.sum())]
    places = np.sort(np.concatenate([np.flatnonzero(changed), same]))
    return bin_cell(after, rules, SeededDraws(rules.seed, like)).take(places)


def _with_cls(cells: Sequence[Cell], vocab: GeneVocab, rules: BinRules) -> Tokens:
    """Put `<cls>` before cells that have genes, and pad to the longest."""
    length = 1 + max((len(cell) for cell in cells), default=0)
    cls = Cell(np.array([vocab.special["<cls>"]]), np.array([rules.cls_value]))
    empty = cls.take(slice(0))
    return pad([join(cls, cell) if len(cell) else empty for cell in cells], vocab, rules, length=length)


def bin_cell(cell: Cell, rules: BinRules, draws: Draws) -> Cell:
    """Put bins in the place of values."""
    if rules.n_bins is None:
        return cell
    ties = None
    if rules.ties == "random":
        expressed = cell.take(binned(cell.values))
        ties = draws.ties(expressed.gene_ids, expressed.values)
    return Cell(cell.gene_ids, bin_values(cell.values, rules.n_bins, ties))


def shortened(cell: Cell, n: int, draws: Draws | None) -> Cell:
    """Keep n random genes of a cell that has more; without draws its first n."""
    if len(cell) <= n:
        return cell
    return cell.take(slice(n) if draws is None else draws.sample(cell.gene_ids, cell.values, n))


def join(first: Cell, second: Cell) -> Cell:
    """Put the genes of one behind those of the other."""
    return Cell(
        np.concatenate([first.gene_ids, second.gene_ids]), np.concatenate([first.values, second.values])
    )


def pad(cells: Sequence[Cell], vocab: GeneVocab, rules: BinRules, *, length: int) -> Tokens:
    """Fill cells up to one length with `<pad>`, (B, length)."""
    shape = (len(cells), length)
    gene_ids = np.full(shape, vocab.special["<pad>"], dtype=np.int64)
    values = np.full(shape, rules.pad_value, dtype=np.float32)
    mask = np.arange(length) < np.array([len(cell) for cell in cells], dtype=np.int64)[:, None]  # (B, L)
    if cells:
        gene_ids[mask] = np.concatenate([cell.gene_ids for cell in cells])
        values[mask] = np.concatenate([cell.values for cell in cells])
    return Tokens(gene_ids=gene_ids, values=values, mask=mask)
