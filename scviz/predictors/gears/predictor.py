"""GEARS learns from a screen and predicts others."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import DataError
from scviz.foundation.batching import pick_device
from scviz.foundation.perturbing import NO_TERMS, lacking
from scviz.foundation.predictor import PerturbationPredictor
from scviz.predictors.gears.batches import Lessons, dense, most_changed, numbered
from scviz.predictors.gears.graphs import coexpression_graph
from scviz.predictors.gears.loss import gears_loss
from scviz.predictors.gears.network import Network, Predicted, Rows, Shape
from scviz.predictors.gears.settings import GearsSettings
from scviz.predictors.gears.vocabulary import Vocabulary, by_expression, by_terms
from scviz.progress import Progress, Report, silent
from scviz.training import Cells, History, TrainingSettings, fit

N_CONTROLS = 300
"""Control cells that a prediction is the mean of."""
AT_A_TIME = 16
"""Perturbations that are predicted together."""


class Gears(PerturbationPredictor):
    """Vectors of genes and of perturbations, smoothed over graphs of genes.

    Parameters
    ----------
    terms
        What is known of each gene, such as its terms of the Gene Ontology; genes without any cannot be predicted.
        With None perturbations are alike where their genes are expressed together.
    also
        Genes that may be asked for and are neither measured nor perturbed in the cells that are learned from.

    References
    ----------
    Roohani et al. (2024), doi:10.1038/s41587-023-01905-6.
    """

    network: Network
    settings: GearsSettings
    history: History
    vocabulary: Vocabulary

    def __init__(
        self,
        settings: GearsSettings | None = None,
        *,
        terms: Mapping[str, frozenset[str]] | None = None,
        also: Collection[str] = (),
    ) -> None:
        self.settings, self.terms, self.also = settings or GearsSettings(), terms, also
        self.numbers: dict[str, int] = {}

    def note(self, sentence: str) -> None:
        """Add to what people should know of this training."""
        self.notes = (*self.notes, sentence)

    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Train, and keep the weights that predict the most changed genes of the validation perturbations best.

        Raises
        ------
        DataError
            If there are no control cells, or no perturbation with known genes.
        """
        if CONTROL not in train.index:
            raise DataError(
                "There are no control cells to learn from.", hint="Choose which cells are unperturbed."
            )
        self.notes = ()
        report(Progress(stage="Joining genes"))
        self._join_genes(train, validation)
        known = [one for one in train.perturbations if not self.reason_against(one)]
        if not any(known):
            raise DataError(
                "None of the perturbed genes has a term, so there is nothing to learn from.",
                hint="Choose gene sets with symbols of the same species, or go without gene sets.",
            )
        left_out = len(train.perturbations) - len(known)
        if left_out:
            self.note(f"{left_out:,} perturbations of genes without terms were not learned from.")
        rng = np.random.default_rng(self.settings.seed)
        self.lessons = Lessons.of(train.only(known), self.numbers, rng)
        controls = self.lessons.screen.rows(CONTROL)
        self.sample = np.sort(rng.choice(controls, min(N_CONTROLS, len(controls)), replace=False))
        self._train(validation, report, state)

    def reason_against(self, perturbation: Perturbation) -> str:
        """Say which gene is not known; empty when all are."""
        words = NO_TERMS
        if self.terms is None or any(
            self.terms.get(gene) for gene in perturbation if gene not in self.numbers
        ):
            words = "neither measured nor perturbed in the cells learned from"
        return lacking(perturbation, self.numbers, words)

    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Predict the mean of 300 random control cells after each perturbation, (P, G); NaN where none can be."""
        found = np.full((len(perturbations), len(self.lessons.screen.genes)), np.nan)
        for rows, genes in self._askable(perturbations):
            found[rows] = self._expression(genes)
        return found

    def log_variance(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Give the mean log variance over genes, (P,), where the settings ask for uncertainty; NaN elsewhere.

        What is large is less certain only if the run at hand shows it: compare it with the errors first.
        """
        found = np.full(len(perturbations), np.nan)
        if self.settings.uncertainty:
            for rows, genes in self._askable(perturbations):
                found[rows] = self._spread(genes)
        return found

    # graphs

    def _join_genes(self, train: Screen, validation: Screen | None) -> None:
        """Make both graphs and the list of genes that can be perturbed."""
        settings = self.settings
        alone = [one for one in train.perturbations if len(one) <= 1]
        self.coexpression = coexpression_graph(
            train.only(alone).expression,
            n_neighbors=settings.n_neighbors,
            least=settings.coexpression_threshold,
        )
        self.note(
            f"Genes that are expressed together: {self.coexpression.n_between:,} arrows between "
            f"{len(train.genes):,} genes, at a correlation above {settings.coexpression_threshold:g}."
        )
        asked = {gene for one in train.perturbed for gene in one}.union(self.also)
        if self.terms is None:
            self.vocabulary = by_expression(train.genes, self.coexpression, asked)
        else:
            asked.update(gene for one in (validation.perturbed if validation else ()) for gene in one)
            wanted = asked.union(train.genes)
            self.vocabulary = by_terms(self.terms, wanted, n_neighbors=settings.n_neighbors)
        self.note(self.vocabulary.note)
        self.numbers = {gene: i for i, gene in enumerate(self.vocabulary.genes)}

    # training

    def _shape(self) -> Shape:
        settings = self.settings
        return Shape(
            hidden=settings.hidden,
            ge_layers=settings.ge_layers,
            go_layers=settings.go_layers,
            uncertainty=settings.uncertainty,
            published=settings.published,
        )

    def _training(self, n_cells: int) -> TrainingSettings:
        settings = self.settings
        return TrainingSettings(
            epochs=settings.epochs,
            batch_size=min(settings.batch_size, n_cells),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            decay=settings.decay,
            clip_value=1.0,
            drop_last=True,
            patience=None,
            seed=settings.seed,
        )

    def _train(self, validation: Screen | None, report: Report, state: Path | None) -> None:
        torch.manual_seed(self.settings.seed)
        self.network = Network(self._shape(), self.coexpression, self.vocabulary.graph)
        n_cells = len(self.lessons.partner)
        cells = Cells(
            train=np.arange(n_cells), validation=np.arange(0), lengths=np.ones(n_cells, dtype=np.int64)
        )
        judged = [one for one in validation.perturbed if not self.reason_against(one)] if validation else []
        with tempfile.TemporaryDirectory() if state is None else nullcontext(str(state)) as folder:
            self.history = fit(
                self.network,
                self._loss,
                cells,
                settings=self._training(n_cells),
                report=report,
                state=Path(folder),
                score=_Judge(self, validation, judged) if validation and judged else None,
            )
        self.network.to(pick_device("auto")).eval()

    @property
    def _device(self) -> torch.device:
        return self.network.indv_b1.device

    def _context(self, rows: NDArray[np.int64]) -> Tensor | None:
        """Give what is known of genes in these control cells, (B, G, D); None in plain GEARS."""
        return None

    def _loss(self, rows: NDArray[np.int64]) -> Tensor:
        """Change the control cells that belong to these cells, and give the loss."""
        lessons, device = self.lessons, self._device
        screen, partner = lessons.screen, lessons.partner[rows]
        kinds = screen.codes[rows]
        found = self.network(
            dense(screen.expression, partner, device),
            torch.as_tensor(lessons.perturbed[kinds], device=device),
            self._context(partner),
        )
        return gears_loss(
            found.expression,
            dense(screen.expression, rows, device),
            torch.as_tensor(screen.control, dtype=torch.float32, device=device),
            kinds=torch.as_tensor(kinds, device=device),
            expressed=torch.as_tensor(lessons.expressed[kinds], device=device),
            direction=self.settings.direction,
            log_variance=found.log_variance,
        )

    # prediction

    def _askable(self, perturbations: Sequence[Perturbation]) -> list[tuple[NDArray[np.int64], Tensor]]:
        """Divide what can be predicted into rows and numbers of genes, (p,) and (p, K)."""
        known = np.array(
            [i for i, one in enumerate(perturbations) if not self.reason_against(one)], dtype=int
        )
        parts = [known[start : start + AT_A_TIME] for start in range(0, len(known), AT_A_TIME)]
        return [
            (rows, torch.as_tensor(numbered([perturbations[i] for i in rows], self.numbers)))
            for rows in parts
        ]

    @torch.no_grad()
    def _changes(self, genes: Tensor) -> Predicted:
        """Give the mean change of the sample of control cells, (p, G)."""
        genes = genes.to(self._device)
        if self.settings.published:  # one of the cells differs from the others
            cells = torch.zeros(len(self.sample), self.network.n_genes, device=self._device)
            return together([self.network(cells, one.expand(len(cells), -1)) for one in genes])
        copies = torch.ones(len(genes), device=self._device)
        base = self.network.base(copies[:1])
        return self.network.changes(base, Rows(torch.zeros_like(genes[:, 0]), genes, copies))

    def _answer(self, genes: Tensor) -> Predicted:
        """Give changes, in single precision whatever training runs in."""
        with torch.autocast(self._device.type, enabled=False):
            return self._changes(genes)

    def _expression(self, genes: Tensor) -> NDArray[np.float64]:
        """Predict means, (p, G)."""
        control = np.asarray(self.lessons.screen.expression[self.sample].mean(axis=0, dtype=np.float64))
        change: NDArray[np.float64] = self._answer(genes).expression.double().cpu().numpy()
        return control.ravel() + change

    def _spread(self, genes: Tensor) -> NDArray[np.float64]:
        """Give the mean log variance over genes, (p,)."""
        spread = self._answer(genes).log_variance
        means: NDArray[np.float64] = torch.as_tensor(spread).double().mean(dim=1).cpu().numpy()
        return means


def together(found: Sequence[Predicted]) -> Predicted:
    """Average the cells of each perturbation, (p, G)."""
    spreads = [one.log_variance.mean(dim=0) for one in found if one.log_variance is not None]
    expression = torch.stack([one.expression.mean(dim=0) for one in found])
    return Predicted(expression, torch.stack(spreads) if spreads else None)


class _Judge:
    """Mean squared error of the most changed genes of each validation perturbation."""

    def __init__(self, predictor: Gears, validation: Screen, perturbations: list[Perturbation]) -> None:
        self.predictor, self.perturbations = predictor, perturbations
        screen = predictor.lessons.screen
        controls = screen.expression[screen.rows(CONTROL)]
        rows = [validation.rows(one) for one in perturbations]
        self.genes = np.stack([most_changed(validation.expression[cells], controls) for cells in rows])
        self.truth = np.take_along_axis(validation.means(perturbations), self.genes, axis=1)

    def __call__(self) -> float:
        predicted = np.take_along_axis(self.predictor.predict(self.perturbations), self.genes, axis=1)
        return float(((predicted - self.truth) ** 2).mean())
