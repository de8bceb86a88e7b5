"""Scores of every method on the same cells, and what each model gains over principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.clustering import MOST_CELLS, cell_silhouettes, cluster_scores, clusters_of, mean_of_known
from scviz.metrics.evidence import LEVEL, Gain, Outcome, counted
from scviz.metrics.halves import N_HALVES, half_interval, halves
from scviz.metrics.neighbors import batch_mixing, from_other_batches, neighbor_agreement, neighbor_names
from scviz.progress import Progress, Report
from scviz.tasks.compare import PCA, RANDOM, SCORES, MethodScores, ScoreGain, with_random_weights

N_STARTS = 10
STARTS_OF_A_HALF = 3
"""Of k-means: fewer make clusters of halves differ more, so that intervals are wider than they need be."""


OF_BATCHES = ("mixing", "silhouette_batch")
"""Scores of batches; the others are of types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """N cells by one method."""

    vectors: NDArray[np.float32]
    """(N, C)."""
    neighbors: NDArray[np.int32]
    """(N, k) nearest other cells, nearest first; -1 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """What N cells are judged by; -1 for cells that have none, or are not to be counted."""

    types: NDArray[np.int64]
    """(N,)."""
    batches: NDArray[np.int64]
    """(N,)."""

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(N,) which cells have a type or a batch."""
        return np.asarray((self.types >= 0) | (self.batches >= 0))

    def n_judging(self, score: str) -> int:
        """Give how many cells a score of SCORES is taken over."""
        return int(((self.batches if score in OF_BATCHES else self.types) >= 0).sum())

    def among(self, kept: NDArray[np.bool_]) -> Groups:
        """Count some of the cells only, (N,)."""
        return Groups(types=np.where(kept, self.types, -1), batches=np.where(kept, self.batches, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellScores:
    """What each of N cells says of a method; -1 or NaN where it is not counted."""

    named: NDArray[np.int64]
    """(N,) type by the vote of its neighbors."""
    cluster: NDArray[np.int64]
    """(N,)."""
    silhouette_label: NDArray[np.float64]
    """(N,)."""
    silhouette_batch: NDArray[np.float64]
    """(N,)."""
    elsewhere: NDArray[np.float64]
    """(N,) share of its neighbors that come from other batches."""


def score_cells(
    method: Embedded, groups: Groups, *, seed: int, n_starts: int = N_STARTS, near: Groups | None = None
) -> CellScores:
    """Score a method cell by cell.

    Parameters
    ----------
    near
        Cells whose vectors are compared with each other, where they are not all.
    """
    near = near or groups
    apart = {}
    for name, codes in (("label", near.types), ("batch", near.batches)):
        rows, apart[name] = codes >= 0, np.full(len(codes), np.nan)
        apart[name][rows] = cell_silhouettes(method.vectors[rows], codes[rows], seed=seed)
    cluster, typed = np.full(len(near.types), -1), near.types >= 0
    n_types = len(np.unique(near.types[typed]))
    if n_types > 1:
        cluster[typed] = clusters_of(method.vectors[typed], n_types, seed=seed, n_starts=n_starts)
    return CellScores(
        named=neighbor_names(method.neighbors, groups.types),
        cluster=cluster,
        silhouette_label=apart["label"],
        silhouette_batch=apart["batch"],
        elsewhere=from_other_batches(method.neighbors, groups.batches),
    )


def scores_of(cells: CellScores, method: Embedded, groups: Groups) -> MethodScores:
    """Average over cells."""
    clustered = cells.cluster >= 0
    clusters = cluster_scores(cells.cluster[clustered], groups.types[clustered])
    return MethodScores(
        agreement=neighbor_agreement(method.neighbors, groups.types),
        silhouette_label=mean_of_known(cells.silhouette_label),
        nmi=clusters.nmi,
        ari=clusters.ari,
        silhouette_batch=mean_of_known(cells.silhouette_batch),
        mixing=batch_mixing(method.neighbors, groups.batches),
    )


def half_scores(
    methods: Mapping[str, Embedded], groups: Groups, *, seed: int, n_halves: int = N_HALVES
) -> dict[str, NDArray[np.float64]]:
    """Score every method in the same halves of the cells, (B, 6) in the order of SCORES.

    Vectors are compared among MOST_CELLS cells at most, which makes intervals of larger datasets no narrower.
    """
    strata = groups.types if (groups.types >= 0).any() else groups.batches
    near = np.zeros(len(strata), dtype=bool)
    near[np.random.default_rng(seed).permutation(np.flatnonzero(groups.counted))[:MOST_CELLS]] = True
    found: dict[str, list[list[float]]] = {name: [] for name in methods}
    for half in halves(strata, n_halves=n_halves, seed=seed):
        own, nearest = groups.among(half), groups.among(half & near)
        for name, method in methods.items():
            cells = score_cells(method, own, seed=seed, n_starts=STARTS_OF_A_HALF, near=nearest)
            scores = scores_of(cells, method, own)
            found[name].append([getattr(scores, score) for score in SCORES])
    return {name: np.array(rows, dtype=np.float64).reshape(-1, len(SCORES)) for name, rows in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What gains are made of."""

    scores: Mapping[str, MethodScores]
    halves: Mapping[str, NDArray[np.float64]]
    """(B, 6) scores in halves of the cells, by method."""
    names: Mapping[str, str]
    """What methods are called."""
    groups: Groups

    @property
    def known(self) -> list[str]:
        """Scores that could be computed."""
        return [score for score in SCORES if np.isfinite(getattr(self.scores[PCA], score))]

    def gain(self, method: str, score: str, *, over: str, baseline: str, together: int) -> ScoreGain:
        """Compare a model with a baseline by a score.

        Parameters
        ----------
        baseline
            What the baseline is called.
        together
            Comparisons whose intervals hold at once.
        """
        sign, at = SCORES[score].sign, list(SCORES).index(score)
        own, plain = getattr(self.scores[method], score), getattr(self.scores[over], score)
        differences = sign * (self.halves[method][:, at] - self.halves[over][:, at])
        n_cells = self.groups.n_judging(score)
        gain = Gain(
            model=self.names[method],
            baseline=baseline,
            score=own,
            baseline_score=plain,
            difference=half_interval(
                sign * (own - plain), differences, n_cells=n_cells, level=LEVEL / together
            ),
            unit=SCORES[score].title.lower() if score not in ("nmi", "ari") else SCORES[score].title,
            counted="cells",
            n=n_cells,
            together=together,
        )
        return ScoreGain(method=method, score=score, gain=gain)


def gains_of(drawn: Drawn, models: Sequence[str]) -> tuple[ScoreGain, ...]:
    """Compare each model with principal components by each score.

    All models are compared with one baseline, so the intervals are widened (Bonferroni): LEVEL is divided by the number
    of models times the number of scores, and all intervals of a run hold together in 95 of 100.
    """
    together = len(models) * len(drawn.known)
    return tuple(
        drawn.gain(method, score, over=PCA, baseline="principal components", together=together)
        for method in models
        for score in drawn.known
    )


def over_random(drawn: Drawn, models: Sequence[str]) -> tuple[ScoreGain, ...]:
    """Compare each model with the same network with random weights by the first score there is."""
    own = [model for model in models if with_random_weights(model) in drawn.scores]
    return tuple(
        drawn.gain(
            model,
            score,
            over=with_random_weights(model),
            baseline="the same network with random weights",
            together=len(own),
        )
        for model in own
        for score in drawn.known[:1]
    )


def verdict_of(gains: Sequence[ScoreGain], beside: Sequence[ScoreGain] = ()) -> tuple[Outcome, str]:
    """Judge by the first score there is, and count the others.

    The model that scores highest speaks for all: the widened intervals allow for the choice.

    Parameters
    ----------
    beside
        Gains over the same networks with random weights; that of the model that speaks is said.
    """
    if not gains:
        return "unknown", "No column of types or batches was named, so there are no scores; compare the maps."
    lead = [one.gain for one in gains if one.score == gains[0].score]
    best = max(lead, key=lambda gain: np.nan_to_num(gain.difference.mean, nan=-np.inf))
    learned = "".join(f" {one.gain.sentence}" for one in beside if one.gain.model == best.model)
    counts = [f"{n} {words}" for outcome, words in COUNTED.items() if (n := _count(gains, outcome))]
    asked = f"{counted(len(gains), 'comparison')} of {counted(len(lead), 'model')}"
    rest = f"Of {asked} with principal components: {', '.join(counts)}."
    return best.outcome, f"{best.sentence} {rest}{learned}"


COUNTED: dict[Outcome, str] = {
    "better": "better",
    "worse": "worse",
    "none": "no gain",
    "unknown": "cannot be told",
}


def _count(gains: Sequence[ScoreGain], outcome: Outcome) -> int:
    return sum(one.gain.outcome == outcome for one in gains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is said of every method."""

    cells: dict[str, CellScores]
    scores: dict[str, MethodScores]
    halves: dict[str, NDArray[np.float64]]
    """(B, 6) of each method."""
    gains: tuple[ScoreGain, ...]
    over_random: tuple[ScoreGain, ...]

    def by_cell(self, name: str) -> dict[str, Any]:
        """Give a field of CellScores by method, (N,) each."""
        return {method: getattr(one, name) for method, one in self.cells.items()}


def judge(
    methods: Mapping[str, Embedded], groups: Groups, *, names: Mapping[str, str], seed: int, report: Report
) -> Judged:
    """Score all methods on the same cells, compare the models with principal components and with random weights.

    Parameters
    ----------
    names
        What methods are called.
    """
    cells, scores = {}, {}
    for method, embedded in methods.items():
        report(Progress(stage=f"Scoring {names[method]}"))
        cells[method] = score_cells(embedded, groups, seed=seed)
        scores[method] = scores_of(cells[method], embedded, groups)
    report(Progress(stage="Scoring halves of the cells"))
    halves_of = half_scores(methods, groups, seed=seed)
    drawn = Drawn(scores=scores, halves=halves_of, names=names, groups=groups)
    models = [method for method in methods if method != PCA and not method.endswith(RANDOM)]
    return Judged(
        cells=cells,
        scores=scores,
        halves=halves_of,
        gains=gains_of(drawn, models),
        over_random=over_random(drawn, models),
    )
