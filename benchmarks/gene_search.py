"""Measure the search for a gene while its name is typed: `python benchmarks/gene_search.py [number of genes]`.

Prints, in CPU time, how long the index takes and a keystroke, and what the names would weigh if the browser
held them itself.
"""

from __future__ import annotations

import sys
import time
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from scviz.datasets.gene_index import make_index
from scviz.datasets.gene_table import gene_table
from scviz.datasets.genes import GeneIdentifiers

TYPED = (
    "CD20",
    "ENSG00000156738.17",
    "interleukin",
    "HLA-DRA",
    "1",
    "a",
    "e",
    "MT-",
    "il2ra",
    "p53",
    "zzz",
    "-as1",
)


def main(n_genes: int) -> None:
    """Print the figures."""
    table = gene_table("human")
    places = range(min(n_genes, len(table.symbols)))
    names = [table.symbols[i] for i in places]
    ids = GeneIdentifiers(ensembl=tuple(table.ensembl(i) for i in places), symbol=tuple(names))
    n_cells = np.random.default_rng(0).integers(0, 1_000_000, len(names))
    began = time.process_time()
    index = make_index(names, n_cells=n_cells, species="human", identifiers=ids)
    print(f"{len(names):,} genes, {len(index.words):,} names: index {time.process_time() - began:.2f} s")
    took = {}
    for text in TYPED:
        for end in range(1, len(text) + 1):
            began = time.process_time()
            index.search(text[:end])
            took[text[:end]] = 1000 * (time.process_time() - began)
    slowest = max(took, key=took.__getitem__)
    print(
        f"a keystroke: median {np.median(list(took.values())):.1f} ms, slowest {took[slowest]:.1f} ms ({slowest!r})"
    )
    raw = "\n".join(index.written).encode()
    print(f"names in the browser: {len(raw) / 1000:,.0f} kB, packed {len(zlib.compress(raw)) / 1000:,.0f} kB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
