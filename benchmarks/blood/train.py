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
N_SPREAD = 500
"""Cells that say how far cells differ."""
LOSS_OF = 0.2
"""Share of the choosing cells whose loss is taken after each epoch."""
Tell = Callable[[str], None]


class Loss:
    """The model's own loss of cells that are drawn at random, each file alike in the root of its cells, and varied.

    With a weight, the second objective joins it: how far the mean over the expressed genes of a varied cell, as the
    network hands them on, lies from the mean of the first vectors of all its genes, in units of how far cells differ.
    """

    def __init__(self, family: str, model: FoundationModel, train: AnnData) -> None:
        self.model, self.train, self.parts = model, train, FAMILIES[family]
        files = train.obs["file"].to_numpy(str)
        sizes = {name: int((files == name).sum()) for name in SOURCES}
        self.chance = np.array([sizes[name] ** -0.5 for name in files])
        self.chance /= self.chance.sum()
        if self.parts.composed:
            self.first = dict(model.named_parameters())[self.parts.vectors].detach().clone()
            self.spread = float(self._composed(some(train, N_SPREAD)).var(dim=0).sum())

    def __call__(self, rows: NDArray[np.int64]) -> Tensor:
        """Give the mean loss of as many cells as there are rows, a scalar."""
        seed = int(torch.randint(2**31, (1,)).item())
        rng = np.random.default_rng(seed)
        drawn = rng.choice(len(self.chance), len(rows), replace=False, p=self.chance)
        counts = varied(sparse.csr_matrix(self.train.X[drawn]), rng, most_lost=self.parts.most_lost)
        tokens = self.model.tokenize(AnnData(counts, var=self.train.var))
        generator = torch.Generator().manual_seed(seed)
        if not self.parts.composed:
            return self.model.pretraining_loss(tokens, generator)
        loss, hidden = self._heard(tokens, generator)
        seen = torch.as_tensor(np.asarray(tokens.values) > 0)[..., None]  # (B, L, 1)
        cells = (hidden * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1)
        far = (cells - self._composed(self.train[drawn])).square().sum(dim=1)
        return loss + self.parts.composed * far.mean() / self.spread

    def _heard(self, tokens: Tokens, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Give the own loss, and what the network has made of each token on the way, (B, L, D)."""
        heard: list[Tensor] = []
        network = cast(nn.Module, self.model.network)
        ear = network.register_forward_hook(lambda *heard_of: heard.append(heard_of[-1]))
        loss = self.model.pretraining_loss(tokens, generator)
        ear.remove()
        return loss, heard[0]

    def _composed(self, cells: AnnData) -> Tensor:
        """Average the first vectors of the genes of whole cells, (N, D)."""
        shares = shares_of(self.model, cells, by_value=self.parts.by_value)
        return torch.as_tensor(shares @ self.first[self.model.vocab.ids].numpy(), dtype=torch.float32)


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
    model = begun(family, corpus)
    choice, batch = Choice(family, model, corpus, tell=tell), FAMILIES[family].batch
    first = choice()
    history = fit(
        model,
        Loss(family, model, corpus.parts["train"]),
        Cells(
            train=np.arange(batch * UPDATES),
            validation=np.empty(0, dtype=np.int64),
            lengths=np.zeros(batch * UPDATES, dtype=np.int64),
        ),
        settings=TrainingSettings(epochs=epochs, batch_size=batch, learning_rate=RATE, patience=None),
        report=_teller(tell),
        state=state / "epochs",
        score=choice,
    )
    return _better(family, corpus, model, state=state, first=first, history=history, tell=tell)


def _better(
    family: str,
    corpus: Corpus,
    model: FoundationModel,
    *,
    state: Path,
    first: float,
    history: History,
    tell: Tell,
) -> FoundationModel:
    """Keep the best epoch, or what training began with where no epoch is better."""
    best = min(history.validation_loss)
    kept = model if best < first else begun(family, corpus)
    words = f"epoch {history.best_epoch + 1} of {len(history.loss)}" if best < first else "the first vectors"
    tell(f"kept: {words} ({best:.3f}, first {first:.3f})")
    kept.eval().save(state / "checkpoint")
    facts = {"kept": words, "epochs": len(history.loss), "first": first, "choice": history.validation_loss}
    (state / "training.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return kept


def _teller(tell: Tell) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.done is not None and progress.done % UPDATES == 0 and "loss" in progress.values:
            tell(f"{progress.done}/{progress.total} loss {progress.values['loss']:.4f}")

    return report
