"""What is known of genes: read terms such as those of the Gene Ontology from the files people have of them."""

from __future__ import annotations

import gzip
import io
import json
import pickle  # noqa: TID251 - only for a reader that knows dictionaries of sets of words and refuses the rest
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from scviz.errors import DataError
from scviz.workspace import TermsInfo, Workspace
from scviz.workspace.records import fingerprint, write_json
from scviz.workspace.store import slug

Terms = dict[str, frozenset[str]]
"""Terms of each gene, by its symbol."""

LARGEST_FILE = 200_000_000
"""Bytes, unpacked."""
LAYOUTS = (
    "Take a .gmt file (term, description, genes), a .tsv or .csv with the columns gene and term, "
    'a .json {"gene": ["term", …]}, or the published gene2go_all.pkl; all may end in .gz.'
)
HEADS = ("gene", "symbol", "gene_name", "gene_symbol", "source")
"""First words of tables whose first line names their columns."""
WEIGHT = re.compile(r",[0-9.eE+-]+$")
"""Behind a gene in some libraries of sets."""


def read_terms(path: Path) -> Terms:
    """Read the terms of genes.

    Parameters
    ----------
    path
        A file of one of these kinds, by the end of its name: `.gmt`, `.tsv`, `.txt`, `.csv`, `.json`, `.pkl`;
        `.gz` may follow.

    Returns
    -------
    The terms of each gene that has any.

    Raises
    ------
    DataError
        If the file is missing, too large, damaged, of another kind, or holds no terms.
    """
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    reader = READERS.get(kind.lower())
    if reader is None:
        raise DataError(f"{path.name} is no file of terms by its name.", hint=LAYOUTS)
    content = content_of(path)
    try:
        found = reader(content)
    except (ValueError, EOFError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise DataError(f"{path.name} cannot be read as gene annotations: {error}.", hint=LAYOUTS) from error
    except (pickle.UnpicklingError, RecursionError, MemoryError, OverflowError) as error:
        raise DataError(
            f"{path.name} is no plain dictionary of sets of words: {error}.",
            hint="Download the published file again, or give the terms as .json or .gmt.",
        ) from error
    terms = {gene: frozenset(known) for gene, known in found.items() if gene and known}
    if not terms:
        raise DataError(f"{path.name} holds no gene annotations.", hint=LAYOUTS)
    return terms


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
    folder = workspace.terms_folder(f"{slug(name)}-{fingerprint(terms)[:8]}")
    info = TermsInfo(
        id=folder.name,
        name=name,
        source=source,
        n_genes=len(terms),
        n_terms=len(set().union(*terms.values())),
    )
    if not (folder / "info.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
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
    r"""Read the lines of a GMT file.

    Raises
    ------
    ValueError
        If it is no text, or a line has no genes behind tabs.

    Examples
    --------
    >>> gmt_lines(b"heme\tabout\tKLF1,1.0\tGATA1\t\n")
    [GmtLine(term='heme', description='about', genes=('KLF1', 'GATA1'))]
    """
    lines = []
    for line in _lines(content):
        term, *rest = (part.strip() for part in line.split("\t"))
        if len(rest) < 2:
            raise ValueError(f"the line of {term[:40]!r} has no genes behind tabs")
        genes = dict.fromkeys(WEIGHT.sub("", gene) for gene in rest[1:] if gene)
        lines.append(GmtLine(term=term, description=rest[0], genes=tuple(genes)))
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
            f"{path.name} cannot be read: {error}.", hint="Check the path, or download the file again."
        ) from error
    if len(content) > most:
        raise DataError(
            f"{path.name} holds more than {most // 10**6} MB.",
            hint="Keep the part that you need.",
        )
    return content


def _gmt(content: bytes) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for line in gmt_lines(content):
        for gene in line.genes:
            found[gene].add(line.term)
    return found


def _table(separator: str, content: bytes) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for number, line in enumerate(_lines(content)):
        gene, *rest = (part.strip().strip('"') for part in line.split(separator))
        if not rest:
            raise ValueError(f"the line {line[:40]!r} has no second column")
        if rest[0] and not (number == 0 and gene.lower() in HEADS):
            found[gene].add(rest[0])
    return found


def _tabs(content: bytes) -> Mapping[str, set[str]]:
    return _table("\t", content)


def _commas(content: bytes) -> Mapping[str, set[str]]:
    return _table(",", content)


def _json(content: bytes) -> Mapping[str, set[str]]:
    return _checked(json.loads(content), (list,))


def _pickle(content: bytes) -> Mapping[str, set[str]]:
    return _checked(_PlainSets(io.BytesIO(content)).load(), (set, frozenset, list))


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


def _lines(content: bytes) -> list[str]:
    lines = content.decode("utf-8-sig").splitlines()
    return [line for line in lines if line.strip() and not line.startswith(("#", "!"))]


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


READERS: Mapping[str, Callable[[bytes], Mapping[str, set[str]]]] = {
    ".gmt": _gmt,
    ".tsv": _tabs,
    ".txt": _tabs,
    ".csv": _commas,
    ".json": _json,
    ".pkl": _pickle,
}
"""Kinds of files by the end of their names."""
