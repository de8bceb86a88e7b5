"""What to say of enriched gene sets, beside random genes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scviz.networks.enrichment_null import ByChance
from scviz.tasks.enrichment import MOST_FDR, RankedTerm, Term

RARE = 0.05
"""Share of draws of random genes that may do as well."""


def beyond_chance(found: Sequence[Term | RankedTerm], random: ByChance) -> bool:
    """Tell whether more sets pass, or the best is better, than in 95 % of the draws of random genes.

    Parameters
    ----------
    found
        All tested sets, the best first.
    """
    n_passing = sum(one.fdr <= MOST_FDR for one in found)
    if n_passing == 0:
        return False
    best = found[0]
    if isinstance(best, Term):
        better = best.p < np.quantile(random.best, RARE)
    else:
        better = abs(best.nes) > np.quantile(random.best, 1 - RARE)
    return bool(better or n_passing > _usual(random))


def verdict(found: Sequence[Term | RankedTerm], random: ByChance, words: str) -> str:
    """Say in a few sentences how many sets are enriched, which first, and what random genes give.

    Parameters
    ----------
    found
        All tested sets, the best first.
    words
        Which genes were asked for.
    """
    passing = [one for one in found if one.fdr <= MOST_FDR]
    s = "s" if len(passing) == 1 else ""
    text = f"{len(passing):,} of {len(found):,} gene sets {_first(found[0], words, s)}"
    text += (
        f"Random genes of like expression give {random.n_passing.mean():.1f} such sets on average, "
        f"{_usual(random):,} or fewer in 95 % of {len(random.n_passing):,} draws. "
    )
    if not passing:
        return text + "So these genes are not enriched in anything that was tested."
    if not beyond_chance(found, random):
        return text + "That is no more than chance gives: do not trust these sets."
    n_rare = sum(one.p_alike <= RARE for one in passing)
    which = "each" if n_rare == len(passing) else f"{n_rare:,}"
    return text + (
        f"So this is more than how strongly the genes are expressed: for {which} of the enriched sets, random genes of "
        f"like expression do as well in at most {100 * RARE:.0f} % of the draws."
    )


def _usual(random: ByChance) -> int:
    """How many sets pass at most in 95 % of the draws."""
    return int(np.quantile(random.n_passing, 1 - RARE, method="higher"))


def _first(first: Term | RankedTerm, words: str, s: str) -> str:
    rate = f"false discovery rate {100 * MOST_FDR:.0f} %"
    if isinstance(first, Term):
        return (
            f"hold{s} more of {words} than expected ({rate} over all sets). First: {first.name}, "
            f"{len(first.genes):,} of its {first.n_set:,} genes where chance gives {first.expected:.2g} and genes of "
            f"like expression {first.expected_alike:.2g} (FDR {first.fdr:.2g}). "
        )
    rarely = f"{first.fdr:.2g}" if first.fdr > 0 else "below that of any permutation"
    return (
        f"lie{s} at an end of the ranking of {words} ({rate}). First: {first.name}, near the "
        f"{'top' if first.nes > 0 else 'bottom'} (NES {first.nes:.2f}, FDR {rarely}; {100 * first.p_alike:.0f} % of "
        "random sets of like expression do as well). "
    )
