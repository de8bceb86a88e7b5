"""Find genes by names that others wrote: letter case, `_`, `-` and dots do not matter, and older names count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scviz.datasets.gene_matching import find_among
from scviz.datasets.gene_table import HOWS, GeneTable, gene_table
from scviz.datasets.genes import guess_species, named, strip_version


def key(name: str) -> str:
    """Write a name so that letter case and `_`, `-` or `.` make no difference.

    Examples
    --------
    >>> key("mt_Co1") == key("MT-CO1") == key("MT.CO1")
    True
    """
    return strip_version(name.strip()).replace("_", "-").replace(".", "-").upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Genes of a list that are among those of the data."""

    genes: dict[str, str]
    """Name in the data, by name in the list; names that the data lack are left out."""

    @property
    def mended(self) -> dict[str, str]:
        """Those that are written in another way."""
        return {listed: gene for listed, gene in self.genes.items() if listed != gene}

    @property
    def notes(self) -> tuple[str, ...]:
        """Say how many are written in another way, such as which; empty where none is."""
        mended = list(self.mended.items())
        if not mended:
            return ()
        such = ", ".join(f"{listed} for {gene}" for listed, gene in mended[:3])
        verb = "gene is" if len(mended) == 1 else "genes are"
        return (f"{len(mended):,} {verb} written in another way in the list: {such}.",)


def matched(listed: Iterable[str], genes: Sequence[str]) -> Matched:
    """Find listed names among genes: as they stand, else by `key` where it fits one gene alone, else by older names.

    Examples
    --------
    >>> matched(["stat1", "HLA.A", "IRF1", "IL8", "nobody"], ["STAT1", "HLA-A", "IRF1", "CXCL8"]).genes
    {'stat1': 'STAT1', 'HLA.A': 'HLA-A', 'IRF1': 'IRF1', 'IL8': 'CXCL8'}
    """
    known, by_key = frozenset(genes), dict[str, str | None]()
    for gene in known:
        by_key[key(gene)] = None if key(gene) in by_key else gene
    found = {name: name if name in known else by_key.get(key(name)) for name in listed}
    unknown = tuple(name for name in found if found[name] is None and key(name) not in by_key)
    found |= _by_older_names(unknown, genes)
    return Matched(genes={name: gene for name, gene in found.items() if gene is not None})


def _by_older_names(listed: tuple[str, ...], genes: Sequence[str]) -> dict[str, str]:
    """Find listed names by every name that genes had; one that several genes have is left."""
    if not listed or not genes:
        return {}
    guess = guess_species(named(genes))
    if guess.called not in ("", "human", "mouse"):
        return {}
    table = gene_table("mouse" if guess.species == "mouse" else "human")
    wanted = {name: place for name in listed if (place := _place(table, name)) is not None}
    own = _surest(table, genes)
    return {name: own[place] for name, place in wanted.items() if place in own}


def _surest(table: GeneTable, genes: Sequence[str]) -> dict[int, str]:
    """Find the genes of the data by their places in a table; of two at one place that whose name is surer."""
    found = [(find_among(table, gene), gene) for gene in genes]
    known = [(HOWS.index(one.how), one.genes[0], gene) for one, gene in found if len(one.genes) == 1]
    return {place: gene for _, place, gene in sorted(known, key=lambda one: one[0], reverse=True)}


def _place(table: GeneTable, name: str) -> int | None:
    """Find the one gene of a name in a table, as it is written; None where none or several have it."""
    bare = strip_version(name.strip())
    found = table.find(bare)
    if not found.genes and table.species == "human":
        found = table.find(bare.upper())
    return found.genes[0] if len(found.genes) == 1 else None
