"""scFoundation with GEARS: genes have the vectors that scFoundation gives them in the control cell at hand.

The published way. scFoundation stays as it is; what GEARS adds to it is trained. In mode "v1" the vector of a gene
comes from scFoundation, and what is smoothed over the graph of expression is learned; in "v2" both come from there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import GeneMatchError
from scviz.foundation.batching import pick_device
from scviz.foundation.predictor import PerturbationPredictor
from scviz.foundation.vocab import GeneVocab
from scviz.memory import GIGABYTE, available_gb
from scviz.models.scfoundation.network import Network, tensors_of
from scviz.models.scfoundation.tokenizer import (
    TargetDepth,
    profiles_of_logs,
    select_genes,
)
from scviz.predictors.gears.network import Predicted, Rows, Shape
from scviz.predictors.gears.predictor import Gears
from scviz.predictors.gears.settings import GearsSettings
from scviz.progress import Progress, Report, silent
from scviz.training import TrainingSettings

SAME_DEPTH = TargetDepth("a", 0.0)
"""Cells are read at the depth that they have."""
MOST_KEPT_GB = 4.0
"""Vectors of genes in control cells are kept up to this size, and made anew for each batch beyond."""
WHOLE_READS = 0.05
"""How far restored counts may be from whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextGearsSettings(GearsSettings):
    """Settings of the authors; `hidden` is the width of scFoundation's vectors, whatever it says here."""

    epochs: int = 15
    batch_size: int = 30
    """Cells of an update."""
    at_once: int = 6
    """Cells that are normalized together; gradients of an update are added up."""
    learning_rate: float = 5e-4
    """Published: 0.0005 for Adamson, 0.0002 for Dixit, 0.01 for Norman."""
    mode: Literal["v1", "v2"] = "v1"
    """What comes from scFoundation: the vectors of genes, or also what is smoothed over the graph."""


class ScFoundationGears(PerturbationPredictor):
    """GEARS on the genes that both scFoundation and the screen know; other genes are predicted as in control.

    Parameters
    ----------
    terms, also
        As in `Gears`.
    """

    def __init__(
        self,
        network: Network,
        vocab: GeneVocab,
        settings: ContextGearsSettings,
        *,
        terms: Mapping[str, frozenset[str]] | None = None,
        also: Collection[str] = (),
    ) -> None:
        chosen = replace(settings, hidden=network.config.decoder_width)
        if chosen.published:
            raise ValueError(
                "With scFoundation all cells of a batch are smoothed alike; `published` is no choice."
            )
        self.vocab = vocab
        self.gears = _ContextGears(network, vocab, chosen, terms=terms, also=also)
        self.settings: ContextGearsSettings = self.gears.settings

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Train what GEARS adds to scFoundation.

        Raises
        ------
        GeneMatchError
            If scFoundation knows none of the genes.
        DataError
            As in `Gears.fit`.
        """
        found = self.vocab.positions(train.genes)
        known, columns = np.unique(found, return_index=True)
        self.columns = np.sort(columns[known >= 0])
        if not len(self.columns):
            raise GeneMatchError(
                "scFoundation knows none of the measured genes.", hint="Use symbols of human genes."
            )
        own = (
            f"scFoundation knows {len(self.columns):,} of the {len(train.genes):,} measured genes; the others "
            "are predicted as they are in control cells."
        )
        self.control = train.control if CONTROL in train.index else np.zeros(len(train.genes))
        parts = (
            _of_columns(train, self.columns),
            _of_columns(validation, self.columns) if validation else None,
        )
        self.gears.fit(*parts, report=report, state=state)
        self.history, self.notes = self.gears.history, (own, *self.gears.notes)

    def reason_against(self, perturbation: Perturbation) -> str:
        """Say which gene is not known; empty when all are."""
        return self.gears.reason_against(perturbation)

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Predict the mean of 300 random control cells after each perturbation, (P, G); NaN where none can be."""
        found = np.tile(self.control, (len(perturbations), 1))
        found[:, self.columns] = self.gears.predict(perturbations)
        found[[bool(self.reason_against(one)) for one in perturbations]] = np.nan
        return found


class _ContextGears(Gears):
    """GEARS whose gene vectors come with each control cell."""

    settings: ContextGearsSettings

    def __init__(
        self,
        network: Network,
        vocab: GeneVocab,
        settings: ContextGearsSettings,
        *,
        terms: Mapping[str, frozenset[str]] | None,
        also: Collection[str],
    ) -> None:
        super().__init__(settings, terms=terms, also=also)
        self.reader, self.vocab = network.eval().requires_grad_(False), vocab

    def _shape(self) -> Shape:
        return replace(super()._shape(), context=self.settings.mode)

    def _training(self, n_cells: int) -> TrainingSettings:
        """Average gradients over pieces, which authors add up; smaller limits make Adam take the same steps."""
        plain = super()._training(n_cells)
        pieces = -(-plain.batch_size // self.settings.at_once)
        return replace(
            plain, pieces=pieces, weight_decay=plain.weight_decay / pieces, clip_value=1.0 / pieces
        )

    def _train(self, validation: Screen | None, report: Report, state: Path | None) -> None:
        screen = self.lessons.screen
        self.places = self.vocab.tokens_at(self.vocab.positions(screen.genes))
        self.totals, note = restored_totals(screen.expression)
        self.note(note)
        used = np.union1d(self.lessons.partner, self.sample)
        size = len(used) * len(self.places) * self.settings.hidden * 4 / GIGABYTE
        self.kept: Tensor | None = None
        if size < min(MOST_KEPT_GB, available_gb() / 4):
            parts = []
            self.reader.to(pick_device("auto"))
            for start in range(0, len(used), self.settings.at_once):
                report(Progress(stage="Reading control cells", done=start, total=len(used)))
                parts.append(self._read(used[start : start + self.settings.at_once]).cpu())
            self.place = np.searchsorted(used, np.arange(len(self.lessons.partner)))
            self.kept = torch.cat(parts)
        super()._train(validation, report, state)

    def _context(self, rows: NDArray[np.int64]) -> Tensor:
        """Give the vectors of genes in these control cells, (B, G, E)."""
        device = self._device
        if self.kept is not None:
            return self.kept[torch.as_tensor(self.place[rows])].to(device)
        self.reader.to(device)
        different, back = np.unique(rows, return_inverse=True)
        return self._read(different)[torch.as_tensor(back, device=device)]

    @torch.no_grad()
    def _read(self, rows: NDArray[np.int64]) -> Tensor:
        """Let scFoundation read control cells, (B, G, E)."""
        cells = select_genes(self.lessons.screen.expression[rows], self.places, self.reader.config.n_genes)
        read = profiles_of_logs(cells, SAME_DEPTH, totals=self.totals[rows])
        device = self.reader.to_expression.weight.device
        decoded = self.reader.decode_cells(*tensors_of(read.tokens(depth_tokens=True), device))
        return decoded[:, torch.as_tensor(self.places, device=device)].float()

    @torch.no_grad()
    def _changes(self, genes: Tensor) -> Predicted:
        """Give the mean change of the sample of control cells, (p, G)."""
        genes = genes.to(self._device)
        copies = torch.ones(len(genes), device=self._device)
        rows = Rows(torch.zeros_like(genes[:, 0]), genes, copies)
        sums: list[Tensor] = []
        for cell in self.sample:
            base = self.network.base(copies[:1], self._context(np.array([cell])))
            found = self.network.changes(base, rows)
            parts = [part for part in (found.expression, found.log_variance) if part is not None]
            sums = [total + part for total, part in zip(sums, parts, strict=True)] if sums else parts
        means = [total / len(self.sample) for total in sums]
        return Predicted(means[0], means[1] if len(means) > 1 else None)


def restored_totals(expression: sparse.csr_matrix) -> tuple[NDArray[np.float64], str]:
    """Find the total counts of cells from their log1p values, (N,), and say how.

    Where counts were only scaled, the smallest value of a cell stands for one read. Where they were not, the sum of
    the log1p values is taken, as the authors do.

    Examples
    --------
    >>> counts = np.array([[1.0, 0.0, 3.0], [2.0, 1.0, 4.0]])
    >>> logs = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 10_000)
    >>> restored_totals(sparse.csr_matrix(logs))[0].round(3).tolist()
    [4.0, 7.0]
    """
    scaled = expression.astype(np.float64).expm1()
    totals, whole = np.zeros(scaled.shape[0]), []
    for row in range(len(totals)):
        values = scaled.data[scaled.indptr[row] : scaled.indptr[row + 1]]
        values = values[values > 0]
        if len(values):
            reads = values / values.min()
            totals[row] = reads.sum()
            whole.append(np.mean(np.abs(reads - reads.round()) < WHOLE_READS + 1e-4 * reads))
    if whole and np.median(whole) > 0.9:
        return totals, "The number of reads of each cell was restored from its smallest value."
    logs = np.asarray(expression.sum(axis=1), dtype=np.float64).ravel()
    return (
        logs,
        "The number of reads is unknown; scFoundation is given the sum of the values, as published.",
    )


def _of_columns(screen: Screen, columns: NDArray[np.int64]) -> Screen:
    """Return the same cells with some of their genes."""
    return Screen(
        expression=screen.expression[:, columns],
        genes=tuple(screen.genes[i] for i in columns),
        perturbations=screen.perturbations,
        codes=screen.codes,
    )
