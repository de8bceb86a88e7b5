"""What a run cannot do without: cells, genes, genes that its model knows. Asked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from scviz.datasets.columns import gene_identifiers
from scviz.datasets.gene_keys import matched
from scviz.errors import DataError, GeneMatchError, RequestError
from scviz.foundation.vocab import Coverage, GeneVocab
from scviz.models import cards
from scviz.tasks import front, refuse_beforehand
from scviz.tasks.fields import Needs
from scviz.workspace import DatasetInfo, Workspace

TOO_FEW = 0.5
"""Below this share of known genes a run is carried out only for somebody who said so."""
FEWEST_KNOWN = 2
"""Fewer known genes tell no cells apart, whoever says so."""
OTHER_MODEL = (
    "Choose another model, or look on the Data page how the genes are named and of which species they are."
)


def needs_of(task: str, request: Any) -> Needs:
    """Tell what a task needs for a request; nothing where it does not say."""
    own: Needs | None = getattr(request, "needs", None)
    of_task: Needs = getattr(front(task), "NEEDS", Needs())
    return own or of_task


def refuse_idle(task: str, request: Any, workspace: Workspace) -> None:
    """Refuse a request whose run could do nothing, by what is known of dataset and checkpoint.

    Raises
    ------
    DataError
        If the dataset has too few cells or genes, or no counts where they are needed.
    GeneMatchError
        If a model knows no gene of the dataset, or the dataset has no gene of a list.
    RequestError
        If a model knows few of the genes, and the request does not say `few_genes`.
    ScvizError
        If the task itself refuses it, see `refuse_beforehand`.
    """
    if not getattr(request, "dataset", ""):
        return
    needs, dataset = needs_of(task, request), workspace.dataset(request.dataset)
    for kind, there, fewest in (
        ("cell", dataset.n_cells, needs.cells),
        ("gene", dataset.n_genes, needs.genes),
    ):
        if there < fewest:
            raise DataError(
                f"{dataset.name} has {there:,} {kind}{'s' * (there != 1)}, too few for this run "
                f"({front(task).TITLE}): it takes {fewest:,} or more.",
                hint=f"Open a dataset with more {kind}s.",
            )
    if dataset.counts.how == "relative expression":
        _refuse_relative(request, needs, dataset, workspace=workspace)
    for name in needs.lists:
        _refuse_strangers(getattr(request, name), dataset, workspace)
    for checkpoint, found in known_genes(request, workspace).items():
        said = _reads(workspace.checkpoint(checkpoint).name, found, dataset)
        _refuse_unknown(found, said)
        if is_few(found) and not getattr(request, "few_genes", False):
            raise RequestError(
                f"{said}, fewer than half.",
                hint='Choose a model that knows more of them, or say "Run on few genes" (--few-genes): results then '
                "rest on these genes alone.",
            )
    refuse_beforehand(task, request, workspace)


def refuse_empty(task: str, request: Any, result: Any) -> None:
    """Refuse a result in which nothing was found.

    Raises
    ------
    DataError
        If an array that holds the answer has no value that is a number.
    """
    for name in needs_of(task, request).answer:
        values = np.asarray(getattr(result, name))
        if not values.size or np.isnan(values).all():
            raise DataError(
                "The run came to its end and found nothing: in no cell did the model see a gene that it knows.",
                hint=OTHER_MODEL,
            )


def known_genes(request: Any, workspace: Workspace) -> dict[str, Coverage]:
    """Count the genes of its dataset that each model of a request knows, by id of the checkpoint."""
    folder = workspace.dataset_folder(request.dataset)
    vocabs = {one: workspace.checkpoint_folder(one) / "vocab.json" for one in _checkpoints(request)}
    return {one: _coverage(path, folder) for one, path in vocabs.items() if path.exists()}


def is_few(found: Coverage) -> bool:
    """Tell whether a model knows so few genes that somebody must say that it shall run."""
    return found.n_found < TOO_FEW * found.n_genes


def refuse_unseen(n_seen: int, n_cells: int, fewest: int = 1) -> None:
    """Refuse to read cells of which too few express a gene that the model knows.

    Raises
    ------
    GeneMatchError
        With how many do.
    """
    if n_seen < fewest:
        raise GeneMatchError(
            f"{n_seen:,} of {n_cells:,} cells express a gene that the model knows; it takes {fewest:,} or more.",
            hint=OTHER_MODEL,
        )


@lru_cache(maxsize=64)
def _coverage(vocab: Path, folder: Path) -> Coverage:
    return GeneVocab.load(vocab).coverage(gene_identifiers(folder))


def _checkpoints(request: Any) -> list[str]:
    """List the checkpoints that a request names in one of three ways."""
    named = [getattr(request, "checkpoint", ""), *getattr(request, "checkpoints", ())]
    methods: Iterable[Any] = getattr(request, "methods", ())
    return list(dict.fromkeys(filter(None, [*named, *(getattr(one, "checkpoint", "") for one in methods)])))


def _refuse_relative(request: Any, needs: Needs, dataset: DatasetInfo, *, workspace: Workspace) -> None:
    infos = [workspace.checkpoint(one) for one in _checkpoints(request)]
    reasons = {info.name: cards()[info.model].needs_counts for info in infos}
    who, why = next(((name, why) for name, why in reasons.items() if why), ("This run", needs.counts))
    if why:
        raise DataError(
            f"{who} needs counts of molecules, and {dataset.name} holds relative expression. {why} "
            f"{dataset.counts.evidence}",
            hint="Open the file with the counts, or choose a model that reads relative expression.",
        )


def _refuse_unknown(found: Coverage, said: str) -> None:
    if found.n_found < FEWEST_KNOWN:
        such = f", such as {', '.join(found.lost[:3])}" if found.lost else ""
        raise GeneMatchError(f"{said}{such}.", hint=OTHER_MODEL)


def _reads(name: str, found: Coverage, dataset: DatasetInfo) -> str:
    known = f"only {found.n_found:,}" if found.n_found else "none"
    return f"{name} knows {known} of the {found.n_genes:,} genes of {dataset.name}"


def _refuse_strangers(listed: Iterable[str], dataset: DatasetInfo, workspace: Workspace) -> None:
    listed = list(listed)
    ids = gene_identifiers(workspace.dataset_folder(dataset.id))
    names = {name for kind in (ids.names, ids.symbol, ids.ensembl, ids.given) for name in kind or () if name}
    if listed and not matched(listed, sorted(names)).genes:
        raise GeneMatchError(
            f"{dataset.name} has none of the {len(listed):,} genes that are asked for, such as "
            f"{', '.join(listed[:3])}; its genes are called {', '.join(ids.names[:3])}.",
            hint="Name genes as the dataset does: symbols or Ensembl ids of its species.",
        )
