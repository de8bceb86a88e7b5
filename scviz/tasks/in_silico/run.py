"""Plan, embed, edit, compare with random genes, draw arrows; finished edits outlive a stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of
from scviz.datasets.labels import Labels
from scviz.datasets.neighbors import map_of_cells
from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.batching import encode, pick_device, time_per_cell
from scviz.foundation.chunks import embed_cells
from scviz.foundation.edits import highest_levels
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.memory import peak_gb
from scviz.progress import Progress
from scviz.tasks.chosen_cells import sample
from scviz.tasks.context import Context
from scviz.tasks.in_silico import FEWEST_CELLS, Effect, Observed, Request, Result, Shift, TypeEffect, verdict
from scviz.tasks.in_silico.arrows import clearly_moved, places_after
from scviz.tasks.in_silico.moves import N_MEASURES, Cells, Moves
from scviz.tasks.in_silico.observed import Pair, compare, real_pair
from scviz.tasks.in_silico.plan import Plan, make_plan
from scviz.tasks.in_silico.screening import READINGS, can_screen, recall_in_words, screen_genes
from scviz.tasks.in_silico.statistics import means_of, shifts
from scviz.tasks.known_types import types_of
from scviz.tasks.price import Price
from scviz.workspace.chunks import Chunks

NEW_MAP = 1500
"""Cells of a map that is drawn for the arrows alone."""
MOST_ON_MAP = 20_000
ENCODED_AGAIN = 8
EXACT = 1e-5
"""Share of a vector by which two computations of it may differ, that edits are measured from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Vectors of cells of the dataset."""

    rows: NDArray[np.int64]
    """(M,) ascending."""
    vectors: NDArray[np.float32]
    """(M, C)."""
    places: NDArray[np.float32] | None = None
    """(M, 2) on a finished map."""

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take some of them, (n, C)."""
        return self.vectors[np.searchsorted(self.rows, rows)]


def run(request: Request, context: Context) -> Result:
    """Carry the request out; edits that an earlier try has finished are not made again."""
    begun = time.monotonic()
    context.report(Progress(stage="Looking genes up"))
    labels = types_of(context.workspace, request.dataset, None if request.sweep else request.label_key)
    model = context.model(request.checkpoint, "embedding").eval()
    model.to(pick_device(context.device))
    plan = make_plan(request, context, model)
    folder, info = (
        context.workspace.dataset_folder(request.dataset),
        context.workspace.dataset(request.dataset),
    )
    pair = None if request.sweep else real_pair(folder, info, request, plan.goal_rows, plan.rows)
    cells, around = _read_cells(request, context, model, plan, pair)
    screened = can_screen(request, model) and plan.n_asked < plan.n_seen
    if screened:
        scores = screen_genes(model, cells, context.state, context.report)
        plan = make_plan(request, context, model, scores=scores)
    moves = Moves(
        context.state / "moves",
        keep_vectors=not request.sweep,
        random_cells=_random_cells(request, plan),
        seed=request.seed,
    )
    found = moves.of(model, cells, plan.edits, n_ranked=plan.n_asked, report=context.report)
    context.report(Progress(stage="Comparing with random genes"))
    measures = np.stack([values[:, :N_MEASURES] for values in found])  # (all edits, n, 3)
    effects = _effects(request, plan, measures)
    order = _strongest_first(effects, FEWEST_CELLS if request.all_genes else 1)
    asked = measures[: plan.n_asked][order]
    drawn = sorted({number for numbers in plan.random for number in numbers})
    drawing = None if request.sweep else _draw(request, context, plan, cells, around, found)
    ranked = tuple(effects[i] for i in order)
    seen_observed = None if pair is None else _observed(plan, pair, cells, around, found)
    with_goal = request.goal is not None
    return Result(
        kind=request.kind,
        rows=plan.rows,
        n_all=plan.adata.n_obs,
        n_chosen=plan.n_chosen,
        effects=ranked,
        moved=asked[:, :, 0],
        to_goal=asked[:, :, 1] if with_goal else None,
        to_start=asked[:, :, 2] if with_goal else None,
        random_genes=tuple(plan.edits[number].genes for number in drawn),
        random_moved=measures[drawn][:, :, 0],
        random_to_goal=measures[drawn][:, :, 1] if with_goal else None,
        types=_types(request, labels, plan, measures),
        map_rows=None if drawing is None else drawing.rows,
        map_places=None if drawing is None else drawing.places,
        before=None if drawing is None else drawing.before,
        after=None if drawing is None else drawing.after,
        clear=None if drawing is None else drawing.clear,
        observed=seen_observed,
        n_goal=len(plan.goal_rows),
        verdict=verdict.of_sweep(request, ranked) if request.sweep else verdict.of_one(request, ranked[0]),
        notes=(
            *_notes(request, plan, cells, measures if screened else None),
            *labels.notes,
            *depth_of(plan.adata).notes,
        ),
        seconds=time.monotonic() - begun,
    )


def _read_cells(
    request: Request, context: Context, model: FoundationModel, plan: Plan, pair: Pair | None
) -> tuple[Cells, Embedded]:
    """Embed the cells that are edited and those that they are compared with."""
    used = plan.used
    tokens = model.tokenize(used)

    def said(note: str) -> None:
        context.report(Progress(stage="Reading cells", note=note))

    if not tokens.mask.any():
        raise GeneMatchError("The model sees no gene in these cells.", hint="Choose other cells or weights.")
    around = _finished_map(request, context) or _embed(request, context, model, plan, pair)
    own = _before(model, tokens, around.of(plan.rows), said)
    goal = around.of(plan.goal_rows)
    goal = goal[np.isfinite(goal).all(axis=1)]
    if request.goal is not None and not len(goal):
        raise GeneMatchError("The model sees no gene in the cells of the goal.", hint="Choose another goal.")
    cells = Cells(
        adata=used,
        tokens=tokens,
        vectors=own,
        goal=goal.mean(axis=0) if len(goal) else None,
        start=own[np.isfinite(own).all(axis=1)].mean(axis=0),
        levels=_levels(plan) if request.kind == "overexpress" else None,
    )
    return cells, around


def _before(
    model: FoundationModel, tokens: Tokens, known: NDArray[np.float32], said: Callable[[str], None]
) -> NDArray[np.float32]:
    """Give the vectors of cells as they are, (n, C): those known, if some that are encoded again prove exact enough.

    A map that was computed in half precision, or on a processor that rounds otherwise, is not.
    """
    few = np.flatnonzero(tokens.mask.any(axis=1))[:ENCODED_AGAIN]
    again = encode(model, tokens.take(few), said=said)
    error = np.linalg.norm(again - known[few], axis=1) / np.linalg.norm(again, axis=1)
    return known if error.max() < EXACT else encode(model, tokens, said=said)


def _random_cells(request: Request, plan: Plan) -> int:
    """Say in how many cells a random gene is edited; where it may be one of the best of all genes, in all."""
    return len(plan.rows) if request.all_genes else request.random_cells


def _levels(plan: Plan) -> NDArray[np.float64]:
    """Give the highest level of each gene in any cell of the dataset, (G,)."""
    return highest_levels(plan.adata.X, np.arange(plan.adata.n_vars))


def _embed(
    request: Request, context: Context, model: FoundationModel, plan: Plan, pair: Pair | None
) -> Embedded:
    """Embed the cells that are edited, and those beside them on the map and in comparisons."""
    wanted = [plan.rows, plan.goal_rows]
    if pair is not None:
        wanted += [pair.control_rows, pair.perturbed_rows]
    if not request.sweep:
        wanted.append(sample(np.arange(plan.adata.n_obs), NEW_MAP, request.seed))
    rows = np.unique(np.concatenate(wanted))
    chunks = Chunks(context.state)
    chunks.clear_up()
    vectors = embed_cells(
        model, plan.adata[rows].copy(), chunks, device=context.device, report=context.report
    )
    return Embedded(rows=rows, vectors=vectors)


def _finished_map(request: Request, context: Context) -> Embedded | None:
    """Read the map of an earlier run, if one is named."""
    if not request.map_run:
        return None
    earlier = context.finished(request.map_run)
    same = (request.dataset, request.checkpoint)
    if earlier.task != "embedding" or (earlier.request.dataset, earlier.request.checkpoint) != same:
        raise RequestError(
            f"Run {request.map_run} is no map of these cells by these weights.", hint="Leave it out."
        )
    embedding = earlier.result.embedding
    return Embedded(rows=np.arange(len(embedding)), vectors=embedding, places=earlier.result.umap)


def _effects(request: Request, plan: Plan, measures: NDArray[np.float32]) -> list[Effect]:
    """Summarize each edit asked for, in the order of the plan."""
    columns = [
        _column(plan, measures[..., k], request.seed, both_sides=k > 0)
        for k in range(N_MEASURES if request.goal is not None else 1)
    ]
    n_cells = np.isfinite(measures[: plan.n_asked, :, 0]).sum(axis=1)
    at = {name: i for i, name in enumerate(plan.adata.var_names)}
    return [
        Effect(
            genes=edit.genes,
            n_cells=int(n),
            expression=float(np.mean(plan.expression[[at[gene] for gene in edit.genes]])),
            moved=summaries[0],
            to_goal=summaries[1] if len(summaries) > 1 else None,
            to_start=summaries[2] if len(summaries) > 1 else None,
        )
        for edit, n, *summaries in zip(plan.edits[: plan.n_asked], n_cells, *columns, strict=True)
    ]


def _column(plan: Plan, values: NDArray[np.float32], seed: int, *, both_sides: bool) -> list[Shift]:
    """Summarize one measure, (all edits, n), of each edit asked for."""
    means = means_of(values)
    random = [means[list(numbers)] for numbers in plan.random]
    return shifts(values[: plan.n_asked], random, seed=seed, both_sides=both_sides)


def _strongest_first(effects: list[Effect], fewest: int) -> list[int]:
    """Order edits: the largest shift to the goal, or the farthest move without one; those of too few cells last."""
    values = np.array([(effect.to_goal or effect.moved).mean for effect in effects])
    values[[effect.n_cells < fewest for effect in effects]] = np.nan
    return [int(i) for i in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")]


def _types(
    request: Request, labels: Labels, plan: Plan, measures: NDArray[np.float32]
) -> tuple[TypeEffect, ...]:
    """Summarize one edit in the cells of each type."""
    codes, found = labels.codes[plan.rows], []
    for code, name in enumerate(labels.names):
        part = measures[:, codes == code]  # (all edits, n of the type, 3)
        n_cells = int(np.isfinite(part[0, :, 0]).sum())
        if n_cells:
            goal = request.goal is not None
            found.append(
                TypeEffect(
                    name=name,
                    n_cells=n_cells,
                    moved=_column(plan, part[..., 0], request.seed, both_sides=False)[0],
                    to_goal=_column(plan, part[..., 1], request.seed, both_sides=True)[0] if goal else None,
                )
            )
    return tuple(sorted(found, key=lambda effect: -effect.moved.mean))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """What the map shows."""

    rows: NDArray[np.int64]
    places: NDArray[np.float32]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    clear: NDArray[np.bool_]


def _draw(
    request: Request,
    context: Context,
    plan: Plan,
    cells: Cells,
    around: Embedded,
    found: list[NDArray[np.float32]],
) -> _Drawing:
    """Place the cells before and after on a map."""
    vectors, places = around.vectors, around.places
    seen = np.asarray(np.isfinite(vectors).all(axis=1), dtype=np.bool_)
    if places is None:
        _, places = map_of_cells(
            vectors, seen, n_neighbors=15, min_dist=0.3, seed=request.seed, report=context.report
        )
    context.report(Progress(stage="Drawing arrows"))
    own = np.searchsorted(around.rows, plan.rows)
    kept = np.union1d(sample(np.flatnonzero(seen), MOST_ON_MAP, request.seed), own[seen[own]])
    after = places_after(
        vectors[kept],
        places[kept],
        np.searchsorted(kept, own).clip(max=len(kept) - 1),
        cells.vectors,
        found[0][:, N_MEASURES:],
    )
    random = np.stack([found[number][:, 0] for number in plan.random[0]] or [np.full(len(own), np.nan)])
    return _Drawing(
        rows=around.rows[kept],
        places=places[kept],
        before=places[own],
        after=after,
        clear=clearly_moved(found[0][:, 0], random),
    )


def _observed(
    plan: Plan, pair: Pair, cells: Cells, around: Embedded, found: list[NDArray[np.float32]]
) -> Observed | None:
    """Set the mean shift of the first edit, and of its random genes, beside the real one."""

    def mean_shift(values: NDArray[np.float32]) -> NDArray[np.float64]:
        after = values[:, N_MEASURES:]
        known = np.isfinite(after).all(axis=1)
        if not known.any():
            return np.full(after.shape[1], np.nan)
        return np.asarray((after[known] - cells.vectors[known]).mean(axis=0, dtype=np.float64))

    random = [mean_shift(found[number]) for number in plan.random[0]]
    return compare(
        pair,
        around.of(pair.control_rows),
        around.of(pair.perturbed_rows),
        mean_shift(found[0]),
        np.stack(random) if random else np.empty((0, cells.vectors.shape[1])),
    )


def _notes(
    request: Request, plan: Plan, cells: Cells, screened: NDArray[np.float32] | None
) -> tuple[str, ...]:
    """Say what else to know; `screened` are the measures after a screen."""
    notes = []
    if screened is not None:
        means = means_of(screened[:, :, int(request.goal is not None)])
        chosen, others = means[: plan.n_asked].tolist(), means[plan.n_asked :].tolist()
        notes.append(recall_in_words(chosen, others, n_genes=plan.n_seen))
    if plan.n_chosen > len(plan.rows):
        notes.append(f"{len(plan.rows):,} of {plan.n_chosen:,} chosen cells were drawn at random.")
    n_unseen = int((~np.isfinite(cells.vectors).all(axis=1)).sum())
    if n_unseen:
        notes.append(f"In {n_unseen:,} of them the model sees no gene.")
    n_random = min((len(numbers) for numbers in plan.random), default=0)
    if n_random < request.n_random and not request.all_genes:
        notes.append(f"There are only {n_random} random genes or sets to compare with.")
    if _random_cells(request, plan) < len(plan.rows):
        notes.append(
            f"Each random gene was edited in at most {request.random_cells} of the cells, to save time."
        )
    if request.sweep:
        notes.append(
            f"Every gene is compared with at least {n_random} others, so no p value is below {1 / (1 + n_random):.2g}."
        )
    return tuple(notes)


def price(request: Request, context: Context) -> Price:
    """Time three batches, count cells and edits, and say what the whole will take."""
    model = context.model(request.checkpoint, "embedding")
    model.to(pick_device(context.device))
    plan = make_plan(request, context, model)
    one = time_per_cell(model, plan.used)
    n_read = len(plan.rows)
    drawing = 3.0
    if not request.map_run:
        n_read += len(plan.goal_rows) + (0 if request.sweep else min(NEW_MAP, plan.adata.n_obs))
        drawing += 0 if request.sweep else 15.0  # most of it is the compilation of umap
    most = _random_cells(request, plan)
    passes = sum(plan.n_changed[: plan.n_asked]) + sum(min(n, most) for n in plan.n_changed[plan.n_asked :])
    if can_screen(request, model) and plan.n_asked < plan.n_seen:
        n_read += READINGS * len(plan.rows)
    return Price(
        seconds=one * (n_read + passes) + 0.02 * len(plan.edits) + drawing,
        gigabytes=peak_gb() + 0.1,
        how=f"{plan.n_asked:,} edits and {len(plan.edits) - plan.n_asked:,} of random genes in up to "
        f"{len(plan.rows):,} cells, {passes:,} readings of a cell in all, timed on a few batches",
    )
