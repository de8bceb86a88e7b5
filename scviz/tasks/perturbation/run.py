"""Divide the screen, let each method learn and predict, score all alike."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import Perturbation
from scviz.errors import JobCancelledError, ScvizError
from scviz.memory import peak_gb
from scviz.metrics.ceiling import spread
from scviz.metrics.perturbation import Scores
from scviz.metrics.perturbation_table import METRICS, summarize
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.perturbation import CEILING, Outcome, Refusal, Request, Result, Tested
from scviz.tasks.perturbation.building import build
from scviz.tasks.perturbation.interactions import interactions
from scviz.tasks.perturbation.judging import (
    HEADLINE,
    as_array,
    beside_additive,
    ceiling,
    gain_in_words,
    gain_over_baselines,
    inflation,
    scored,
    warnings_of,
    without_the_targets,
)
from scviz.tasks.perturbation.methods import BASELINES, Method, Name
from scviz.tasks.perturbation.screening import Task, prepare
from scviz.tasks.price import Price
from scviz.workspace.records import RECORD, read_record, write_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a method said, kept in the state folder as soon as it is there."""

    means: NDArray[np.float64]
    """(P + A, G); NaN where it predicts nothing."""
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]
    losses: tuple[float, ...]
    seconds: float


def run(request: Request, context: Context) -> Result:
    """Carry the request out; methods that an earlier try has finished are not trained again."""
    start = time.monotonic()
    context.report(Progress(stage="Reading the screen"))
    task = prepare(request, context)
    predictions = {method.key: _prediction(method, request, task, context) for method in request.every_method}
    context.report(Progress(stage="Scoring"))
    n_test = len(task.test)
    means = {key: one.means[:n_test] for key, one in predictions.items()}
    scores = {key: scored(task, one) for key, one in means.items()}
    bare = {key: scored(task, one, without_targets=True) for key, one in means.items()}
    scores[CEILING], bare[CEILING] = ceiling(
        task, independent=request.independent_controls, seed=request.seed
    )
    outcomes = {
        method.key: _outcome(method, predictions[method.key], scores, bare, task, request, context)
        for method in request.every_method
    }
    outcomes[CEILING] = _ceiling_outcome(scores[CEILING], bare[CEILING], task, request)
    share = inflation(task, seed=request.seed)
    context.report(Progress(stage="Interactions of genes"))
    spreads = {
        one.title: one.spread.warning
        for one in outcomes.values()
        if one.spread is not None and one.method.name not in BASELINES
    }
    top = outcomes[CEILING].summaries[HEADLINE]["all"].mean
    return Result(
        genes=task.screen.genes,
        tested=tuple(
            Tested(genes=one, subgroup=task.split.subgroup[one], n_cells=len(task.screen.rows(one)))
            for one in task.test
        ),
        asked=request.predict_also,
        train=task.split.train,
        validation=task.split.validation,
        dropped=task.split.dropped,
        control=task.control.astype(np.float32),
        control_predicted=task.train.control.astype(np.float32),
        observed=task.screen.means(task.test).astype(np.float32),
        de_genes=task.de_genes,
        predicted={key: one.means.astype(np.float32) for key, one in predictions.items()},
        scores={key: as_array(one) for key, one in scores.items()},
        scores_without_targets={key: as_array(one) for key, one in bare.items()},
        outcomes=outcomes,
        inflation=share,
        interactions=interactions(task, means),
        n_cells=len(task.screen.codes),
        n_control=len(task.screen.rows(())),
        n_left_out=task.n_left_out,
        verdict=_verdict(outcomes),
        warnings=tuple(
            warnings_of(task, spreads, share, independent=request.independent_controls, ceiling_mean=top)
        ),
        notes=task.notes,
        seconds=time.monotonic() - start,
    )


def _prediction(method: Method, request: Request, task: Task, context: Context) -> Prediction:
    """Let a method learn and predict, or read what it said in an earlier try."""
    folder = context.state / _folder_name(method)
    if (folder / RECORD).exists():
        return read_record(Prediction, folder)
    wanted = [*task.test, *(tuple(sorted(one)) for one in request.predict_also)]
    training = folder / "training"
    training.mkdir(parents=True, exist_ok=True)
    try:
        answer = _learned(method, request, task, context, wanted, training)
    except JobCancelledError:
        raise
    except ScvizError as error:  # what one method cannot do does not keep the others from it
        answer = _nothing(f"{error} {error.hint}", wanted, len(task.screen.genes))
    write_record(answer, folder)
    shutil.rmtree(training, ignore_errors=True)
    return answer


def _learned(
    method: Method,
    request: Request,
    task: Task,
    context: Context,
    wanted: Sequence[Perturbation],
    training: Path,
) -> Prediction:
    """Let a method learn and predict what is wanted."""
    start = time.monotonic()
    title = title_of(method, context)
    context.report(Progress(stage=f"{title}: learning"))
    predictor = build(method, request, task, context)
    predictor.fit(task.train, task.validation, report=context.report, state=training)
    context.report(Progress(stage=f"{title}: predicting"))
    history = getattr(predictor, "history", None)
    return Prediction(
        means=np.asarray(predictor.predict(wanted), dtype=np.float64).reshape(len(wanted), -1),
        refused=tuple(
            Refusal(genes=one, reason=reason) for one in wanted if (reason := predictor.reason_against(one))
        ),
        notes=tuple(getattr(predictor, "notes", ())),
        losses=tuple(history.loss) if history is not None else (),
        seconds=time.monotonic() - start,
    )


def _nothing(reason: str, wanted: Sequence[Perturbation], n_genes: int) -> Prediction:
    """Say that a method predicts none of what is wanted, and why."""
    return Prediction(
        means=np.full((len(wanted), n_genes), np.nan),
        refused=tuple(Refusal(genes=one, reason=reason) for one in wanted),
        notes=(reason,),
        losses=(),
        seconds=0.0,
    )


def _folder_name(method: Method) -> str:
    return method.key.replace("/", "-").replace(":", "-")


def title_of(method: Method, context: Context) -> str:
    """Name a method with its weights."""
    if not method.checkpoint:
        return method.card.title
    return f"{method.card.title} · {context.workspace.checkpoint(method.checkpoint).name}"


def _outcome(
    method: Method,
    prediction: Prediction,
    scores: Mapping[str, Scores],
    bare: Mapping[str, Scores],
    task: Task,
    request: Request,
    context: Context,
) -> Outcome:
    subgroups = [task.split.subgroup[one] for one in task.test]
    title = title_of(method, context)
    row = list(METRICS).index(HEADLINE)
    own = as_array(scores[method.key])[row]
    others: dict[str, NDArray[np.float32]] = {
        name: as_array(scores[name])[row] for name in BASELINES if name != method.key and name != "no_change"
    }
    baseline, gain, mean, other = gain_over_baselines(own, others, seed=request.seed)
    known = Method(name=cast(Name, baseline)).card.title if baseline else ""
    words = gain_in_words(title, known, gain, mean, other, int(np.sum(~np.isnan(own))))
    if method.name not in BASELINES and baseline:
        words += without_the_targets(as_array(bare[method.key])[row], as_array(bare[baseline])[row])
        words += beside_additive(own, others["additive"])
    n_test = len(task.test)
    return Outcome(
        method=method,
        title=title,
        summaries=summarize(scores[method.key], subgroups, seed=request.seed),
        without_targets=summarize(bare[method.key], subgroups, seed=request.seed),
        spread=spread(
            prediction.means[:n_test] - task.train.control, task.screen.means(task.test) - task.control
        ),
        refused=prediction.refused,
        notes=prediction.notes,
        losses=prediction.losses,
        seconds=prediction.seconds,
        gain=words,
        gain_low=gain.low,
        gain_high=gain.high,
    )


def _ceiling_outcome(scores: Scores, bare: Scores, task: Task, request: Request) -> Outcome:
    subgroups = [task.split.subgroup[one] for one in task.test]
    return Outcome(
        method=Method(name="no_change"),
        title="Half of the cells (ceiling)",
        summaries=summarize(scores, subgroups, seed=request.seed),
        without_targets=summarize(bare, subgroups, seed=request.seed),
        spread=None,
    )


def _verdict(outcomes: Mapping[str, Outcome]) -> str:
    """Say in a sentence or two what the comparison shows."""
    asked = [one for key, one in outcomes.items() if key != CEILING and one.method.name not in BASELINES]
    if not asked:
        known = {
            key: one.summaries[HEADLINE]["all"]
            for key, one in outcomes.items()
            if key != CEILING and one.summaries[HEADLINE]["all"].n
        }
        best = max(known, key=lambda key: known[key].mean)
        return (
            f"The best baseline is “{outcomes[best].title}”, with a correlation of changes of "
            f"{known[best].mean:.3f} on {known[best].n} perturbations."
        )
    best_method = max(asked, key=lambda one: np.nan_to_num(one.summaries[HEADLINE]["all"].mean, nan=-2))
    return best_method.gain


def price(request: Request, context: Context) -> Price:
    """Train each network for a moment, and say what the whole will take."""
    task = prepare(request, context)
    n_train, n_test = len(task.train.codes), len(task.test) + len(request.predict_also)
    seconds, parts = 10.0 + 2e-9 * task.screen.expression.nnz * len(task.test), []
    for method in request.every_method:
        if not method.card.trains:
            seconds += 1.0
            continue
        per_cell, per_prediction, epochs = _trial(method, request, task, context)
        n_judged = len(task.split.validation)
        own = epochs * (per_cell * n_train + per_prediction * n_judged) + per_prediction * n_test
        seconds += own
        parts.append(f"{method.card.title} {epochs} epochs over {n_train:,} cells")
    how = "; ".join(parts) or "baselines only"
    return Price(seconds=seconds, gigabytes=peak_gb(), how=f"{how}; timed on a few cells")


def _trial(method: Method, request: Request, task: Task, context: Context) -> tuple[float, float, int]:
    """Return seconds for a cell of training and for one prediction, and the epochs that training takes at most."""
    settings = build(method, request, task, context).settings  # type: ignore[attr-defined]  # of networks
    rng = np.random.default_rng(request.seed)
    per_cell = per_prediction = math.inf
    for n_cells in TRIAL_CELLS:
        controls = task.train.rows(())[:n_cells]
        perturbed = np.flatnonzero(task.train.codes != task.train.index[()])
        chosen = rng.permutation(perturbed)[:n_cells]
        few = task.train.take(np.sort(np.concatenate([controls, chosen])))
        predictor = build(
            method, request, task, context, epochs=1, batch_size=min(n_cells, settings.batch_size)
        )
        start = time.perf_counter()
        predictor.fit(few, None)
        learned = time.perf_counter()
        predictor.predict(few.perturbed[:1])
        done = time.perf_counter()
        per_cell = (learned - start) / len(few.codes)
        per_prediction = (done - learned) * min(300, len(task.train.rows(()))) / max(1, len(controls))
        if done - start > TRIAL_SECONDS:  # the first one also loads libraries; where it is slow, it must do
            break
    return per_cell, per_prediction, settings.epochs


TRIAL_CELLS = (8, 64)
"""Control cells, and as many perturbed ones, that the trials take."""
TRIAL_SECONDS = 15.0
