"""What is known of genes: read terms such as those of the Gene Ontology from the files people have of them."""

from __future__ import annotations

import gzip
import io
import json
import pickle  # noqa: TID251 - only for a reader that knows dictionaries of sets of words and refuses the rest
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from scviz.datasets.gene_matching import match_list
from scviz.datasets.gene_sheets import (
    Columns,
    Row,
    Sheet,
    gene_and_term,
    genes_in,
    sheet_of,
    starts_with_genes,
    told,
)
from scviz.datasets.genes import named
from scviz.errors import DataError
from scviz.workspace import TermsInfo, Workspace
from scviz.workspace.names import slug
from scviz.workspace.plain_json import parse_plain
from scviz.workspace.records import fingerprint, write_json

Terms = dict[str, frozenset[str]]
"""Terms of each gene, by its symbol."""

LARGEST_FILE = 200_000_000
"""Bytes, unpacked."""
LAYOUTS = (
    "Take a GMT file (term, description, genes), a table with the columns gene and term, either way round, "
    'a .json {"gene": ["term", …]}, or the published gene2go_all.pkl; all may end in .gz.'
)
GAF = b"!gaf-version"
"""How annotation files of the Gene Ontology begin."""
WEIGHT = re.compile(r",[0-9.eE+-]+$")
"""Behind a gene in some libraries of sets."""


def read_terms(path: Path) -> Terms:
    """Read the terms of genes.

    Parameters
    ----------
    path
        A GMT file, a table of genes and terms either way round, a JSON file, or the published pickle, each known by its
        content; may be packed with gzip. Lines that cannot be read are left out, see `terms_left_out`.

    Returns
    -------
    The terms of each gene that has any.

    Raises
    ------
    DataError
        If the file is missing, too large, damaged, of another kind, or holds no terms.
    """
    return {gene: frozenset(known) for gene, known in _read(path).terms.items() if gene and known}


def terms_for(terms: Terms, names: Sequence[str]) -> Terms:
    """Return terms under the names that a dataset has for their genes: a file of terms may know them by older ones.

    Parameters
    ----------
    names
        Symbols or Ensembl ids of the dataset; genes that it lacks keep the name of the file.

    Examples
    --------
    >>> sorted(terms_for({"SEPT2": frozenset({"GO:1"}), "TP53": frozenset({"GO:2"})}, ["SEPTIN2"]))
    ['SEPTIN2', 'TP53']
    """
    listed, unknown = tuple(terms), [name for name in dict.fromkeys(names) if name not in terms]
    places = match_list(named(unknown), listed).places.tolist() if unknown and listed else []
    old = {listed[place]: name for name, place in zip(unknown, places, strict=True) if place >= 0}
    wanted = set(names)
    return {gene if gene in wanted else old.get(gene, gene): known for gene, known in terms.items()}


def terms_left_out(path: Path) -> tuple[str, ...]:
    """Say which lines of a file of terms cannot be read, a sentence each.

    Raises
    ------
    DataError
        If the file holds no terms at all.
    """
    return told(_read(path).bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a file says."""

    terms: Mapping[str, Collection[str]]
    """Words of each gene."""
    bad: tuple[str, ...] = ()
    """What is wrong with each line that was left out."""


def _read(path: Path) -> _Found:
    content = content_of(path)
    try:
        found = _reader(path, content)(content)
    except (ValueError, EOFError, TypeError, KeyError, AttributeError, IndexError) as error:
        why = str(error).rstrip(".")
        raise DataError(
            f"The file {path.name} cannot be read as gene annotations: {why}.", hint=LAYOUTS
        ) from error
    except (pickle.UnpicklingError, RecursionError, MemoryError, OverflowError) as error:
        raise DataError(
            f"The file {path.name} is no plain dictionary of sets of words: {error}.",
            hint="Download the published file again, or give the terms as .json or .gmt.",
        ) from error
    if not any(gene and known for gene, known in found.terms.items()):
        why = f": {found.bad[0]}" if found.bad else "."
        raise DataError(f"The file {path.name} holds no gene annotations{why}", hint=LAYOUTS)
    return found


def _reader(path: Path, content: bytes) -> Callable[[bytes], _Found]:
    """Choose a reader by the first bytes; pickles of the oldest kind are known by their name alone."""
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if content.startswith(b"\x80") or kind.lower() == ".pkl":
        return _pickle
    return _json if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else _text


def write_terms(terms: Mapping[str, Iterable[str]], path: Path) -> None:
    """Write terms as JSON, sorted, so that equal terms give equal files."""
    plain = {gene: sorted(terms[gene]) for gene in sorted(terms)}
    draft = path.with_name(f"{path.name}.{uuid4().hex}.draft")  # two writers do not meet
    draft.write_text(json.dumps(plain), encoding="utf-8")
    draft.replace(path)


def keep_terms(
    terms: Mapping[str, Iterable[str]], workspace: Workspace, *, name: str, source: str
) -> TermsInfo:
    """Keep terms in the workspace; equal ones of one name are kept once.

    Parameters
    ----------
    name
        What they are called.
    source
        Where they come from, a few words.
    """
    terms = {gene: sorted(known) for gene, known in sorted(terms.items())}
    folder = workspace.terms_folder(workspace.own_name(slug(name), fingerprint(terms)))
    info = TermsInfo(
        id=folder.name,
        name=name,
        source=source,
        n_genes=len(terms),
        n_terms=len(set().union(*terms.values())),
    )
    if not (folder / "info.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        workspace.claim(folder)
        write_terms(terms, folder / "terms.json")
        write_json(info, folder / "info.json")  # last: where it is, all is
    return info


def genes_by_term(terms: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Turn terms of genes into genes of terms, both sorted.

    Examples
    --------
    >>> genes_by_term({"KLF1": ["heme", "red cell"], "GATA1": ["heme"]})
    {'heme': ('GATA1', 'KLF1'), 'red cell': ('KLF1',)}
    """
    genes = defaultdict(list)
    for gene in sorted(terms):
        for term in terms[gene]:
            genes[term].append(gene)
    return {term: tuple(genes[term]) for term in sorted(genes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GmtLine:
    """A line of a GMT file."""

    term: str
    description: str
    genes: tuple[str, ...]
    """Each once; a weight behind a comma, which some libraries have, is left out."""


def gmt_lines(content: bytes) -> list[GmtLine]:
    r"""Read the lines of a GMT file; those without genes behind tabs are left out.

    Raises
    ------
    ValueError
        If it is no text, or no line has genes behind tabs.

    Examples
    --------
    >>> gmt_lines(b"heme\tabout\tKLF1,1.0\tGATA1\t\nalone\n")
    [GmtLine(term='heme', description='about', genes=('KLF1', 'GATA1'))]
    """
    sheet = sheet_of(content)
    lines = _gmt(sheet)
    if sheet.rows and not lines:
        raise ValueError(f"the line of {sheet.rows[0].cells[0][:40]!r} has no genes behind tabs")
    return lines


def content_of(path: Path, *, largest: int | None = None) -> bytes:
    """Read a file, unpacked, up to a size in bytes, by default LARGEST_FILE.

    Raises
    ------
    DataError
        If it is missing, damaged or too large.
    """
    most = LARGEST_FILE if largest is None else largest
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"The file {path.name} cannot be read: {error}.",
            hint="Check the path, or download the file again.",
        ) from error
    if len(content) > most:
        raise DataError(
            f"The file {path.name} holds more than {most // 10**6} MB.",
            hint="Keep the part that you need.",
        )
    return content


def _gmt(sheet: Sheet) -> list[GmtLine]:
    """Read the lines that have genes; where a gene stands in the place of a description, it is one of them."""
    first = 1 if starts_with_genes(sheet) else 2
    return [_gmt_line(row, first) for row in sheet.rows if len(row.cells) > 2]


def _gmt_line(row: Row, first: int) -> GmtLine:
    genes = dict.fromkeys(WEIGHT.sub("", gene) for gene in row.cells[first:] if gene)
    return GmtLine(term=row.cells[0], description=row.cells[1] if first > 1 else "", genes=tuple(genes))


def _text(content: bytes) -> _Found:
    """Read a GMT file or a table, whichever it is."""
    if content.startswith(GAF):
        return _gaf(sheet_of(content))
    sheet = sheet_of(content)
    columns = gene_and_term(sheet)
    found: defaultdict[str, set[str]] = defaultdict(set)
    if columns is None:
        for line in _gmt(sheet):
            for gene in line.genes:
                found[gene].add(line.term)
        bad = sheet.short(3, "no genes behind its description")
        return _Found(terms=found, bad=bad)
    sheet = sheet.without_numbers if columns.n_heads else sheet
    for row in sheet.rows[columns.n_heads :]:
        if len(row.cells) > max(columns.gene, columns.term) and row.cells[columns.term]:
            for gene in genes_in(row.cells[columns.gene]):
                found[gene].add(row.cells[columns.term])
    return _Found(terms=found, bad=sheet.gaps(columns, "no second column"))


def _gaf(sheet: Sheet) -> _Found:
    """Read an annotation file of the Gene Ontology; what a gene is said not to have is left out."""
    columns = Columns(gene=2, term=4, n_heads=0)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in sheet.rows:
        if len(row.cells) > columns.term and "NOT" not in row.cells[3].split("|"):
            found[row.cells[columns.gene]].add(row.cells[columns.term])
    return _Found(terms=found, bad=sheet.gaps(columns, "no column of terms"))


def _json(content: bytes) -> _Found:
    found = parse_plain(content, object, name="it")
    if isinstance(found, dict) and found and all(_is_msigdb(one) for one in found.values()):
        terms: defaultdict[str, set[str]] = defaultdict(set)
        for term, one in found.items():
            for gene in one["geneSymbols"]:
                terms[gene].add(term)
        return _Found(terms=terms)
    return _Found(terms=_checked(found, (list,)))


def _is_msigdb(one: Any) -> bool:
    """Tell whether a gene set is one of MSigDB's own JSON files."""
    genes = one.get("geneSymbols") if isinstance(one, dict) else None
    return isinstance(genes, list) and all(isinstance(gene, str) for gene in genes)


def _pickle(content: bytes) -> _Found:
    return _Found(terms=_checked(_PlainSets(io.BytesIO(content)).load(), (set, frozenset, list)))


def _checked(
    found: Any, kinds: tuple[type[set[Any] | frozenset[Any] | list[Any]], ...]
) -> Mapping[str, set[str]]:
    """Refuse whatever is no dictionary of gene to words."""
    if not isinstance(found, dict):
        raise ValueError("it holds no dictionary from genes to terms")
    for gene, known in found.items():
        words = [gene, *known] if isinstance(known, kinds) else [None]
        if not all(isinstance(word, str) for word in words):
            raise ValueError(f"what it says of {str(gene)[:40]!r} is no set of words")
    return {gene: set(known) for gene, known in found.items()}


class _PlainSets(pickle.Unpickler):
    """Reads dictionaries, sets, lists and words, and refuses anything else."""

    KNOWN: ClassVar[Mapping[tuple[str, str], Callable[..., Any]]] = {
        (module, kind.__name__): kind
        for module in ("builtins", "__builtin__")
        for kind in (dict, set, frozenset, list, str)
    }

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Refuse whatever is not in the table."""
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which terms do not need")
        return self.KNOWN[module, name]
