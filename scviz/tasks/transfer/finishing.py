"""From probabilities and distances to a Result: which method names, clusters, fit, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.transfer import LARGEST_SHIFT, Request, Result
from scviz.tasks.transfer.fitting import NO_FIT, Before, Genes, clusters_of, fit_of
from scviz.tasks.transfer.judging import Found
from scviz.tasks.transfer.placing import Place, size_of
from scviz.tasks.transfer.verdict import notes_of, verdict_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What each method says of N cells."""

    types: tuple[str, ...]
    ontology_ids: tuple[str, ...]
    probabilities: dict[str, NDArray[np.float32]]
    """(N, K) by method."""
    found: Found
    """How good each is, and which names."""


def finish(
    request: Request,
    named: Named,
    genes: Genes,
    *,
    place: Place,
    pcs: NDArray[np.float32],
    reference_name: str,
    held_out: str,
    context: Context,
    notes: Sequence[str] = (),
    **learned: Any,
) -> Result:
    """Put a Result together.

    Parameters
    ----------
    place
        Where the types of the reference lie.
    pcs
        (N, P) principal components of the cells, by those of the reference; NaN for cells without a molecule.
    held_out
        On which cells the methods were scored, a few words.
    learned
        Fields of the Result that tell of the training.
    """
    found, clusters = named.found, clusters_of(request.dataset, context, seed=request.seed)
    context.report(Progress(stage="Comparing with the reference"))
    before = place.distances(pcs)
    draft = Result(
        types=named.types,
        ontology_ids=named.ontology_ids,
        methods=found.methods,
        chosen=found.chosen,
        probabilities=named.probabilities,
        clusters=clusters,
        distance=before,
        fit=NO_FIT,
        reference_name=reference_name,
        held_out=held_out,
        truth=found.truth,
        predicted=found.predicted,
        judged=found.judged,
        baselines=found.baselines,
        bars=found.bars,
        judged_bars=found.judged_bars,
        n_validation=found.n_validation,
        n_calibrating=found.n_calibrating,
        **learned,
    )
    named_so = np.where(np.isfinite(pcs).all(axis=1), draft.best(), -1)
    shift = place.shift(pcs, named_so)
    size = size_of(shift, place)
    offset = 0.0 if shift.any() else size_of(place.offset(pcs, named_so), place)
    distance = place.distances(pcs, shift if size <= LARGEST_SHIFT else 0.0)
    fit = fit_of(
        genes,
        distance,
        clusters,
        names=draft.names(),
        before=Before(distance=before, shift=size, offset=offset),
    )
    whole = replace(draft, distance=distance, fit=fit)
    whole = replace(whole, notes=(*notes, *notes_of(whole)))
    return replace(whole, verdict=verdict_of(whole))
