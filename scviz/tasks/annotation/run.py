"""Split, train, name the cells held out, do the same with the baselines, compare."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.datasets.split import Split, split_cells
from scviz.errors import MissingColumnError, RequestError
from scviz.foundation.batching import in_chunks, pick_device
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens
from scviz.memory import peak_gb
from scviz.metrics.comparison import compare
from scviz.metrics.scores import classification_scores
from scviz.progress import Progress
from scviz.tasks.annotation import MODEL, Request, Result
from scviz.tasks.annotation.baselines import baselines
from scviz.tasks.context import Context
from scviz.tasks.price import Price
from scviz.training import Cells, History, TrainingSettings, fit

FEWEST_CELLS = 5
"""Types with fewer labelled cells can be neither learned nor tested."""

VALIDATION_FRACTION = 0.1

NO_LABEL = ("", "unknown", "unassigned", "na", "nan", "none")
"""Words for a missing label, in lower case."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The cells and what is asked of each."""

    adata: AnnData
    types: tuple[str, ...]
    codes: NDArray[np.int64]
    """(N,) position in `types`; -1 for cells without a label."""
    split: Split
    n_tokens: NDArray[np.int64]
    """(N,) length of each cell for the model."""
    notes: tuple[str, ...]

    @property
    def cells(self) -> Cells:
        """The cells of the split that are trained on."""
        return Cells(train=self.split.train, validation=self.split.validation, lengths=self.n_tokens)


def run(request: Request, context: Context) -> Result:
    """Carry the request out; training goes on from its last epoch if an earlier try was stopped."""
    model = context.model(request.checkpoint, "annotation")
    device = pick_device(context.device)
    model.to(device)
    adata = context.counts(request.dataset)
    task = prepare(request, adata, model.n_tokens(adata))
    torch.manual_seed(request.seed)
    head = model.classifier(len(task.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, task.types).to(device)
    history = (_train_head if request.mode == "head" else _train_all)(classifier, task, request, context)
    classifier.save(context.result / "classifier")
    probabilities = _name_all(classifier, task, context)
    context.report(Progress(stage="Baselines"))
    split, truth = task.split, task.codes[task.split.test]
    predicted = {
        MODEL: probabilities[split.test].argmax(axis=1).astype(np.int64),
        **baselines(adata.X, task.codes, split, seed=request.seed),
    }
    scores = {name: classification_scores(truth, named, task.types) for name, named in predicted.items()}
    best = max((name for name in scores if name != MODEL), key=lambda name: scores[name].macro_f1)
    seen = ~np.isnan(probabilities[:, 0])
    return Result(
        types=task.types,
        test_rows=split.test,
        truth=truth,
        predicted=predicted,
        probabilities=probabilities[split.test],
        all_predicted=np.where(seen, np.nan_to_num(probabilities).argmax(axis=1), -1).astype(np.int64),
        all_confidence=probabilities.max(axis=1),
        n_train=len(split.train),
        n_validation=len(split.validation),
        scores=scores,
        comparison=compare(truth, predicted[MODEL], predicted[best], name=best, n_types=len(task.types)),
        losses=history.loss,
        validation_losses=history.validation_loss,
        best_epoch=history.best_epoch,
        notes=task.notes,
        held_out_groups=split.held_out_groups,
    )


def prepare(request: Request, adata: AnnData, n_tokens: NDArray[np.int64]) -> Task:
    """Read the labels and split the cells.

    Raises
    ------
    MissingColumnError
        If the dataset lacks the label or the group column.
    RequestError
        If fewer than two types have enough cells.
    """
    labels = _column(adata, request.label_key)
    groups = None if request.group_key is None else _column(adata, request.group_key)
    notes = []
    unseen = n_tokens == 0
    if unseen.any():
        labels = np.where(unseen, "", labels)
        notes.append(f"The model sees no gene in {unseen.sum():,} cells; they are left out.")
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    rare = names[counts < FEWEST_CELLS]
    if len(rare):
        notes.append(f"Left out, with fewer than {FEWEST_CELLS} cells: {', '.join(rare)}.")
    types = tuple(names[counts >= FEWEST_CELLS].tolist())
    if len(types) < 2:
        raise RequestError(
            f"The column {request.label_key!r} has {len(types)} cell types with at least {FEWEST_CELLS} cells.",
            hint="Choose a column with two cell types or more.",
        )
    at = {name: i for i, name in enumerate(types)}
    codes = np.array([at.get(label, -1) for label in labels], dtype=np.int64)
    known = np.where(codes < 0, "", labels)
    split = split_cells(
        known,
        groups=groups,
        test_fraction=request.test_fraction,
        validation_fraction=VALIDATION_FRACTION,
        seed=request.seed,
    )
    if split.absent:
        notes.append(f"No training cell has these types, so they cannot be found: {', '.join(split.absent)}.")
    return Task(adata=adata, types=types, codes=codes, split=split, n_tokens=n_tokens, notes=tuple(notes))


def _column(adata: AnnData, key: str) -> NDArray[np.str_]:
    """Read a column as text, "" where a value is missing or a word for it."""
    if key not in adata.obs:
        raise MissingColumnError(
            f"The dataset has no column {key!r}.", hint=f"Its columns are: {', '.join(adata.obs.columns)}."
        )
    column = adata.obs[key]
    text = column.astype(str)
    return np.where(column.isna() | text.str.lower().isin(NO_LABEL), "", text).astype(str)


def _settings(request: Request, classifier: CellTypeClassifier) -> TrainingSettings:
    width = classifier.encoder.gene_embeddings().shape[1]
    small = 8 if width < 256 else 1  # small models are trained with larger steps
    return TrainingSettings(
        epochs=request.epochs or (10 if request.mode == "full" else 100),
        batch_size=request.batch_size,
        learning_rate=request.learning_rate or (5e-5 * small if request.mode == "full" else 5e-3),
        patience=3 if request.mode == "full" else 15,
        seed=request.seed,
    )


def _train_all(classifier: CellTypeClassifier, task: Task, request: Request, context: Context) -> History:
    """Train encoder and head together; cells become tokens batch by batch."""

    def loss(rows: NDArray[np.int64]) -> Tensor:
        tokens = classifier.encoder.tokenize(task.adata[rows])
        return _cross_entropy(classifier(tokens), task.codes[rows])

    return fit(
        classifier,
        loss,
        task.cells,
        settings=_settings(request, classifier),
        report=context.report,
        state=context.state,
    )


def _train_head(classifier: CellTypeClassifier, task: Task, request: Request, context: Context) -> History:
    """Encode each cell once, then train the head on what it reads of them."""
    needed = np.concatenate([task.split.train, task.split.validation])
    selected: NDArray[np.float32] | None = None
    chunks = in_chunks(classifier.encoder, task.adata[needed], classifier.select, report=context.report)
    for _, rows, read in chunks:
        if selected is None:
            selected = np.zeros((task.adata.n_obs, *read.shape[1:]), dtype=np.float32)
        selected[needed[rows]] = read
    features = torch.as_tensor(selected)
    head: nn.Module = classifier.head

    def loss(rows: NDArray[np.int64]) -> Tensor:
        device = next(head.parameters()).device
        return _cross_entropy(head(features[torch.as_tensor(rows)].to(device)), task.codes[rows])

    return fit(
        head,
        loss,
        task.cells,
        settings=_settings(request, classifier),
        report=context.report,
        state=context.state,
    )


def _cross_entropy(scores: Tensor, types: NDArray[np.int64]) -> Tensor:
    loss: Tensor = nn.functional.cross_entropy(scores.float(), torch.as_tensor(types, device=scores.device))
    return loss


def _name_all(classifier: CellTypeClassifier, task: Task, context: Context) -> NDArray[np.float32]:
    """Give the probabilities of the types for every cell, (N, K); NaN where the model sees no gene."""

    def probabilities(tokens: Tokens) -> Tensor:
        scores: Tensor = classifier(tokens)
        return scores.float().softmax(dim=1)

    answer = np.full((task.adata.n_obs, len(task.types)), np.nan, dtype=np.float32)
    classifier.to(pick_device(context.device)).eval()
    chunks = in_chunks(
        classifier.encoder, task.adata, probabilities, report=context.report, stage="Naming cells"
    )
    for _, rows, part in chunks:
        answer[rows] = part
    return answer


def price(request: Request, context: Context) -> Price:
    """Time one batch of training and one of naming, and say what the whole will take."""
    model, adata = context.model(request.checkpoint, "annotation"), context.counts(request.dataset)
    model.to(pick_device(context.device))
    task = prepare(request, adata, model.n_tokens(adata))
    head = model.classifier(len(task.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, task.types).to(model.device)
    settings = _settings(request, classifier)
    rows = np.random.default_rng(request.seed).permutation(task.split.train)[: 2 * request.batch_size]
    reading = _seconds_per_cell(classifier, task, rows, train=False)
    training = _seconds_per_cell(classifier, task, rows, train=True) if request.mode == "full" else 0.0
    n_train, n_validation = len(task.split.train), len(task.split.validation)
    seconds = reading * (adata.n_obs + n_train + n_validation) + settings.epochs * (
        training * n_train + (reading * n_validation if request.mode == "full" else 0.0)
    )
    return Price(
        seconds=seconds + 8 + 0.002 * adata.n_obs,
        gigabytes=peak_gb(),
        how=f"{n_train:,} training cells for at most {settings.epochs} passes, timed on two batches",
    )


def _seconds_per_cell(
    classifier: CellTypeClassifier, task: Task, rows: NDArray[np.int64], *, train: bool
) -> float:
    """Time two batches, the second of which counts."""
    halves = np.array_split(rows, 2)
    seconds = 0.0
    classifier.train(train)
    for part in halves:
        start = time.perf_counter()
        with torch.set_grad_enabled(train):
            loss = _cross_entropy(classifier(classifier.encoder.tokenize(task.adata[part])), task.codes[part])
            if train:
                torch.autograd.backward(loss)
        seconds = time.perf_counter() - start
    classifier.zero_grad()
    return seconds / max(1, len(halves[-1]))
