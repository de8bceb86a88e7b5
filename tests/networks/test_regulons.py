"""Modules of links, and what is left of them beside known links."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.networks.contract import Edges
from scviz.networks.regulons import (
    Families,
    coexpression_modules,
    joined_modules,
    pruned_by_prior,
)

EDGES = Edges(
    sources=("A", "A", "B", "A", "B"),
    targets=("x", "y", "x", "z", "y"),
    weights=np.array([5.0, 4.0, 3.0, 2.0, 1.0]),
)
RHO = np.array([0.9, 0.5, 0.4, -0.6, 0.01])


def modules(**chosen: object) -> dict[tuple[str, str, str], set[str]]:
    none: dict[str, object] = {"quantiles": (), "top_targets": (), "top_regulators": (), "fewest_genes": 1}
    found = coexpression_modules(EDGES, RHO, Families(**(none | chosen)))  # type: ignore[arg-type]
    return {(one.regulator, one.direction, one.family): set(one.weights) for one in found}


def test_links_above_a_quantile_of_all_links_make_modules_with_their_regulator() -> None:
    assert modules(quantiles=(0.5,)) == {("A", "activating", "weight>50.0%"): {"A", "x", "y"}}


def test_the_strongest_links_of_each_regulator_make_modules() -> None:
    assert modules(top_targets=(1,)) == {
        ("A", "activating", "top1"): {"A", "x"},
        ("B", "activating", "top1"): {"B", "x"},
    }


def test_the_strongest_regulators_of_each_target_make_modules() -> None:
    assert modules(top_regulators=(1,)) == {("A", "activating", "top1perTarget"): {"A", "x", "y"}}


def test_repressed_targets_make_modules_of_their_own_when_asked_for() -> None:
    assert ("A", "repressing", "top5") in modules(top_targets=(5,), repressing=True)
    assert modules(top_targets=(5,), repressing=True)["A", "repressing", "top5"] == {"A", "z"}


def test_small_modules_are_left_out() -> None:
    assert modules(top_targets=(5,), fewest_genes=3) == {("A", "activating", "top5"): {"A", "x", "y"}}


def test_no_links_make_no_modules() -> None:
    empty = Edges(sources=(), targets=(), weights=np.empty(0))
    assert coexpression_modules(empty, np.empty(0), Families(fewest_genes=1)) == []


def test_modules_of_a_regulator_are_joined_with_the_largest_weights() -> None:
    found = coexpression_modules(EDGES, RHO, Families(fewest_genes=1))
    (first, second) = joined_modules(found)
    assert first.name == "A(+)"
    assert first.weights == {"x": 5.0, "y": 4.0, "A": 1.0}
    assert second.weights == {"x": 3.0, "B": 1.0}
    assert first.gene_set.genes == ("x", "y", "A")
    assert np.isnan(first.score)


def test_known_targets_are_kept_and_their_number_stands_beside_chance() -> None:
    found = coexpression_modules(EDGES, RHO, Families(fewest_genes=1))
    prior = {"A": frozenset({"x", "w", "elsewhere"}), "B": frozenset({"y"})}
    (kept,) = pruned_by_prior(found, prior, ["A", "B", "w", "x", "y", "z"], fewest_genes=1)
    assert kept.weights == {"x": 5.0, "A": 1.0}
    # of the five other genes x and y are in the module, x and w are known: one hit or two in 7 of 10 draws
    assert kept.score == pytest.approx(-np.log10(0.7))
