"""Find genes by names that others wrote: letter case, `_`, `-` and the dots that R makes of them do not matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scviz.datasets.genes import strip_version


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
    """Find listed names among genes: as they stand, else by `key` where it fits one gene alone.

    Examples
    --------
    >>> matched(["stat1", "HLA.A", "IRF1", "nobody"], ["STAT1", "HLA-A", "IRF1"]).genes
    {'stat1': 'STAT1', 'HLA.A': 'HLA-A', 'IRF1': 'IRF1'}
    """
    known, by_key = frozenset(genes), dict[str, str | None]()
    for gene in known:
        by_key[key(gene)] = None if key(gene) in by_key else gene
    found = {name: name if name in known else by_key.get(key(name)) for name in listed}
    return Matched(genes={name: gene for name, gene in found.items() if gene is not None})
