"""GEARS learns a planted screen, goes on after a stop, and says what it cannot predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scviz.datasets.screen import Perturbation
from scviz.errors import DataError, JobCancelledError, RequestError
from scviz.predictors.gears.batches import most_changed
from scviz.predictors.gears.predictor import Gears
from scviz.predictors.gears.settings import GearsSettings
from scviz.progress import Progress
from tests.predictors.screens import N_GENES, TERMS, planted_screen

SINGLES: list[Perturbation] = [(f"G{i}",) for i in range(10)]
TRAIN = planted_screen([*SINGLES, ("G0", "G1")])
VALIDATION = planted_screen([("G10",), ("G11",)], n_controls=0, seed=1)
ASKED: list[Perturbation] = [("G12",), ("G13",), ("G14",), ("G15",)]
FAST = GearsSettings(hidden=16, epochs=12, learning_rate=3e-3, decay=0.9)
SHORT = GearsSettings(hidden=16, epochs=3)


def fitted(settings: GearsSettings, *, state: Path | None = None, **options: object) -> Gears:
    gears = Gears(settings, **{"terms": TERMS, **options})
    gears.fit(TRAIN, VALIDATION, state=state)
    return gears


def test_genes_never_perturbed_are_predicted_from_genes_with_the_same_terms() -> None:
    truth = planted_screen(ASKED, seed=2).means(ASKED)
    error = ((fitted(FAST).predict(ASKED) - truth) ** 2).mean()
    nothing_changes = ((TRAIN.control - truth) ** 2).mean()
    mean_of_others = ((TRAIN.means(TRAIN.perturbed).mean(axis=0) - truth) ** 2).mean()
    assert error < 0.5 * mean_of_others
    assert error < 0.5 * nothing_changes


def test_the_epoch_that_predicts_validation_best_is_kept() -> None:
    gears = fitted(FAST)
    history = gears.history.validation_loss
    assert len(history) == FAST.epochs
    assert gears.history.best_epoch == int(np.argmin(history))
    genes = [
        most_changed(VALIDATION.expression[VALIDATION.rows(one)], TRAIN.expression[TRAIN.rows(())])
        for one in VALIDATION.perturbed
    ]
    errors = (gears.predict(VALIDATION.perturbed) - VALIDATION.means(VALIDATION.perturbed)) ** 2
    assert np.take_along_axis(errors, np.stack(genes), axis=1).mean() == pytest.approx(min(history), rel=1e-5)


def test_the_same_seed_gives_the_same_prediction_and_another_seed_another() -> None:
    first, again = fitted(SHORT).predict(ASKED), fitted(SHORT).predict(ASKED)
    assert np.array_equal(first, again)
    other = fitted(GearsSettings(hidden=16, epochs=3, seed=1)).predict(ASKED)
    assert np.abs(first - other).max() > 1e-3


def test_what_is_stopped_and_goes_on_ends_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    seen = 0

    def stop(progress: Progress) -> None:
        nonlocal seen
        seen += "validation_loss" in progress.values
        if seen == 2:
            raise JobCancelledError("Stopped.")

    stopped = Gears(SHORT, terms=TERMS)
    with pytest.raises(JobCancelledError):
        stopped.fit(TRAIN, VALIDATION, report=stop, state=tmp_path)
    resumed = fitted(SHORT, state=tmp_path)
    whole = fitted(SHORT)
    assert resumed.history == whole.history
    assert np.array_equal(resumed.predict(ASKED), whole.predict(ASKED))


@pytest.mark.parametrize("published", [False, True])
def test_the_place_in_a_batch_matters_only_in_the_published_way(*, published: bool) -> None:
    network = fitted(GearsSettings(hidden=16, epochs=1, published=published), terms=None).network
    cell, genes = torch.rand(1, N_GENES), torch.tensor([[3], [5], [3]])
    with torch.no_grad():
        found = network(cell.expand(3, -1), genes).expression
    assert torch.equal(found[0], found[2]) is not published


def test_all_cells_change_by_what_one_of_them_does() -> None:
    gears = fitted(SHORT)
    cells = torch.rand(5, N_GENES)
    genes = torch.tensor([[gears.numbers["G3"]]]).expand(5, -1)
    with torch.no_grad():
        changes = gears.network(cells, genes).expression - cells
    torch.testing.assert_close(changes, changes[:1].expand(5, -1), atol=1e-6, rtol=0)


def test_the_order_of_genes_in_a_pair_does_not_matter() -> None:
    pairs = fitted(SHORT).predict([("G0", "G2"), ("G2", "G0")])
    np.testing.assert_allclose(pairs[0], pairs[1], atol=1e-6)


def test_a_perturbation_counts_in_a_batch_as_often_as_it_has_cells() -> None:
    torch.manual_seed(0)
    network = fitted(SHORT).network.train()
    cells, genes = torch.rand(4, N_GENES), torch.tensor([[1], [1], [1], [2]])
    often = network(cells, genes).expression[[0, 3]]
    once = network(cells[[0, 3]], genes[[0, 3]]).expression
    assert (often - once).abs().max() > 1e-3


def test_a_gene_without_terms_is_named_and_not_predicted() -> None:
    gears = fitted(SHORT)
    assert gears.reason_against(("G3", "G39")) == "G39 without terms"
    assert gears.reason_against(("G3", "G5")) == gears.reason_against(()) == ""
    found = gears.predict([("G39",), ("G3",)])
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_without_gene_sets_expression_joins_the_genes_and_a_strange_gene_has_a_reason() -> None:
    gears = fitted(SHORT, terms=None)
    assert gears.reason_against(("G39",)) == ""
    assert gears.reason_against(("NEW",)).startswith("NEW neither measured")
    assert "No gene sets were given" in gears.notes[1]


def test_a_gene_that_is_not_measured_can_be_asked_for_when_it_has_terms() -> None:
    terms = {**TERMS, "NEW": TERMS["G2"]}
    assert "neither measured nor perturbed" in fitted(SHORT, terms=terms).reason_against(("NEW",))
    gears = fitted(SHORT, terms=terms, also=["NEW"])
    assert np.isfinite(gears.predict([("NEW",)])).all()


def test_notes_count_arrows_between_genes_and_what_was_left_out() -> None:
    without = {gene: found for gene, found in TERMS.items() if gene != "G4"}
    notes = fitted(SHORT, terms=without).notes
    assert notes[0].endswith("arrows between 40 genes, at a correlation above 0.4.")
    assert notes[1] == f"Genes that share terms: {3 * 7 * 6 + 8 * 7} arrows between 29 genes."
    assert notes[2] == "1 perturbations of genes without terms were not learned from."


def test_uncertainty_is_given_where_it_was_asked_for() -> None:
    assert np.isnan(fitted(SHORT).log_variance([("G3",)])).all()
    found = fitted(GearsSettings(hidden=16, epochs=1, uncertainty=True)).log_variance([("G3",), ("G39",)])
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_it_learns_without_validation_and_from_fewer_cells_than_a_batch() -> None:
    gears = Gears(SHORT, terms=TERMS)
    gears.fit(planted_screen([("G0",)], n_cells=4, n_controls=6), None)
    assert np.isfinite(gears.predict([("G0",), ()])).all()


def test_the_most_changed_genes_come_first() -> None:
    controls = planted_screen([], n_controls=30).expression
    changed = controls.toarray()[:20]
    changed[:, 7] += 9
    changed[:, 3] += 5
    assert most_changed(type(controls)(changed), controls, 2).tolist() == [7, 3]


def test_without_control_cells_it_refuses() -> None:
    with pytest.raises(DataError, match="no control cells"):
        Gears(SHORT).fit(planted_screen([("G0",)], n_controls=0), None)


def test_terms_of_other_genes_are_refused() -> None:
    with pytest.raises(DataError, match="None of the genes has a term") as refused:
        fitted(SHORT, terms={"Trp53": frozenset({"apoptosis"})})
    assert "same species" in refused.value.hint


@pytest.mark.parametrize(("name", "value"), [("batch_size", 1), ("hidden", 0), ("epochs", 0)])
def test_settings_that_cannot_work_are_refused(name: str, value: int) -> None:
    with pytest.raises(RequestError, match=str(value)):
        GearsSettings(**{name: value})
