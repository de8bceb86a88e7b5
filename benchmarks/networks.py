"""How well links are found, and how fast: `python -m benchmarks.networks [quality|speed] ...`.

quality: the simulated screens `clean` (13 % zeros) and a sparse one of as many genes (300 counts in a cell), whose
networks are known. Boosted trees and correlation see all cells; the row of interventions uses what was perturbed.
speed: 2,000 cells x 1,500 genes, 200 of them regulators, drawn at random in the depth of a sparse screen; a share of
the targets is fitted, by ours and by scikit-learn called as arboreto calls it, in turns.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.datasets.expression import log_expression
from scviz.datasets.readers import read_counts
from scviz.datasets.simulated import PRESETS, Simulation, truth_of
from scviz.datasets.simulator import open_simulated
from scviz.memory import peak_gb
from scviz.metrics.differential import moments, welch_t
from scviz.metrics.networks import link_scores
from scviz.networks.boosting import boosted_network, correlations
from scviz.progress import silent
from scviz.workspace import Workspace

CELLS, GENES, REGULATORS = 2000, 1500, 200
FITTED = 60
"""Targets of which the time is measured."""
SCREENS = {
    "clean": PRESETS["clean"],
    "sparse": dataclasses.replace(PRESETS["clean"], depth=300),
}


def quality() -> None:
    """Print the area of each ranking of links, for the pooled cells of each screen."""
    print("| screen | cells | zeros | density | method | AUPRC | by density | early precision | AUROC | s |")
    print("| --- " * 10 + "|")
    for name, simulation in SCREENS.items():
        with tempfile.TemporaryDirectory() as folder:
            _quality(name, simulation, Path(folder))


def _quality(name: str, simulation: Simulation, folder: Path) -> None:
    workspace = Workspace(folder / "home")
    info = open_simulated(simulation, workspace, folder, silent)
    adata = read_counts(workspace.dataset_folder(info.id))
    truth = truth_of(workspace.dataset_folder(info.id))
    genes = adata.var_names.tolist()
    place = {gene: i for i, gene in enumerate(genes)}
    regulators = sorted({place[gene] for gene in truth.source})
    known = np.zeros((len(regulators), len(genes)), dtype=bool)
    known[
        [regulators.index(place[gene]) for gene in truth.source], [place[gene] for gene in truth.target]
    ] = True
    candidates = np.not_equal.outer(np.array(regulators), np.arange(len(genes)))
    cells = np.sort(np.random.default_rng(0).choice(adata.n_obs, min(CELLS, adata.n_obs), replace=False))
    expression = log_expression(sp.csr_matrix(adata.X))
    zeros = 1 - expression.nnz / np.prod(expression.shape)
    for method in ("GRNBoost2", "correlation", "interventions", "random"):
        begun = time.perf_counter()
        if method == "GRNBoost2":
            strength = boosted_network(expression[cells], regulators, range(len(genes)), seed=0).importance
        elif method == "correlation":
            strength = np.abs(correlations(expression[cells], regulators, range(len(genes))))
        elif method == "interventions":
            conditions = adata.obs["condition"].astype(str).to_numpy()
            strength = _interventions(expression, conditions, [genes[i] for i in regulators])
        else:
            strength = np.random.default_rng(0).random(known.shape)
        seconds = time.perf_counter() - begun
        scores = link_scores(strength[candidates], known[candidates])
        n_cells = adata.n_obs if method == "interventions" else len(cells)
        print(
            f"| {name} | {n_cells:,} | {zeros:.2f} | {scores.density:.3f} | {method} | {scores.auprc:.3f} | "
            f"{scores.auprc_ratio:.1f} | {scores.early_precision:.3f} | {scores.auroc:.3f} | {seconds:.1f} |",
            flush=True,
        )


def _interventions(
    expression: sp.csr_matrix, conditions: NDArray[np.str_], regulators: list[str]
) -> NDArray[np.float64]:
    """Absolute Welch t of each gene between the cells of a perturbed regulator and control cells."""
    control = moments(expression[np.flatnonzero(conditions == "ctrl")])
    found = []
    for gene in regulators:
        own = np.flatnonzero(np.isin(conditions, [f"{gene}+ctrl", f"ctrl+{gene}", gene]))
        found.append(np.abs(welch_t(moments(expression[own]), control)))
    return np.nan_to_num(np.stack(found))


def speed() -> None:
    """Print seconds of a network of 2,000 cells x 1,500 genes x 200 regulators, and the ratio to scikit-learn."""
    rng = np.random.default_rng(0)
    expression = log_expression(sp.csr_matrix(rng.poisson(rng.gamma(0.3, 1.0, (1, GENES)), (CELLS, GENES))))
    dense = expression.toarray()
    targets = np.sort(rng.choice(GENES, FITTED, replace=False)).tolist()
    boosted_network(expression, range(5), targets[:1], seed=0)  # loads libraries
    ours, theirs = 0.0, 0.0
    for start in range(0, FITTED, 4):  # in turns, so that other work on the machine meets both
        part = targets[start : start + 4]
        begun = time.perf_counter()
        network = boosted_network(expression, range(REGULATORS), part, seed=0)
        between = time.perf_counter()
        reference = [_as_arboreto(dense, target) for target in part]
        ours, theirs = ours + between - begun, theirs + time.perf_counter() - between
        for column, (target, importance) in enumerate(zip(part, reference, strict=True)):
            kept = [i for i in range(REGULATORS) if i != target]
            np.testing.assert_array_equal(network.importance[kept, column], importance)
    print(
        f"{ours / FITTED:.2f} s a target, {ours / FITTED * GENES / 60:.1f} min for {GENES:,}, estimated from "
        f"{FITTED}; as arboreto {theirs / FITTED:.2f} s, ratio {theirs / ours:.2f}, equal numbers; "
        f"peak {peak_gb():.2f} GB"
    )


def _as_arboreto(dense: NDArray[np.float32], target: int) -> NDArray[np.float64]:
    """Fit a target with scikit-learn as arboreto 0.1.6 does, with its monitor of early stopping."""
    from sklearn.ensemble import GradientBoostingRegressor

    def stop(done: int, trees: GradientBoostingRegressor, _: object) -> bool:
        return done >= 24 and bool(np.mean(trees.oob_improvement_[done - 24 : done + 1]) < 0)

    kept = [i for i in range(REGULATORS) if i != target]
    settings = {"learning_rate": 0.01, "n_estimators": 5000, "max_features": 0.1, "subsample": 0.9}
    trees = GradientBoostingRegressor(**settings, random_state=0)
    trees.fit(dense[:, kept], dense[:, target], monitor=stop)
    importance: NDArray[np.float64] = trees.feature_importances_ * len(trees.estimators_)
    return importance


if __name__ == "__main__":
    for word in sys.argv[1:] or ["quality", "speed"]:
        {"quality": quality, "speed": speed}[word]()
