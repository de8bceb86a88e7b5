"""Add what a model makes of the reference's cells: a rule on its cell vectors, beside the one on genes.

    python assets/reference/add_model.py FOLDER CHECKPOINT [REFERENCE]

FOLDER is that of `make.py`, CHECKPOINT an id such as geneformer/geneformer-blood, REFERENCE the folder that is added
to, `blood` by default. Types, weights of cells, donors left out and the shift between studies are those of `make.py`.
A small blood model saw most of these cells in training, without their types; so the donors that it never saw are
scored by themselves, too, beside the rule on genes.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse as sp
from make import HERE, N_FOLDS, NAMES, Cells, _read, _shift, _weights, folds_of, left_out, order_of
from make import learned as learned_of_genes
from sklearn.linear_model import LogisticRegression

from benchmarks.blood.corpus import CHOOSING, JUDGING
from scviz.models import model_class
from scviz.settings import ROOT
from scviz.tasks.transfer.references import BARS, JUDGED, read_reference, write_reference
from scviz.tasks.transfer.rules import Linear
from scviz.workspace import Workspace
from scviz.workspace.records import content_hash


def vectors_of(folder: Path, checkpoint: str, workspace: Workspace) -> np.ndarray:
    """Read all cells with all their genes, (N, C), those of each study by itself; 0 where the model sees no gene."""
    info = workspace.checkpoint(checkpoint)
    model = model_class(info.model).for_task(workspace.checkpoint_folder(checkpoint), "embedding")
    kang = _read(folder, "kang_ifnb_2000")
    own = (kang.obs["condition"] == "ctrl") & (kang.obs["cell_type_source"] == "author")
    studies = (_read(folder, "pbmc_sorted_3500"), kang[own.to_numpy()].copy())
    found = [model.embed(anndata.AnnData(sp.csr_matrix(one.X), one.obs, one.var)) for one in studies]
    return np.nan_to_num(np.vstack(found)).astype(np.float32)


def learned(vectors: np.ndarray, cells: Cells, rows: np.ndarray) -> Linear:
    """Learn types from vectors of some cells, less the shift between the studies."""
    types, study = cells.types[rows], cells.study[rows]
    shift = _shift(vectors[rows], types, study)
    read = vectors[rows] - shift[study]
    center, scale = read.mean(axis=0), np.maximum(read.std(axis=0), 1e-6)
    model = LogisticRegression(max_iter=3000)
    model.fit((read - center) / scale, types, sample_weight=_weights(types, study))
    rule = Linear(weights=model.coef_.T.astype(np.float32), intercept=model.intercept_.astype(np.float32))
    return rule.after(np.eye(len(center), dtype=np.float32), center, scale)


def genes_named(cells: Cells) -> np.ndarray:
    """Name the cells of donors left out by their genes, (N,); -1 for cells that are never left out."""
    named, folds = np.full(len(cells.types), -1), folds_of(cells)
    for fold in range(N_FOLDS):
        left = np.flatnonzero(folds == fold)
        space, rule, _ = learned_of_genes(cells, np.flatnonzero(folds != fold))
        read = space.centered(sp.csr_matrix(cells.counts[left]), np.arange(len(cells.genes)))
        named[left] = rule.scores(space.scaled(read)).argmax(axis=1)
    return named


def compared(cells: Cells, named: np.ndarray) -> str:
    """Say how many cells of the donors that no blood model learned from are named right, by model and by genes."""
    rows, by_genes = np.isin(cells.donor, CHOOSING + JUDGING), genes_named(cells)
    shares = (float(np.mean(one[rows] == cells.types[rows])) for one in (named, by_genes))
    return f"{rows.sum()} cells of donors it never learned from: " + ", genes ".join(
        f"{one:.3f}" for one in shares
    )


def main() -> None:
    """Judge on donors left out, learn from all cells, write the reference with one rule more."""
    folder, checkpoint = Path(sys.argv[1]), sys.argv[2]
    target = Path(sys.argv[3]) if len(sys.argv) > 3 else HERE / "blood"
    workspace, cells = Workspace(ROOT / "nowhere"), Cells(folder)
    vectors = vectors_of(folder, checkpoint, workspace)
    folds = folds_of(cells)
    scores = np.full((len(cells.types), len(NAMES)), np.nan, dtype=np.float32)
    for fold in range(N_FOLDS):
        left = folds == fold
        scores[left] = learned(vectors, cells, np.flatnonzero(~left)).scores(vectors[left])
    own_names = np.where(folds >= 0, scores.argmax(axis=1), -1)
    left = np.flatnonzero(folds >= 0)[order_of(int((folds >= 0).sum()))]
    truth = cells.types[left]
    judged = left_out(scores[left], truth, folds[left])
    rule, info = learned(vectors, cells, np.arange(len(cells.types))), workspace.checkpoint(checkpoint)
    key = checkpoint.replace("/", "-")
    added = replace(
        judged.rule(key, f"logistic regression on {info.name}", truth),
        checkpoint=checkpoint,
        checkpoint_hash=content_hash(workspace.checkpoint_folder(checkpoint)),
    )
    kept = read_reference(target).with_tensors()
    rules = (*(one for one in kept.reference.rules if one.key != key), added)
    tensors = {
        **kept.tensors,
        f"{key}.weights": rule.weights,
        f"{key}.intercept": rule.intercept,
        f"{key}{JUDGED}": judged.scores,
        f"{key}{BARS}": judged.bars,
    }
    write_reference(replace(kept.reference, rules=rules), tensors, target)
    print(
        f"{info.name}: accuracy {added.accuracy:.3f}, macro-F1 {added.macro_f1:.3f}; {compared(cells, own_names)}"
    )


if __name__ == "__main__":
    main()
