"""What a column of cells is good for: known cell types, batches, plain categories, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scviz.datasets.labels import is_label
from scviz.datasets.tables import Column
from scviz.workspace import ColumnInfo

LABELS = (
    "celltype",
    "bulklabels",
    "celllabel",
    "annotation",
    "label",
    "cellline",
    "cellstate",
    "subclass",
    "facsgate",
    "cluster",
    "louvain",
    "leiden",
    "class",
    "lineage",
)
"""Parts of names under which known cell types are found, the best first; without underscores."""
BATCHES = (
    "batch",
    "donor",
    "sample",
    "patient",
    "individual",
    "subject",
    "condition",
    "replicate",
    "rep",
    "library",
    "lane",
    "plate",
    "channel",
    "protocol",
    "dataset",
    "study",
    "experiment",
    "stim",
    "treatment",
    "ident",
)
"""Words in names of columns that say where a cell comes from."""
NEITHER = (
    "phase",
    "sex",
    "gender",
    "tissue",
    "disease",
    "organism",
    "assay",
    "ethnicity",
    "stage",
    "suspension",
    "perturbation",
    "guide",
    "grna",
    "source",
    "ontology",
    "barcode",
    "demuxlet",
    "doublet",
    "id",
)
"""Words that speak against both, wherever they stand in a name that is not exactly one of the above."""

RECEPTOR = re.compile(
    r"(TR[ABGD]|IG[HKL])[VDJC][\w*/-]*|TR[ABGD]|IG[HKL]|C[ACDEFGHIKLMNPQRSTVWY]{5,30}[FW]|[ACGTacgt]{24,}|"
    r"(?i:clono?type)[_ ]?\d+"
)
"""A segment, a chain or a sequence of a receptor of T or B cells, or the number of a clonotype."""
OF_RECEPTORS = re.compile(
    r"clonotypes?|cdr ?3|\bcdr[12]\b|\b[vdjc] (call|gene|segment)\b|\btr[abgd][vdjc]?\b|\big[hkl][vdjc]?\b|junction|"
    r"\b(tcr|bcr)( [ab]| alpha| beta| seq| sequence| id| clone)?$|clone ?id|\bct(aa|nt|gene|strict)\b"
)
"""Names of columns that hold them, in small letters with blanks for all else."""

MOST_LABELS = 100
FEW = 20
"""Texts are names of groups up to here, even where almost every cell has its own."""
MOST_VALUES = 200
ORDER = ("label", "batch", "category", "number", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a column is taken for."""

    kind: Literal["label", "batch", "category", "number", "text"]
    reason: str
    rank: int = 99
    """Place among columns of this kind, the most likely first."""


def role_of(column: Column) -> Role:
    """Judge a column by its name and by how many values it has."""
    if column.categories is None:
        return Role(kind="number", reason="numbers")
    n_values, n_rows = len(np.unique(column.values[column.values >= 0])), len(column.values)
    if n_values > max(FEW, 0.5 * n_rows):
        return Role(kind="text", reason=f"{n_values:,} different texts for {n_rows:,} cells")
    if set(column.categories) <= {"True", "False"}:
        return Role(kind="category", reason="yes or no")
    if any(name.endswith("+ctrl") for name in column.categories):
        return Role(kind="category", reason=f"{n_values:,} perturbations")
    return _of_receptors(column, n_values) or _by_name(column.name, n_values)


def _of_receptors(column: Column, n_values: int) -> Role | None:
    """Know receptors of T and B cells by name and values; None for other columns."""
    said = OF_RECEPTORS.search(re.sub(r"[^a-z0-9]+", " ", column.name.lower())) is not None
    if _share_of_receptors(column) >= (0.25 if said else 0.5) or (said and n_values > FEW):
        return Role(kind="text", reason=f"receptors of T or B cells, {n_values:,} different ones")
    if said:
        return Role(kind="category", reason=f"{n_values:,} values about receptors of T or B cells")
    return None


def _share_of_receptors(column: Column) -> float:
    """Return the share of the values in which a receptor stands, words for a missing one aside."""
    present = np.unique(column.values[column.values >= 0]).tolist()
    words = [word for word in map((column.categories or ()).__getitem__, present) if is_label(word)]
    of_receptors = sum(any(map(RECEPTOR.fullmatch, re.split(r"[\s_;,|:+]+", word))) for word in words)
    whole = sum(RECEPTOR.fullmatch(word) is not None for word in words)
    return max(of_receptors, whole) / max(1, len(words))


def _by_name(name: str, n_values: int) -> Role:
    words = re.sub(r"[^a-z0-9]+", " ", name.lower()).split()
    may_be_label = 2 <= n_values <= MOST_LABELS and not set(words) & set(NEITHER)
    reason, joined = f"{n_values:,} values and the name", "".join(words)
    label = _first(label in joined for label in LABELS)
    if label is not None and may_be_label:
        return Role(kind="label", rank=2 * label + (joined not in LABELS), reason=reason)
    batch = _first(_names_batch(word, words) for word in BATCHES)
    if batch is not None:
        return Role(kind="batch", rank=batch, reason=reason)
    kind: Literal["label", "category"] = "label" if may_be_label and n_values > 2 else "category"
    return Role(kind=kind, reason=f"{n_values:,} values")


def _first(truths: Iterable[bool]) -> int | None:
    """Find the place of the first that is true."""
    return next((place for place, true in enumerate(truths) if true), None)


def _names_batch(word: str, words: Sequence[str]) -> bool:
    return word in words or (len(word) > 4 and "".join(words).startswith(word))


def as_category(column: Column) -> Column:
    """Turn a column of a few whole numbers whose name says label or batch into categories; others stay."""
    if column.categories is not None or not len(column.values):
        return column
    present = column.values[~np.isnan(column.values)]
    if not len(present) or not np.all(present == np.rint(present)):
        return column
    values, codes = np.unique(column.values, return_inverse=True)  # NaN, at most one, comes last
    n_values = int(np.sum(~np.isnan(values)))
    names = tuple(f"{value:.0f}" for value in values[:n_values])
    numbered = Column(
        name=column.name, values=np.where(codes < n_values, codes, -1).astype(np.int32), categories=names
    )
    role = role_of(numbered)
    named = role.reason.endswith("the name")
    return numbered if named and n_values <= MOST_LABELS else column


def describe(column: Column, colors: Sequence[str] = ()) -> ColumnInfo:
    """Sum a column up.

    Parameters
    ----------
    column
        (N,) values.
    colors
        Hex colors in the order of the categories of the column; not used when there are fewer.
    """
    role = role_of(column)
    if column.categories is None:
        n_values = len(np.unique(column.values[~np.isnan(column.values)]))
        return ColumnInfo(
            name=column.name, kind="number", n_values=n_values, n_missing=column.n_missing, reason=role.reason
        )
    counts = np.bincount(column.values[column.values >= 0], minlength=len(column.categories))
    order = [int(i) for i in np.argsort(-counts, kind="stable")[:MOST_VALUES] if counts[i]]
    return ColumnInfo(
        name=column.name,
        kind=role.kind,
        n_values=int(np.sum(counts > 0)),
        n_missing=column.n_missing,
        values=tuple(column.categories[i] for i in order) if role.kind != "text" else (),
        colors=tuple(colors[i] for i in order) if len(colors) >= len(column.categories) else (),
        reason=role.reason,
    )


def sorted_columns(columns: Sequence[Column], infos: Sequence[ColumnInfo]) -> tuple[ColumnInfo, ...]:
    """Put the likeliest cell types first, then batches, other categories, numbers and texts."""
    ranks = {column.name: role_of(column).rank for column in columns}
    return tuple(sorted(infos, key=lambda info: (ORDER.index(info.kind), ranks[info.name])))
