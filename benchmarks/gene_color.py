"""Measure what the server does to color a map by a gene: `python benchmarks/gene_color.py [number of cells]`.

Prints CPU seconds, and seconds, of reading the gene, turning it into colors and writing the message for the browser.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.sparse import random as random_matrix

sys.path.insert(0, str(Path(__file__).parents[1]))

from pages.components.cell_map import MapLook, draw_message, store_message
from pages.components.color_scale import Scale
from scviz.datasets.columns import gene_values, write_gene_values, write_genes
from scviz.datasets.genes import GeneIdentifiers
from scviz.plots.points import continuous_palette, quantize, shade

N_GENES, SHARE = 20, 0.1


def prepared(folder: Path, n_cells: int) -> None:
    """Write genes that one cell in ten expresses."""
    rng = np.random.default_rng(0)
    matrix = random_matrix(N_GENES, n_cells, SHARE, format="csr", dtype=np.float32, random_state=rng)
    names = [f"GENE{i}" for i in range(N_GENES)]
    write_genes(folder, names, GeneIdentifiers(ensembl=None, symbol=tuple(names)))
    write_gene_values(folder, [matrix], spread=np.diff(matrix.indptr))


def colored(folder: Path, gene: str, points: np.ndarray) -> int:
    """Do what the page does at a new gene; returns the bytes for the browser."""
    rows, values = gene_values(folder, gene)
    low, high = Scale().ends(values, from_zero=True)
    codes = np.ones(len(points), dtype=np.uint8)
    codes[rows] = shade(values, low, high)
    look = MapLook(palette=continuous_palette(), scale=(low, high), title=gene)
    return len(draw_message("map", points, codes, look=look, height=400, group=""))


def main(n_cells: int) -> None:
    """Print the figures."""
    points = quantize(np.random.default_rng(1).normal(size=(n_cells, 2)))
    store_message(points)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(folder, n_cells)
        colored(folder, "GENE0", points)  # the first reads the names
        cpu, wall = [], []
        for i in range(1, 8):
            began = time.process_time(), time.perf_counter()
            size = colored(folder, f"GENE{i}", points)
            cpu.append(time.process_time() - began[0])
            wall.append(time.perf_counter() - began[1])
    print(
        f"{n_cells:,} cells: {np.median(cpu):.3f} CPU s, {np.median(wall):.3f} s, {size / 1000:,.0f} kB a gene"
    )


if __name__ == "__main__":
    for number in map(int, sys.argv[1:] or ["20000", "100000", "1000000"]):
        main(number)
