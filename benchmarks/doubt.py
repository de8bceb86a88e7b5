"""Doubt on real data, by the code of Annotate: `python -m benchmarks.doubt FILE LABELS [GROUPS] [--splits N]`.

Logistic regression names cells, so that many splits can be had in minutes: on 50 principal components or, with
`--checkpoint`, on the cell vectors of a frozen model, which are read once. Prints how often sets hold the true type on
exchangeable splits and, with GROUPS, where whole groups are held out; the calibration error before and after
temperature; and how well each type is told from the others when it is left out.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import anndata
import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scviz.datasets.expression import depth_of, log_expression, principal_components, variable_genes
from scviz.metrics.calibration import equal_width, reliability
from scviz.metrics.evidence import bootstrap
from scviz.models import model_class
from scviz.settings import ROOT
from scviz.tasks.annotation import Request
from scviz.tasks.annotation.doubt import fit_doubt
from scviz.tasks.annotation.inputs import Inputs, gather
from scviz.tasks.annotation.new_types import chosen_cells, leave_types_out
from scviz.tasks.annotation.plan import FIRST, Plan
from scviz.workspace import Workspace


def read_by(checkpoint: str, adata: AnnData) -> NDArray[np.float32]:
    """Read all cells with a model that comes with scviz, (N, C); 0 where it sees no gene."""
    workspace = Workspace(ROOT / "nowhere")
    model = model_class(checkpoint.split("/")[0]).for_task(
        workspace.checkpoint_folder(checkpoint), "embedding"
    )
    return np.nan_to_num(model.embed(adata))


def components_of(inputs: Inputs, expression: sparse.csr_matrix) -> NDArray[np.float32]:
    """Give the principal components of all cells by those of the training cells, (N, 50)."""
    train = inputs.split.train
    genes = variable_genes(expression[train])
    return principal_components(expression, genes=genes, fit_rows=train)


def named(inputs: Inputs, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the probability of each type, (N, K), by a logistic regression on vectors of the training cells."""
    train = inputs.split.train
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(vectors[train], inputs.codes[train])
    raw = np.full((len(vectors), len(inputs.types)), 1e-9)
    raw[:, model.classes_] = model.predict_proba(vectors)
    return (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)


def one_split(inputs: Inputs, raw: NDArray[np.float32], request: Request) -> dict[str, float]:
    """Score one split."""
    doubt, test = fit_doubt(raw, inputs, request), inputs.split.test
    p, truth = doubt.probabilities(raw), inputs.codes[test]
    found = {}
    for way, sets in doubt.sets(p, test).items():
        found[f"coverage {way}"] = float(sets[np.arange(len(test)), truth].mean())
        found[f"size {way}"] = float(sets.sum(axis=1).mean())
    for name, shares in (("before", raw[test]), ("after", p[test])):
        sure, right = shares.max(axis=1).astype(float), shares.argmax(axis=1) == truth
        found[f"ECE {name}"] = reliability(sure, right, equal_width(sure)).ece
    return found


def report(adata: AnnData, request: Request, *, splits: int, vectors: NDArray[np.float32] | None) -> None:
    """Print the mean over splits with its interval; vectors of a model are (N, C)."""
    groups = request.group_key
    seen, expression = np.ones(adata.n_obs, dtype=np.int64), log_expression(adata.X, depth_of(adata))
    rows = []
    for seed in range(splits):
        inputs = gather(request, adata, seen, plan=Plan(seed=seed))
        own = components_of(inputs, expression) if vectors is None else vectors
        rows.append(one_split(inputs, named(inputs, own), request))
    how = f"whole groups of {groups} held out" if groups else "cells held out"
    print(f"\n{splits} splits, {how}; 90 % promised")
    for name in rows[0]:
        span = bootstrap([row[name] for row in rows])
        print(f"  {name:16} {span.mean:.4f}  95 % interval {span.low:.4f} to {span.high:.4f}")


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("labels")
    parser.add_argument("groups", nargs="?")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--checkpoint", default="", help="such as geneformer/geneformer-blood")
    options = parser.parse_args()
    adata = anndata.read_h5ad(options.file)
    vectors = read_by(options.checkpoint, adata) if options.checkpoint else None
    request = Request(dataset="file", checkpoint="none/none", label_key=options.labels)
    report(adata, request, splits=options.splits, vectors=vectors)
    if options.groups:
        report(adata, replace(request, group_key=options.groups), splits=options.splits, vectors=vectors)
    new_types(adata, request, vectors=vectors)


def new_types(adata: AnnData, request: Request, *, vectors: NDArray[np.float32] | None) -> None:
    """Print how well each type is told from the others when it is left out; vectors of a model are (N, C)."""
    inputs = gather(request, adata, np.ones(adata.n_obs, dtype=np.int64), plan=FIRST)
    rows = chosen_cells(inputs, 0)
    expression = log_expression(adata.X, depth_of(adata))[rows]
    train = np.flatnonzero(np.isin(rows, inputs.split.train))
    read = principal_components(expression, fit_rows=train) if vectors is None else vectors[rows]
    print("\nAUROC of types left out")
    for one in leave_types_out(inputs, rows, read, seed=0, report=lambda _: None):
        shown = one.vectors == "expression" or vectors is not None
        if shown and one.score in ("max_softmax", "mahalanobis", "neighbors"):
            span = one.auroc
            print(
                f"  {one.name:24} {one.vectors:10} {one.score:12} {span.mean:.3f}  {span.low:.3f} to "
                f"{span.high:.3f}  n {one.n_new}"
            )


if __name__ == "__main__":
    main()
