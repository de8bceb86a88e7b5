"""The linear model; its numbers are compared with another derivation among the goldens."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from scviz.predictors.linear import Linear, bilinear_ridge, principal_scores
from scviz.predictors.train_mean import TrainMean
from scviz.predictors.vectors import GeneVectors
from tests.predictors.made import GENES, VECTORS, gene_vectors, screen, singles, truth

TRAIN = screen([*singles(0, 30), ("G0", "G1")])
UNSEEN = singles(30, 40)


def error(model, asked=UNSEEN) -> float:
    model.fit(TRAIN, None)
    return float(np.mean((model.predict(asked) - np.array([truth(one) for one in asked])) ** 2))


def test_vectors_that_decide_what_a_gene_does_beat_the_mean() -> None:
    known = Linear(perturbation_vectors=gene_vectors(), gene_ridge=1e-6, perturbation_ridge=1e-6)
    assert error(known) < 0.01 * error(TrainMean())


def test_a_pair_is_the_sum_of_its_vectors() -> None:
    pairs = [("G30", "G31"), ("G32", "G39")]
    known = Linear(perturbation_vectors=gene_vectors(), gene_ridge=1e-6, perturbation_ridge=1e-6)
    assert error(known, pairs) < 0.01 * error(TrainMean(), pairs)


def test_the_article_predicts_no_pairs() -> None:
    model = Linear(pairs=False)
    model.fit(TRAIN, None)
    assert np.isnan(model.predict([("G2", "G3")])).all()
    assert "G2+G3 has no vector of its own" in model.reason_against(("G2", "G3"))


def test_genes_perturbed_together_do_not_change_what_is_learned() -> None:
    model, other = Linear(gene_vectors(), gene_vectors()), Linear(gene_vectors(), gene_vectors())
    model.fit(TRAIN, None)
    other.fit(TRAIN.only([(), *singles(0, 30)]), None)
    np.testing.assert_allclose(model.predict(UNSEEN), other.predict(UNSEEN), atol=1e-10)


def test_the_self_trained_model_needs_the_target_among_the_measured_genes() -> None:
    model = Linear()
    model.fit(TRAIN, None)
    assert model.reason_against(("G35",)) == ""
    assert "FOXP3 not measured" in model.reason_against(("FOXP3",))
    assert np.isnan(model.predict([("FOXP3",)])).all()


def test_a_source_without_the_gene_says_so() -> None:
    model = Linear(perturbation_vectors=gene_vectors(35))
    model.fit(TRAIN, None)
    assert "G36 not in the model's vocabulary" in model.reason_against(("G36",))
    assert np.isnan(model.predict([("G36",), ("G1", "G36")])).all()


def test_a_gene_without_vector_changes_as_it_does_on_average() -> None:
    model = Linear(gene_vectors(20))
    model.fit(TRAIN, None)
    predicted = model.predict(singles(0, 3))
    np.testing.assert_allclose(predicted[:, 20:], np.tile(model.center + TRAIN.control, (3, 1))[:, 20:])
    assert np.ptp(predicted[:, :20], axis=0).min() > 0


def test_turned_vectors_predict_the_same() -> None:
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    turned = dataclasses.replace(gene_vectors(), vectors=VECTORS @ turn)
    as_they_are = GeneVectors(genes=GENES, vectors=VECTORS, source="as they are")
    values = []
    for vectors in (as_they_are, turned):
        model = Linear(vectors, vectors)
        model.fit(TRAIN, None)
        values.append(model.predict(UNSEEN))
    np.testing.assert_allclose(*values, atol=1e-9)


def test_without_ridge_the_middle_matrix_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(0)
    genes, w, perturbations = (rng.normal(size=shape) for shape in ((9, 3), (3, 2), (2, 6)))
    found = bilinear_ridge(genes @ w @ perturbations, genes, perturbations, ridges=(0.0, 0.0))
    np.testing.assert_allclose(found, w, atol=1e-10)


def test_principal_scores_by_hand() -> None:
    scores = principal_scores(np.array([[3.0, 30.0], [1.0, 10.0]]), 1)
    assert abs(scores).ravel().tolist() == pytest.approx([np.sqrt(101)] * 2)
    assert scores[0, 0] == pytest.approx(-scores[1, 0])
