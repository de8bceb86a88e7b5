"""Divide the screen, let each method learn and predict, score all alike."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.errors import JobCancelledError, ScvizError
from scviz.metrics.ceiling import spread
from scviz.metrics.evidence import Gain
from scviz.metrics.perturbation_table import summarize
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.perturbation import HALVES, Outcome, Refusal, Request, Result, Tested
from scviz.tasks.perturbation.as_published import cell_eval_table
from scviz.tasks.perturbation.inputs import Inputs, gather
from scviz.tasks.perturbation.interactions import interactions
from scviz.tasks.perturbation.judging import (
    Scored,
    Truth,
    as_array,
    ceiling,
    halves,
    inflation,
    scored,
    truth_of,
)
from scviz.tasks.perturbation.methods import BASELINES, Method
from scviz.tasks.perturbation.predictors import build
from scviz.tasks.perturbation.pricing import price
from scviz.tasks.perturbation.verdict import Row, beside, conclusion, gain_over, warnings_of
from scviz.workspace.records import RECORD, read_record, write_record

__all__ = ["price", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a method said, kept in the state folder as soon as it is there."""

    means: NDArray[np.float32]
    """(P + A, G); NaN where it predicts nothing."""
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]
    losses: tuple[float, ...]
    seconds: float


def run(request: Request, context: Context) -> Result:
    """Carry the request out; methods that an earlier try has finished are not trained again."""
    start = time.monotonic()
    context.report(Progress(stage="Reading the screen"))
    inputs = gather(request, context)
    predictions = {method.key: _prediction(method, inputs, context) for method in request.every_method}
    context.report(Progress(stage="Scoring"))
    truth = truth_of(inputs)
    means = {key: one.means[: len(inputs.test)] for key, one in predictions.items()}
    scores = {key: scored(truth, one) for key, one in means.items()}
    scores[HALVES] = halves(inputs, truth, seed=request.seed)
    outcomes = _outcomes(inputs, predictions, scores, truth=truth, context=context)
    share = inflation(inputs, truth, seed=request.seed)
    gain, verdict = conclusion(outcomes, len(inputs.test))
    warnings = warnings_of(outcomes, len(inputs.test), share, independent=request.independent_controls)
    context.report(Progress(stage="Interactions of genes"))
    return Result(
        genes=inputs.screen.genes,
        tested=_tested(inputs),
        asked=request.predict_also,
        train=inputs.split.train,
        validation=inputs.split.validation,
        dropped=inputs.split.dropped,
        control=truth.control,
        control_predicted=truth.control_predicted,
        observed=truth.observed,
        learned=truth.learned,
        de_order=truth.de_order,
        predicted={key: one.means for key, one in predictions.items()},
        scores={key: as_array(one.every) for key, one in scores.items()},
        scores_without_targets={key: as_array(one.bare) for key, one in scores.items()},
        outcomes=outcomes,
        ceiling=ceiling(scores[HALVES]),
        cell_eval=cell_eval_table(inputs, means),
        inflation=share,
        interactions=interactions(inputs, truth, means),
        n_cells=len(inputs.screen.codes),
        n_control=len(inputs.screen.rows(())),
        n_left_out=sum(inputs.left_out.values()),
        left_out=inputs.left_out,
        verdict=verdict,
        gain=gain,
        warnings=(*inputs.warnings, *warnings),
        notes=inputs.notes,
        seconds=time.monotonic() - start,
    )


def _tested(inputs: Inputs) -> tuple[Tested, ...]:
    return tuple(
        Tested(genes=one, subgroup=inputs.split.subgroup[one], n_cells=len(inputs.screen.rows(one)))
        for one in inputs.test
    )


def _prediction(method: Method, inputs: Inputs, context: Context) -> Prediction:
    """Let a method learn and predict, or read what it said in an earlier try."""
    folder = context.state / method.key.replace("/", "-").replace(":", "-")
    if (folder / RECORD).exists():
        return read_record(Prediction, folder)
    training = folder / "training"
    training.mkdir(parents=True, exist_ok=True)
    try:
        answer = _learned(method, inputs, context, training=training)
    except JobCancelledError:
        raise
    except ScvizError as error:  # what one method cannot do does not keep the others from it
        answer = _nothing(f"{error} {error.hint}", inputs)
    write_record(answer, folder)
    shutil.rmtree(training, ignore_errors=True)
    return answer


def _learned(method: Method, inputs: Inputs, context: Context, *, training: Path) -> Prediction:
    """Let a method learn and predict what is wanted."""
    start = time.monotonic()
    title = title_of(method, context)
    context.report(Progress(stage=f"{title}: learning"))
    predictor = build(method, inputs, context)
    predictor.fit(inputs.train, inputs.validation, report=context.report, state=training)
    context.report(Progress(stage=f"{title}: predicting"))
    wanted = inputs.wanted
    return Prediction(
        means=np.asarray(predictor.predict(wanted), dtype=np.float32).reshape(len(wanted), -1),
        refused=tuple(
            Refusal(genes=one, reason=reason) for one in wanted if (reason := predictor.reason_against(one))
        ),
        notes=predictor.notes,
        losses=tuple(predictor.history.loss) if predictor.history is not None else (),
        seconds=time.monotonic() - start,
    )


def _nothing(reason: str, inputs: Inputs) -> Prediction:
    """Say that a method predicts none of what is wanted, and why."""
    return Prediction(
        means=np.full((len(inputs.wanted), len(inputs.screen.genes)), np.nan, dtype=np.float32),
        refused=tuple(Refusal(genes=one, reason=reason) for one in inputs.wanted),
        notes=(reason,),
        losses=(),
        seconds=0.0,
    )


def title_of(method: Method, context: Context) -> str:
    """Name a method with its weights."""
    if not method.checkpoint:
        return method.card.title
    return f"{method.card.title} · {context.workspace.checkpoint(method.checkpoint).name}"


def _outcomes(
    inputs: Inputs,
    predictions: Mapping[str, Prediction],
    scores: Mapping[str, Scored],
    *,
    truth: Truth,
    context: Context,
) -> dict[str, Outcome]:
    """Summarize every method, and the halves of the cells."""
    request, subgroups = inputs.request, [inputs.split.subgroup[one] for one in inputs.test]
    observed = truth.observed - truth.control
    found = {}
    for method in request.every_method:
        prediction = predictions[method.key]
        gain, words = _gain(method, inputs, scores, title=title_of(method, context))
        found[method.key] = Outcome(
            method=method,
            title=title_of(method, context),
            summaries=summarize(scores[method.key].every, subgroups, seed=request.seed),
            without_targets=summarize(scores[method.key].bare, subgroups, seed=request.seed),
            spread=spread(prediction.means[: len(subgroups)] - truth.control_predicted, observed),
            refused=prediction.refused,
            notes=prediction.notes,
            losses=prediction.losses,
            seconds=prediction.seconds,
            gain=gain,
            beside=words,
        )
    found[HALVES] = Outcome(
        method=None,
        title="Half of the cells (replicate)",
        summaries=summarize(scores[HALVES].every, subgroups, seed=request.seed),
        without_targets=summarize(scores[HALVES].bare, subgroups, seed=request.seed),
        spread=None,
    )
    return found


def _gain(
    method: Method, inputs: Inputs, scores: Mapping[str, Scored], *, title: str
) -> tuple[Gain | None, str]:
    """Compare a method that was asked for with the best baseline."""
    if method.name in BASELINES:
        return None, ""
    baselines = {Method(name=name).card.title: scores[name] for name in BASELINES}
    own = scores[method.key]
    n_compared = sum(one.name not in BASELINES for one in inputs.request.methods)
    rows = [Row(title=name, values=one.headline) for name, one in baselines.items()]
    gain = gain_over(
        Row(title=title, values=own.headline), rows, n_compared=n_compared, seed=inputs.request.seed
    )
    if gain is None:
        return None, ""
    best = next(one for name, one in baselines.items() if f"“{name}”" in gain.baseline)
    mine = {"every": own.headline, "bare": own.bare.counted("pearson_delta")}
    theirs = {"bare": best.bare.counted("pearson_delta"), "additive": scores["additive"].headline}
    return gain, beside(mine, theirs)
