"""Train one network by its own objective, on cells that are varied anew each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn

from benchmarks.blood.corpus import SOURCES, Corpus, varied
from benchmarks.blood.seen import agreement, cell_losses, some
from benchmarks.blood.start import FAMILIES, begun, shares_of
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.progress import Progress
from scviz.training import Cells, History, TrainingSettings, fit

UPDATES = 20
"""Of an epoch."""
RATE = 1e-3
COMPOSED = (0.03, 0.1)
"""Weights of the second objective, one stage of training after the other."""
N_SPREAD = 500
"""Cells that say how far cells differ."""
LOSS_OF = 0.2
"""Share of the choosing cells whose loss is taken after each epoch."""
Tell = Callable[[str], None]


class Loss:
    """The model's own loss of cells that are drawn at random, each file alike in the root of its cells, and varied."""

    def __init__(self, family: str, model: FoundationModel, train: AnnData) -> None:
        self.model, self.train, self.parts = model, train, FAMILIES[family]
        files = train.obs["file"].to_numpy(str)
        sizes = {name: int((files == name).sum()) for name in SOURCES}
        self.chance = np.array([sizes[name] ** -0.5 for name in files])
        self.chance /= self.chance.sum()

    def __call__(self, rows: NDArray[np.int64]) -> Tensor:
        """Give the mean loss of as many cells as there are rows, a scalar."""
        seed = int(torch.randint(2**31, (1,)).item())
        rng = np.random.default_rng(seed)
        drawn = rng.choice(len(self.chance), len(rows), replace=False, p=self.chance)
        counts = varied(sparse.csr_matrix(self.train.X[drawn]), rng)
        tokens = self.model.tokenize(AnnData(counts, var=self.train.var))
        return self.of(tokens, drawn, torch.Generator().manual_seed(seed))

    def of(self, tokens: Tokens, drawn: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Give the loss of varied cells, of which the whole ones stand in the (B,) rows."""
        return self.model.pretraining_loss(tokens, generator)


class ComposedLoss(Loss):
    """With it, how far the mean over a varied cell lies from the mean of the first vectors of all genes of the cell.

    The mean is that of what the network makes of the expressed genes; the distance is in units of how far cells
    differ.
    """

    def __init__(
        self, family: str, model: FoundationModel, train: AnnData, *, first: Tensor, weight: float
    ) -> None:
        super().__init__(family, model, train)
        self.first, self.weight = first[model.vocab.ids].numpy(), weight  # (V, D)
        self.spread = float(self._composed(some(train, N_SPREAD)).var(dim=0).sum())

    def of(self, tokens: Tokens, drawn: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Add the distance to the own loss."""
        heard: list[Tensor] = []
        network = cast(nn.Module, self.model.network)
        ear = network.register_forward_hook(lambda *heard_of: heard.append(heard_of[-1]))
        loss = self.model.pretraining_loss(tokens, generator)
        ear.remove()
        seen = torch.as_tensor(np.asarray(tokens.values) > 0)[..., None]  # (B, L, 1)
        cells = (heard[0] * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1)
        far = (cells - self._composed(self.train[drawn])).square().sum(dim=1)
        return loss + self.weight * far.mean() / self.spread

    def _composed(self, cells: AnnData) -> Tensor:
        """Average the first vectors of the genes of whole cells, (N, D)."""
        shares = shares_of(self.model, cells, by_value=self.parts.by_value)
        return torch.as_tensor(shares @ self.first, dtype=torch.float32)


class Choice:
    """How good a network is on the donors that choose; lower is better."""

    def __init__(self, family: str, model: FoundationModel, corpus: Corpus, *, tell: Tell) -> None:
        self.model, self.tell = model, tell
        self.named = some(corpus.parts["choose"], FAMILIES[family].n_named)
        self.judged = self.named[: round(LOSS_OF * self.named.n_obs)]
        known = some(corpus.parts["train"], self.named.n_obs)
        self.blind = model.blind_loss(model.tokenize(known), model.tokenize(self.judged))

    def __call__(self) -> float:
        """Give the own loss, as a share of that of the frequency baseline, less the macro-F1 of neighbors' names."""
        training = self.model.training
        self.model.eval()
        share = float(cell_losses(self.model, self.judged).mean()) / self.blind
        named = agreement(self.model, self.named)
        self.model.train(training)
        self.tell(f"loss {share:.3f} of the frequency baseline's, neighbors name {named:.3f}")
        return share - named


def train(family: str, corpus: Corpus, state: Path, *, epochs: int, tell: Tell) -> FoundationModel:
    """Train a family's network from its first vectors; goes on from the last epoch that lies in the state folder."""
    model, parts = begun(family, corpus), FAMILIES[family]
    first_vectors = dict(model.named_parameters())[parts.vectors].detach().clone()
    choice, cells = Choice(family, model, corpus, tell=tell), corpus.parts["train"]
    first = choice()
    stages = [
        _fitted(model, Loss(family, model, cells), choice, epochs=epochs, state=state / "epochs", tell=tell)
    ]
    for number, weight in enumerate(COMPOSED if parts.composing else ()):
        loss = ComposedLoss(family, model, cells, first=first_vectors, weight=weight)
        folder = state / f"composing-{number}"
        stages.append(_fitted(model, loss, choice, epochs=parts.composing, state=folder, tell=tell))
    best = min(stages[-1].validation_loss)
    kept = model if best < first else begun(family, corpus)
    words = (
        f"epoch {stages[-1].best_epoch + 1} of {len(stages[-1].loss)}"
        if best < first
        else "the first vectors"
    )
    tell(f"kept: {words} ({best:.3f}, first {first:.3f})")
    kept.eval().save(state / "checkpoint")
    facts = {
        "kept": words + " of the last stage" * (len(stages) > 1),
        "epochs": len(stages[0].loss),
        "first": first,
        "choice": [score for stage in stages for score in stage.validation_loss],
    }
    (state / "training.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return kept


def _fitted(
    model: FoundationModel, loss: Loss, choice: Choice, *, epochs: int, state: Path, tell: Tell
) -> History:
    """Train by a loss, and leave the network as its best epoch."""
    batch = loss.parts.batch
    return fit(
        model,
        loss,
        Cells(
            train=np.arange(batch * UPDATES),
            validation=np.empty(0, dtype=np.int64),
            lengths=np.zeros(batch * UPDATES, dtype=np.int64),
        ),
        settings=TrainingSettings(epochs=epochs, batch_size=batch, learning_rate=RATE, patience=None),
        report=_teller(tell),
        state=state,
        score=choice,
    )


def _teller(tell: Tell) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.done is not None and progress.done % UPDATES == 0 and "loss" in progress.values:
            tell(f"{progress.done}/{progress.total} loss {progress.values['loss']:.4f}")

    return report
