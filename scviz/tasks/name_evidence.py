"""Which evidence supports the name of a type, which speaks against it, and what cannot be told; for several tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import FEWEST_UNITS, LEVEL, counted
from scviz.metrics.shares import share_interval

Standing = Literal["supports", "speaks against", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one kind of evidence says of the name of a type."""

    evidence: str
    """What was asked, a few words."""
    standing: Standing
    words: str
    """Numbers, compared with what."""


def by_held_out(kind: str, truth: NDArray[np.bool_], named: NDArray[np.bool_]) -> Said:
    """Ask the known labels of held-out cells.

    Parameters
    ----------
    truth, named
        (M,) whether a held-out cell is of the type, and whether it was named so.
    """
    n, chance = int(named.sum()), float(truth.mean()) if len(truth) else float("nan")
    lead = "Known labels of held-out cells"
    if n < FEWEST_UNITS:
        few = f"only {counted(n, 'held-out cell')} named {kind}"
        return Said(evidence=lead, standing="cannot tell", words=few)
    share = share_interval(truth[named])
    standing: Standing = "cannot tell"
    if share.low > max(0.5, chance):
        standing = "supports"
    elif share.high < 0.5:
        standing = "speaks against"
    return Said(
        evidence=lead,
        standing=standing,
        words=f"{100 * share.mean:.0f} % of {counted(n, 'held-out cell')} named so are known as {kind} (95 % interval "
        f"{100 * share.low:.0f} to {100 * share.high:.0f} %); names dealt at random: {100 * chance:.0f} %",
    )


def by_known_markers(like: str, relation: str, *, shared: int, expected: float) -> Said:
    """Ask lists of known markers.

    Parameters
    ----------
    like
        The list that the markers of these cells are most like; empty where none holds more than random genes do.
    relation
        How the type stands to the name of the list: "same", "broader", "narrower", "coarse", "different", "unknown".
    """
    lead = "Known markers"
    if not like:
        words = "no list holds more of its markers than expression-matched random genes"
        return Said(evidence=lead, standing="cannot tell", words=words)
    standing: Standing = "supports" if relation in ("same", "broader", "narrower") else "cannot tell"
    if relation == "different":
        standing = "speaks against"
    return Said(
        evidence=lead,
        standing=standing,
        words=f"its markers are most like {like}: {counted(shared, 'gene')} shared, {expected:.1f} by chance"
        + (", which tells the coarse type and not the kind" if relation == "coarse" else ""),
    )


def by_deletion(own: float, random: NDArray[np.floating], *, n_genes: int) -> Said:
    """Ask the classifier without the genes that it goes by.

    Parameters
    ----------
    own
        Loss of the score without them.
    random
        (R,) loss without each set of expression-matched random genes.
    """
    as_much = int((random >= own).sum())
    p = (1 + as_much) / (1 + len(random))
    standing: Standing = "supports" if p <= LEVEL else "cannot tell"
    if own <= np.median(random):
        standing = "speaks against"
    return Said(
        evidence="Genes deleted",
        standing=standing,
        words=f"without its first {counted(n_genes, 'gene')} the score falls by {own:.2f}, without expression-matched "
        f"random ones by {random.min():.2f} to {random.max():.2f} (as much in {as_much} of "
        f"{counted(len(random), 'set')})",
    )


def by_ranking(own: float, matched: NDArray[np.floating], others: NDArray[np.floating]) -> Said:
    """Ask whether the classifier goes by the genes that tell the type by expression.

    Parameters
    ----------
    own
        Rank correlation of the two rankings.
    matched
        (2,) the same among genes expressed alike by chance, and the share of such deals that agree as much.
    others
        (K - 1,) rank correlations with the genes that tell each other type.
    """
    lead, known = "Genes it goes by", others[np.isfinite(others)]
    if not np.isfinite(own) or not len(known):
        return Said(evidence=lead, standing="cannot tell", words="too few genes are read in these cells")
    beyond, first = bool(matched[1] <= LEVEL), bool(own > known.max())
    standing: Standing = "supports" if beyond and first else "cannot tell"
    if not beyond and own <= np.median(known):
        standing = "speaks against"
    place = int((known >= own).sum()) + 1
    return Said(
        evidence=lead,
        standing=standing,
        words=f"they rank like the genes that tell the type by {own:.2f}; among genes expressed as much "
        f"{matched[0]:.2f} by chance (p {matched[1]:.3f}); closer than the genes of other types: place {place} of "
        f"{len(known) + 1}",
    )


def conclusion(kind: str, said: Sequence[Said]) -> str:
    """Say in a sentence what supports the name, what speaks against it, and what cannot tell.

    Examples
    --------
    >>> conclusion("B cell", [Said(evidence="Known markers", standing="supports", words="")])
    'B cell: supported by known markers.'
    """
    words = {"supports": "supported by", "speaks against": "spoken against by", "cannot tell": "not told by"}
    parts = []
    for standing, lead in words.items():
        own = [f"{one.evidence[0].lower()}{one.evidence[1:]}" for one in said if one.standing == standing]
        if own:
            parts.append(f"{lead} {', '.join(own)}")
    return f"{kind}: {'; '.join(parts)}." if parts else f"{kind}: nothing was asked yet."


def more_than_chance(n_found: int, n_asked: int) -> bool:
    """Tell whether more types pass a test of level 0.05 than would by chance: 5 % of such counts would be as large.

    Examples
    --------
    >>> more_than_chance(1, 9), more_than_chance(3, 9)
    (False, True)
    """
    at_least = range(n_found, n_asked + 1)
    return sum(comb(n_asked, k) * LEVEL**k * (1 - LEVEL) ** (n_asked - k) for k in at_least) <= LEVEL
