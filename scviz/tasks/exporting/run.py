"""Turn the result of a run, named groups, or terms of labels into columns and embeddings of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scviz.datasets.cell_ontology import SOURCE
from scviz.datasets.climbing import climb
from scviz.datasets.label_terms import STANDARD, SUFFIX
from scviz.datasets.labels import cell_labels
from scviz.datasets.layers import LAYERS, layer_names
from scviz.datasets.named_cells import group_column
from scviz.datasets.writeback import write_labels
from scviz.errors import RequestError
from scviz.models import cards
from scviz.progress import Progress
from scviz.tasks.cell_groups import members
from scviz.tasks.context import Context, Finished
from scviz.tasks.exporting import GROUPS, Request, Result
from scviz.workspace.names import slug

LABEL = "_label"
"""How columns with names of types end."""
UNKNOWN = "unknown"
"""What the schema of CELLxGENE has for cells without a term."""
MOST_EDITS = 5
"""Of a sweep, the strongest edits are written."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out.

    Raises
    ------
    RequestError
        If the run is of a task that has nothing to say of each cell, or a group has other cells by now.
    """
    if request.column:
        return _write_terms(request, context)
    return _write_groups(request, context) if request.groups else _write_run(request, context)


def _write_terms(request: Request, context: Context) -> Result:
    """Write the terms of the labels of a column."""
    dataset = context.workspace.dataset(request.dataset)
    folder = context.workspace.dataset_folder(request.dataset)
    texts = cell_labels(folder, request.column).texts
    columns = term_columns({f"scviz_{slug(request.column).replace('-', '_')}{LABEL}": texts}, request)
    file_name = f"{slug(dataset.name)}-terms.h5ad"
    context.report(Progress(stage="Writing the file"))
    note = {
        "task": "terms of labels",
        "dataset": dataset.id,
        "column": request.column,
        **_terms_note(request),
    }
    write_labels(folder, context.result / file_name, columns, model_note=note)
    return Result(file_name=file_name, added=(*columns,))


def term_columns(columns: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Give for each column of names, (N,), that of their terms, (N,); the standard one, where that is asked, once."""
    if not request.terms:
        return {}
    term = {one.label: one.term for one in request.terms}
    found = {
        f"{name.removesuffix(LABEL)}_{SUFFIX}": np.array(
            [term.get(str(one), "") for one in names], dtype=object
        )
        for name, names in columns.items()
        if name.endswith(LABEL)
    }
    if request.standard and found:
        first = next(iter(found.values()))
        found[STANDARD] = np.where(first == "", UNKNOWN, first).astype(object)
    return found


def _terms_note(request: Request) -> dict[str, Any]:
    """Say which term each label has, how it was found, and whose terms they are."""
    if not request.terms:
        return {}
    said = [f"{one.label} = {one.term or 'no term'} ({one.how})" for one in request.terms]
    return {"terms": said, "ontology": SOURCE}


def _write_groups(request: Request, context: Context) -> Result:
    """Write named groups as one column."""
    dataset, folder = (
        context.workspace.dataset(request.dataset),
        context.workspace.dataset_folder(request.dataset),
    )
    inside = {
        group.named: np.flatnonzero(members(group, dataset.id, context.workspace).truth.yes)
        for group in request.groups
    }
    file_name = f"{slug(dataset.name)}-groups.h5ad"
    note = {"task": "named groups", "dataset": dataset.id, "groups": [*inside]}
    context.report(Progress(stage="Writing the file"))
    columns = {GROUPS: group_column(inside, dataset.n_cells)}
    write_labels(folder, context.result / file_name, columns, model_note=note)
    return Result(file_name=file_name, added=(GROUPS,))


def _write_run(request: Request, context: Context) -> Result:
    """Write what a run found."""
    run = context.finished(request.run)
    if run.task not in _COLLECT:
        raise RequestError(
            f"A run of {run.task} says nothing of each cell.",
            hint="Choose a map, clusters, cell types, an edit of genes or restored expression.",
        )
    dataset = context.workspace.dataset(run.request.dataset)
    model, of_weights = _weights(run, context)
    columns, embeddings = _COLLECT[run.task](run.result, model)
    columns |= term_columns(columns, request) | _one_names(run.result, model, request)
    note = {"run": request.run, "task": run.task, **of_weights, "dataset": dataset.id, **_terms_note(request)}
    layers = context.workspace.run_folder(request.run) / "result" / LAYERS
    file_name = f"{slug(dataset.name)}-{run.task}.h5ad"
    context.report(Progress(stage="Writing the file"))
    write_labels(
        context.workspace.dataset_folder(dataset.id),
        context.result / file_name,
        columns,
        model_note=note,
        embeddings=embeddings,
        layers=layers if layers.is_file() else None,
    )
    return Result(file_name=file_name, added=(*columns, *embeddings, *layer_names(layers)))


def _weights(run: Finished, context: Context) -> tuple[str, dict[str, Any]]:
    """Name the model of a run and say which weights it had; nothing for runs without a model."""
    identifier = getattr(run.request, "checkpoint", "")
    if not identifier:
        return "", {}
    checkpoint = context.workspace.checkpoint(identifier)
    said = {
        "weights": checkpoint.name,
        "weights_id": checkpoint.id,
        "weights_demo": checkpoint.demo,
        "licence": checkpoint.licence,
    }
    return checkpoint.model, said


def _annotation(result: Any, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name every cell, with the confidence of the name and how clear it is among all types."""
    columns = {
        f"scviz_{model}_label": result.names,
        f"scviz_{model}_confidence": result.all_confidence,
        f"scviz_{model}_certainty": result.all_certainty,
    }
    if result.all_sets is not None:
        columns[f"scviz_{model}_set"] = result.set_names.astype(str)
    return columns, {}


def _one_names(result: Any, model: str, request: Request) -> dict[str, Any]:
    """Give one name of the Cell Ontology for the set of each cell, where it has sets and its types have terms."""
    sets = getattr(result, "all_sets", None)
    if sets is None or not request.terms:
        return {}
    term = {one.label: one.term for one in request.terms}
    found = climb(sets, result.types, [term.get(name, "") for name in result.types])
    return {f"scviz_{model}_set_name": np.where(result.all_predicted < 0, "", found.names).astype(str)}


def _transfer(result: Any, _: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name every cell by the reference, with confidence, Cell Ontology id and distance."""
    return result.columns(), {}


def _embedding(result: Any, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add the embedding and its map."""
    return {}, {cards()[model].embedding_key: result.embedding, f"X_umap_{model}": result.umap}


def _overview(result: Any, _: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add the clusters, the principal components and the map."""
    names = np.array([*result.names, ""], dtype=object)  # -1 is the last
    columns = {"scviz_cluster": names[result.clusters]}
    return columns, {"X_scviz_pca": result.pca, "X_scviz_umap": result.umap}


def _in_silico(result: Any, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add how far each cell moved, for the strongest edits; NaN for cells that were not edited."""
    columns = {}
    for place, effect in enumerate(result.effects[:MOST_EDITS]):
        stem = f"scviz_{model}_{result.kind}_{'_'.join(effect.genes[:3])}"
        for name, values in (("moved", result.moved), ("to_goal", result.to_goal)):
            if values is not None:
                columns[f"{stem}_{name}"] = np.full(result.n_all, np.nan, dtype=np.float32)
                columns[f"{stem}_{name}"][result.rows] = values[place]
    return columns, {}


_COLLECT: dict[str, Callable[[Any, str], tuple[dict[str, Any], dict[str, Any]]]] = {
    "annotation": _annotation,
    "transfer": _transfer,
    "embedding": _embedding,
    "in_silico": _in_silico,
    "overview": _overview,
    "enhancement": lambda *_: ({}, {}),  # its layer lies in a file of its own
}
