"""What confidence is worth on the cells that judge: calibration, sets, and what abstaining buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.climbing import Climbed, climb
from scviz.metrics.calibration import (
    Reliability,
    brier_score,
    calibration_error,
    classwise_error,
    equal_mass,
    log_loss,
    log_scores,
    reliability,
    scaled,
)
from scviz.metrics.conformal import Coverage, coverage_of, least_by_chance, least_cells
from scviz.metrics.evidence import Interval, bootstrap, counted
from scviz.metrics.rejection import Abstaining, abstaining_curve
from scviz.tasks.annotation import MODEL, SET_WAYS, Result, SetWay

CURVE_BINS = 10
"""Points of the reliability curve, each of nearly as many cells."""
NEW_SCORES = {
    "max_softmax": "1 - highest probability",
    "energy": "energy of the scores",
    "entropy": "entropy of the probabilities",
    "mahalanobis": "distance to the nearest type (Mahalanobis)",
    "relative": "the same, relative to all cells",
    "neighbors": "distance to the nearest training cells",
}
"""Ways to say how odd a cell is; the first one is what confidence says."""
VECTORS = {"model": "the model", "expression": "principal components"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far confidence can be taken at its word."""

    confidence: float
    """Mean probability of the names."""
    accuracy: float
    """Share of right names."""
    error: Interval
    """Expected calibration error: mean distance of the two, in bins of confidence."""
    classwise: float
    """The same of the probability of each type, averaged over types."""
    brier: float
    log_loss: float
    curve: Reliability


def calibrations(result: Result) -> dict[str, Calibration]:
    """Judge confidence as it is, and as it was before temperature where there is one; none without cells that judge."""
    if not len(result.truth):
        return {}
    found: dict[str, NDArray[np.floating]] = {"as it is": result.probabilities}
    if result.raw_confidence is not None:
        found = {"calibrated": result.probabilities, "before": _before(result)}
    return {name: _calibration(p, result.truth, result.predicted[MODEL]) for name, p in found.items()}


def _before(result: Result) -> NDArray[np.float64]:
    """Take the temperature out of the probabilities again, (M, K)."""
    values = np.array([one.value if one else 1.0 for one in result.temperatures])
    own = values[result.folds] if result.folds is not None else np.full(len(result.truth), values[0])
    return scaled(log_scores(result.probabilities) * own[:, None], 1.0)


def _calibration(
    probabilities: NDArray[np.floating], truth: NDArray[np.int64], named: NDArray[np.int64]
) -> Calibration:
    confidence, right = probabilities.max(axis=1).astype(np.float64), named == truth
    return Calibration(
        confidence=float(confidence.mean()),
        accuracy=float(right.mean()),
        error=calibration_error(confidence, right),
        classwise=classwise_error(probabilities, truth),
        brier=brier_score(probabilities, truth),
        log_loss=log_loss(log_scores(probabilities), truth),
        curve=reliability(confidence, right, equal_mass(confidence, CURVE_BINS)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsOfWay:
    """What sets drawn in one way hold, on the cells that judge."""

    way: SetWay
    coverage: Coverage
    by_type: dict[str, float]
    """Share of the cells of each type whose set holds it; types without cells are left out."""
    by_group: dict[str, float]
    """Share of the cells of each group that was held out."""
    in_all: tuple[str, ...]
    """Types with too few cells set aside: they are in every set."""


def sets_by_way(result: Result) -> tuple[SetsOfWay, ...]:
    """Count how often sets hold the true type, for each way that there is."""
    return tuple(_of_way(result, way) for way in SET_WAYS if way in result.test_sets)


def _of_way(result: Result, way: SetWay) -> SetsOfWay:
    sets, truth = result.test_sets[way], result.truth
    held = np.take_along_axis(sets, truth[:, None], axis=1)[:, 0]
    by_group = {}
    if result.test_groups is not None:
        for group in np.unique(result.test_groups):
            by_group[str(group)] = float(held[result.test_groups == group].mean())
    few = least_cells(result.coverage)
    return SetsOfWay(
        way=way,
        coverage=coverage_of(sets, truth),
        by_type={result.types[code]: float(held[truth == code].mean()) for code in np.unique(truth)},
        by_group=by_group,
        in_all=tuple(
            name
            for name, n in zip(result.types, result.calibrating, strict=True)
            if way == "class" and n < few
        ),
    )


def sets_sentence(result: Result) -> str:
    """Say what the sets promise, and what they hold on the cells that judge."""
    found = next((one for one in sets_by_way(result) if one.way == result.sets_by), None)
    if found is None:
        return "No sets of types: too few cells could be set aside."
    observed, promised = found.coverage.observed, f"{100 * result.coverage:.0f} %"
    lead = f"{100 * observed.mean:.1f} % of {observed.n:,} held-out cells have their type in their set"
    if observed.known:
        lead += f" (95 % interval {100 * observed.low:.1f} to {100 * observed.high:.1f} %)"
    if result.test_groups is not None:
        return (
            f"{lead}; {promised} were promised for cells of the groups that were trained on. Not guaranteed where "
            "groups differ: these are cells of other groups."
        )
    if not observed.known:
        return f"{lead}; {promised} were promised. Too few cells to tell whether it is kept."
    n = sum(result.calibrating)
    least = least_by_chance(result.coverage, n_calibrating=n, n_judged=observed.n)
    verdict = "kept" if observed.mean >= least else "not kept"
    return (
        f"{lead}; {promised} were promised: {verdict}, for cells like these. With {counted(n, 'cell')} set aside, as "
        f"few as {100 * least:.1f} % can be chance."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OneName:
    """Cells that climbing has given one name."""

    name: str
    term: str
    """Its id in the Cell Ontology; empty for none."""
    n_cells: int
    n_judged: int
    """Of these, cells that judge."""
    right: float
    """Share of them whose known type is of that name; NaN without any."""


def climbed(result: Result, terms: Sequence[str]) -> Climbed | None:
    """Give the set of every cell one name of the Cell Ontology; None without sets.

    Parameters
    ----------
    terms
        Ids of the K types; empty for types without one.
    """
    if result.all_sets is None:
        return None
    found = climb(result.all_sets, result.types, terms)
    return replace(found, names=np.where(result.all_predicted < 0, "", found.names))


def one_names(result: Result, found: Climbed) -> tuple[OneName, ...]:
    """Count the cells of each name, the most common first, and how often it is right on the cells that judge."""
    judged, truth = result.test_rows, result.truth
    held = found.holds[judged, truth]
    names, counts = np.unique(found.names[found.names != ""].astype(str), return_counts=True)
    rows = []
    for at in np.argsort(-counts, kind="stable"):
        own = found.names[judged] == names[at]
        first = int(np.flatnonzero(found.names == names[at])[0])
        rows.append(
            OneName(
                name=str(names[at]),
                term=str(found.terms[first]),
                n_cells=int(counts[at]),
                n_judged=int(own.sum()),
                right=float(held[own].mean()) if own.any() else float("nan"),
            )
        )
    return tuple(rows)


def climbed_sentence(result: Result, found: Climbed) -> str:
    """Say how many cells have a name above their types, and how often names hold the known type."""
    share = coverage_of(found.holds[result.test_rows], result.truth).observed
    of_one = float((found.holds[result.test_rows].sum(axis=1) == 1).mean())
    above = float(found.above[result.test_rows].mean())
    said = (
        f"One name for each set: {100 * of_one:.1f} % of {len(result.test_rows):,} held-out cells keep one type, "
        f"{100 * above:.1f} % get a name above their types; {100 * share.mean:.1f} % of the names hold the known type"
    )
    if share.known:
        said += f" (95 % interval {100 * share.low:.1f} to {100 * share.high:.1f} %)"
    return f"{said}, {100 * result.coverage:.0f} % were promised for the sets."


def abstaining(result: Result) -> Abstaining:
    """Leave cells unnamed below ever higher confidence; names and cells are those that judge."""
    confidence, right = result.probabilities.max(axis=1), result.predicted[MODEL] == result.truth
    return abstaining_curve(confidence, right)


def spread_sentence(result: Result) -> str:
    """Say how scores vary with the seed; empty for one seed."""
    if len(result.repeats) < 2 or result.gain is None:
        return ""
    own = np.array([one.macro_f1[MODEL] for one in result.repeats])
    best = np.array([one.macro_f1[result.gain.baseline] for one in result.repeats])
    n_better = int((own > best).sum())
    return (
        f"Over {counted(len(own), 'seed')}, each with other cells held out and another start, macro-F1 is "
        f"{own.min():.3f} to "
        f"{own.max():.3f} (standard deviation {own.std(ddof=1):.3f}), {result.gain.baseline} {best.min():.3f} to "
        f"{best.max():.3f}; the model is ahead in {n_better} of {len(own)}."
    )


def novelty_sentence(result: Result, score: str) -> str:
    """Say how well types that were left out are told from the others by a score; empty where none was tested."""
    rows = {(one.name, one.vectors): one for one in result.novelty if one.score == score}
    names = list(dict.fromkeys(name for name, _ in rows))
    if not names:
        return ""
    model, others = (np.array([rows[name, v].auroc.mean for name in names]) for v in VECTORS)
    worst = names[int(model.argmin())]
    found = sum(rows[name, "model"].auroc.low > 0.5 for name in names)
    gap = bootstrap(model - others)
    ahead = f"a difference of {gap.mean:+.3f}"
    ahead += (
        f", 95 % interval over types {gap.low:+.3f} to {gap.high:+.3f}"
        if gap.known
        else ", of too few types for an interval"
    )
    return (
        f"Left out in turn, {found} of {len(names)} types are told from the known ones better than by chance by the "
        f"model's vectors: AUROC {model.mean():.3f} on average, compared with {others.mean():.3f} by principal "
        f"components ({ahead}). Hardest: {worst}, {model.min():.3f}."
    )
