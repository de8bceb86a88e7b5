"""Ten cells tell right weights from random ones, and from weights with another list of genes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scviz.datasets.demo import demo_cells
from scviz.foundation.model import FoundationModel
from scviz.foundation.vocab import GeneVocab
from scviz.models import MODELS, model_class
from scviz.progress import Progress, silent
from scviz.settings import ROOT
from scviz.tasks.context import Context
from scviz.tasks.importing import Request as Import
from scviz.tasks.importing.run import run as take_in
from scviz.tasks.self_test import Request
from scviz.tasks.self_test.run import run
from scviz.tasks.tested import N_CELLS
from scviz.tasks.testing import self_test
from scviz.workspace import Workspace


def shipped(model: str) -> Path:
    """Return the folder of the weights that come with the project."""
    return next((ROOT / "assets" / "checkpoints").glob(f"{model}-*"))


def read(model: str) -> FoundationModel:
    return model_class(model).from_checkpoint(shipped(model))


def relabeled(vocab: GeneVocab) -> GeneVocab:
    """Give each gene the place of the next one, as a list in another order would."""
    return replace(vocab, genes=(*vocab.genes[1:], vocab.genes[0]))


def test_counts_of_the_demo_are_whole_and_its_totals_those_of_the_file() -> None:
    adata = demo_cells(N_CELLS)
    counts = adata.X.toarray()
    assert adata.shape == (N_CELLS, 765)
    assert (counts == np.rint(counts)).all()
    assert (counts > 0).sum(axis=1).min() > 50
    assert len({tuple(row) for row in counts}) == N_CELLS


@pytest.mark.parametrize("model", MODELS)
def test_weights_that_come_along_pass(model: str, workspace: Workspace) -> None:
    heard: list[Progress] = []
    context = Context(workspace=workspace, report=heard.append, folder=workspace.run_folder("one"))
    result = run(Request(checkpoint=f"{model}/{shipped(model).name}"), context)
    assert result.outcome == "passed", result.sentence
    assert result.own < min(result.random, result.shuffled)
    assert "lower is better" in result.sentence
    assert heard[-1].stage == "Testing the weights on ten cells"


@pytest.mark.parametrize("model", MODELS)
def test_weights_with_another_list_of_genes_do_not(model: str, tmp_path: Path) -> None:
    right = read(model)
    wrong = type(right)(right.config, relabeled(right.vocab)).eval()
    wrong.load_state_dict(right.state_dict())
    wrong.load_report = right.load_report
    result = self_test(wrong, silent)
    assert result.outcome == "not passed", result.sentence
    assert "another list of genes" in result.sentence or "no better than random" in result.sentence


@pytest.mark.parametrize("model", MODELS)
def test_random_weights_do_not(model: str) -> None:
    right = read(model)
    random = right.newly_initialized(7)
    random.load_report = right.load_report
    result = self_test(random, silent)
    assert result.outcome == "not passed", result.sentence


def test_weights_that_know_few_of_its_genes_or_lack_tensors_cannot_be_told() -> None:
    model = read("geneformer")
    kept = model.vocab.genes
    model.load_report = replace(model.load_report, missing=("cls.predictions.bias",))
    assert "1 tensor of pre-training, such as cls.predictions.bias" in self_test(model, silent).sentence
    model.vocab = replace(model.vocab, genes=tuple(f"ENSG9{i:010d}" for i in range(len(kept))), aliases={})
    result = self_test(model, silent)
    assert (result.outcome, result.n_genes) == ("unknown", 0)
    assert "know 0 genes of the 765" in result.sentence


def test_what_it_says_is_kept_with_imported_weights(workspace: Workspace) -> None:
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    taken = take_in(Import(model="scgpt", folder=str(shipped("scgpt")), name="mine"), context)
    assert taken.passed is True
    assert workspace.checkpoint(taken.checkpoint).self_test == taken.self_test
    assert taken.self_test.startswith("The self-test is passed")
