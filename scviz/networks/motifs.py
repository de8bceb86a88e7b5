"""Keep of co-expression modules what a motif of their regulator supports, as cisTarget does."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.errors import DataError
from scviz.networks.regulons import CoexpressionModule, Direction, Regulon, union

if TYPE_CHECKING:
    import pandas as pd

ENDING = ".genes_vs_motifs.rankings.feather"
COLUMNS = ("#motif_id", "gene_name", "motif_similarity_qvalue", "orthologous_identity", "description")
BLOCK = 512
"""Motifs whose recovery curves are made at a time."""
V2 = "Take a file of the second version, as aertslab publishes it since 2022; its name ends in " + ENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """How far down rankings are looked at."""

    auc_share: float = 0.05
    """Of all genes of the database, what counts as the top of a ranking."""
    least_nes: float = 3.0
    rank_threshold: int = 1500
    """Length of recovery curves; the command line of pySCENIC takes 5000."""
    most_missing: float = 0.2
    """Modules of which as large a share is not in the database are left out."""
    published: bool = False
    """Take targets from the curve of the wrong motif, as pySCENIC 0.12 does where several are enriched."""


class Rankings:
    """A database of M motifs: for each the genes, from the best to the worst; read by gene.

    Parameters
    ----------
    path
        A Feather file of the second version: a column of ranks (0 = best) for each gene, and a column `motifs`.

    Raises
    ------
    DataError
        If it is no such file.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.dataset as ds

        if not path.name.endswith(ENDING):
            raise DataError(f"The file {path.name} is no database of rankings by its name.", hint=V2)
        try:
            self._table = ds.dataset(path, format="feather")
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"The file {path.name} cannot be read as Feather, version 2: {error}.", hint=V2
            ) from error
        names = self._table.schema.names
        if "motifs" not in names:
            raise DataError(f"The file {path.name} has no column of motifs.", hint=V2)
        self.genes = tuple(name for name in names if name != "motifs")
        self.motifs = tuple(self._table.to_table(columns=["motifs"])["motifs"].to_pylist())

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.genes)

    def ranks(self, genes: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Read the ranks of those of some genes that are known.

        Returns
        -------
        The k genes that are known, in the order given, and (M, k) ranks.
        """
        found = tuple(gene for gene in genes if gene in self._known)
        table = self._table.to_table(columns=list(found))
        columns = [table[gene].to_numpy() for gene in found]
        if not columns:
            return (), np.empty((len(self.motifs), 0), dtype=np.int64)
        return found, np.stack(columns, axis=1).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What ties a motif to a regulator."""

    q: float
    """Of the likeness to a motif of the regulator; 0 is the motif itself."""
    identity: float
    """Of the protein whose motif it is; 1 is the regulator itself."""


Annotations = dict[str, dict[str, Annotation]]
"""The best annotation by regulator, then by motif."""


def read_annotations(path: Path, *, most_q: float = 0.001, least_identity: float = 0.0) -> Annotations:
    """Read which motif belongs to which regulator.

    Parameters
    ----------
    path
        A table of aertslab's `motif2tf` with tabs.
    most_q, least_identity
        Rows beyond these are left out.

    Raises
    ------
    DataError
        If a column is missing.
    """
    table = _table(path)
    kept = table[
        (table["motif_similarity_qvalue"] <= most_q) & (table["orthologous_identity"] >= least_identity)
    ]
    found: Annotations = defaultdict(dict)
    for motif, gene, q, identity in kept[list(COLUMNS[:4])].itertuples(index=False):
        old = found[gene].get(motif)
        if old is None or (-q, identity) >= (-old.q, old.identity):
            found[gene][motif] = Annotation(q=float(q), identity=float(identity))
    return dict(found)


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path, sep="\t", usecols=list(COLUMNS), dtype={"#motif_id": str, "gene_name": str})
    except (ValueError, OSError) as error:
        raise DataError(
            f"The file {path.name} is no table that ties motifs to regulators: {error}.",
            hint=f"It has tabs and the columns {', '.join(COLUMNS)}.",
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """A motif that is enriched in a module and belongs to its regulator."""

    regulator: str
    direction: Direction
    family: str
    motif: str
    annotation: Annotation
    auc: float
    nes: float
    n_enriched: int
    """Enriched motifs of the module, those of other regulators counted."""
    rank_at_max: int
    """Where the recovery of the module's genes stands out most."""
    targets: dict[str, float]
    """Genes of the module up to there, with their weights."""

    @property
    def score(self) -> float:
        """NES, less where the motif is only like one of the regulator or comes from a relative of it."""
        q = self.annotation.q
        share = 1.0 if q == 0 or math.isnan(q) else min(-math.log10(q), 10) / 10
        identity = self.annotation.identity
        return self.nes * share * (1.0 if math.isnan(identity) else identity)


def top_ranks(auc_share: float, n_genes: int) -> int:
    """Return the rank from which on nothing counts, as pySCENIC rounds it.

    Examples
    --------
    >>> top_ranks(0.05, 50)
    1
    """
    return round(auc_share * n_genes) - 1


def recovered_area(ranks: NDArray[np.integer], weights: NDArray[np.float64], cut: int) -> NDArray[np.float64]:
    """Measure how early a set of genes is found in rankings.

    Parameters
    ----------
    ranks
        (M, k) ranks of the k genes, 0 = best.
    weights
        (k,).
    cut
        The rank from which on nothing counts.

    Returns
    -------
    (M,) area under the recovery curve, as a share of (cut + 1) times the sum of weights.
    """
    gained = np.where(ranks < cut, cut - ranks.astype(np.int64), 0) @ weights
    return np.asarray(gained / ((cut + 1) * weights.sum()))


def enriched_motifs(
    module: CoexpressionModule, rankings: Rankings, annotations: Annotations, *, pruning: Pruning
) -> list[Enriched]:
    """Find the motifs of the regulator that are enriched near the genes of its module.

    Returns
    -------
    The least certain annotation first; empty if too many genes are not in the database.
    """
    genes, ranks = rankings.ranks(tuple(module.weights))
    if len(module.weights) - len(genes) >= pruning.most_missing * len(module.weights):
        return []
    cut = top_ranks(pruning.auc_share, len(rankings.genes))
    auc = recovered_area(ranks, np.ones(len(genes)), cut)  # (M,)
    spread = auc.std()
    if not spread:
        return []
    nes = (auc - auc.mean()) / spread
    enriched = np.flatnonzero(nes >= pruning.least_nes)
    own = annotations.get(module.regulator, {})
    chosen = [row for row in enriched.tolist() if rankings.motifs[row] in own]
    if not chosen:
        return []
    chosen.sort(key=lambda row: (-own[rankings.motifs[row]].q, own[rankings.motifs[row]].identity))
    # pySCENIC sorts the annotated motifs to the front but not the curves, so it takes those of the first motifs
    curves_of = enriched[: len(chosen)].tolist() if pruning.published else chosen
    usual = _usual_curve(ranks, pruning.rank_threshold)
    found = []
    for row, curve_of in zip(chosen, curves_of, strict=True):
        edge = int(np.argmax(_curves(ranks[[curve_of]], pruning.rank_threshold)[0] - usual))
        found.append(
            Enriched(
                regulator=module.regulator,
                direction=module.direction,
                family=module.family,
                motif=rankings.motifs[row],
                annotation=own[rankings.motifs[row]],
                auc=float(auc[row]),
                nes=float(nes[row]),
                n_enriched=len(enriched),
                rank_at_max=edge,
                targets={
                    gene: module.weights[gene]
                    for gene, rank in zip(genes, ranks[curve_of], strict=True)
                    if rank <= edge
                },
            )
        )
    return found


def _curves(ranks: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Count the genes up to each rank, (m, length)."""
    steps = np.zeros((len(ranks), length))
    rows, columns = np.nonzero(ranks < length)
    np.add.at(steps, (rows, ranks[rows, columns]), 1.0)
    return np.asarray(steps.cumsum(axis=1))


def _usual_curve(ranks: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Return mean plus two standard deviations of the curves of all motifs, (length,), some motifs at a time."""
    parts = [slice(start, start + BLOCK) for start in range(0, len(ranks), BLOCK)]
    mean = np.sum([_curves(ranks[part], length).sum(axis=0) for part in parts], axis=0) / len(ranks)
    squares = np.sum([((_curves(ranks[part], length) - mean) ** 2).sum(axis=0) for part in parts], axis=0)
    return np.asarray(mean + 2.0 * np.sqrt(squares / len(ranks)))


def regulons_of(enriched: Sequence[Enriched]) -> list[Regulon]:
    """Join what the motifs of each regulator support, the highest score first."""
    groups: defaultdict[tuple[str, Direction], list[Enriched]] = defaultdict(list)
    for one in enriched:
        groups[one.regulator, one.direction].append(one)
    regulons = [
        Regulon(
            regulator=regulator,
            direction=direction,
            weights=union(one.targets for one in group),
            score=max(one.score for one in group),
            evidence=tuple(sorted({one.motif for one in group})),
        )
        for (regulator, direction), group in groups.items()
    ]
    return sorted(regulons, key=lambda regulon: (-regulon.score, regulon.name))
