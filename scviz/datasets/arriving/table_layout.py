"""How a table of text is laid out: what separates its fields, which lines and columns are no values."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from scviz.errors import UnreadableFileError

MARKS = ("\t", ",", ";", "|", " ")
COMMENTS = ("#", "%", "!")
NO_VALUE = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>", "#n/a", "-nan"})
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
MOST_TITLES = 10
FEW_FIELDS = 7
"""Tables with no more fields than this have no title that can be told from their header."""
SAMPLE = 50
"""Rows that are looked at."""
FURTHEST = 60
"""Columns at either end that may describe rows, and rows at the top that may describe columns."""
_CORNERS = (
    "index id ids gene genes gene_id geneid gene_name gene_symbol symbol name names cell cells cellid "
    "cell_id barcode barcodes cell_barcode x row rownames feature features feature_id ensembl_id "
    "accession"
)
CORNERS = frozenset(_CORNERS.split())
_DESCRIBES = (
    "chr chrom chromosome start end strand length gene_length entrezid entrez_id entrez entrezgene "
    "n_counts n_genes total_counts n_genes_by_counts ncount_rna nfeature_rna percent.mt percent_mt "
    "percent.mito percent_mito pct_counts_mt log1p_total_counts n_umi numi ngene batch cluster clusters "
    "louvain leiden seurat_clusters age umap_1 umap_2 tsne_1 tsne_2 pseudotime doublet_score s.score "
    "g2m.score s_score g2m_score"
)
DESCRIBES = frozenset(_DESCRIBES.split())
"""Columns or rows of numbers that are no gene and no cell."""
DESCRIBES_TOO = re.compile(
    r"(pct|percent|total|log1p|ncount|nfeature|umap|tsne|pca)[_.].+"
    r"|.+[_.](score|age|percent|pct|fraction|ratio|cluster|clusters|pseudotime)"
)
"""How others are called, in small letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What was found in the first lines of a table."""

    mark: str
    """What separates fields; a blank stands for any number of blanks and tabs."""
    n_skipped: int
    """Lines before the first row of values: comments, the header, rows that describe columns."""
    names: tuple[str, ...]
    """(K,) of the columns that hold values."""
    lead: tuple[str, ...]
    """Names of the columns before them; the first of these names the rows, if `has_names`."""
    trail: tuple[str, ...]
    """Names of the columns after them."""
    has_names: bool
    """Whether the first column names the rows."""
    has_header: bool
    """Whether the first line names the columns; else they are numbered."""
    of_columns: dict[str, tuple[str, ...]]
    """(K,) each: rows of text at the top that describe the columns, by name."""
    n_comments: int
    """Lines at the top that begin with #, % or !, or are a title."""


def layout_of(lines: Sequence[bytes], name: str) -> Layout:
    """Find out how a table is laid out.

    Parameters
    ----------
    lines
        Its first lines, some 100.
    name
        Of the file.

    Raises
    ------
    UnreadableFileError
        If it is no table, holds no numbers, or numbers with a decimal comma.
    """
    texts = [_decoded(line) for line in lines]
    n_comments = next((i for i, line in enumerate(texts) if not line.startswith(COMMENTS)), len(texts))
    body = texts[n_comments:]
    n_titles = _n_titles(body[: 2 * SAMPLE])
    n_comments, body = n_comments + n_titles, body[n_titles:]
    if n_comments and not n_titles and body and _is_header(texts[n_comments - 1], body[0]):
        n_comments -= 1
        body = [texts[n_comments].lstrip("#%! "), *body]
    mark = _mark(body, name)
    rows = _without_last_mark([fields(line, mark) for line in body[: 2 * SAMPLE]])
    _refuse_decimal_comma(rows[1:], name)
    return _Columns(rows=rows, width=len(rows[-1]), name=name, mark=mark, n_comments=n_comments).layout()


def _without_last_mark(rows: list[list[str]]) -> list[list[str]]:
    """Take off the empty field that a mark at the end of each line makes."""
    first, *rest = rows
    if not rest or any(row[-1] != "" for row in rest):
        return rows
    if len(first) == len(rest[-1]) and first[-1] == "":
        return [row[:-1] for row in rows]
    return [first, *(row[:-1] for row in rest)] if len(first) == len(rest[-1]) - 1 else rows


def fields(line: str, mark: str) -> list[str]:
    r"""Split a line, quotes taken off.

    Examples
    --------
    >>> fields('"a, b",1', ","), fields("a  1 \t2", " ")
    (['a, b', '1'], ['a', '1', '2'])
    """
    if '"' not in line:
        return [one.strip() for one in (line.split() if mark == " " else line.split(mark))]
    if mark == " ":
        line = line.replace("\t", " ").strip()
    found = next(csv.reader([line], delimiter=mark, skipinitialspace=mark == " "))
    return [one.strip() for one in found]


def is_number(text: str) -> bool:
    """Tell whether a field is a number, or says that there is none."""
    return NUMBER.fullmatch(text) is not None or text.lower() in NO_VALUE


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _is_header(comment: str, line: str) -> bool:
    """Tell whether a line with a # before it names the columns of the line below it."""
    for mark in ("\t", ",", ";"):
        n = line.count(mark)
        if n and comment.count(mark) in (n, n - 1) and comment.count(mark):
            return True
    return False


def _n_titles(lines: Sequence[str]) -> int:
    """Count the lines above the header: a title, or the sizes of the table, in far fewer fields than the table has."""
    for n in range(min(MOST_TITLES, len(lines) - 2)):
        for mark in MARKS:
            rows = [fields(line, mark) for line in lines[: n + FEW_FIELDS]]
            if _begins_table(rows[n:]):
                return n if _are_titles(rows[:n], len(rows[-1])) else 0
    return 0


def _begins_table(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether lines have equally many fields below a header that fills at least some of them."""
    return _score(rows) >= 0 and 4 * sum(map(bool, rows[0])) >= len(rows[-1])


def _are_titles(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether lines fill far fewer fields than the table has."""
    return width > FEW_FIELDS and all(4 * sum(map(bool, row)) <= width for row in rows)


def _mark(lines: Sequence[str], name: str) -> str:
    """Choose what splits all lines into equally many fields, most of them numbers."""
    scores = {mark: _score([fields(line, mark) for line in lines[: SAMPLE // 2]]) for mark in MARKS}
    best = max(scores, key=lambda mark: scores[mark])
    if scores[best] < 0:
        raise UnreadableFileError(
            f"The lines of {name} do not split into equally many fields by a tab, comma, semicolon or blank.",
            hint="Write it anew with one mark between fields, as adata.to_df().to_csv('cells.csv') does.",
        )
    return best


def _score(rows: Sequence[Sequence[str]]) -> float:
    """Return the share of fields that are numbers; -1 where rows differ in how many they have."""
    body = rows[1:] or rows
    widths = {len(row) for row in body}
    if len(widths) != 1 or max(widths) < 2 or abs(len(rows[0]) - max(widths)) > 1:
        return -1
    texts = [one for row in body for one in row[1:]]
    return sum(is_number(one) or DECIMAL_COMMA.fullmatch(one) is not None for one in texts) / len(texts)


def _refuse_decimal_comma(rows: Sequence[Sequence[str]], name: str) -> None:
    for row in rows:
        for one in row[1:]:
            if DECIMAL_COMMA.fullmatch(one):
                raise UnreadableFileError(
                    f"{name} writes its numbers with a decimal comma, such as {one}.",
                    hint="Write it anew with decimal points: in R write.csv instead of write.csv2, "
                    "in Excel another language of the sheet.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The first rows of a table, and what its columns are."""

    rows: list[list[str]]
    width: int
    name: str
    mark: str
    n_comments: int

    def layout(self) -> Layout:
        header, has_header = self._header()
        body = self.rows[1:] if has_header else self.rows
        body = [row for row in body if len(row) == self.width]
        if not body:
            raise UnreadableFileError(
                f"{self.name} has a line of names and no rows of {self.width} fields.",
                hint="Is the file cut off? Compare its size with the original.",
            )
        has_names = self._has_names(header, body, has_header=has_header)
        top = self._rows_of_text(body, first=int(has_names))
        body = body[top:] or body
        lead, stop = self._ends(header, body, has_names=has_names)
        described = self.rows[int(has_header) : int(has_header) + top]
        of_columns = {row[0] or f"row {i + 1}": tuple(row[lead:stop]) for i, row in enumerate(described)}
        return Layout(
            mark=self.mark,
            n_skipped=self.n_comments + int(has_header) + top,
            names=tuple(header[lead:stop]),
            lead=tuple(header[:lead]),
            trail=tuple(header[stop:]),
            has_names=has_names,
            has_header=has_header,
            of_columns=of_columns,
            n_comments=self.n_comments,
        )

    def _header(self) -> tuple[list[str], bool]:
        first = self.rows[0]
        if len(first) == self.width - 1:
            return ["", *first], True
        if len(first) == self.width + 1 and first[-1] == "":
            first = first[:-1]
        if _names_columns(first):
            return first, True
        return ["", *(f"column {i + 2}" for i in range(len(first) - 1))], False

    def _has_names(self, header: list[str], body: list[list[str]], *, has_header: bool) -> bool:
        """Tell whether the first column names rows, and is no column of values."""
        texts = [row[0] for row in body]
        if any(not is_number(one) for one in texts):
            return True
        corner = header[0].lower()
        return (
            len(self.rows[0]) == self.width - 1
            or (has_header and (corner in CORNERS or not corner))
            or (has_header and corner.startswith("unnamed"))
        )

    def _rows_of_text(self, body: list[list[str]], first: int) -> int:
        """Count the rows at the top that describe columns: by texts where those below have numbers, or by name."""
        shares = [sum(not is_number(one) for one in row[first:]) / max(len(row) - first, 1) for row in body]
        texts = [
            share > 0.5 or (first > 0 and _describes(row[0])) for row, share in zip(body, shares, strict=True)
        ]
        n = texts.index(False) if False in texts else len(texts)
        return n if n < min(len(shares), FURTHEST) else 0

    def _ends(self, header: list[str], body: list[list[str]], *, has_names: bool) -> tuple[int, int]:
        """Return the first column of values, and the first after them."""
        sample = body[:SAMPLE]
        own = [i for i in range(self.width) if self._is_no_value(i, header, sample)]
        near, far = self._sides(own)
        lead = max([*near, int(has_names) - 1], default=-1) + 1
        stop = min(far, default=self.width)
        listed = (lead, stop, self.width) == (2, 3, 3) and len({row[0] for row in sample}) < len(sample)
        if lead >= stop or listed:
            raise UnreadableFileError(
                f"{self.name} is no table of counts: it has no columns of numbers, or one row for each value.",
                hint="Choose the table of counts, genes x cells or cells x genes. A list of gene, cell and count is "
                "turned into one by a pivot in R or pandas.",
            )
        self._refuse_text_among_numbers([i for i in own if lead <= i < stop], header, sample)
        return lead, stop

    def _is_no_value(self, i: int, header: list[str], sample: list[list[str]]) -> bool:
        """Tell whether a column describes rows: by its name, or by texts in it, of which one may be a slip."""
        n_texts = sum(not is_number(row[i]) for row in sample)
        enough = 1 if i < FURTHEST else len(sample) / 2
        return _describes(header[i]) or n_texts > enough or n_texts == len(sample)

    def _refuse_text_among_numbers(
        self, among: list[int], header: list[str], sample: list[list[str]]
    ) -> None:
        for i in among:
            value = next((row[i] for row in sample if not is_number(row[i])), header[i])
            raise UnreadableFileError(
                f"The column {header[i]!r} of {self.name} holds text ({value!r}) among columns of numbers.",
                hint="Move columns that describe cells or genes to the left, or leave them out.",
            )

    def _sides(self, own: list[int]) -> tuple[list[int], list[int]]:
        """Divide columns that are no values: those on the left, those on the right of the widest gap."""
        if self.width > FURTHEST:
            return [i for i in own if i < FURTHEST], [
                i for i in own if i >= max(FURTHEST, self.width - FURTHEST)
            ]
        edges = [-1, *own, self.width]
        gap = max(range(len(edges) - 1), key=lambda i: edges[i + 1] - edges[i])
        return own[:gap], own[gap:]


def _describes(name: str) -> bool:
    """Tell whether a name is that of a measure or a label, and not of a gene or a cell."""
    small = name.lower()
    return small in DESCRIBES or DESCRIBES_TOO.fullmatch(small) is not None


def _names_columns(first: Sequence[str]) -> bool:
    """Tell whether a line names columns, or is a row of values already."""
    corner, *rest = first
    if corner.lower() in CORNERS | {""} or not is_number(rest[-1]):
        return True
    counted = [[str(i + start) for i in range(len(rest))] for start in (0, 1)]
    return rest in counted or sum(not is_number(one) for one in rest) > len(rest) / 2
