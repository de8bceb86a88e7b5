"""Turn the result of a run into columns and embeddings of a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from scviz.datasets.writeback import write_labels
from scviz.models import cards
from scviz.progress import Progress
from scviz.tasks import front
from scviz.tasks.context import Context
from scviz.tasks.exporting import Request, Result
from scviz.workspace.records import read_json, read_record


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    folder = context.workspace.run_folder(request.run)
    task = front(request.task)
    asked = read_json(task.Request, folder / "request.json")
    result = read_record(task.Result, folder / "result")
    checkpoint = context.workspace.checkpoint(asked.checkpoint)
    dataset = context.workspace.dataset(asked.dataset)
    columns, embeddings = _COLLECT[request.task](
        result, cards()[checkpoint.model].embedding_key, checkpoint.model
    )
    note = {
        "run": request.run,
        "task": request.task,
        "weights": checkpoint.name,
        "weights_id": checkpoint.id,
        "weights_demo": checkpoint.demo,
        "licence": checkpoint.licence,
        "dataset": dataset.id,
    }
    file_name = f"{dataset.name.replace('/', '-')}-{request.task}.h5ad"
    context.report(Progress(stage="Writing the file"))
    write_labels(
        context.workspace.dataset_folder(dataset.id),
        context.result / file_name,
        columns,
        note,
        embeddings=embeddings,
    )
    return Result(file_name=file_name, added=(*columns, *embeddings))


def _annotation(result: Any, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name every cell, with the confidence of the name."""
    names = np.array([*result.types, "not seen"])
    columns = {
        f"scviz_{model}_label": names[result.all_predicted],
        f"scviz_{model}_confidence": result.all_confidence,
    }
    return columns, {}


def _embedding(result: Any, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add the embedding and its map."""
    return {}, {cards()[model].embedding_key: result.embedding, f"X_umap_{model}": result.umap}


_COLLECT = {"annotation": _annotation, "embedding": _embedding}
