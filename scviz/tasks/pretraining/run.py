"""Make an untrained model for the genes of a dataset, or take weights that are there; train, keep a checkpoint."""

from __future__ import annotations

import shlex
import shutil
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor

from scviz.datasets.split import Split
from scviz.errors import RequestError
from scviz.foundation.batching import longest_first, pick_device
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.models import MODELS, model_class
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.pretraining import BEFORE, FREQUENCY, MODEL, Request, Result
from scviz.tasks.pretraining.judging import MOST_JUDGED, cell_losses, frequency_losses, saved
from scviz.tasks.price import Price
from scviz.training import Cells, TrainingSettings, fit
from scviz.workspace import DatasetInfo
from scviz.workspace.names import slug
from scviz.workspace.records import file_hash
from scviz.workspace.store import CheckpointInfo, seen_as, write_checkpoint_info

FEWEST_CELLS = 20
OPTIMIZER_BYTES = 8
"""What AdamW keeps of each weight."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out; training goes on from its last pass if an earlier try was stopped."""
    adata = context.counts(request.dataset)
    torch.manual_seed(request.seed)
    model = _start(request, context, adata).to(pick_device(context.device))
    parts = split(model, adata, request)
    train, validation, judged = parts.train, parts.validation, parts.test
    loss = Loss(model, adata, request.seed)
    first_loss, before = None, None
    if request.checkpoint is not None:
        first_loss, before = loss.of_all(validation, request.batch_size), cell_losses(model, loss, judged)
    history = fit(
        model,
        loss,
        Cells(train=train, validation=validation, lengths=model.n_tokens(adata)),
        settings=TrainingSettings(
            epochs=request.epochs,
            batch_size=request.batch_size,
            learning_rate=request.learning_rate,
            patience=None,
            seed=request.seed,
        ),
        report=context.report,
        state=context.state,
        stage="Pre-training",
    )
    context.report(Progress(stage="Comparing with the frequency baseline"))
    known, after = model.tokenize(adata[train]), cell_losses(model, loss, judged)
    by_frequency = frequency_losses(model, known, model.tokenize(adata[judged]))
    losses = {MODEL: after, FREQUENCY: by_frequency} | ({} if before is None else {BEFORE: before})
    saved_of = partial(saved, after, name=request.name, seed=request.seed)
    context.report(Progress(stage="Keeping the weights"))
    return Result(
        checkpoint=_keep(model, request, context, n_train=len(train)),
        losses=history.loss,
        validation_losses=history.validation_loss,
        best_epoch=history.best_epoch,
        baseline_loss=model.blind_loss(known, model.tokenize(adata[validation])),
        n_train=len(train),
        n_validation=len(validation),
        judged=judged,
        cell_losses=losses,
        gain=saved_of(by_frequency, over=f"the {FREQUENCY}"),
        further=None if before is None else saved_of(before, over="the weights it went on from"),
        first_loss=first_loss,
        notes=(
            f"{len(train):,} cells trained it, {len(validation):,} chose the best epoch, and {len(judged):,} others "
            "judge it.",
        ),
    )


def _start(request: Request, context: Context, adata: AnnData) -> FoundationModel:
    """Make a model with random weights, or with those that training goes on from."""
    if request.checkpoint is not None:
        return context.model(request.checkpoint, "pretraining").train()
    return model_class(request.model).untrained(adata, request.configuration)


def split(model: FoundationModel, adata: AnnData, request: Request) -> Split:
    """Set some cells aside: one half to see when training does no more good, the other, or some of it, to judge by.

    The cells that judge are drawn at random: files are often sorted by type or donor.

    Raises
    ------
    RequestError
        If too few cells can be read.
    """
    rows = np.random.default_rng(request.seed).permutation(longest_first(model.n_tokens(adata)))
    if len(rows) < FEWEST_CELLS:
        raise RequestError(
            f"{counted(len(rows), 'cell')} in which the model sees a gene are too few to train on.",
            hint=f"Take {FEWEST_CELLS} cells or more, of genes that the model knows.",
        )
    n_held_out = max(2, round(request.validation_fraction * len(rows)))
    half = n_held_out // 2
    return Split(
        train=np.sort(rows[n_held_out:]),
        validation=np.sort(rows[:half]),
        test=np.sort(rows[half:n_held_out][:MOST_JUDGED]),
    )


class Loss:
    """The model's own loss of cells; what is hidden of a validation cell is the same in every pass."""

    def __init__(self, model: FoundationModel, adata: AnnData, seed: int) -> None:
        self.model, self.adata, self.seed = model, adata, seed

    def __call__(self, rows: NDArray[np.int64]) -> Tensor:
        """Give the mean loss of cells, a scalar."""
        draw = torch.randint(2**31, (1,)).item() if self.model.training else self.seed + int(rows[0])
        generator = torch.Generator().manual_seed(int(draw))
        return self.model.pretraining_loss(self.model.tokenize(self.adata[rows]), generator)

    def of_all(self, rows: NDArray[np.int64], batch_size: int) -> float:
        """Average over cells, (n,) rows, as a check between passes does, without training."""
        batches = [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
        self.model.eval()
        with torch.no_grad():
            total = sum(float(self(batch)) * len(batch) for batch in batches)
        self.model.train()
        return total / len(rows)


def _keep(model: FoundationModel, request: Request, context: Context, *, n_train: int) -> str:
    """Write the checkpoint into the workspace and return its id."""
    draft = context.state / "checkpoint"
    model.save(draft)
    weights = draft / "weights.safetensors"
    name = context.workspace.own_name(slug(request.name), "" if request.demo else file_hash(weights))
    dataset = context.workspace.dataset(request.dataset)
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    origin = _origin(request, context)
    kind = model.card.name
    info = CheckpointInfo(
        id=f"{kind}/{name}",
        model=kind,
        name=request.name,
        description=f"{origin.how} on {counted(n_train, 'cell')} of {dataset.name}{origin.of_what}.",
        licence="that of the project" if request.demo else origin.licence,
        n_parameters=n_parameters,
        n_genes=len(model.vocab),
        size_mb=weights.stat().st_size / 1e6,
        demo=request.demo,
        command=_command(request, dataset),
        trained_on=origin.trained_on,
    )
    context.workspace.claim(draft)
    write_checkpoint_info(info, draft)
    folder: Path = context.workspace.home / "checkpoints" / kind / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(draft, folder)
    return info.id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """What the first weights were, in words."""

    how: str
    of_what: str
    licence: str
    trained_on: tuple[str, ...]
    """Datasets that the weights have seen now."""


def _origin(request: Request, context: Context) -> _Origin:
    if request.checkpoint is None:
        return _Origin(
            how="Pre-trained from scratch",
            of_what=f", configuration {request.configuration}",
            licence="that of your data",
            trained_on=(seen_as(context.workspace.dataset(request.dataset)),),
        )
    first = context.workspace.checkpoint(request.checkpoint)
    return _Origin(
        how="Pre-trained further",
        of_what=f", from the weights {first.name} ({first.id})",
        licence=f"that of your data, and of the first weights: {first.licence}",
        trained_on=context.workspace.seen_after(first.id, request.dataset),
    )


def _command(request: Request, dataset: DatasetInfo) -> str:
    """Write the request as a command."""
    start = f"--model {request.model} --configuration {request.configuration}"
    if request.checkpoint is not None:
        start = f"--checkpoint {shlex.quote(request.checkpoint)}"
    return (
        f"python -m scviz pretrain {'demo' if dataset.demo else dataset.id} {start} "
        f"--name {shlex.quote(request.name)} --epochs {request.epochs} --batch-size {request.batch_size} "
        f"--learning-rate {request.learning_rate} --validation-fraction "
        f"{request.validation_fraction} --seed {request.seed}{' --demo' if request.demo else ''}"
    )


def price(request: Request, context: Context) -> Price:
    """Time two updates, and say what the whole will take.

    Raises
    ------
    RequestError
        If there is no such model.
    """
    if request.checkpoint is None and request.model not in MODELS:
        raise RequestError(
            f"There is no model {request.model!r}.", hint=f"Choose one of {', '.join(MODELS)}."
        )
    adata = context.counts(request.dataset)
    model = _start(request, context, adata)
    train = split(model, adata, request).train
    loss, seconds = Loss(model, adata, request.seed), 0.0
    for part in np.array_split(train[: 2 * request.batch_size], 2):
        start = time.perf_counter()
        torch.autograd.backward(loss(part))
        seconds = (time.perf_counter() - start) / len(part)
    return Price(
        seconds=10 + seconds * len(train) * request.epochs,
        gigabytes=peak_gb() + OPTIMIZER_BYTES * sum(p.numel() for p in model.parameters()) / 1e9,
        how=f"{request.epochs} epochs of {len(train):,} cells, timed on two updates",
    )
