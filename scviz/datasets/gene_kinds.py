"""What stands among the genes of a dataset: mitochondrial and ribosomal ones, spike-ins, antibodies, guides, tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from scviz.datasets.gene_names import without_genome, written
from scviz.datasets.gene_table import PROTEIN_CODING, GeneTable, gene_table, spelling
from scviz.datasets.genes import GeneIdentifiers

GeneKind = Literal[
    "gene", "mitochondrial", "ribosomal", "spike-in", "antibody", "guide", "tag", "peak", "tally"
]
"""The first three are genes; a tag tells samples apart, a tally sums up what no gene has."""

RIBOSOMAL = re.compile(r"RP(SA2?|LP[012]|[SL]\d+([AXL]|Y[12]?|L\d|AL)?)")
"""Proteins of the ribosome, by symbol; neither kinases such as RPS6KA1 nor pseudogenes."""

SPIKE_IN = re.compile(r"ERCC[-_.]\d{5}|SIRV\w+|(RNA[-_ ])?spike[-_ ]?in.*|ArrayControl.*", re.IGNORECASE)
PATTERNS: tuple[tuple[GeneKind, re.Pattern[str]], ...] = (
    ("peak", re.compile(r"chr[\dXYM]{1,2}[-:_]\d+[-_]\d+", re.IGNORECASE)),
    (
        "tally",
        re.compile(
            r"_{0,2}(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"
            r"|N_(unmapped|multimapping|noFeature|ambiguous)",
            re.IGNORECASE,
        ),
    ),
    ("spike-in", SPIKE_IN),
    (
        "tag",
        re.compile(r"(HTO|hash(tag)?|SampleTag)[-_. ]?[A-Z]?\d*([-_. ].*)?|CMO[-_]?\d{3}", re.IGNORECASE),
    ),
    ("tag", re.compile(r".*hashtag.*", re.IGNORECASE)),
    (
        "antibody",
        re.compile(
            r".*TotalSeq.*|.*\|pAbO|.*[-_. ](ADT|AbSeq|pAbO|prot|protein|antibody)([-_. ]\w+)?"
            r"|(ADT|AB|anti|prot|protein|CITE)[-_. :].+|.*Ig[GM]\d?[abc]?[-_. ]?.*(control|ctrl|isotype).*"
            r"|isotype[-_. ].*",
            re.IGNORECASE,
        ),
    ),
    ("guide", re.compile(r".*(sgRNA|gRNA|crRNA|[-_.]guide).*|(non|safe)[-_ ]?targeting.*", re.IGNORECASE)),
    ("guide", re.compile(r"sg[A-Z0-9][\w-]*[-_.]\d+|[\w-]+[-_.]sg\d+")),
)
"""How names of what is no gene are written; a name that is a symbol is a gene all the same."""

FEATURE_TYPES: tuple[tuple[GeneKind, tuple[str, ...]], ...] = (
    ("antibody", ("antibody", "protein", "adt")),
    ("guide", ("crispr", "guide")),
    ("tag", ("multiplex", "hashtag", "hto", "cmo", "tag")),
    ("peak", ("peak", "chromatin", "atac")),
)
"""What a column of feature types says, and parts of its words."""


def kinds_of_genes(ids: GeneIdentifiers, feature_types: Sequence[str] | None = None) -> tuple[GeneKind, ...]:
    """Tell of each feature of a dataset what it is, (G,).

    Mitochondrial and ribosomal genes are those of human and mouse, by symbol or Ensembl id in any spelling.

    Parameters
    ----------
    ids
        The names of G features.
    feature_types
        (G,) what the file says of each, such as "Antibody Capture"; it goes before the name. May be left out.

    Examples
    --------
    >>> ids = GeneIdentifiers(ensembl=None, symbol=("MT-CO1", "mt-Nd1", "RPS6", "RPS6KA1", "ERCC1", "ERCC-00002"))
    >>> kinds_of_genes(ids)
    ('mitochondrial', 'mitochondrial', 'ribosomal', 'gene', 'gene', 'spike-in')
    """
    names = ids.given or ids.names
    types = feature_types if feature_types is not None else ("",) * len(names)
    empty = ("",) * len(names)
    rows = zip(names, ids.symbol or empty, ids.ensembl or empty, types, strict=True)
    return tuple(
        _by_type(str(kind)) or _by_name(name, symbol, ensembl) for name, symbol, ensembl, kind in rows
    )


def n_spike_ins(names: Sequence[str]) -> int:
    """Count the names (G,) that are those of spike-ins, molecules of known number that were added to each cell."""
    return sum(SPIKE_IN.fullmatch(name) is not None for name in names)


@lru_cache(maxsize=1 << 10)
def _by_type(text: str) -> GeneKind | None:
    """Read a feature type; None where it says a gene, or nothing."""
    words = text.lower()
    return next((kind for kind, parts in FEATURE_TYPES if any(part in words for part in parts)), None)


@lru_cache(maxsize=1 << 16)
def _by_name(name: str, symbol: str, ensembl: str) -> GeneKind:
    ids = _special_ids()
    if ensembl in ids:
        return ids[ensembl]
    for word in (symbol, written(without_genome(name)).symbol):
        kind = _by_word(spelling(without_genome(word)))
        if kind is not None:
            return kind
    if _is_gene(name):
        return "gene"
    return next((kind for kind, pattern in PATTERNS if pattern.fullmatch(name)), "gene")


def _by_word(word: str) -> GeneKind | None:
    """Tell a mitochondrial or ribosomal gene by the spelling of its name; None for others."""
    if word.startswith("MT.") and len(word) > 3:
        return "mitochondrial"
    return _special_words().get(word)


def _is_gene(name: str) -> bool:
    """Tell whether a name need not be compared with the patterns of what is no gene."""
    if name.isalnum() and not name.upper().startswith(("CMO", "HTO", "HASH", "SIRV", "SAMPLETAG")):
        return True
    return name in gene_table("human").by_symbol or name in gene_table("mouse").by_symbol


def _kind_of(table: GeneTable, place: int) -> GeneKind | None:
    """Tell mitochondrial and ribosomal genes of a table; None for others."""
    symbol = table.symbols[place].upper()
    if symbol.startswith("MT-"):
        return "mitochondrial"
    coding = table.biotypes[place] == PROTEIN_CODING
    return "ribosomal" if coding and RIBOSOMAL.fullmatch(symbol) else None


@lru_cache(maxsize=1)
def _special() -> tuple[tuple[GeneTable, dict[int, GeneKind]], ...]:
    """Find the mitochondrial and ribosomal genes of each table."""
    tables = (gene_table("human"), gene_table("mouse"))
    return tuple(
        (table, {place: kind for place in range(len(table.symbols)) if (kind := _kind_of(table, place))})
        for table in tables
    )


@lru_cache(maxsize=1)
def _special_ids() -> dict[str, GeneKind]:
    ids = {table.ensembl(place): kind for table, own in _special() for place, kind in own.items()}
    ids.pop("", None)
    return ids


@lru_cache(maxsize=1)
def _special_words() -> dict[str, GeneKind]:
    """Find these genes by the spelling of their symbols, and of former symbols and aliases that no other gene has."""
    words: dict[str, GeneKind] = {}
    for table, own in _special():
        others = {spelling(symbol) for symbol in table.symbols}
        for kind in (table.alias.one, table.former.one):
            words |= {spelling(word): own[place] for word, place in kind.items() if place in own}
        words = {word: kind for word, kind in words.items() if word not in others}
    return words | {
        spelling(table.symbols[place]): kind for table, own in _special() for place, kind in own.items()
    }
