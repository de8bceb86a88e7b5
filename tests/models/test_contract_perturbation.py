"""What holds for every model that predicts perturbations, and for every one that screens deletions."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.errors import UnsupportedTaskError
from scviz.foundation.perturbing import KnownGenes, PerturbationInputs
from scviz.models import MODELS, cards
from scviz.progress import silent
from tests.models.cells import planted_cells
from tests.models.every_model import built, every_model
from tests.predictors.screens import planted_screen

GENES = tuple(f"GENE{i}" for i in range(0, 60, 2))
TERMS = {gene: frozenset({f"term {i % 4}", "all"}) for i, gene in enumerate(GENES[:20])}
ASKED = [("GENE12",), ("GENE12", "GENE50"), ("NEW",), ("GENE0", "NEW")]
PREDICTING = [name for name in MODELS if cards()[name].perturbation]


@every_model
def test_a_model_predicts_perturbations_if_its_card_says_so(name: str) -> None:
    if cards()[name].perturbation is None:
        with pytest.raises(UnsupportedTaskError, match="has no predictor of perturbations"):
            built(name).perturbation_predictor(PerturbationInputs())
    else:
        assert built(name).perturbation_predictor(PerturbationInputs()).settings.epochs > 1


@pytest.mark.parametrize("terms", [None, TERMS], ids=["without terms", "with terms"])
@pytest.mark.parametrize("name", PREDICTING)
def test_what_the_card_refuses_the_predictor_refuses(name: str, terms: dict | None) -> None:
    card = cards()[name].perturbation
    also = {gene for one in ASKED for gene in one}
    inputs = PerturbationInputs(terms=terms, also=also, epochs=1, batch_size=8, seed=3)
    train = planted_screen([("GENE0",), ("GENE2",)], n_cells=6, n_controls=9, genes=GENES)
    predictor = built(name).perturbation_predictor(inputs)
    assert (predictor.settings.epochs, predictor.settings.batch_size, predictor.settings.seed) == (1, 8, 3)
    predictor.fit(train, None)
    known = KnownGenes(measured=GENES, with_terms=terms)
    told = [bool(card.reason_against(one, known)) for one in ASKED]
    assert [bool(predictor.reason_against(one)) for one in ASKED] == told
    predicted = predictor.predict(ASKED)
    assert np.isnan(predicted).all(axis=1).tolist() == told
    assert np.isnan(predicted).any(axis=1).tolist() == told
    if card.uses_terms and terms is None:
        assert not any(told)
    else:
        assert told[2:] == [True, True]


def test_methods_of_models_have_names_of_their_own() -> None:
    keys = [cards()[name].perturbation.key for name in PREDICTING]
    assert len(set(keys)) == len(keys) > 1


@every_model
def test_a_model_screens_deletions_if_its_card_says_so(name: str) -> None:
    model, adata = built(name), planted_cells()[:6].copy()
    adata.X = adata.X.toarray() * (np.arange(adata.n_vars) != 5)
    tokens = model.tokenize(adata)
    if not model.card.screens_deletions:
        with pytest.raises(UnsupportedTaskError, match="has no screen of deletions"):
            model.screen_deletions(adata, tokens, report=silent)
        return
    found = model.screen_deletions(adata, tokens)
    assert found.values.shape == found.n_cells.shape == (adata.n_vars,)
    assert found.n_cells[5] == 0
    assert np.isnan(found.values).tolist() == (found.n_cells == 0).tolist()
    assert 0 < found.n_cells.max() <= 6
    goal = model.embed(planted_cells()[6:9].copy()).mean(axis=0)
    shifted = model.screen_deletions(adata, tokens, goal=goal)
    assert not np.allclose(shifted.values, found.values, equal_nan=True)
