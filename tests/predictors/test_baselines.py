"""The simple methods, each computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from scviz.datasets.screen import Screen
from scviz.errors import RequestError
from scviz.foundation.predictor import PerturbationPredictor
from scviz.predictors.additive import Additive, MatchingMean
from scviz.predictors.no_change import NoChange
from scviz.predictors.train_mean import TrainMean, perturbed_cell_mean

SCREEN = Screen(
    expression=sp.csr_matrix(
        np.array([[1, 1], [3, 1], [2, 2], [2, 4], [2, 6], [6, 1], [9, 9]], dtype=np.float32)
    ),
    genes=("A", "B"),
    perturbations=((), ("A",), ("A", "B"), ("B",)),
    codes=np.array([0, 0, 1, 1, 1, 3, 2]),
)
"""Control (2, 1); A alone (2, 4) in three cells; B alone (6, 1) in one; both (9, 9)."""
ASKED = [(), ("A",), ("A", "B"), ("A", "C")]


def predicted(predictor: PerturbationPredictor) -> list[list[float]]:
    predictor.fit(SCREEN, None)
    return predictor.predict(ASKED).tolist()


def test_no_change_is_control_whatever_is_asked() -> None:
    assert predicted(NoChange()) == [[2, 1]] * 4


def test_every_perturbation_counts_the_same_in_the_mean_of_perturbations() -> None:
    assert predicted(TrainMean()) == [[2, 1]] + [[17 / 3, 14 / 3]] * 3


def test_every_cell_counts_the_same_in_the_mean_of_perturbed_cells() -> None:
    assert perturbed_cell_mean(SCREEN).tolist() == [21 / 5, 22 / 5]


def test_changes_of_single_genes_add_up() -> None:
    values = predicted(Additive())
    assert values[:3] == [[2, 1], [2, 4], [6, 4]]
    assert np.isnan(values[3]).all()


def test_the_matching_mean_takes_the_mean_of_cells_for_a_gene_never_seen_alone() -> None:
    values = np.array(predicted(MatchingMean()))
    np.testing.assert_allclose(values, [[2, 1], [2, 4], [4, 2.5], [3.1, 4.2]])


def test_a_gene_never_seen_alone_is_named() -> None:
    additive = Additive()
    additive.fit(SCREEN, None)
    assert additive.reason_against(("A", "B")) == ""
    assert additive.reason_against(("A", "C")) == "C not seen alone"


@pytest.mark.parametrize("kind", [NoChange, TrainMean, MatchingMean])
def test_others_predict_everything(kind: type[PerturbationPredictor]) -> None:
    predictor = kind()
    predictor.fit(SCREEN, None)
    assert predictor.reason_against(("C",)) == ""
    assert np.isfinite(predictor.predict([("C",)])).all()


@pytest.mark.parametrize("kind", [NoChange, TrainMean, Additive, MatchingMean])
def test_no_question_gives_no_rows(kind: type[PerturbationPredictor]) -> None:
    predictor = kind()
    predictor.fit(SCREEN, None)
    assert predictor.predict([]).shape == (0, 2)


def test_a_screen_without_perturbed_cells_is_refused() -> None:
    with pytest.raises(RequestError, match="no perturbed cells"):
        TrainMean().fit(SCREEN.only([()]), None)
    with pytest.raises(RequestError, match="no control cells"):
        TrainMean().fit(SCREEN.only([("A",)]), None)
