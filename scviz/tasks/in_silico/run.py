"""Gather, embed, edit, compare with random genes, draw arrows; finished edits outlive a stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of
from scviz.foundation.batching import pick_device, time_per_cell
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.evidence import LEVEL
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.in_silico import Affected, Effect, Observed, Request, Result, Ruler, TypeEffect
from scviz.tasks.in_silico.affected import MOST_CELLS, RANDOM_CELLS, RANDOM_EDITS, affected_genes
from scviz.tasks.in_silico.drawing import Drawing, draw
from scviz.tasks.in_silico.effects import Draw, Edits, Found
from scviz.tasks.in_silico.inputs import Inputs, gather
from scviz.tasks.in_silico.judging import by_type, effects_of, fewest_cells, random_of, strongest_first
from scviz.tasks.in_silico.observed import MeanShifts, Pair, compare, mean_shifts, real_pair, shifts_of
from scviz.tasks.in_silico.published import published_table
from scviz.tasks.in_silico.reading import Read, n_around, read_cells
from scviz.tasks.in_silico.ruler import ruler_of
from scviz.tasks.in_silico.screening import can_screen, readings, recall_in_words, screen_genes
from scviz.tasks.in_silico.statistics import alone, means_of
from scviz.tasks.in_silico.verdict import Compared, Judgement, of_one, of_sweep
from scviz.tasks.known_types import types_of
from scviz.tasks.price import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carried:
    """What a run has computed before it is put into words."""

    inputs: Inputs
    read: Read
    screened: bool
    found: list[Found]
    measures: NDArray[np.float32]
    """(all edits, n, 3)."""
    effects: list[Effect]
    """Of what is asked for, in the order of the inputs."""
    order: list[int]
    """Of the effects, the strongest first."""
    ruler: Ruler

    @property
    def ranked(self) -> tuple[Effect, ...]:
        """The effects, the strongest first."""
        return tuple(self.effects[i] for i in self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Single:
    """What only a single edit has."""

    drawing: Drawing
    affected: Affected | None = None
    observed: Observed | None = None
    shifts: MeanShifts | None = None


def run(request: Request, context: Context) -> Result:
    """Carry the request out; edits that an earlier try has finished are not made again."""
    begun = time.monotonic()
    context.report(Progress(stage="Looking genes up"))
    labels = types_of(context.workspace, request.dataset, None if request.sweep else request.label_key)
    model = context.model(request.checkpoint, "embedding").eval()
    model.to(pick_device(context.device))
    inputs = gather(request, context, model)
    folder = context.workspace.dataset_folder(request.dataset)
    info = context.workspace.dataset(request.dataset)
    pair = None
    if not request.sweep:
        pair = real_pair(folder, info, request, goal_rows=inputs.goal_rows, rows=inputs.rows)
    read = read_cells(request, context, model, inputs=inputs, pair=pair)
    ruler = ruler_of(request, info, folder, read=read, rows=inputs.rows)
    carried = _carry_out(request, context, model, inputs=inputs, read=read, ruler=ruler)
    single = _Single(drawing=Drawing())
    if not request.sweep:
        single = _single(request, context, model, carried=carried, pair=pair)
    types = by_type(request, labels, carried.inputs, measures=carried.measures)
    notes = (*_notes(request, carried), *labels.notes, *depth_of(carried.inputs.adata).notes)
    result = _result(request, carried, single, types=types, notes=notes)
    return replace(result, seconds=time.monotonic() - begun)


def _carry_out(
    request: Request,
    context: Context,
    model: FoundationModel,
    *,
    inputs: Inputs,
    read: Read,
    ruler: Ruler,
) -> _Carried:
    """Screen where that can be done, edit, and compare with random genes."""
    screened = can_screen(request, model) and inputs.n_asked < inputs.n_tests
    if screened:
        scores = screen_genes(model, read.cells, context.state, report=context.report)
        inputs = gather(request, context, model, scores=scores)
    draw_cells = Draw(most=request.random_cells, seed=(request.seed,))
    edits = Edits(context.state / "moves", model, read.cells, draw=draw_cells, report=context.report)
    found = edits.of(inputs.edits, n_asked=inputs.n_asked, keep_vectors=not request.sweep)
    context.report(Progress(stage="Comparing with random genes"))
    measures = np.stack([one.spread(len(inputs.rows)) for one in found])
    effects = effects_of(request, inputs, measures)
    return _Carried(
        inputs=inputs,
        read=read,
        screened=screened,
        found=found,
        measures=measures,
        effects=effects,
        order=strongest_first(effects, fewest=fewest_cells(request)),
        ruler=ruler,
    )


def _single(
    request: Request,
    context: Context,
    model: FoundationModel,
    *,
    carried: _Carried,
    pair: Pair | None,
) -> _Single:
    """Draw one edit, list the genes that it changes, and compare it with a real perturbation."""
    inputs, read, found, effect = carried.inputs, carried.read, carried.found, carried.effects[0]
    beyond = any(shift is not None and shift.p <= LEVEL for shift in (effect.moved, effect.to_goal))
    shifts = None
    if pair is not None:
        of_cells = [shifts_of(one, read.cells.vectors) for one in found]
        shifts = mean_shifts(
            [read.around.of(rows) for rows in (pair.control_rows, pair.perturbed_rows)],
            of_cells[0],
            random=[of_cells[number] for number in inputs.random],
            seed=request.seed,
        )
    # the network first: the map leaves another number of threads behind, with which a network waits more than it works
    affected = affected_genes(model, read.cells, inputs.edits, seed=request.seed, report=context.report)
    return _Single(
        drawing=draw(request, context, read, inputs=inputs, found=found, beyond=beyond),
        affected=affected,
        observed=compare(pair, shifts) if pair is not None and shifts is not None else None,
        shifts=shifts,
    )


def _result(
    request: Request,
    carried: _Carried,
    single: _Single,
    *,
    types: tuple[TypeEffect, ...],
    notes: tuple[str, ...],
) -> Result:
    """Put all together."""
    inputs, measures, effects = carried.inputs, carried.measures, carried.ranked
    asked, random, drawing = (
        measures[: inputs.n_asked][carried.order],
        measures[inputs.random],
        single.drawing,
    )
    goal = request.goal is not None
    to_goal, to_start = (asked[:, :, k] if goal else None for k in (1, 2))
    judgement = _judge(request, carried)
    return Result(
        kind=request.kind,
        rows=inputs.rows,
        n_all=inputs.adata.n_obs,
        n_chosen=inputs.n_chosen,
        effects=effects,
        moved=asked[:, :, 0],
        to_goal=to_goal,
        to_start=to_start,
        random_genes=tuple(inputs.edits[number].genes for number in inputs.random),
        random_levels=inputs.levels[inputs.random],
        random_moved=random[:, :, 0],
        random_to_goal=random[:, :, 1] if goal else None,
        types=types,
        map_rows=drawing.rows,
        map_places=drawing.coordinates,
        before=drawing.before,
        after=drawing.after,
        clear=drawing.clear,
        observed=single.observed,
        mean_shifts=single.shifts.stacked() if single.shifts is not None else None,
        affected=single.affected,
        published=published_table(request, effects, moved=asked[:, :, 0], to_goal=to_goal, to_start=to_start),
        ruler=carried.ruler,
        n_tests=inputs.n_tests,
        n_goal=len(inputs.goal_rows),
        outcome=judgement.outcome,
        verdict=judgement.sentence,
        notes=notes,
        seconds=0.0,
    )


def _judge(request: Request, carried: _Carried) -> Judgement:
    """Put what was found in a sentence."""
    inputs = carried.inputs
    if not request.sweep:
        return of_one(request, carried.effects[0], carried.ruler)
    goal = request.goal is not None
    random = random_of(inputs, carried.measures[..., int(goal)], both_sides=goal)
    compared = Compared(
        null=inputs.null,
        n_tests=inputs.n_tests,
        n_random=int(np.isfinite(random.means).sum()),
        n_drawable=inputs.n_drawable,
        alone=alone(random),
    )
    return of_sweep(request, carried.ranked, ruler=carried.ruler, compared=compared)


def _notes(request: Request, carried: _Carried) -> tuple[str, ...]:
    """Say what else to know."""
    inputs, notes = carried.inputs, []
    if carried.screened:
        notes.append(_recall(request, carried))
    if inputs.n_chosen > len(inputs.rows):
        notes.append(f"{len(inputs.rows):,} of {inputs.n_chosen:,} chosen cells were drawn at random.")
    n_unseen = int((~np.isfinite(carried.read.cells.vectors).all(axis=1)).sum())
    if n_unseen:
        notes.append(f"In {n_unseen:,} of them the model sees no gene.")
    n_random = len(inputs.random)
    if 0 < request.n_random > n_random and inputs.null != "all":
        notes.append(f"There are only {n_random:,} random genes or sets to compare with.")
    if len(inputs.edits) > inputs.n_asked and request.random_cells < len(inputs.rows):
        notes.append(
            f"Each of {n_random:,} random genes was edited in at most {request.random_cells} of the cells, to save "
            "time."
        )
    return tuple(notes)


def _recall(request: Request, carried: _Carried) -> str:
    """Say how well the screen chose, by the random genes that it did not choose."""
    inputs = carried.inputs
    means = means_of(carried.measures[:, :, int(request.goal is not None)])
    chosen, others = means[: inputs.n_asked].tolist(), means[inputs.n_asked :].tolist()
    return recall_in_words(chosen, others, n_genes=inputs.n_tests)


def price(request: Request, context: Context) -> Price:
    """Time three batches, count cells and edits, and say what the whole will take."""
    model = context.model(request.checkpoint, "embedding")
    model.to(pick_device(context.device))
    inputs = gather(request, context, model)
    one = time_per_cell(model, inputs.used)
    n_cells, n_asked = len(inputs.rows), inputs.n_asked
    n_read = n_cells + n_around(request, inputs.adata.n_obs)
    drawing = 3.0
    if not request.map_run:
        n_read += len(inputs.goal_rows)
        drawing += 0 if request.sweep else 15.0  # most of it is the compilation of umap
    if not request.sweep:
        n_read += 2 * (MOST_CELLS + RANDOM_EDITS * RANDOM_CELLS)
    of_random = sum(min(n, request.random_cells) for n in inputs.n_changed[n_asked:])
    passes = sum(inputs.n_changed[:n_asked]) + of_random
    if can_screen(request, model) and n_asked < inputs.n_tests:
        n_read += round(
            readings(request, float(np.diff(inputs.adata[inputs.rows].X.indptr).mean())) * n_cells
        )
    return Price(
        seconds=one * (n_read + passes) + 0.01 * len(inputs.edits) + drawing,
        gigabytes=peak_gb() + 0.1,
        how=f"{n_asked:,} edits in up to {n_cells:,} cells and {len(inputs.edits) - n_asked:,} of random genes in up "
        f"to {min(request.random_cells, n_cells):,}, which are {of_random:,} of {passes:,} readings of a cell; timed "
        "on a few batches",
    )
