"""The quick screen of deletions beside exact ones."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.errors import JobCancelledError, RequestError
from scviz.foundation.tokens import Tokens
from scviz.models.geneformer.edits import Perturbation
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.screen import Linearized, Reading, moved_scores, screen
from scviz.progress import Progress
from scviz.settings import ROOT
from tests.goldens.geneformer_effects import Readout, perturb
from tests.models.test_geneformer_in_silico import model_of, states, tokens_of

STYLES = pytest.mark.parametrize("style", ["v1", "v2"])


@STYLES
def test_the_exact_change_at_a_point_is_that_of_deleting_its_gene(style: str) -> None:
    model, tokens = model_of(style), tokens_of(style)
    sentence = tokens.gene_ids[0][tokens.mask[0]]
    cell = Linearized(model.network, sentence, model.reading, n_points=4)
    exact = next(
        e for e in perturb(model, tokens, Perturbation(kind="delete"), rows=np.array([0])) if e.cell == 0
    )
    after = cell.deleted_at_points()
    cosines = (after @ cell.embedding) / after.norm(dim=1) / cell.embedding.norm()
    places = (cell.points - cell.genes.start).long().numpy()
    np.testing.assert_allclose(1 - cosines.numpy(), exact.moved[places], atol=1e-5)


@STYLES
def test_small_changes_are_foretold(style: str) -> None:
    """With weak weights everything is nearly linear, so that the first order says nearly all."""
    model, tokens = weakened(style), tokens_of(style)
    towards = states(style)
    exact = {e.cell: e for e in perturb(model, tokens, Perturbation(kind="delete"), Readout(states=towards))}
    found = {s.cell: s for s in screen(model.network, tokens, model.reading, **towards, n_points=5)}
    assert set(found) == set(exact)
    for row in (0, 1, 2, 7):
        assert found[row].genes.tolist() == [gene for (gene,) in exact[row].genes]
        shift = exact[row].shifts["goal"] - exact[row].shifts["start"]
        assert np.corrcoef(shift, found[row].values)[0, 1] > 0.9
    cell = Linearized(model.network, tokens.gene_ids[0][tokens.mask[0]], model.reading, n_points=14)
    moved = moved_scores(cell, share=1.0, most=10_000)
    assert np.corrcoef(exact[0].moved, moved)[0, 1] > 0.9


def weakened(style: str) -> Geneformer:
    """A copy of the model whose layers and ranks change little."""
    model = Geneformer(model_of(style).config, model_of(style).vocab)
    model.load_state_dict(model_of(style).state_dict())
    model.network.lm.bert.embeddings.position_embeddings.weight.data *= 0.1
    for layer in model.network.lm.bert.encoder.layer:
        for part in (layer.attention.output.dense, layer.output.dense):
            part.weight.data *= 0.1
    return model.eval()


@STYLES
def test_more_points_come_nearer(style: str) -> None:
    model, tokens, towards = model_of(style), tokens_of(style), states(style)
    exact = next(
        iter(perturb(model, tokens, Perturbation(kind="delete"), Readout(states=towards), rows=np.array([2])))
    )
    shift = exact.shifts["goal"] - exact.shifts["start"]
    errors = []
    for n_points in (1, 14):
        found = next(
            s
            for s in screen(model.network, tokens, model.reading, **towards, n_points=n_points)
            if s.cell == 2
        )
        errors.append(float(np.abs(found.values - shift).mean()))
    assert errors[1] < errors[0]


def blood_cell(rng: np.random.Generator, n_genes: int) -> tuple[Geneformer, Tokens]:
    """Give the blood model, and a cell of random genes."""
    model = Geneformer.from_checkpoint(ROOT / "assets" / "checkpoints" / "geneformer-blood")
    ids = rng.permutation(model.vocab.ids)[None, :n_genes]
    return model, Tokens(gene_ids=ids, values=None, mask=np.ones_like(ids, dtype=bool))


def test_without_a_goal_the_blood_model_needs_many_directions_and_gets_them() -> None:
    """Its genes move a cell in as many directions: with all of them the ranking is right, with four it is not."""
    model, tokens = blood_cell(np.random.default_rng(0), 90)
    exact = next(perturb(model, tokens, Perturbation(kind="delete"))).moved
    cell = Linearized(model.network, tokens.gene_ids[0], model.reading, n_points=3)
    strongest = set(np.argsort(-exact)[:15].tolist())
    few, many = (
        len(strongest & set(np.argsort(-moved_scores(cell, share=1.0, most=most))[:15].tolist()))
        for most in (4, 64)
    )
    assert few < many
    assert many >= 12  # by chance 2


def test_the_blood_model_ranks_most_genes_right_where_there_is_a_goal() -> None:
    rng = np.random.default_rng(0)
    model, tokens = blood_cell(rng, 60)
    goal = {"goal": rng.normal(size=model.config.width)}
    exact = next(perturb(model, tokens, Perturbation(kind="delete"), Readout(states=goal)))
    found = next(screen(model.network, tokens, model.reading, **goal, n_points=12))
    shift = exact.shifts["goal"]
    assert np.corrcoef(shift, found.values)[0, 1] > 0.9
    top = set(np.argsort(-shift)[:15].tolist())
    assert len(top & set(np.argsort(-found.values)[:15].tolist())) >= 12  # by chance 4


@STYLES
def test_a_cell_of_one_gene_can_be_screened(style: str) -> None:
    model, tokens = model_of(style), tokens_of(style).take(np.array([5]))
    (found,) = screen(model.network, tokens, model.reading, goal=states(style)["goal"])
    assert found.genes.shape == found.values.shape == (1,)


def test_a_screen_can_be_stopped_between_cells() -> None:
    def stop(progress: Progress) -> None:
        raise JobCancelledError("stopped")

    model = model_of("v1")
    with pytest.raises(JobCancelledError):
        next(screen(model.network, tokens_of("v1"), model.reading, report=stop))


def test_cls_is_refused_where_there_is_none() -> None:
    with pytest.raises(RequestError, match="no <cls> token"):
        Reading(special_tokens=False, depth=1, mode="cls")


def test_what_moves_a_cell_is_never_negative() -> None:
    model = model_of("v1")
    cell = Linearized(model.network, tokens_of("v1").gene_ids[0], model.reading)
    assert (moved_scores(cell) >= 0).all()
