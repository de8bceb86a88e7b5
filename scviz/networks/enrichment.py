"""Which gene sets hold more of some genes than chance gives, and which lie at the ends of a ranking."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import fdr as false_discovery_rate
from scviz.networks.contract import GeneSet

RANK_SEED = 123
"""Of gseapy, as its authors choose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Represented:
    """How many of the genes that are asked for one set holds."""

    name: str
    overlap: tuple[str, ...]
    """Genes of the query in the set, sorted."""
    n_set: int
    """Genes of the set, in the background where that is a list."""
    expected: float
    """Overlap of as many random genes, on average."""
    odds_ratio: float
    """With 0.5 added to each count; 1 by chance."""
    p: float
    """Chance of as large an overlap or a larger one, hypergeometric; 1 without overlap."""
    fdr: float
    """Benjamini-Hochberg over all sets."""
    fdr_hit: float
    """Benjamini-Hochberg over the sets with overlap, as gseapy and Enrichr give it; NaN without overlap."""
    combined: float
    """-ln(p) times the odds ratio, Enrichr's combined score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverRepresentation:
    """Every set that was tested, in the order given."""

    n_query: int
    """Genes that are asked for and in the background."""
    n_background: int
    sets: tuple[Represented, ...]


def over_representation(
    query: Iterable[str], sets: Sequence[GeneSet], background: Collection[str] | int | None = None
) -> OverRepresentation:
    """Test whether sets hold more of some genes than random genes of the background would give.

    The numbers are those of `gseapy.enrich`, but sets without overlap are tested too, and counted in `fdr`.

    Parameters
    ----------
    background
        The genes that could have been chosen: query and sets are restricted to them. A number stands for that many
        genes without saying which, and restricts nothing. None takes the genes of all sets.

    References
    ----------
    Fang et al. (2023), doi:10.1093/bioinformatics/btac757.

    Examples
    --------
    >>> blood = GeneSet(name="blood", genes=("HBB", "HBA1", "GYPA"))
    >>> found = over_representation(["HBB", "HBA1"], [blood], ["HBB", "HBA1", "GYPA", "CD3E", "LYZ"])
    >>> found.sets[0].overlap, found.sets[0].expected, round(found.sets[0].p, 3)
    (('HBA1', 'HBB'), 1.2, 0.3)
    """
    from scipy.stats import hypergeom

    genes = frozenset(query)
    members = [frozenset(one.genes) for one in sets]
    if not isinstance(background, int):
        universe = frozenset().union(*members) if background is None else frozenset(background)
        genes, members = genes & universe, [own & universe for own in members]
        background = len(universe)
    hits = [genes & own for own in members]
    x = np.array([len(one) for one in hits], dtype=np.int64)
    m = np.array([len(one) for one in members], dtype=np.int64)
    k = len(genes)
    p = np.asarray(hypergeom.sf(x - 1, background, m, k), dtype=np.float64)
    odds_ratio = (x + 0.5) * (background - m - k + x + 0.5) / ((m - x + 0.5) * (k - x + 0.5))
    fdr_hit = np.full(len(sets), np.nan)
    fdr_hit[x > 0] = false_discovery_rate(p[x > 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        combined = -np.log(p) * odds_ratio
    fdr = false_discovery_rate(p)
    found = tuple(
        Represented(
            name=one.name,
            overlap=tuple(sorted(hits[i])),
            n_set=int(m[i]),
            expected=float(k * m[i] / background) if background else 0.0,
            odds_ratio=float(odds_ratio[i]),
            p=float(p[i]),
            fdr=float(fdr[i]),
            fdr_hit=float(fdr_hit[i]),
            combined=float(combined[i]),
        )
        for i, one in enumerate(sets)
    )
    return OverRepresentation(n_query=k, n_background=background, sets=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedSet:
    """Where the genes of one set lie in a ranking."""

    name: str
    n_set: int
    """Genes of the set in the ranking."""
    es: float
    """Enrichment score, -1 to 1: above 0 near the top of the ranking."""
    nes: float
    """By the mean score of random sets of that size; about 1 by chance, NaN where no random set has its sign."""
    p: float
    """Share of random sets of that size with a score of this sign that is as large."""
    fdr: float
    """As GSEA estimates it over all sets."""
    leading: tuple[str, ...]
    """Genes up to the peak of the running sum."""


def prerank(
    scores: Mapping[str, float],
    sets: Sequence[GeneSet],
    *,
    n_permutations: int = 1000,
    fewest: int = 15,
    most: int = 500,
    seed: int = RANK_SEED,
) -> tuple[RankedSet, ...]:
    """Test whether the genes of sets lie near one end of a ranking, with gseapy.

    Parameters
    ----------
    scores
        Finite, by gene; the highest stand at the top.
    fewest, most
        Sizes of the sets that are tested, genes outside the ranking left out.

    Returns
    -------
    One entry for each tested set, the largest normalized score first.

    References
    ----------
    Subramanian et al. (2005), doi:10.1073/pnas.0506580102.
    """
    import gseapy
    import pandas as pd

    genes = list(scores)
    codes = {gene: f"G{i}" for i, gene in enumerate(genes)}  # gseapy changes the case of some names silently
    tested = _coded(sets, codes, fewest, most=most)
    if not tested:
        return ()
    ranking = pd.Series([scores[gene] for gene in genes], index=[codes[gene] for gene in genes])
    table = gseapy.prerank(
        rnk=ranking,
        gene_sets=tested,
        outdir=None,
        min_size=fewest,
        max_size=most,
        permutation_num=n_permutations,
        threads=1,
        seed=seed,
        no_plot=True,
    ).res2d
    return tuple(
        RankedSet(
            name=sets[int(row["Term"][1:])].name,
            n_set=len(tested[row["Term"]]),
            es=float(row["ES"]),
            nes=float(row["NES"]),
            p=float(row["NOM p-val"]),
            fdr=float(row["FDR q-val"]),
            leading=tuple(genes[int(gene[1:])] for gene in row["Lead_genes"].split(";") if gene),
        )
        for row in table.to_dict("records")
    )


def _coded(
    sets: Sequence[GeneSet], codes: Mapping[str, str], fewest: int, *, most: int
) -> dict[str, list[str]]:
    """Write sets of a size that is tested in codes."""
    members = {f"S{i}": [codes[g] for g in one.genes if g in codes] for i, one in enumerate(sets)}
    return {code: own for code, own in members.items() if fewest <= len(own) <= most}


def enrichment_scores(ranking: NDArray[np.floating], members: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give the enrichment score of each of several sets of one size.

    Parameters
    ----------
    ranking
        (N,) scores of genes, the highest first.
    members
        (R, m) places of the genes of each set in the ranking, fewer than N.

    Returns
    -------
    (R,) the largest departure from 0 of the running sum: up at genes of the set by their absolute score, down evenly
    at all others.

    Examples
    --------
    >>> enrichment_scores(np.array([3.0, 2.0, 1.0, -1.0]), np.array([[0, 1], [2, 3]]))
    array([ 1., -1.])
    """
    places = np.sort(members, axis=1)  # (R, m)
    size = places.shape[1]
    weights = np.abs(np.asarray(ranking, dtype=np.float64))[places]
    total = weights.sum(axis=1, keepdims=True)
    gained = np.cumsum(weights, axis=1) / np.where(total > 0, total, 1.0)  # (R, m)
    missed = (places - np.arange(size)) / (len(ranking) - size)
    after = gained - missed
    before = np.concatenate([np.zeros((len(places), 1)), gained[:, :-1]], axis=1) - missed
    high, low = after.max(axis=1), before.min(axis=1)
    return np.asarray(np.where(high > -low, high, low), dtype=np.float64)
