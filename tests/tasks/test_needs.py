"""A run that could do nothing is refused before anything is read, in a sentence with the fix."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from anndata import AnnData, read_h5ad

from scviz.cli.fields import add_fields
from scviz.datasets.choices import Opening
from scviz.datasets.readers import open_file
from scviz.errors import DataError, GeneMatchError, RequestError
from scviz.jobs.worker import execute
from scviz.models import model_class
from scviz.progress import silent
from scviz.tasks import TASKS, embedding, front
from scviz.tasks.fields import Needs
from scviz.tasks.needs import needs_of, refuse_empty, refuse_idle, refuse_unseen
from scviz.tasks.perturbation.methods import Method
from scviz.workspace.records import to_json
from tests.conftest import Opened, keep_model
from tests.tasks.test_fields import GIVEN


def fields_of(task: str) -> set[str]:
    return {one.name for one in dataclasses.fields(front(task).Request)}


FOR_ALL = {"qc", "filtering", "mending", "exporting"}
"""Looking at quality, steps and copies of the file make sense with a single cell or gene."""
OF_CELLS = [task for task in TASKS if "dataset" in fields_of(task) and task not in FOR_ALL]
BY_MODEL = [task for task in OF_CELLS if {"checkpoint", "checkpoints", "methods"} & fields_of(task)]
READING = {"modules": {"source": "static"}, "scenic": {"method": "similarity"}}
"""What makes a request one that reads a model."""
USUAL = {"annotation": {"label_key": "cell_type"}, "transfer": {"label_key": "cell_type"}}
"""What fits these cells."""
LISTS = {"in_silico": "genes", "enrichment": "genes", "attention_network": "regulators"}


def labeled(opened: Opened) -> str:
    """Other cells with the same labels and genes."""
    path = opened.workspace.home / "labeled.h5ad"
    if not path.exists():
        read_h5ad(next(opened.workspace.home.glob("datasets/cells-*/source.h5ad")))[:59].copy().write_h5ad(
            path
        )
    return open_file(path, opened.workspace, name="labeled").id


def asked(task: str, opened: Opened, **more: Any) -> Any:
    """A request of any task about these cells and this model."""
    models = {
        "checkpoint": opened.checkpoint,
        "checkpoints": (opened.checkpoint,),
        "methods": (Method(name="neighbors", checkpoint=opened.checkpoint),),
    }
    values = (
        GIVEN[task]
        | READING.get(task, {})
        | USUAL.get(task, {})
        | ({"reference": labeled(opened)} if task == "transfer" else {})
        | {"dataset": opened.dataset}
        | ({LISTS[task]: ("GENE1", "GENE2")} if task in LISTS else {})
    )
    return front(task).Request(
        **values | {name: value for name, value in models.items() if name in fields_of(task)} | more
    )


def cut(opened: Opened, adata: AnnData) -> Opened:
    """Other cells and genes in the same workspace."""
    path = opened.workspace.home / "cut.h5ad"
    adata.write_h5ad(path)
    return dataclasses.replace(opened, dataset=open_file(path, opened.workspace, name="few").id)


@pytest.mark.parametrize("task", OF_CELLS)
def test_every_task_that_reads_cells_takes_those_of_a_usual_dataset(task: str, opened: Opened) -> None:
    request = asked(task, opened)
    assert needs_of(task, request) != Needs()
    refuse_idle(task, request, opened.workspace)


@pytest.mark.parametrize("task", OF_CELLS)
def test_one_cell_and_one_gene_are_refused_with_the_number_and_the_fix(
    task: str, opened: Opened, adata: AnnData
) -> None:
    one_gene = cut(opened, adata[:, :1].copy())
    with pytest.raises(DataError, match="few has 1 gene, too few for this run") as refusal:
        refuse_idle(task, asked(task, one_gene), opened.workspace)
    assert refusal.value.hint == "Open a dataset with more genes."
    if task != "enrichment":  # genes of one cell can be asked about
        one_cell = cut(opened, adata[:1].copy())
        with pytest.raises(DataError, match="few has 1 cell, too few for this run"):
            refuse_idle(task, asked(task, one_cell), opened.workspace)


def test_a_single_cell_can_be_named_by_a_trained_model(opened: Opened, adata: AnnData) -> None:
    one_cell = cut(opened, adata[:1].copy())
    trained = asked("annotation", one_cell, mode="predict")
    with pytest.raises(RequestError, match="Tiny knows no cell types"):
        refuse_idle("annotation", trained, opened.workspace)
    record = opened.workspace.checkpoint_folder(opened.checkpoint) / "scviz.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"types": ["B cell", "T cell"]}))
    refuse_idle("annotation", trained, opened.workspace)


def known(opened: Opened, adata: AnnData, n_known: int) -> Opened:
    """The same cells, of whose genes the model knows some."""
    names = [name if i < n_known else f"OTHER{i}" for i, name in enumerate(adata.var_names)]
    other = AnnData(adata.X, obs=adata.obs)
    other.var_names = names
    other.var["ensembl_id"] = [id_ if i < n_known else "" for i, id_ in enumerate(adata.var["ensembl_id"])]
    return cut(opened, other)


@pytest.mark.parametrize("task", BY_MODEL)
def test_a_model_that_knows_few_genes_is_read_only_where_that_is_said(
    task: str, opened: Opened, adata: AnnData
) -> None:
    few = known(opened, adata, 99)
    with pytest.raises(
        RequestError, match=r"Tiny knows only 9\d of the 200 genes of few, fewer than half"
    ) as refusal:
        refuse_idle(task, asked(task, few), opened.workspace)
    assert "--few-genes" in refusal.value.hint
    refuse_idle(task, asked(task, few, few_genes=True), opened.workspace)
    refuse_idle(task, asked(task, known(opened, adata, 110)), opened.workspace)


@pytest.mark.parametrize(
    ("n_known", "words"), [(0, "knows none of the 200 genes"), (1, "knows only 1 of the 200")]
)
def test_a_model_that_knows_no_gene_is_not_read_whoever_says_so(
    n_known: int, words: str, opened: Opened, adata: AnnData
) -> None:
    few = known(opened, adata, n_known)
    with pytest.raises(GeneMatchError, match=words) as refusal:
        refuse_idle("embedding", asked("embedding", few, few_genes=True), opened.workspace)
    assert f"such as OTHER{n_known}, OTHER{n_known + 1}" in str(refusal.value)
    assert "Choose another model" in refusal.value.hint


@pytest.mark.parametrize(("task", "field"), LISTS.items())
def test_a_list_of_strangers_is_refused_and_one_known_gene_is_enough(
    task: str, field: str, opened: Opened
) -> None:
    strangers = asked(task, opened, **{field: ("NOBODY1", "NOBODY2")})
    with pytest.raises(
        GeneMatchError, match="cells has none of the 2 genes that are asked for, such as NOBODY1"
    ) as (refusal):
        refuse_idle(task, strangers, opened.workspace)
    assert "its genes are called GENE1, GENE2, GENE3" in str(refusal.value)
    for name in ("GENE1", "gene1", "ENSG90000000001"):
        refuse_idle(task, asked(task, opened, **{field: ("NOBODY1", name)}), opened.workspace)


def test_a_worker_refuses_before_it_reads(opened: Opened, adata: AnnData) -> None:
    few = known(opened, adata, 1)
    folder = opened.workspace.run_folder("idle")
    folder.mkdir(parents=True)
    request = {"task": "embedding", "request": to_json(asked("embedding", few))}
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    (opened.workspace.dataset_folder(few.dataset) / "counts.h5ad").unlink()  # it is not looked for
    ending = execute("idle", opened.workspace, silent)
    assert ending["state"] == "failed"
    assert "knows only 1 of the 200 genes" in ending["message"]
    assert "Choose another model" in ending["hint"]
    assert [path.name for path in folder.iterdir()] == ["request.json"]


def result(vectors: np.ndarray) -> embedding.Result:
    empty = np.zeros((4, 2), dtype=np.float32)
    return embedding.Result(
        embedding=vectors,
        umap=empty,
        neighbors=np.zeros((4, 1), dtype=np.int32),
        pca=empty,
        baseline_umap=empty,
        baseline_neighbors=np.zeros((4, 1), dtype=np.int32),
        n_unseen=4,
        n_genes_seen=0,
        seconds=0.0,
    )


def test_an_answer_without_a_number_is_no_answer(opened: Opened) -> None:
    request = asked("embedding", opened)
    for vectors in (np.full((4, 3), np.nan), np.zeros((4, 0))):
        with pytest.raises(DataError, match="found nothing"):
            refuse_empty("embedding", request, result(vectors.astype(np.float32)))
    some = np.full((4, 3), np.nan, dtype=np.float32)
    some[0] = 1
    refuse_empty("embedding", request, result(some))


def test_cells_in_which_a_model_sees_nothing_are_not_read() -> None:
    refuse_unseen(5, 60, 5)
    with pytest.raises(
        GeneMatchError, match="4 of 60 cells express a gene that the model knows; it takes 5 or more"
    ):
        refuse_unseen(4, 60, 5)


@pytest.mark.parametrize("task", BY_MODEL)
def test_a_command_takes_the_word_of_its_user(task: str) -> None:
    parser = argparse.ArgumentParser()
    add_fields(parser, front(task).Request, "few_genes")
    assert parser.parse_args([]).few_genes is False
    assert parser.parse_args(["--few-genes"]).few_genes is True


@pytest.fixture
def relative(opened: Opened, adata: AnnData) -> Opened:
    """The cells as transcripts per million."""
    lengths = np.random.default_rng(0).uniform(0.3, 5, adata.n_vars)
    rates = np.asarray(adata.X.todense()) / lengths
    path = opened.workspace.home / "tpm.h5ad"
    AnnData(rates / rates.sum(axis=1, keepdims=True) * 1e6, adata.obs, adata.var).write_h5ad(path)
    info = open_file(path, opened.workspace, name="rates", choices=Opening(relative=True))
    return dataclasses.replace(opened, dataset=info.id)


def test_what_draws_molecules_refuses_relative_expression(relative: Opened) -> None:
    refuse_idle("modules", asked("modules", relative), relative.workspace)
    with pytest.raises(
        DataError, match=r"This run needs counts of molecules, and rates holds relative expression"
    ):
        refuse_idle("enhancement", asked("enhancement", relative), relative.workspace)
    request = asked("embedding", relative, most_genes=50, flavor="seurat_v3")
    with pytest.raises(DataError, match="Seurat v3 chooses genes by the variance of counts"):
        refuse_idle("embedding", request, relative.workspace)


@pytest.mark.parametrize(
    ("model", "refused"), [("geneformer", ""), ("scgpt", ""), ("scfoundation", "how many molecules")]
)
def test_a_model_that_reads_how_many_molecules_there_are_refuses_relative_expression(
    relative: Opened, adata: AnnData, model: str, refused: str
) -> None:
    opened = keep_model(relative, model_class(model).untrained(adata, "tiny"))
    request = asked("embedding", opened)
    if not refused:
        refuse_idle("embedding", request, opened.workspace)
        return
    with pytest.raises(DataError, match=refused) as refusal:
        refuse_idle("embedding", request, opened.workspace)
    assert "choose a model that reads relative expression" in refusal.value.hint
