"""Judge each way of naming on held-out cells of the reference, beside names that know nothing of the types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import accuracy
from scviz.metrics.comparison import FEWEST_JUDGED, Names, compare
from scviz.metrics.conformal import conformal_quantile, lac_scores, own_scores
from scviz.metrics.evidence import Gain
from scviz.metrics.scores import classification_scores
from scviz.tasks.transfer import Method
from scviz.tasks.transfer.held_out import COVERAGE, MAJORITY, PERMUTED
from scviz.tasks.transfer.labeled import Labeled
from scviz.tasks.transfer.learning import Read, Scored
from scviz.tasks.transfer.rules import Floats, probabilities, standardized_logistic, temperature_of

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What M held-out cells of the reference say of the methods."""

    methods: tuple[Method, ...]
    chosen: str
    """The method that names."""
    truth: Codes | None = None
    """(M,) known types."""
    judged: dict[str, Floats] = field(default_factory=dict)
    """(M, K) probabilities by method."""
    baselines: dict[str, Codes] = field(default_factory=dict)
    """(M,) names by each baseline."""
    bars: dict[str, float] = field(default_factory=dict)
    """How odd a cell of a type may be, by method."""
    judged_bars: dict[str, Floats] = field(default_factory=dict)
    """(M,) the bar of each held-out cell, by method, where it differs."""
    n_validation: int = 0
    n_calibrating: int = 0

    @property
    def predicted(self) -> dict[str, Codes] | None:
        """(M,) what each method calls the held-out cells; None where they are not known."""
        return {name: named(one) for name, one in self.judged.items()} if self.judged else None


def named(scores: Floats) -> Codes:
    """Take the best type, (M,); the first one for cells that a model does not see, as any guess would."""
    return np.asarray(np.nan_to_num(scores, nan=-1e9).argmax(axis=1), dtype=np.int64)


def judge_scored(scored: Sequence[Scored], inputs: Labeled, read: Read, *, train: Codes, seed: int) -> Found:
    """Choose temperatures and the method that names by validation cells, bars by cells set aside, score on the others.

    Parameters
    ----------
    train
        (n,) rows that were learned from.
    """
    n_validation, n_calibrating = len(inputs.split.validation), len(inputs.calibration)
    rows = np.concatenate([inputs.split.validation, inputs.calibration, inputs.split.test])
    known, test = inputs.codes[rows], n_validation + n_calibrating
    methods, judged, bars = [], {}, {}
    for one in scored:
        validation = one.judged[:n_validation], known[:n_validation]
        temperature = temperature_of(*validation)
        found = probabilities(one.judged, temperature)
        judged[one.name] = found[test:]
        if n_calibrating:
            bars[one.name] = bar_of(found[n_validation:test], known[n_validation:test])
        methods.append(
            scored_method(
                one.name,
                known[test:],
                named(found[test:]),
                types=inputs.types,
                temperature=temperature,
                validated=accuracy(validation[1], named(validation[0])),
                seconds=one.seconds,
            )
        )
    return Found(
        methods=tuple(methods),
        chosen=chosen_method(methods, n_validation=n_validation),
        truth=known[test:],
        judged=judged,
        baselines=baselines_of(
            read.train, inputs.codes[train], read.judged[test:], n_types=len(inputs.types), seed=seed
        ),
        bars=bars,
        n_validation=n_validation,
        n_calibrating=n_calibrating,
    )


def bar_of(judged: Floats, truth: Codes) -> float:
    """Find how odd a cell may be so that sets hold the true type as often as promised.

    Parameters
    ----------
    judged
        (L, K) probabilities of cells that nothing was learned or chosen by; cells that a model does not see count as
        oddest.
    truth
        (L,) their types.
    """
    odd = own_scores(lac_scores(np.nan_to_num(judged, nan=0.0)), truth)
    return float(min(conformal_quantile(odd, COVERAGE), 1.0))


def baselines_of(train: Floats, types: Codes, asked: Floats, *, n_types: int, seed: int) -> dict[str, Codes]:
    """Name cells, (M,), by the most common type, and by a rule that learned permuted labels.

    Parameters
    ----------
    train
        (n, P) principal components of training cells.
    types
        (n,) of these.
    asked
        (M, P) of the cells that judge.
    """
    permuted = np.random.default_rng(seed).permutation(types)
    rule = standardized_logistic(train, permuted, n_types)
    most = int(np.bincount(types, minlength=n_types).argmax())
    return {
        MAJORITY: np.full(len(asked), most, dtype=np.int64),
        PERMUTED: named(rule.scores(asked)),
    }


def scored_method(
    name: str,
    truth: Codes,
    predicted: Codes,
    *,
    types: Sequence[str],
    temperature: float,
    validated: float = float("nan"),
    seconds: float = 0.0,
) -> Method:
    """Score a method on held-out cells, (M,) known and given types; macro means leave out what a verdict leaves out."""
    scores = classification_scores(truth, predicted, types, fewest=FEWEST_JUDGED)
    return Method(
        name=name,
        temperature=temperature,
        validated=validated,
        accuracy=scores.accuracy,
        macro_f1=scores.macro_f1,
        seconds=seconds,
        scores=scores,
    )


def chosen_method(methods: Sequence[Method], *, n_validation: int) -> str:
    """Name the method that names: the first whose accuracy on validation cells chance cannot tell from the best one.

    Examples
    --------
    >>> plain = Method(name="plain", temperature=1.0, validated=0.90)
    >>> other = Method(name="other", temperature=1.0, validated=0.92)
    >>> chosen_method([plain, other], n_validation=100), chosen_method([plain, other], n_validation=10_000)
    ('plain', 'other')
    """
    known = np.nan_to_num([one.validated for one in methods], nan=0.0)
    best = known.max()
    error = 2 * np.sqrt(best * (1 - best) / n_validation) if n_validation else 0.0
    return methods[int(np.flatnonzero(known >= best - error)[0])].name


def gain_of_models(found: Found, *, n_plain: int, n_types: int) -> Gain | None:
    """Compare the model that did best on validation cells with the plain methods, on held-out cells."""
    if len(found.methods) == n_plain or found.truth is None or found.predicted is None:
        return None
    best = chosen_method(found.methods[n_plain:], n_validation=found.n_validation)
    plain = [Names(method=one.name, types=found.predicted[one.name]) for one in found.methods[:n_plain]]
    model = Names(method=best, types=found.predicted[best])
    return compare(found.truth, model, plain, n_types=n_types)
