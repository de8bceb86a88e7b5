"""What deleting every gene costs, and what a quick screen finds: `python -m benchmarks.in_silico [FILE ...]`.

Cost: one cell of 500 genes in a network of the size of Geneformer-V1-10M with random weights. Recall, for each file: of
the 20 genes whose deletion matters most in a type of cell, how many the screen names with the demo weights.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import anndata
import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.demo import open_demo
from scviz.datasets.readers import read_counts
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.memory import peak_gb
from scviz.models.geneformer.config import v1_10m
from scviz.models.geneformer.edits import Perturbation
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.screen import screen
from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.goldens.geneformer_effects import Readout, perturb

N_GENES = 500
TOP = 20
"""Genes that are looked for."""
CANDIDATES = 50
"""Genes of the screen that are deleted exactly in the end."""
SHOWN_POINTS = (5, 17)
DEMO_LABEL = "bulk_labels"
DEMO = ROOT / "assets" / "checkpoints" / "geneformer-blood"


def cost() -> None:
    """Print CPU seconds and memory of exact deletion and of the screen."""
    n_vocab = v1_10m().n_tokens - 2
    vocab = GeneVocab(
        genes=tuple(f"ENSG{i:011d}" for i in range(n_vocab)),
        ids=np.arange(2, n_vocab + 2),
        special={"<pad>": 0, "<mask>": 1},
        kind="ensembl",
        values={"median": np.ones(n_vocab)},
    )
    torch.manual_seed(0)
    model = Geneformer(v1_10m(), vocab).eval()
    rng = np.random.default_rng(0)
    ids = rng.permutation(vocab.ids)[None, :N_GENES]
    tokens = Tokens(gene_ids=ids, values=None, mask=np.ones_like(ids, dtype=bool))
    states = {name: rng.normal(size=model.config.width) for name in ("start", "goal")}
    start = time.process_time()
    list(perturb(model, tokens, Perturbation(kind="delete"), Readout(states=states)))
    print(
        f"all {N_GENES} deletions: {time.process_time() - start:.1f} CPU s, peak {peak_gb():.2f} GB",
        flush=True,
    )
    for n_points in SHOWN_POINTS:
        for words, asked in (("with a goal", states), ("without a goal", {})):
            start = time.process_time()
            list(screen(model.network, tokens, model.reading, n_points=n_points, **asked))
            print(f"screen, {n_points} points, {words}: {time.process_time() - start:.2f} CPU s", flush=True)
    print(f"peak of all: {peak_gb():.2f} GB", flush=True)


def recall(exact: NDArray[np.floating], estimate: NDArray[np.floating], n_named: int = TOP) -> float:
    """Share of the top genes that are among the first so many of the screen."""
    return len(set(np.argsort(-exact)[:TOP]) & set(np.argsort(-estimate)[:n_named])) / TOP


def two_types(adata: AnnData, label_key: str, n_cells: int) -> tuple[list[NDArray[np.int64]], list[str]]:
    """Draw cells of the two most common types."""
    types = adata.obs[label_key].value_counts().index[:2]
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero((adata.obs[label_key] == kind).to_numpy()) for kind in types]
    return [rng.choice(r, min(n_cells, len(r)), replace=False) for r in rows], [str(kind) for kind in types]


def compare(name: str, adata: AnnData, label_key: str, n_cells: int) -> None:
    """Print the recall of the screen for cells of one type, with the second type as goal."""
    model = Geneformer.from_checkpoint(DEMO)
    (own, other), (kind, goal) = two_types(adata, label_key, n_cells)
    states = {
        word: np.nanmean(model.embed(adata[rows]), axis=0) for word, rows in (("start", own), ("goal", other))
    }
    tokens = model.tokenize(adata[own])
    exact: dict[str, dict[int, dict[int, float]]] = {"goal": {}, "moved": {}}
    for effects in perturb(model, tokens, Perturbation(kind="delete"), Readout(states=states)):
        genes = [gene for (gene,) in effects.genes]
        shift = effects.shifts["goal"] - effects.shifts["start"]
        exact["goal"][effects.cell] = dict(zip(genes, shift.tolist(), strict=True))
        exact["moved"][effects.cell] = dict(zip(genes, effects.moved.tolist(), strict=True))
    print(
        f"\n{name}: {len(own)} cells, {kind!r} to {goal!r}, {tokens.lengths().mean():.0f} genes a cell",
        flush=True,
    )
    for n_points in SHOWN_POINTS:
        for what, asked in (("goal", states), ("moved", {})):
            found = {
                s.cell: s for s in screen(model.network, tokens, model.reading, n_points=n_points, **asked)
            }
            estimate = {
                c: dict(zip(s.genes.tolist(), s.values.tolist(), strict=True)) for c, s in found.items()
            }
            report(f"{n_points} points, {what}", exact[what], estimate)


def report(words: str, exact: dict[int, dict[int, float]], estimate: dict[int, dict[int, float]]) -> None:
    """Print recall in single cells, and of genes averaged over all cells."""
    single = []
    for cell, values in exact.items():
        if len(values) >= 2 * CANDIDATES:
            pair = np.array([(value, estimate[cell][gene]) for gene, value in values.items()])
            single.append((recall(*pair.T), recall(*pair.T, n_named=CANDIDATES)))
    means = np.array([averaged(exact), averaged(estimate)])
    one, many = np.mean(single, axis=0) if single else (np.nan, np.nan)
    print(
        f"  {words}: one cell {one:.2f} (best {CANDIDATES} {many:.2f}), average of cells {recall(*means):.2f} "
        f"(best {CANDIDATES} {recall(*means, n_named=CANDIDATES):.2f}), r {np.corrcoef(means)[0, 1]:.2f}",
        flush=True,
    )


def averaged(values: dict[int, dict[int, float]], fewest: int = 5) -> list[float]:
    """Average each gene over the cells that hold it, genes in so few cells left out; in the order of tokens."""
    found: dict[int, list[float]] = {}
    for of_cell in values.values():
        for gene, value in of_cell.items():
            found.setdefault(gene, []).append(value)
    return [float(np.mean(found[gene])) for gene in sorted(found) if len(found[gene]) >= fewest]


def main() -> None:
    """Print cost, then recall on the demo data and on each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--label-key", default="cell_type")
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--skip-cost", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.skip_cost:
        cost()
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        demo = read_counts(workspace.dataset_folder(open_demo(workspace).id))
    compare("demo data", demo, DEMO_LABEL, options.cells)
    for file in options.files:
        compare(file.stem, anndata.read_h5ad(file), options.label_key, options.cells)


if __name__ == "__main__":
    main()
