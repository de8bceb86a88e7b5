"""The reference that comes with scviz, with the models that come with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scviz.datasets.cell_ontology import coarse
from scviz.datasets.cell_type_terms import terms_for
from scviz.datasets.demo import open_demo
from scviz.datasets.labels import cell_labels
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.transfer import LOGISTIC, Request
from scviz.tasks.transfer.references import find_reference
from scviz.tasks.transfer.run import run
from scviz.workspace import Workspace
from scviz.workspace.records import content_hash

GENEFORMER = "geneformer/geneformer-blood"


def test_its_rules_read_the_very_weights_that_come_with_scviz() -> None:
    workspace = Workspace(Path("nowhere"))
    blood = find_reference(workspace, "blood")
    assert blood is not None
    of_models = [rule for rule in blood.reference.rules if rule.checkpoint]
    assert of_models
    for rule in of_models:
        folder = workspace.checkpoint_folder(rule.checkpoint)
        assert rule.checkpoint_hash == content_hash(folder), "python assets/reference/add_model.py"
        assert rule.name == f"logistic regression on {workspace.checkpoint(rule.checkpoint).name}"
        assert 0.5 < rule.accuracy < 1


@pytest.mark.slow
def test_a_model_names_the_demo_beside_the_genes_and_says_what_it_has_seen(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home")
    demo = open_demo(workspace)
    folder = workspace.run_folder("named")
    folder.mkdir(parents=True)
    request = Request(dataset=demo.id, reference="blood", checkpoints=(GENEFORMER,), few_genes=True)
    result = run(request, Context(workspace=workspace, report=silent, folder=folder))
    of_model = f"logistic regression on {workspace.checkpoint(GENEFORMER).name}"
    assert [one.name for one in result.methods] == [LOGISTIC, of_model]
    assert any("without their types" in note for note in result.notes)
    labels = cell_labels(workspace.dataset_folder(demo.id), "bulk_labels").texts
    kinds = {name: {coarse(one.id) for one in terms_for(name).candidates} for name in np.unique(labels)}
    known = np.array([len(kinds[label]) == 1 for label in labels])
    named = result.names(of_model)
    right = [
        {coarse(one.id) for one in terms_for(name).candidates} == kinds[label]
        for name, label in zip(named[known], labels[known], strict=True)
    ]
    most_common = max(np.unique([str(kinds[label]) for label in labels[known]], return_counts=True)[1])
    assert known.sum() > 500
    assert (
        np.mean(right) > 0.2 + most_common / known.sum()
    )  # of 765 genes; it reaches 0.66, the largest type 0.35
