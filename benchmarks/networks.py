"""How well links are found, and how fast: `python -m benchmarks.networks [quality|speed|bins] ...`.

quality: the simulated screens `clean` (13 % zeros), a sparse one of as many genes (300 counts in a cell) and `demo`
(1,000 genes, 300 counts in a cell), whose networks are known. Models are of the tiny shape, pre-trained for two passes
on the cells of each screen: similarity compares their vectors of genes in 100 cells, attention is that of 100 cells.
Methods see cells of all perturbations; only the row of interventions uses what was perturbed.
speed: 2,000 cells x 1,500 genes, 200 of them regulators, drawn at random in the depth of a sparse screen; a share of
the targets is fitted, by ours and by scikit-learn called as arboreto calls it, in turns.
bins: how many bins the trees need, by area and by the agreement of two seeds, over 10 clean and 10 sparse screens.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import spearmanr

from scviz.datasets.expression import log_expression
from scviz.datasets.readers import read_counts
from scviz.datasets.simulated import PRESETS, Simulation, truth_of
from scviz.datasets.simulator import open_simulated
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.evidence import bootstrap
from scviz.metrics.networks import link_scores
from scviz.networks import binned_trees, boosting
from scviz.networks.attention import AttentionSum, ranked_attention
from scviz.networks.boosting import boosted_network, correlations
from scviz.networks.interventions import intervention_effects
from scviz.progress import silent
from scviz.tasks import pretraining
from scviz.tasks.context import Context
from scviz.tasks.pretraining.run import run as pretrain
from scviz.workspace import Workspace

CELLS, GENES, REGULATORS = 2000, 1500, 200
MODEL_CELLS, N_SCREENS = 100, 10
AS_PUBLISHED = "scikit-learn, one seed"
TREES = {
    AS_PUBLISHED: (64, 1),
    "32 bins, one seed": (32, 1),
    "64 bins, one seed": (64, 1),
    "128 bins, one seed": (128, 1),
    "255 bins, one seed": (255, 1),
    "64 bins, three seeds": (64, 3),
}
"""Bins and seeds of each kind of trees; those of scikit-learn know no bins."""
FITTED = 60
"""Targets of which the time is measured."""
SCREENS = {
    "clean": PRESETS["clean"],
    "sparse": dataclasses.replace(PRESETS["clean"], depth=300),
    "demo": PRESETS["demo"],
}


def quality() -> None:
    """Print the area of each ranking of links, for the pooled cells of each screen."""
    print("| screen | zeros | density | method | AUPRC | by density | early precision | AUROC | s |")
    print("| --- " * 9 + "|")
    for name, simulation in SCREENS.items():
        with tempfile.TemporaryDirectory() as folder:
            _quality(name, simulation, Path(folder))


def _quality(name: str, simulation: Simulation, folder: Path) -> None:
    workspace = Workspace(folder / "home")
    info = open_simulated(simulation, workspace, folder, report=silent)
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
    among = sp.csr_matrix(expression[cells])
    conditions = adata.obs["condition"].astype(str).to_numpy()
    columns = list(range(len(genes)))
    model = _pretrained(workspace, info.id)
    few = adata[np.sort(np.random.default_rng(0).choice(cells, MODEL_CELLS, replace=False))]
    methods: dict[str, Callable[[], NDArray[np.float64]]] = {
        "GRNBoost2": lambda: boosted_network(among, regulators, columns, seed=0).importance,
        "correlation": lambda: np.abs(correlations(among, regulators, columns)),
        "interventions": lambda: _interventions(expression, conditions, genes, regulators),
        "similarity, scgpt": lambda: _similarity(model, few, genes)[regulators],
        "attention, scgpt": lambda: _attention(model, few, genes)[regulators],
        "random": lambda: np.random.default_rng(0).random(known.shape),
    }
    for method, rank in methods.items():
        begun = time.perf_counter()
        strength = np.nan_to_num(rank())
        seconds = time.perf_counter() - begun
        scores = link_scores(strength[candidates], known[candidates])
        print(
            f"| {name} | {zeros:.2f} | {scores.density:.3f} | {method} | {scores.auprc:.3f} | "
            f"{scores.auprc_ratio:.1f} | {scores.early_precision:.3f} | {scores.auroc:.3f} | {seconds:.1f} |",
            flush=True,
        )


def _pretrained(workspace: Workspace, dataset: str) -> FoundationModel:
    """Train a tiny scGPT on the cells."""
    request = pretraining.Request(
        dataset=dataset, model="scgpt", configuration="tiny", name="scgpt", epochs=2
    )
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("pretraining"))
    return context.model(pretrain(request, context).checkpoint, "modules").eval()


def _similarity(model: FoundationModel, adata: AnnData, genes: list[str]) -> NDArray[np.float64]:
    """Centered cosine of the vectors of genes in these cells, (G, G)."""
    vectors = model.context_gene_embeddings(adata, genes).astype(np.float64)
    vectors -= np.nanmean(vectors, axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors @ vectors.T)


def _attention(model: FoundationModel, adata: AnnData, genes: list[str]) -> NDArray[np.float64]:
    """How highly each gene (column) ranks another (row) among those it attends to, (G, G); NaN for unknown genes."""
    known = np.flatnonzero(np.asarray(model.vocab.positions(genes)) >= 0)
    added = AttentionSum(len(known), published=False)
    for cell in model.gene_attention(adata, known):
        added.add(ranked_attention(cell.scores, published=False), cell.places)
    ranks = np.full((len(genes), len(genes)), np.nan)
    ranks[np.ix_(known, known)] = added.mean().T
    return ranks


def _interventions(
    expression: sp.csr_matrix, conditions: NDArray[np.str_], genes: list[str], regulators: list[int]
) -> NDArray[np.float64]:
    """Effect of perturbing each regulator alone."""
    names = {gene: (f"{genes[gene]}+ctrl", f"ctrl+{genes[gene]}", genes[gene]) for gene in regulators}
    perturbed = {gene: np.flatnonzero(np.isin(conditions, values)) for gene, values in names.items()}
    control = np.flatnonzero(conditions == "ctrl")
    return intervention_effects(
        expression, perturbed, control, regulators=regulators, targets=range(len(genes))
    )


def bins() -> None:
    """Print, over simulated screens, the area of binned trees and scikit-learn's, and how far two seeds agree.

    Each screen is one of other seeds of `clean` and `sparse`; the difference of areas is given with its 95 % interval
    over the screens.
    """
    print(
        "| screens | trees | AUPRC | difference | rank correlation of two seeds | CPU s |\n"
        + "| --- " * 6
        + "|"
    )
    for name in ("clean", "sparse"):
        found: dict[str, list[tuple[float, float, float]]] = {}
        for seed in range(N_SCREENS):
            for trees, row in _trees(dataclasses.replace(SCREENS[name], seed=seed)).items():
                found.setdefault(trees, []).append(row)
        reference = np.array(found[AS_PUBLISHED])[:, 0]
        for trees, rows in found.items():
            area, agreement, seconds = np.array(rows).T
            gain = bootstrap(area - reference)
            print(
                f"| {len(rows)} {name} | {trees} | {area.mean():.3f} | {gain.mean:+.3f} ({gain.low:+.3f} to "
                f"{gain.high:+.3f}) | {agreement.mean():.3f} | {seconds.mean():.1f} |",
                flush=True,
            )


def _trees(simulation: Simulation) -> dict[str, tuple[float, float, float]]:
    """Give area, agreement of two seeds and CPU seconds of one of them, for each kind of trees."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "home")
        info = open_simulated(simulation, workspace, Path(folder), report=silent)
        adata, truth = (
            read_counts(workspace.dataset_folder(info.id)),
            truth_of(workspace.dataset_folder(info.id)),
        )
    genes = adata.var_names.tolist()
    place = {gene: i for i, gene in enumerate(genes)}
    regulators = sorted({place[gene] for gene in truth.source})
    known = np.zeros((len(regulators), len(genes)), dtype=bool)
    known[[regulators.index(place[one]) for one in truth.source], [place[one] for one in truth.target]] = True
    candidates = np.not_equal.outer(np.array(regulators), np.arange(len(genes)))
    cells = np.sort(np.random.default_rng(0).choice(adata.n_obs, min(CELLS, adata.n_obs), replace=False))
    among = sp.csr_matrix(log_expression(sp.csr_matrix(adata.X))[cells])
    found = {}
    for trees, (n_bins, n_seeds) in TREES.items():
        with (
            patch.object(boosting, "N_SEEDS", n_seeds),
            patch.object(binned_trees.binned, "__defaults__", (n_bins,)),
        ):
            runs = []
            for seed in (0, 1):
                begun = time.process_time()
                network = boosted_network(
                    among, regulators, range(len(genes)), seed=seed, published=trees == AS_PUBLISHED
                )
                runs.append((network.importance[candidates], time.process_time() - begun))
        (first, seconds), (second, _) = runs
        area = link_scores(first, known[candidates]).auprc
        found[trees] = area, float(spearmanr(first, second).statistic), seconds
    return found


def speed() -> None:
    """Print CPU seconds of a network of 2,000 cells x 1,500 genes x 200 regulators, and the ratio to scikit-learn."""
    rng = np.random.default_rng(0)
    expression = log_expression(sp.csr_matrix(rng.poisson(rng.gamma(0.3, 1.0, (1, GENES)), (CELLS, GENES))))
    dense = expression.toarray()
    targets = np.sort(rng.choice(GENES, FITTED, replace=False)).tolist()
    boosted_network(expression, range(5), targets[:1], seed=0)  # loads libraries
    begun = time.process_time()
    bins_of_all = binned_trees.binned(dense[:, :REGULATORS])  # once for all targets
    binning = time.process_time() - begun
    seconds = dict.fromkeys(("binned", "arboreto"), 0.0)
    for target in targets:  # in turns, so that other work on the machine meets both
        own = target if target < REGULATORS else -1
        times = [time.process_time()]
        boosting.grnboost(bins_of_all, dense[:, target], left_out=own, seed=0)
        times.append(time.process_time())
        importance = _as_arboreto(dense, target)
        times.append(time.process_time())
        for way, took in zip(seconds, np.diff(times), strict=True):
            seconds[way] += took
        network = boosted_network(expression, range(REGULATORS), [target], seed=0, published=True)
        kept = [i for i in range(REGULATORS) if i != target]
        np.testing.assert_array_equal(network.importance[kept, 0], importance)
    theirs, ours = seconds["arboreto"] / FITTED, seconds["binned"] / FITTED + binning / GENES
    one = seconds["binned"] / FITTED / boosting.N_SEEDS + binning / GENES
    print(
        f"CPU s a target, binning shared by {GENES:,}: {one:.4f} with one seed, {ours:.4f} with {boosting.N_SEEDS}; "
        f"scikit-learn as arboreto calls it {theirs:.3f} (our published numbers are equal); {theirs / one:.1f} and "
        f"{theirs / ours:.1f} times as fast; {ours * GENES:.0f} s for all; peak {peak_gb():.2f} GB"
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
        {"quality": quality, "speed": speed, "bins": bins}[word]()
