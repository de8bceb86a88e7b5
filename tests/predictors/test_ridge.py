"""Regressions on vectors of genes, and vectors from gene terms."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.errors import DataError, RequestError
from scviz.predictors.ridge import Neighbors, OnVectors, Ridge, left_out_error
from scviz.predictors.terms import jaccard, term_vectors
from scviz.predictors.train_mean import TrainMean
from scviz.predictors.vectors import GeneVectors
from tests.predictors.made import GENES, gene_vectors, screen, singles, truth

TRAIN = screen([*singles(0, 30), ("G0", "G1")], noise=0.05)
UNSEEN = [*singles(30, 40), ("G30", "G31")]


def error(model, vectors: GeneVectors | None = None) -> float:
    model.fit(TRAIN, None)
    return float(np.mean((model.predict(UNSEEN) - np.array([truth(one) for one in UNSEEN])) ** 2))


def test_ridge_finds_what_vectors_decide() -> None:
    assert error(Ridge(gene_vectors())) < 0.05 * error(TrainMean())


def test_neighbors_do_better_than_the_mean() -> None:
    assert error(Neighbors(gene_vectors())) < 0.8 * error(TrainMean())


def test_vectors_that_say_nothing_are_shrunk_to_the_mean() -> None:
    noise = np.random.default_rng(9).normal(size=(40, 25)).astype(np.float32)
    model = Ridge(GeneVectors(genes=GENES, vectors=noise, source="noise"))
    assert error(model) < 1.3 * error(TrainMean())


def test_the_left_out_error_is_that_of_leaving_out() -> None:
    rng = np.random.default_rng(0)
    inputs, changes, strength = rng.normal(size=(7, 3)), rng.normal(size=(7, 4)), 0.7
    expected = 0.0
    for out in range(7):
        kept = np.arange(7) != out
        center, mean = inputs[kept].mean(axis=0), changes[kept].mean(axis=0)
        x = inputs[kept] - center
        weights = np.linalg.solve(x.T @ x + strength * np.eye(3), x.T @ (changes[kept] - mean))
        expected += float((((inputs[out] - center) @ weights + mean - changes[out]) ** 2).sum())
    left, scale, _ = np.linalg.svd(inputs - inputs.mean(axis=0), full_matrices=False)
    found = left_out_error(left, scale, changes - changes.mean(axis=0), strength=strength)
    assert found == pytest.approx(expected)


def test_one_neighbor_is_the_most_similar_direction() -> None:
    model = Neighbors(gene_vectors())
    inputs = np.array([[1.0, 0.0], [0.0, 1.0]])
    model.learn(inputs, np.array([[5.0], [7.0]]))
    assert model.n_neighbors == 1
    assert model.changes(np.array([[9.0, 1.0], [0.1, 0.2]])).tolist() == [[5.0], [7.0]]


def test_as_many_neighbors_are_asked_as_predict_one_that_is_left_out_best() -> None:
    rng = np.random.default_rng(0)
    side = np.repeat([[1.0, 0.0], [0.0, 1.0]], 4, axis=0)  # four perturbations in each of two directions
    model = Neighbors(gene_vectors())
    model.learn(side + rng.normal(0, 0.01, side.shape), 5 * side + rng.normal(size=side.shape))
    assert model.n_neighbors == 3


@pytest.mark.parametrize("kind", [Ridge, Neighbors])
def test_a_gene_without_vector_is_named(kind: type[OnVectors]) -> None:
    model = kind(gene_vectors(35))
    model.fit(TRAIN, None)
    assert model.reason_against(("G3", "G4")) == ""
    assert "G36 not in the model's vocabulary" in model.reason_against(("G3", "G36"))
    predicted = model.predict([(), ("G3",), ("G36",)])
    assert np.isnan(predicted).all(axis=1).tolist() == [False, False, True]
    np.testing.assert_allclose(predicted[0], TRAIN.control)


def test_a_source_that_knows_one_training_gene_is_refused() -> None:
    with pytest.raises(RequestError, match="has vectors for 1 of the 31"):
        Ridge(gene_vectors(1)).fit(TRAIN, None)


def test_genes_that_share_terms_have_like_vectors() -> None:
    terms = {f"A{i}": {"a", "b", f"own {i}"} for i in range(6)} | {f"B{i}": {"c", "d", "e"} for i in range(6)}
    placed = term_vectors(terms | {"nothing": set()}, 2)
    assert "nothing" not in placed.genes
    vectors = placed.of(["A0", "A1", "B0", "B5"])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (unit @ unit.T).round(3).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


def test_products_of_all_vectors_are_the_similarities() -> None:
    rng = np.random.default_rng(0)
    terms = {f"G{i}": set(rng.choice(list("abcdef"), 3, replace=False)) for i in range(30)}
    placed = term_vectors(terms, 6)
    links = jaccard([terms[gene] for gene in placed.genes]).toarray()
    values = np.linalg.eigvalsh(links)
    near = (np.linalg.norm(placed.vectors, axis=0) ** 2).tolist()
    assert near == pytest.approx(sorted(np.abs(values), reverse=True)[:6], rel=1e-4)
    largest = np.argmax(np.abs(placed.vectors), axis=0)
    assert placed.vectors[largest, np.arange(6)].min() > 0


def test_few_shared_terms_do_not_link() -> None:
    links = jaccard([set(range(10)), {0, *range(20, 29)}, {0, 1, *range(30, 38)}], least=0.1)
    assert links.toarray().round(3).tolist() == [[1, 0, 0.111], [0, 1, 0], [0.111, 0, 1]]


def test_too_few_genes_with_terms_are_refused() -> None:
    with pytest.raises(DataError, match="2 genes have terms"):
        term_vectors({"A": {"x"}, "B": {"x"}, "C": set()})
