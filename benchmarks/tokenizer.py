"""Cells per CPU second of Geneformer's tokenizer, beside a plain numpy loop over cells in the same run.

python -m benchmarks.tokenizer [--cells 5000] [--genes 20000] [--density 0.08]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.geneformer.tokenizer import RankRules, columns_to_tokens, rank

N_VOCAB = 25_424
"""Genes of the first generation's vocabulary."""
RULES = RankRules(max_length=2048, special_tokens=False)
REPEATS = 5


@dataclass(frozen=True)
class Corpus:
    """Made cells, all with the same number of genes."""

    counts: sparse.csr_matrix
    names: list[str]
    vocab: GeneVocab


def corpus(n_cells: int, n_genes: int, density: float, seed: int = 0) -> Corpus:
    """Make counts whose genes are a random part of the vocabulary in a random order."""
    rng = np.random.default_rng(seed)
    detected = int(n_genes * density)
    columns = [np.sort(rng.choice(n_genes, detected, replace=False)) for _ in range(n_cells)]
    counts = sparse.csr_matrix(
        (
            rng.geometric(0.5, n_cells * detected).astype(np.float32),
            np.concatenate(columns).astype(np.int32),
            np.arange(n_cells + 1, dtype=np.int32) * detected,
        ),
        shape=(n_cells, n_genes),
    )
    genes = tuple(f"ENSG{i:011d}" for i in range(N_VOCAB))
    vocab = GeneVocab(
        genes=genes,
        ids=np.arange(2, N_VOCAB + 2),
        special={"<pad>": 0, "<mask>": 1},
        kind="ensembl",
        values={"median": rng.lognormal(0.9, 0.5, N_VOCAB)},
    )
    return Corpus(counts, [genes[i] for i in rng.permutation(N_VOCAB)[:n_genes]], vocab)


def plain_loop(cells: Corpus) -> list[NDArray[np.int64]]:
    """Rank cell by cell: divide, sort, look up."""
    at = {gene: i for i, gene in enumerate(cells.vocab.genes)}
    positions = np.array([at[name] for name in cells.names])
    ids, medians = cells.vocab.ids[positions], cells.vocab.values["median"][positions]
    sentences = []
    for row in range(cells.counts.shape[0]):
        entries = slice(cells.counts.indptr[row], cells.counts.indptr[row + 1])
        genes, values = cells.counts.indices[entries], cells.counts.data[entries]
        order = np.lexsort((ids[genes], -values / medians[genes]))
        sentences.append(ids[genes[order]][: RULES.max_length])
    return sentences


def ours(cells: Corpus) -> Tokens:
    """Rank all cells at once."""
    return rank(cells.counts, columns_to_tokens(cells.names, cells.vocab), vocab=cells.vocab, rules=RULES)


def cells_per_second(work: Callable[[Corpus], object], cells: Corpus) -> list[float]:
    """Time the process several times, the first time not counted, and give rising speeds."""
    speeds = []
    for _ in range(REPEATS + 1):
        start = time.process_time()
        work(cells)
        speeds.append(cells.counts.shape[0] / (time.process_time() - start))
    return sorted(speeds[1:])


def main() -> None:
    """Print both speeds and their ratio, after a check that both give the same tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=5000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--density", type=float, default=0.08)
    chosen = parser.parse_args()
    cells = corpus(chosen.cells, chosen.genes, chosen.density)
    tokens = ours(cells)
    for row, sentence in enumerate(plain_loop(cells)):
        if tokens.gene_ids[row][tokens.mask[row]].tolist() != sentence.tolist():
            raise SystemExit(f"Cell {row} differs.")
    fast, slow = cells_per_second(ours, cells), cells_per_second(plain_loop, cells)
    print(f"{chosen.cells:,} cells, {int(chosen.genes * chosen.density):,} genes each")
    for name, speeds in (("scviz", fast), ("plain loop", slow)):
        middle = speeds[len(speeds) // 2]
        print(f"{name:>10}: {middle:8,.0f} cells per CPU second (from {speeds[0]:,.0f} to {speeds[-1]:,.0f})")
    print(f"     ratio: {fast[len(fast) // 2] / slow[len(slow) // 2]:.1f}")


if __name__ == "__main__":
    main()
