"""Train any network with Lightning: live history, early stopping, a checkpoint each epoch to go on from."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from scviz.errors import OutOfMemoryError
from scviz.memory import is_out_of_memory
from scviz.progress import Progress, Report

Loss = Callable[[NDArray[np.int64]], Tensor]
"""Gives the mean loss of the cells at these positions."""
Score = Callable[[], float]
"""Judges the network after an epoch; lower is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a network is trained."""

    epochs: int
    batch_size: int
    """Cells per update; kept by adding up gradients when memory asks for smaller pieces."""
    learning_rate: float
    weight_decay: float = 0.01
    warmup: float = 0.1
    """Share of the updates in which the learning rate rises; it then falls linearly to 0."""
    decay: float | None = None
    """Factor on the learning rate after each epoch, with Adam; None takes AdamW with warm-up and linear fall."""
    clip_value: float | None = None
    """Largest absolute value of a gradient; None clips the norm of all gradients to 1 instead."""
    drop_last: bool = False
    """Leave out the last batch of an epoch where it is not full."""
    pieces: int = 1
    """Pieces in which the cells of an update are taken, where a network cannot hold all of them at once."""
    patience: int | None = 3
    """Epochs without a better validation loss before training ends; None never ends early."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Which cells are trained on, by their position."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    """Cells that tell when to stop; may be empty."""
    lengths: NDArray[np.int64]
    """(N,) tokens of every cell; cells of like length share a batch, which saves padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What training went through, one entry per epoch."""

    loss: list[float]
    validation_loss: list[float]
    """Empty without validation cells."""
    best_epoch: int
    """Epoch, from 0, whose weights were kept."""


def fit(
    network: nn.Module,
    loss: Loss,
    cells: Cells,
    *,
    settings: TrainingSettings,
    report: Report,
    state: Path,
    stage: str = "Training",
    score: Score | None = None,
) -> History:
    """Train `network` in place and leave the weights of its best epoch in it.

    Every epoch leaves a checkpoint in `state`; when one lies there, training goes on from it and ends with the
    same weights as if it had never stopped. When memory runs out, cells are taken in pieces half as large.

    Parameters
    ----------
    network
        What is trained; parameters that need no gradient stay as they are.
    loss
        Gives the mean loss of cells by their positions; uses `network`.
    state
        Folder for checkpoints.
    score
        Takes the place of the loss of the validation cells; called once after each epoch, without gradients.

    Raises
    ------
    OutOfMemoryError
        If one cell at a time does not fit into memory.
    """
    pieces = settings.pieces
    while True:
        try:
            trainer = _Trainer(
                network=network,
                loss=loss,
                cells=cells,
                settings=settings,
                report=report,
                state=state,
                stage=stage,
                score=score,
            )
            return trainer.fit(pieces)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if pieces >= settings.batch_size:
                raise OutOfMemoryError(
                    "Training on one cell at a time does not fit into memory.",
                    hint="Train the head only, or choose a smaller model.",
                ) from error
            pieces *= 2
            size = max(1, settings.batch_size // pieces)
            note = f"Memory ran out, so cells are taken {size} at a time; their gradients are added up."
            report(Progress(stage=stage, note=note))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trainer:
    """One try to train, with each batch in a number of pieces."""

    network: nn.Module
    loss: Loss
    cells: Cells
    settings: TrainingSettings
    report: Report
    state: Path
    stage: str
    score: Score | None

    def fit(self, pieces: int) -> History:
        train, validation, settings = self.cells.train, self.cells.validation, self.settings
        size = max(1, settings.batch_size // pieces)
        steps = len(train) // size if settings.drop_last else -(-len(train) // size)
        updates = settings.epochs * -(-steps // pieces)
        module = _Module(self.network, self.loss, settings, score=self.score, updates=updates)
        judged: Any = [0] if self.score is not None else validation.tolist()
        watch = "validation_loss" if judged else "loss_of_epoch"
        best = ModelCheckpoint(
            self.state, "best", monitor=watch, save_weights_only=True, enable_version_counter=False
        )
        last = ModelCheckpoint(self.state, "last", save_on_train_epoch_end=True, enable_version_counter=False)
        callbacks: list[Callback] = [_Reporter(self.report, self.stage, steps * settings.epochs), best, last]
        if settings.patience is not None:
            callbacks.append(EarlyStopping(watch, patience=settings.patience, check_on_train_epoch_end=True))
        order = _AlikeTogether(self.cells.lengths[train], settings.batch_size, settings.seed)
        with _quiet():
            L.Trainer(
                max_epochs=settings.epochs,
                accelerator="auto",
                devices=1,
                precision="bf16-mixed" if torch.cuda.is_available() else "32-true",
                accumulate_grad_batches=pieces,
                **_clipping(settings),
                callbacks=callbacks,
                default_root_dir=self.state,
                **SILENT,
            ).fit(
                module,
                DataLoader(
                    train.tolist(),
                    batch_size=size,
                    sampler=order,
                    collate_fn=np.array,
                    drop_last=settings.drop_last,
                ),
                DataLoader(judged, batch_size=size, collate_fn=np.array) if judged else None,
                ckpt_path=self.state / "last.ckpt" if (self.state / "last.ckpt").exists() else None,
                weights_only=True,
            )
        module.load_best(Path(best.best_model_path))
        return History(
            loss=module.losses, validation_loss=module.validation_losses, best_epoch=module.best_epoch()
        )


SILENT: dict[str, Any] = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}
"""Lightning says nothing and checks nothing beforehand."""


def _clipping(settings: TrainingSettings) -> dict[str, Any]:
    if settings.clip_value is None:
        return {"gradient_clip_val": 1.0, "gradient_clip_algorithm": "norm"}
    return {"gradient_clip_val": settings.clip_value, "gradient_clip_algorithm": "value"}


MEGABATCH = 8
"""Batches that are sorted by length together."""


class _AlikeTogether(Sampler[int]):
    """Another order of cells each epoch, the same again when an epoch is repeated; like lengths share a batch."""

    def __init__(self, lengths: NDArray[np.int64], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        shuffled, many = rng.permutation(len(self.lengths)), MEGABATCH * self.batch_size
        batches: list[list[int]] = []
        for start in range(0, len(shuffled), many):
            rows = shuffled[start : start + many]
            ordered = rows[np.argsort(-self.lengths[rows], kind="stable")].tolist()
            batches += [ordered[i : i + self.batch_size] for i in range(0, len(ordered), self.batch_size)]
        rest = (
            batches.pop() if len(batches[-1]) < self.batch_size else []
        )  # a batch that is not full comes last
        return iter([row for i in rng.permutation(len(batches)) for row in batches[i]] + rest)

    def __len__(self) -> int:
        return len(self.lengths)


class _Module(L.LightningModule):
    """The network as Lightning wants it."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        settings: TrainingSettings,
        *,
        score: Score | None,
        updates: int,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.settings = network, loss, settings
        self.score, self.updates = score, updates
        self.losses: list[float] = []
        self.validation_losses: list[float] = []

    def training_step(self, rows: NDArray[np.int64], index: int) -> Tensor:
        torch.manual_seed(
            hash((self.settings.seed, self.current_epoch, index))
        )  # a resumed batch drops the same units
        value = self.loss(rows)
        self.log("loss", value, batch_size=len(rows))
        self.log("loss_of_epoch", value, batch_size=len(rows), on_step=False, on_epoch=True)
        return value

    def validation_step(self, rows: NDArray[np.int64], index: int) -> None:
        value = self.loss(rows) if self.score is None else self.score()
        self.log("validation_loss", value, batch_size=len(rows))

    def on_train_epoch_end(self) -> None:
        self.losses.append(float(self.trainer.callback_metrics["loss_of_epoch"]))

    def on_validation_epoch_end(self) -> None:
        self.validation_losses.append(float(self.trainer.callback_metrics["validation_loss"]))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = {"loss": self.losses, "validation_loss": self.validation_losses}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.losses = list(checkpoint["history"]["loss"])
        self.validation_losses = list(checkpoint["history"]["validation_loss"])

    def load_best(self, path: Path) -> None:
        """Put the weights of the best epoch back."""
        weights = torch.load(path, weights_only=True, map_location="cpu")["state_dict"]  # noqa: TID251 - our own file
        self.load_state_dict(weights)

    def best_epoch(self) -> int:
        return int(np.argmin(self.validation_losses or self.losses))

    def configure_optimizers(self) -> Any:
        weights = [p for p in self.parameters() if p.requires_grad]
        if self.settings.decay is not None:
            adam = torch.optim.Adam(
                weights, lr=self.settings.learning_rate, weight_decay=self.settings.weight_decay
            )
            falling = torch.optim.lr_scheduler.ExponentialLR(adam, self.settings.decay)
            return {"optimizer": adam, "lr_scheduler": {"scheduler": falling, "interval": "epoch"}}
        groups = [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": self.settings.weight_decay},
            {
                "params": [p for p in weights if p.ndim <= 1],
                "weight_decay": 0.0,
            },  # biases and norms are not shrunk
        ]
        optimizer = torch.optim.AdamW(groups, lr=self.settings.learning_rate)
        rise = max(1, round(self.settings.warmup * self.updates))
        rate = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda step: min(
                (step + 1) / rise, max(0.0, (self.updates - step) / max(1, self.updates - rise))
            ),
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}


class _Reporter(Callback):
    """Tells how far training is, after each batch; this is also where a stop takes hold."""

    def __init__(self, report: Report, stage: str, total: int) -> None:
        self.report, self.stage, self.total, self.done = report, stage, total, 0

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.done = trainer.fit_loop.total_batch_idx + 1

    def on_train_batch_end(self, trainer: L.Trainer, module: Any, outputs: Any, *_: Any) -> None:
        self.done += 1
        values = {"loss": float(outputs["loss"]) * trainer.accumulate_grad_batches}
        self.report(Progress(stage=self.stage, done=self.done, total=self.total, values=values))

    def on_validation_end(self, trainer: L.Trainer, module: Any) -> None:
        values = {"validation_loss": float(trainer.callback_metrics["validation_loss"])}
        self.report(Progress(stage=self.stage, done=self.done, total=self.total, values=values))


class _quiet(warnings.catch_warnings):  # noqa: N801 - a context manager, used like a function
    """Keep Lightning's advice about loaders, folders and devices to itself."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
        for name in ("lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.ERROR)
