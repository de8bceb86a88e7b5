"""From probabilities and distances to a Result: which method names, clusters, fit, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.transfer import LARGEST_SHIFT, Method, Request, Result
from scviz.tasks.transfer.fitting import NO_FIT, Before, Genes, clusters_of, fit_of
from scviz.tasks.transfer.placing import Place, size_of
from scviz.tasks.transfer.verdict import notes_of, verdict_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What each method says of N cells."""

    types: tuple[str, ...]
    ontology_ids: tuple[str, ...]
    methods: tuple[Method, ...]
    probabilities: dict[str, NDArray[np.float32]]
    """(N, K) by method."""
    n_validation: int = 0


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
        (N, P) principal components of the cells, by those of the reference.
    held_out
        On which cells the methods were scored, a few words.
    learned
        Fields of the Result that tell of the training.
    """
    clusters = clusters_of(request.dataset, context, seed=request.seed)
    context.report(Progress(stage="Comparing with the reference"))
    before = place.distances(pcs)
    draft = Result(
        types=named.types,
        ontology_ids=named.ontology_ids,
        methods=named.methods,
        chosen=chosen_method(named.methods, n_validation=named.n_validation),
        probabilities=named.probabilities,
        clusters=clusters,
        distance=before,
        fit=NO_FIT,
        reference_name=reference_name,
        held_out=held_out,
        **learned,
    )
    shift = place.shift(pcs, draft.best())
    size = size_of(shift, place)
    distance = place.distances(pcs, shift if size <= LARGEST_SHIFT else 0.0)
    fit = fit_of(genes, distance, clusters, names=draft.names(), before=Before(distance=before, shift=size))
    whole = replace(draft, distance=distance, fit=fit)
    whole = replace(whole, notes=(*notes, *notes_of(whole)))
    return replace(whole, verdict=verdict_of(whole))


def chosen_method(methods: Sequence[Method], *, n_validation: int = 0) -> str:
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
