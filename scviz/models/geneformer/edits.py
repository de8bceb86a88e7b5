"""In-silico perturbation as edits of a sentence: genes are taken out, or moved to another rank.

As published: *delete* takes genes out; *overexpress* puts them in front, also where the cell lacks them.
*Inhibit* and *activate* are described in the authors' documentation, and their code refuses them. The rule there
moves a gene by whole quarters of its cell's ranking: to the middle of the quarter so many below or above its own,
and to the very end or front where there is no such quarter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.foundation.tokens import Tokens
from scviz.models.geneformer.tokenizer import RankRules

Kind = Literal["delete", "overexpress", "inhibit", "activate"]

N_QUARTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """What is done to which genes of a cell."""

    kind: Kind
    genes: tuple[int, ...] | None = None
    """Tokens perturbed together, in the order in which they come in front; None = every gene, one at a time."""
    anchor: int | None = None
    """With every gene: a token that is perturbed together with each of the others."""
    quarters: int = 1
    """How many quarters of the ranking *inhibit* and *activate* move a gene."""
    published: bool = False
    """Name the genes that over-expressing every gene affects as the authors' code does, one place too far."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise RequestError(
                f"There is no perturbation {self.kind!r}.", hint=f"There are {', '.join(get_args(Kind))}."
            )
        if self.genes is not None and not self.genes:
            raise RequestError("There is no gene to perturb.", hint="Choose at least one gene.")
        if self.genes is not None and len(set(self.genes)) < len(self.genes):
            raise RequestError("A gene to perturb is listed twice.", hint="List each gene once.")
        if self.anchor is not None and self.genes is not None:
            raise RequestError(
                "An anchor goes with every other gene of a cell, and not with a list.",
                hint="Leave the list of genes or the anchor away.",
            )
        if not 1 <= self.quarters < N_QUARTERS:
            raise RequestError(
                f"A gene cannot be moved by {self.quarters} quarters.", hint="Choose 1, 2 or 3 quarters."
            )

    def applies_to(self, tokens: Tokens) -> NDArray[np.int64]:
        """Find the cells that are perturbed, (n,) rows of tokens.

        Cells without tokens never are. A list is put in front of every cell; any other edit needs cells that hold
        all of it, and an anchor those that hold it, as published.
        """
        fits = tokens.mask.any(axis=1)
        for gene in self._needed():
            fits &= ((tokens.gene_ids == gene) & tokens.mask).any(axis=1)
        return np.flatnonzero(fits)

    def _needed(self) -> tuple[int, ...]:
        """List the genes that a cell must hold."""
        if self.genes is None:
            return () if self.anchor is None else (self.anchor,)
        return () if self.kind == "overexpress" else self.genes


@dataclass(frozen=True, slots=True)
class Copy:
    """A cell after an edit."""

    tokens: NDArray[np.int64]
    """(L',) its sentence."""
    source: NDArray[np.int64]
    """(L',) where each token stood before; -1 = it was not there."""
    compared: NDArray[np.bool_]
    """(L',) True = a gene that was not perturbed itself."""


class Copies:
    """The edited copies of one cell, which are all of one length, made when they are asked for.

    Parameters
    ----------
    sentence
        (L,) tokens of the cell without padding.
    special_tokens
        Whether it begins with `<cls>` and ends with `<eos>`, which are never touched.
    max_genes
        Genes that fit into a sentence. Where genes in front would push others out at the end, these are left out
        of the original too, so that the insertion alone is measured.
    """

    def __init__(
        self,
        sentence: NDArray[np.int64],
        perturbation: Perturbation,
        *,
        special_tokens: bool,
        max_genes: int,
    ) -> None:
        self.perturbation, self.special_tokens = perturbation, special_tokens
        if perturbation.genes is not None and perturbation.kind == "overexpress":
            sentence = _without_overflow(
                sentence, perturbation.genes, max_genes, special_tokens=special_tokens
            )
        self.original = sentence
        """(L,) what the copies are compared with."""
        self.sets = tuple(self._sets())
        """(P,) the genes perturbed in each copy."""

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def genes(self) -> NDArray[np.int64]:
        """Give the genes of the original in their order, (n,)."""
        return self.original[1:-1] if self.special_tokens else self.original

    @property
    def length(self) -> int:
        """Tokens of each copy."""
        return len(self[0].tokens) if self.sets else 0

    def __getitem__(self, number: int) -> Copy:
        perturbed = np.array(self.sets[number], dtype=np.int64)
        first = int(self.special_tokens)
        ranks = self._ranks(perturbed)  # ranks of the original, or -1 - k for the k-th inserted gene
        inside = np.where(ranks < 0, -1, ranks + first)
        ends = ([0], [len(self.original) - 1]) if self.special_tokens else ([], [])
        source = np.concatenate((ends[0], inside, ends[1])).astype(np.int64)
        tokens = self.original[source]
        tokens[first : first + len(ranks)][ranks < 0] = perturbed[-1 - ranks[ranks < 0]]
        compared = ~np.isin(tokens, perturbed)
        if self.special_tokens:
            compared[[0, -1]] = False
        return Copy(tokens=tokens, source=source, compared=compared)

    def _sets(self) -> Iterator[tuple[int, ...]]:
        """List what is perturbed together; genes whose edit moves nothing are left out, as published."""
        asked = self.perturbation
        if asked.genes is not None:
            yield asked.genes
            return
        for rank, gene in enumerate(self.genes.tolist()):
            if asked.anchor is not None:
                if gene != asked.anchor:
                    yield asked.anchor, gene
            elif asked.kind == "delete" or self._target(rank) != rank:
                yield (gene,)

    def _ranks(self, perturbed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the new order of genes as ranks of the original."""
        held = np.isin(self.genes, perturbed)
        rest = np.flatnonzero(~held)
        if self.perturbation.kind == "delete":
            return rest
        if self.perturbation.kind == "overexpress":
            found = self.genes == perturbed[:, None]  # (K, n)
            front = np.where(found.any(axis=1), found.argmax(axis=1), -1 - np.arange(len(perturbed)))
            return np.concatenate((front, rest))
        order = rest.tolist()
        for rank in sorted(np.flatnonzero(held).tolist(), key=self._target):
            order.insert(self._target(rank), rank)
        return np.array(order, dtype=np.int64)

    def _target(self, rank: int) -> int:
        """Give the rank that a gene is moved to."""
        n, kind = len(self.genes), self.perturbation.kind
        if kind == "overexpress":
            return 0
        step = self.perturbation.quarters if kind == "inhibit" else -self.perturbation.quarters
        return shifted_rank(rank, n, step)


def shifted_rank(rank: int, n_genes: int, quarters: int) -> int:
    """Move a rank by whole quarters: to the middle of that quarter, or to the end where there is none.

    Parameters
    ----------
    quarters
        Above 0 is down the ranking, below 0 up.

    Examples
    --------
    >>> [shifted_rank(rank, 8, 1) for rank in range(8)]
    [3, 3, 5, 5, 7, 7, 7, 7]
    >>> [shifted_rank(rank, 8, -1) for rank in range(8)]
    [0, 0, 1, 1, 3, 3, 5, 5]
    """
    quarter = N_QUARTERS * rank // n_genes + quarters
    if quarter < 0:
        return 0
    if quarter >= N_QUARTERS:
        return n_genes - 1
    return (2 * quarter + 1) * n_genes // (2 * N_QUARTERS)


def _without_overflow(
    sentence: NDArray[np.int64], inserted: tuple[int, ...], max_genes: int, *, special_tokens: bool
) -> NDArray[np.int64]:
    """Drop the lowest genes that would no longer fit once the absent ones are inserted."""
    n_genes = len(sentence) - 2 * special_tokens
    n_over = n_genes + int((~np.isin(inserted, sentence)).sum()) - max_genes
    if n_over <= 0:
        return sentence
    others = np.flatnonzero(~np.isin(sentence, inserted))
    if special_tokens:
        others = others[1:-1]
    return np.delete(sentence, others[len(others) - min(n_over, len(others)) :])


def edited_sentences(tokens: Tokens, perturbation: Perturbation, rules: RankRules, *, pad: int) -> Tokens:
    """Perturb a list of genes in every cell.

    Cells that lack a gene are not cut: where genes in front push others out at the end, these are gone.

    Returns
    -------
    (N, L) tokens in the order of the cells; a cell of which no gene is left has no token.
    """
    sentences = []
    for ids, mask in zip(tokens.gene_ids, tokens.mask, strict=True):
        sentence = ids[mask]
        if len(sentence):
            copies = Copies(
                sentence, perturbation, special_tokens=rules.special_tokens, max_genes=rules.max_genes
            )
            sentence = copies[0].tokens
        sentences.append(sentence if len(sentence) > 2 * rules.special_tokens else sentence[:0])
    lengths = np.array([len(sentence) for sentence in sentences])
    mask = np.arange(lengths.max(initial=1)) < lengths[:, None]  # (N, L)
    gene_ids = np.full(mask.shape, pad, dtype=np.int64)
    gene_ids[mask] = np.concatenate(sentences) if len(sentences) else []
    return Tokens(gene_ids=gene_ids, values=None, mask=mask)
