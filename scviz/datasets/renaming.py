"""What the genes of a dataset are called today: names mended, former symbols renewed, each change told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from scviz.datasets.gene_matching import Ambiguous, Rename, find_among
from scviz.datasets.gene_names import ENSEMBL, genome_of, is_serial_date, without_genome, written
from scviz.datasets.gene_table import HOWS, UNKNOWN, Found, GeneTable, TableSpecies, gene_table
from scviz.datasets.species import Species
from scviz.metrics.evidence import counted

TABLES: Mapping[str, TableSpecies] = {"human": "human", "mouse": "mouse"}
EXAMPLES = 4
"""Names that a sentence gives."""
IN_WORDS = {
    "former symbol": "had a former symbol",
    "alias": "were called by an alias",
    "other spelling": "were spelled in another way",
    "date of a spreadsheet": "had been made a date by a spreadsheet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """The G genes of a dataset, in its order, under the names they have today.

    Nothing is changed by it: what it holds can be shown first and carried out, or not.
    """

    names: tuple[str, ...]
    """(G,) what each gene is to be called: the approved symbol where it was called by a symbol of any kind, the
    Ensembl id where by an id, its mended name where it is not known. Repeated names stay repeated."""
    symbols: tuple[str, ...]
    """(G,) approved symbols; '' where the gene is not known."""
    ensembl: tuple[str, ...]
    """(G,) Ensembl ids, the given ones before those of the table; '' where there is none."""
    species: tuple[str, ...]
    """(G,) species of the genome that stood in front of each name, else that of the dataset."""
    renames: tuple[Rename, ...] = ()
    """Genes that get another symbol, in their order."""
    repeated: tuple[Rename, ...] = ()
    """Genes that keep their name since another gene of the dataset has the new one."""
    ambiguous: tuple[Ambiguous, ...] = ()
    """Names of several genes, left as they are."""
    unknown: tuple[str, ...] = ()
    """Names that the table does not have, left as they are."""
    dates: tuple[str, ...] = ()
    """Numbers that a spreadsheet wrote for dates that were symbols; these genes cannot be known again."""
    mended: Mapping[str, int] = field(default_factory=dict)
    """How many names were mended without the table, by what was done."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what changes, a sentence each; nothing where nothing does."""
        return (
            *(f"{what}: {counted(n, 'name')}." for what, n in self.mended.items()),
            *self._rename_notes(),
            *_listed(
                "{n:,} names are left as they are, since several genes have them: {names}.",
                [f"{one.name} ({', '.join(one.genes)})" for one in self.ambiguous],
            ),
            *_listed(
                "{n:,} genes keep their names, since another gene of the dataset has the new one: {names}.",
                [f"{one.old} ({one.new})" for one in self.repeated],
            ),
            *_listed(
                "{n:,} names are numbers that a spreadsheet wrote for dates; these genes cannot be known "
                "again: {names}.",
                list(self.dates),
            ),
        )

    def _rename_notes(self) -> list[str]:
        notes = []
        for how, words in IN_WORDS.items():
            pairs = [f"{one.old} → {one.new}" for one in self.renames if one.how == how]
            notes += _listed(f"{{n:,}} genes {words} and get the one of today: {{names}}.", pairs)
        return notes


def known_as(names: Sequence[str], species: Species, *, ensembl: Sequence[str] | None = None) -> Renamed:
    """Tell what the genes of a dataset are called today.

    Blanks, quotes, versions, prefixes of genomes, chromosomes and ids joined with symbols are taken off whatever the
    species. Of human and mouse genes the table then says the approved symbol: by the Ensembl id where there is one,
    else by the symbol, a former symbol, an alias, another spelling, in this order. A name that is an approved symbol
    stays. Of two genes with one new name the surer keeps it; an ambiguous name is never guessed.

    Parameters
    ----------
    names
        (G,) names as the file has them.
    species
        Of the dataset, as `guess_species` tells; genes with the prefix of a genome are looked up in that of their
        own. Of "unknown" no table is asked.
    ensembl
        (G,) Ensembl ids from another column; '' where there is none. May be left out.

    Examples
    --------
    >>> today = known_as(["SEPT2", "HLA.A", "CD3E_ENSG00000198851", "QARS", "GRCh38_ACTB", "2-Sep"], "human")
    >>> today.names
    ('SEPTIN2', 'HLA-A', 'CD3E', 'QARS', 'ACTB', '2-Sep')
    >>> [(one.old, one.new) for one in today.renames], [(one.old, one.new) for one in today.repeated]
    ([('SEPT2', 'SEPTIN2'), ('HLA.A', 'HLA-A')], [('2-Sep', 'SEPTIN2')])
    >>> today.ambiguous
    (Ambiguous(name='QARS', genes=('EPRS1', 'QARS1')),)
    """
    return _known_as(tuple(names), species, tuple(ensembl or ("",) * len(names)))


@lru_cache(maxsize=2)  # the card of a file asks first, and opening it again
def _known_as(names: tuple[str, ...], species: Species, ensembl: tuple[str, ...]) -> Renamed:
    """Tell the same of names that a later call may have again."""
    genes = _genes(names, species, ensembl)
    rows = _settled(genes)
    of_state: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        of_state[row.state].append(row)
    return replace(
        _as_they_are(rows),
        renames=tuple(row.rename for row in of_state["renamed"]),
        repeated=tuple(row.rename for row in of_state["repeated"]),
        ambiguous=tuple(row.ambiguous for row in of_state["ambiguous"]),
        unknown=tuple(row.name for row in of_state["unknown"]),
        dates=tuple(row.name for row in of_state["date"]),
    )


def _as_they_are(rows: Sequence[_Row]) -> Renamed:
    """Give the names alone, without what is told of them."""
    return Renamed(
        names=tuple(row.name for row in rows),
        symbols=tuple(row.symbol for row in rows),
        ensembl=tuple(row.ensembl for row in rows),
        species=tuple(row.gene.species for row in rows),
        mended=dict(Counter(what for row in rows for what in row.gene.mended)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gene:
    """A gene of a dataset, its name mended."""

    name: str
    """The symbol, or the Ensembl id where it was called by one alone."""
    ensembl: str
    species: str
    table: GeneTable | None
    mended: tuple[str, ...]

    @property
    def is_id(self) -> bool:
        return bool(ENSEMBL.fullmatch(self.name))

    def find(self, own: frozenset[str]) -> Found:
        if self.table is None or (self.name.isdecimal() and not self.ensembl):  # a number is no alias
            return UNKNOWN
        place = self.table.of_id(self.ensembl) if self.ensembl else None
        if place is None:
            found = find_among(self.table, self.name, own=own)
            # an id that is not known may be an old one, but speaks against a gene that only has this for an alias
            return UNKNOWN if self.ensembl and found.how not in ("symbol", "former symbol") else found
        known = self.table.find(self.name)
        return Found(genes=(place,), how=known.how if place in known.genes else "Ensembl id")

    def symbols_of(self, places: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.table.symbols[place] for place in places) if self.table else ()


@dataclass(slots=True, kw_only=True)
class _Row:
    """A gene with what it is called today."""

    gene: _Gene
    found: Found
    name: str
    """The approved symbol once no surer gene has it."""

    @property
    def symbol(self) -> str:
        """The approved symbol; empty where the gene is not known, or several are."""
        return self.gene.symbols_of(self.found.genes)[0] if len(self.found.genes) == 1 else ""

    @property
    def ensembl(self) -> str:
        own, table = self.gene.ensembl, self.gene.table
        return own or (table.ensembl(self.found.genes[0]) if table and self.symbol else "")

    @property
    def changes(self) -> bool:
        return bool(self.symbol) and not self.gene.is_id and self.symbol != self.gene.name

    @property
    def state(self) -> Literal["kept", "renamed", "repeated", "ambiguous", "unknown", "date"]:
        """What becomes of the name."""
        if self.changes:
            return "renamed" if self.name == self.symbol else "repeated"
        if is_serial_date(self.name):
            return "date"
        if self.symbol or self.gene.table is None:
            return "kept"
        return "ambiguous" if self.found.genes else "unknown"

    @property
    def ambiguous(self) -> Ambiguous:
        return Ambiguous(name=self.name, genes=self.gene.symbols_of(self.found.genes))

    @property
    def rename(self) -> Rename:
        also = self.gene.symbols_of(self.found.also)
        return Rename(old=self.gene.name, new=self.symbol, how=self.found.how, also=also)


def _genes(names: Sequence[str], species: str, ensembl: Sequence[str]) -> list[_Gene]:
    """Mend names, in a mixture of species all but the prefixes of those that are not human."""
    genomes = [genome_of(name) for name in names]
    several = len(set(genomes) - {""}) > 1
    return [
        _gene(
            name,
            written(other).ensembl,
            species=genome or species,
            kept=several and genome not in ("", "human"),
        )
        for name, genome, other in zip(names, genomes, ensembl, strict=True)
    ]


def _gene(name: str, ensembl: str, *, species: str, kept: bool) -> _Gene:
    """Mend one name, unless it is to be kept with the prefix of its genome."""
    bare = without_genome(name)
    parts = written(bare)
    known = TABLES.get(species)
    return _Gene(
        name=name.strip() if kept else parts.symbol or parts.ensembl or bare.strip(),
        ensembl=ensembl or parts.ensembl,
        species=species,
        table=gene_table(known) if known and not kept else None,
        mended=() if kept else _mends(name, bare, parts.symbol),
    )


def _mends(name: str, bare: str, symbol: str) -> tuple[str, ...]:
    """Say what is taken off a name."""
    if name == symbol:
        return ()
    genome = genome_of(name)
    done = [f"The prefix of the {genome} genome"] if genome else []
    if bare != bare.strip():
        done.append("Blanks around the name")
    found = ENSEMBL.fullmatch(bare.strip())
    if found and (found[2] or found[3]):
        done.append("The version of an Ensembl id")
    if not found and symbol != bare.strip():
        done.append("What was joined with the symbol")
    return tuple(done)


def _settled(genes: Sequence[_Gene]) -> list[_Row]:
    """Give each gene its new name, unless a gene with a surer name has it; ids stay what they are."""
    own = frozenset(gene.name for gene in genes)
    rows = [_Row(gene=gene, found=gene.find(own), name=gene.name) for gene in genes]
    taken = {row.name for row in rows if row.symbol == row.name}
    for row in sorted(rows, key=lambda row: HOWS.index(row.found.how)):
        if row.changes and row.symbol not in taken:
            row.name = row.symbol
            taken.add(row.name)
    return rows


def _listed(sentence: str, names: Sequence[str]) -> list[str]:
    """Fill a sentence with a number and some names; none where there are none."""
    if not names:
        return []
    more = f" and {len(names) - EXAMPLES:,} more" if len(names) > EXAMPLES else ""
    return [sentence.format(n=len(names), names=", ".join(names[:EXAMPLES]) + more)]
