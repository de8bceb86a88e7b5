"""scGPT on a perturbation screen: learns from pairs of control and perturbed cells, predicts mean expression."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.batching import pick_device, suitable_batch
from scviz.foundation.perturbing import KnownGenes
from scviz.foundation.predictor import PerturbationPredictor
from scviz.foundation.vocab import GeneVocab
from scviz.models.scgpt import PERTURBATION
from scviz.models.scgpt.network import Network
from scviz.models.scgpt.perturbation import Generator
from scviz.progress import Progress, Report, silent
from scviz.training import Cells, History, TrainingSettings
from scviz.training import fit as train_network


@dataclass(frozen=True, slots=True, kw_only=True)
class ScGptPerturbationSettings:
    """How scGPT learns a screen; the defaults are those of its authors' notebook, without mixed precision."""

    epochs: int = 15
    batch_size: int = 64
    learning_rate: float = 1e-4
    decay: float = 0.9
    """Factor on the learning rate after each epoch."""
    patience: int = 10
    """Epochs without a better correlation on the validation perturbations before training ends."""
    genes_per_step: int = 1536
    """Genes that a step of training reads: a random part, and besides them the genes perturbed in its cells.

    The authors leave the perturbed genes to chance, so that a step may not see what was perturbed.
    """
    control_cells: int = 300
    """Control cells whose predictions are averaged."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Cells to learn from, each with the control cell that it is thought to come from."""

    control: NDArray[np.int64]
    """(N,) rows of control cells."""
    observed: NDArray[np.int64]
    """(N,) rows of cells: perturbed ones, and control cells, which are paired with themselves."""


class ScGptScreen(PerturbationPredictor):
    """Changes control cells into perturbed ones; reads every gene, unknown ones as `<pad>`.

    A perturbed gene must be measured, since it is marked among the genes of the cell. Training perturbations of
    which a gene is not measured are left out. There is no dropout.

    References
    ----------
    Cui et al. (2024), doi:10.1038/s41592-024-02201-0.
    """

    def __init__(self, network: Network, vocab: GeneVocab, settings: ScGptPerturbationSettings) -> None:
        self.pretrained, self.vocab = network, vocab
        self.settings: ScGptPerturbationSettings = settings

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Train on pairs of cells, and keep the epoch that predicts the validation perturbations best.

        Best is the highest Pearson correlation of predicted and observed means over all genes, as the authors
        choose; without validation it is the lowest loss.

        Raises
        ------
        RequestError
            If there are no control cells, or no training perturbation has all its genes measured.
        GeneMatchError
            If the vocabulary knows none of the genes.
        """
        self._begin(train)
        usable = [one for one in train.perturbed if not self.reason_against(one)]
        if not usable:
            raise RequestError(
                "None of the perturbations to learn from has all its genes among the measured ones.",
                hint="scGPT marks the perturbed gene in each cell; choose another method, or measure more genes.",
            )
        self.notes = self._notes(train, len(usable))
        for note in self.notes:
            report(Progress(stage="Training scGPT", note=note))
        if state is None:
            with tempfile.TemporaryDirectory() as folder:
                self.history = self._train(train, usable, validation, report=report, state=Path(folder))
        else:
            self.history = self._train(train, usable, validation, report=report, state=state)

    def _begin(self, train: Screen) -> None:
        """Take the genes of a screen, the control cells from which predictions start, and the pre-trained weights."""
        if CONTROL not in train.index:
            raise RequestError(
                "There are no control cells to start from.", hint="Tell which value of the column is control."
            )
        vocab = self.vocab
        tokens = vocab.tokens_at(vocab.positions(train.genes))
        if (tokens < 0).all():
            raise GeneMatchError(
                f"None of the {len(tokens):,} genes is in the vocabulary of this checkpoint.",
                hint="Look at the names of the genes on the Data page, or choose another checkpoint.",
            )
        self.device = pick_device("auto")
        self.network = self._network().to(self.device)
        gene_ids = np.where(tokens < 0, vocab.special["<pad>"], tokens)
        self.gene_ids = torch.as_tensor(gene_ids, device=self.device)  # (G,)
        self.column = train.column
        rows = train.rows(CONTROL)
        rng = np.random.default_rng((self.settings.seed, 1))
        chosen = np.sort(rng.choice(rows, min(len(rows), self.settings.control_cells), replace=False))
        self.controls = train.expression[chosen].toarray().astype(np.float32)  # (n, G)

    def _notes(self, train: Screen, n_usable: int) -> tuple[str, ...]:
        """Say what a reader of the predictions should know, a sentence each."""
        notes = []
        n_all, n_genes = len(train.perturbed), len(train.genes)
        if n_usable < n_all:
            notes.append(
                f"scGPT learns from {n_usable} of {n_all} perturbations: the others' genes are not measured."
            )
        n_known = int((self.gene_ids != self.vocab.special["<pad>"]).sum())
        if n_known < n_genes:
            notes.append(
                f"scGPT knows {n_known:,} of {n_genes:,} genes; it tells the others apart by their expression only."
            )
        return tuple(notes)

    def _network(self) -> Generator:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)  # what no pre-training knows begins random
            network = Generator(
                dataclasses.replace(self.pretrained.config, dropout=0.0, attention_dropout=0.0)
            )
        network.load_pretrained(self.pretrained.state_dict())
        return network

    def reason_against(self, perturbation: Perturbation) -> str:
        """Name the perturbed genes that are not measured."""
        return PERTURBATION.reason_against(perturbation, KnownGenes(measured=self.column))

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Average the predictions for the control cells, (P, G); NaN where a gene is not measured."""
        predicted = np.full((len(perturbations), len(self.gene_ids)), np.nan)
        for row, one in enumerate(perturbations):
            if not self.reason_against(one):
                predicted[row] = self._mean(one, len(self.controls))
        return predicted

    def _mean(self, perturbation: Perturbation, n_cells: int) -> NDArray[np.float64]:
        """Average the predictions for the first control cells, (G,)."""
        self.network.eval()
        cells = self.controls[:n_cells]
        size = suitable_batch(len(self.gene_ids))
        total = np.zeros(len(self.gene_ids))
        for start in range(0, len(cells), size):
            control = torch.as_tensor(cells[start : start + size], device=self.device)
            flags = self._flags([perturbation] * len(control))
            total += self.network.predict(self.gene_ids, control, flags).double().sum(dim=0).cpu().numpy()
        return total / len(cells)

    def _flags(self, perturbations: Sequence[Perturbation]) -> Tensor:
        """Mark the perturbed genes of each cell, (B, G)."""
        flags = np.zeros((len(perturbations), len(self.gene_ids)), dtype=np.int64)
        for row, one in enumerate(perturbations):
            flags[row, [self.column[gene] for gene in one]] = 1
        return torch.as_tensor(flags, device=self.device)

    def _train(
        self,
        train: Screen,
        usable: Sequence[Perturbation],
        validation: Screen | None,
        *,
        report: Report,
        state: Path,
    ) -> History:
        cells = train.only([CONTROL, *usable])
        pairs = pair_cells(cells, self.settings.seed)
        judged = [] if validation is None else validation.perturbed
        judged = [one for one in judged if not self.reason_against(one)]

        def loss(rows: NDArray[np.int64]) -> Tensor:
            control, observed = (
                torch.as_tensor(cells.expression[side[rows]].toarray(), device=self.device)
                for side in (pairs.control, pairs.observed)
            )
            flags = self._flags([cells.perturbations[code] for code in cells.codes[pairs.observed[rows]]])
            some = genes_of_step(flags, self.settings.genes_per_step)
            ids = self.gene_ids[some].expand(len(rows), -1)
            return self.network.loss(ids, control[:, some], flags[:, some], observed=observed[:, some])

        def score() -> float:
            if validation is None:
                raise ValueError("Without validation cells nothing can be scored.")
            return -float(np.mean([self._agreement(validation, one) for one in judged]))

        history = train_network(
            self.network,
            loss,
            Cells(
                train=np.arange(cells.expression.shape[0]),
                validation=np.empty(0, dtype=np.int64),
                lengths=np.ones(cells.expression.shape[0], dtype=np.int64),
            ),
            settings=self._training_settings(),
            report=report,
            state=state,
            stage="Training scGPT",
            score=score if judged else None,
        )
        self.network.to(self.device).eval()
        return history

    def _training_settings(self) -> TrainingSettings:
        return TrainingSettings(
            epochs=self.settings.epochs,
            batch_size=self.settings.batch_size,
            learning_rate=self.settings.learning_rate,
            weight_decay=0.0,
            decay=self.settings.decay,
            patience=self.settings.patience,
            seed=self.settings.seed,
        )

    def _agreement(self, validation: Screen, perturbation: Perturbation) -> float:
        """Correlate predicted with observed mean expression over all genes; 0 where that is undefined."""
        predicted = self._mean(perturbation, len(validation.rows(perturbation)))
        observed = validation.mean(perturbation)
        if min(np.ptp(predicted), np.ptp(observed)) < 1e-6:
            return 0.0
        return float(np.corrcoef(predicted, observed)[0, 1])


def pair_cells(cells: Screen, seed: int) -> Pairs:
    """Pair each perturbed cell with a random control cell, and control cells with themselves."""
    rng = np.random.default_rng(seed)
    observed = np.arange(cells.expression.shape[0])
    controls = cells.rows(CONTROL)
    drawn = rng.choice(controls, len(observed))
    return Pairs(control=np.where(np.isin(observed, controls), observed, drawn), observed=observed)


def genes_of_step(flags: Tensor, n_genes: int) -> Tensor:
    """Draw genes for a step of training, and add those that are perturbed in its cells.

    Parameters
    ----------
    flags
        (B, G) 1 = perturbed gene.

    Returns
    -------
    (n,) columns, ascending.
    """
    kept = (flags != 0).any(dim=0)  # (G,)
    drawn = torch.randperm(flags.shape[1])[:n_genes].to(flags.device)
    kept[drawn] = True
    return kept.nonzero()[:, 0]
