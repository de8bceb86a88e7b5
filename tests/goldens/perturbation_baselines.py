"""Cases of perturbation screens: baselines, the linear model, splits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.datasets.perturbation_split import SUBGROUPS, ConditionSplit, split_conditions
from scviz.datasets.screen import Perturbation, Screen
from scviz.foundation.predictor import PerturbationPredictor
from scviz.predictors.additive import Additive, MatchingMean
from scviz.predictors.linear import Linear
from scviz.predictors.no_change import NoChange
from scviz.predictors.train_mean import TrainMean, perturbed_cell_mean
from scviz.predictors.vectors import GeneVectors
from tests.goldens.arrays import load

SUMS = 5e-6
"""The authors add float32 numbers up, we add in float64."""
LINEAR = 1e-8
OURS = {"combo0": "combo_seen0", "combo1": "combo_seen1", "combo2": "combo_seen2"}
"""Names of splits here, where they are others."""


def perturbation_of(condition: str) -> Perturbation:
    """Read `ctrl`, `A+ctrl`, `ctrl+A`, `A+B` or `A`."""
    return tuple(sorted(part for part in condition.split("+") if part != "ctrl"))


def screen_from(expression: NDArray, genes: Iterable[str], conditions: Iterable[str]) -> Screen:
    """Make a screen of rows, (N, G), and the condition of each."""
    each = [perturbation_of(str(condition)) for condition in conditions]
    perturbations = sorted(set(each))
    return Screen(
        expression=sp.csr_matrix(expression),
        genes=tuple(map(str, genes)),
        perturbations=tuple(perturbations),
        codes=np.array([perturbations.index(one) for one in each]),
    )


def whole_screen(folder: Path) -> Screen:
    """The data of the family."""
    data = load(folder / "dataset.npz")
    return screen_from(data["X"], data["genes"], data["condition"])


def trained(predictor: PerturbationPredictor, screen: Screen) -> PerturbationPredictor:
    """Learn from a screen."""
    predictor.fit(screen, None)
    return predictor


def check_baselines(folder: Path) -> None:
    """Means and sums of means."""
    data, expected = load(folder / "dataset.npz"), load(folder / "baselines.npz")
    whole = whole_screen(folder)
    train = whole.only([(), *map(perturbation_of, data["train"])])
    singles = whole.only([one for one in whole.perturbations if len(one) < 2])
    asked = [perturbation_of(condition) for condition in expected["conditions"]]
    ours = {
        "control_mean": trained(NoChange(), train).predict(asked)[0],
        "mean_over_perturbation_means": trained(TrainMean(), train).predict(asked)[0],
        "mean_over_perturbed_cells": perturbed_cell_mean(train),
        "additive": trained(Additive(), singles).predict(asked),
        "matching_mean": trained(MatchingMean(), train).predict(asked),
    }
    assert set(expected) == {*ours, "conditions"}
    for name, values in ours.items():
        np.testing.assert_allclose(values, expected[name], atol=SUMS, rtol=0, err_msg=name)


def check_linear(folder: Path) -> None:
    """The linear model with vectors of its own and with those of others, (P, G) predictions."""
    expected = load(folder / "linear_baseline.npz")
    genes, conditions = expected["genes"], expected["all_conditions"].tolist()
    rows = [conditions.index(condition) for condition in expected["train_conditions"]]
    train = screen_from(expected["pseudobulk"][rows], genes, expected["train_conditions"])
    np.testing.assert_allclose(train.control, expected["baseline"], atol=LINEAR, rtol=0)
    gene_names = tuple(map(str, expected["ext_gene_names"]))
    of_genes = GeneVectors(genes=gene_names, vectors=expected["ext_gene_emb"], source="genes")
    names = tuple("+".join(perturbation_of(str(name))) for name in expected["ext_pert_names"])
    of_perturbations = GeneVectors(genes=names, vectors=expected["ext_pert_emb"].T, source="perturbations")
    models = {
        "self_pred": Linear(pairs=False),
        "self_k4_lamA1_lamB0p01": Linear(n_components=4, gene_ridge=1, perturbation_ridge=0.01, pairs=False),
        "ext_gene_pred": Linear(of_genes, pairs=False),
        "ext_pert_pred": Linear(perturbation_vectors=of_perturbations, pairs=False),
    }
    asked = [perturbation_of(condition) for condition in conditions]
    for name, model in models.items():
        predicted = trained(model, train).predict(asked)
        if name == "ext_gene_pred":
            predicted = predicted[:, expected["ext_gene_rows"]]
        np.testing.assert_allclose(predicted, expected[name], atol=LINEAR, rtol=0, err_msg=name)
    np.testing.assert_allclose(models["self_pred"].center, expected["self_center"], atol=LINEAR, rtol=0)


def check_pseudobulks(folder: Path) -> None:
    """Means of the cells of each condition."""
    expected, whole = load(folder / "linear_baseline.npz"), whole_screen(folder)
    asked = [perturbation_of(condition) for condition in expected["all_conditions"]]
    np.testing.assert_allclose(whole.means(asked), expected["pseudobulk"], atol=LINEAR, rtol=0)


def check_splits(folder: Path) -> None:
    """Every condition is in the part in which the authors' splitter puts it."""
    content = json.loads((folder / "splits_expected.json").read_text("utf-8"))
    assert content["splits"]
    for name, expected in content["splits"].items():
        kind, seed = name.rsplit("_seed", 1)
        known = {one for part in ("train", "val", "test", "dropped") for one in expected[part]}
        conditions = [one for one in content["conditions"] if one in known]
        ours = split_conditions(conditions, OURS.get(kind, kind), seed=int(seed))
        for part, theirs in (
            (ours.train, "train"),
            (ours.validation, "val"),
            (ours.test, "test"),
            (ours.dropped, "dropped"),
        ):
            assert set(part) == set(expected[theirs]), f"{name}: {theirs}"
        check_subgroups(name, ours, expected["subgroup"])


def check_subgroups(name: str, ours: ConditionSplit, expected: dict | None) -> None:
    """What the held-out conditions are, where the authors say so."""
    if expected is None:
        return
    for group in SUBGROUPS:
        for part, theirs in ((ours.subgroup, "test_subgroup"), (ours.validation_subgroup, "val_subgroup")):
            inside = {one for one, its in part.items() if its == group}
            assert inside == set(expected[theirs].get(group, ())), f"{name}: {group} of {theirs}"


CHECKS: dict[str, Callable[[Path], None]] = {
    "baselines": check_baselines,
    "linear": check_linear,
    "pseudobulks": check_pseudobulks,
    "splits": check_splits,
}
"""By the file or the part of one that they read."""
