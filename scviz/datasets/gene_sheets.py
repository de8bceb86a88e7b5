"""Lists and tables of genes as people have them: any separator, any encoding, with or without names of columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from scviz.datasets.gene_table import gene_table
from scviz.datasets.genes import ENSEMBL

GENE_HEADS = (
    *(
        "gene",
        "symbol",
        "gene_name",
        "gene_symbol",
        "genesymbol",
        "genes",
        "gene symbol",
        "gene name",
        "hgnc_symbol",
    ),
    *(
        "hgnc symbol",
        "approved symbol",
        "approved_symbol",
        "external_gene_name",
        "human_gene_symbol",
        "source",
    ),
    *("geneid", "gene_id", "core_enrichment", "ensembl_gene", "ensembl_gene_id", "entrez_gene", "entrezid"),
)
"""Names of columns of genes, in small letters."""
TERM_HEADS = (
    *(
        "term",
        "terms",
        "term_id",
        "gs_name",
        "ont",
        "go",
        "go_id",
        "go_term",
        "geneset",
        "gene_set",
        "gene set",
        "set",
    ),
    *("pathway", "term_name"),
)
SYMBOL = re.compile(r"[A-Z][A-Z0-9]*([.-][A-Z0-9]+)*|C\d+orf\d+|[A-Z][a-z0-9]*\d[a-z0-9]*|[A-Z][a-z]{1,5}")
"""What most symbols of genes look like, and few terms do."""
TERM = re.compile(r"R-[A-Z]{3}-\d+|.*[:_ ].*")
LISTS = re.compile(r"[;/|,]")
SEPARATORS = ("\t", ",", ";")
MOST_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line with its number in the file, from 1."""

    number: int
    cells: tuple[str, ...]
    """Without blanks and quotes around them, and without empty ones at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The lines of a file that say something; comments are left out."""

    rows: tuple[Row, ...]

    @property
    def without_numbers(self) -> Sheet:
        """Without the names of rows that R writes in front of a table, for which its first line has no name."""
        head, rest = self.rows[:1], self.rows[1:]
        wider = [row for row in rest if len(row.cells) == len(head[0].cells) + 1 and row.cells[0].isdigit()]
        if not rest or len(wider) < len(rest):
            return self
        return Sheet(rows=(*head, *(Row(number=row.number, cells=row.cells[1:]) for row in rest)))

    def gaps(self, columns: Columns, lacks: str) -> tuple[str, ...]:
        """Say which lines have no gene or no term where the columns have them, a few words each."""
        wanted = (columns.gene, columns.term)
        empty = {
            row.number: f"line {row.number} has an empty column ({' '.join(row.cells).strip()[:40]!r})"
            for row in self.rows
            if len(row.cells) > max(wanted) and not all(row.cells[place] for place in wanted)
        }
        return (*self.short(max(wanted) + 1, lacks), *empty.values())

    def short(self, n_cells: int, lacks: str) -> tuple[str, ...]:
        r"""Say which lines have fewer cells, a few words each.

        Examples
        --------
        >>> sheet_of(b"STAT1\tGO:1\n\nIRF1\n").short(2, "no second column")
        ("line 3 has no second column ('IRF1')",)
        """
        return tuple(
            f"line {row.number} has {lacks} ({row.cells[0][:40]!r})"
            for row in self.rows
            if len(row.cells) < n_cells
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where a table has what."""

    gene: int
    term: int
    n_heads: int
    """1 where its first line names its columns."""


def sheet_of(content: bytes) -> Sheet:
    """Read lines of text and part them by what most of them are parted by: tabs, commas or semicolons.

    Raises
    ------
    ValueError
        If it is no text.
    """
    lines = [
        (number, line)
        for number, line in enumerate(_text(content).splitlines(), 1)
        if line.strip() and not line.startswith(("#", "!"))
    ]
    separator = _separator([line for _, line in lines])
    rows = (Row(number=number, cells=_cells(line, separator)) for number, line in lines)
    return Sheet(rows=tuple(row for row in rows if row.cells))


def gene_and_term(sheet: Sheet) -> Columns | None:
    r"""Find the columns of a table of genes and terms; None for lines of a term, a description and genes (GMT).

    Examples
    --------
    >>> gene_and_term(sheet_of(b"gs_name,gene_symbol\nHEME,KLF1\n"))
    Columns(gene=1, term=0, n_heads=1)
    >>> gene_and_term(sheet_of(b"HALLMARK_HEME\tKLF1\nHALLMARK_HEME\tGATA1\n")).gene
    1
    >>> gene_and_term(sheet_of(b"heme\tabout\tKLF1\tGATA1\nred\t\tEPOR\n")) is None
    True
    """
    named = _named_columns([cell.lower() for cell in sheet.rows[0].cells]) if sheet.rows else None
    if named is not None:
        return named
    columns = [[row.cells[i] for row in sheet.rows if len(row.cells) > i] for i in range(3)]
    if 2 * len(columns[2]) > len(sheet.rows) and (_share(columns[2]) >= 0.5 or _widest(sheet) > 3):
        return None
    turned = _likely_genes(columns[1]) > _likely_genes(columns[0])
    return Columns(gene=int(turned), term=int(not turned), n_heads=0)


def genes_in(cell: str) -> tuple[str, ...]:
    """Part a cell that lists several genes.

    Examples
    --------
    >>> genes_in("STAT1/IRF1"), genes_in("STAT1; HLA-A"), genes_in("HLA-A"), genes_in("GO:1/2")
    (('STAT1', 'IRF1'), ('STAT1', 'HLA-A'), ('HLA-A',), ('GO:1/2',))
    """
    parts = [part.strip() for part in LISTS.split(cell) if part.strip()]
    return tuple(parts) if len(parts) > 1 and _share(parts) == 1 else (cell,)


def starts_with_genes(sheet: Sheet) -> bool:
    """Tell whether the lines of a GMT file have no description, so that a gene stands in its place."""
    second = [(row.cells[1], row.cells[0]) for row in sheet.rows if len(row.cells) > 2]
    known = [word in _known() and word not in term for word, term in second]
    return len(known) > 0 and sum(known) >= 0.9 * len(known)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """All approved symbols of human and mouse."""
    return frozenset(gene_table("human").by_symbol) | frozenset(gene_table("mouse").by_symbol)


def _likely_genes(words: Sequence[str]) -> tuple[float, float, float]:
    """Rank a column: by its known genes, by what looks like one, and by what looks like no term."""
    known = sum(word in _known() or ENSEMBL.fullmatch(word) is not None for word in words)
    terms = sum(TERM.fullmatch(word) is not None for word in words)
    return (round(known / max(1, len(words)), 1), _share(words), -terms / max(1, len(words)))


def _named_columns(head: Sequence[str]) -> Columns | None:
    """Find the columns by their names; None where the first line names none."""
    gene, term = _place(head, GENE_HEADS), _place(head, TERM_HEADS)
    if len(head) < 2 or (gene is None and (term is None or len(head) != 2)):
        return None
    gene = gene if gene is not None else 1 - (term or 0)
    return Columns(gene=gene, term=_other(gene, term), n_heads=1)


def told(bad: Sequence[str]) -> tuple[str, ...]:
    """Put what is wrong with lines into one sentence; none where nothing is."""
    if not bad:
        return ()
    more = f", and {len(bad) - MOST_TOLD:,} more" if len(bad) > MOST_TOLD else ""
    noun = "1 line is" if len(bad) == 1 else f"{len(bad):,} lines are"
    return (f"{noun} left out: {', '.join(bad[:MOST_TOLD])}{more}.",)


def _text(content: bytes) -> str:
    """Decode UTF-8, UTF-16 with its mark, or else what spreadsheets of Western Europe write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    if b"\0" in content:
        raise ValueError("it is no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _separator(lines: Sequence[str]) -> str:
    """Choose what parts most lines; a tab wins a tie, as other marks occur in descriptions."""
    return max(SEPARATORS, key=lambda mark: (sum(mark in line for line in lines), -SEPARATORS.index(mark)))


def _cells(line: str, separator: str) -> tuple[str, ...]:
    """Part one line by itself, so that a quote without its other half costs that line alone."""
    try:
        parted = (
            line.split(separator) if separator == "\t" else next(csv.reader([line], delimiter=separator), [])
        )
    except csv.Error:
        parted = line.split(separator)
    plain = [cell.strip().strip('"').strip() for cell in parted]
    while plain and not plain[-1]:
        plain.pop()
    return tuple(plain)


def _widest(sheet: Sheet) -> int:
    return max(len(row.cells) for row in sheet.rows)


def _place(head: Sequence[str], names: Collection[str]) -> int | None:
    return next((place for place, name in enumerate(head) if name in names), None)


def _other(gene: int, term: int | None) -> int:
    return term if term is not None and term != gene else int(gene == 0)


def _share(words: Sequence[str]) -> float:
    """Return the share of words that look like symbols of genes and not like terms."""
    of_genes = sum(SYMBOL.fullmatch(word) is not None and TERM.fullmatch(word) is None for word in words)
    return of_genes / max(1, len(words))
