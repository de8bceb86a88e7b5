"""Names by other tools in a file, and how names of two columns stand to each other by the Cell Ontology."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_ontology import Relation, coarse, label_of, relation
from scviz.datasets.cell_type_terms import terms_for
from scviz.datasets.cell_words import words_of
from scviz.datasets.label_terms import label_terms
from scviz.workspace import ColumnInfo

RELATIONS: tuple[Relation, ...] = ("same", "broader", "narrower", "coarse", "different", "unknown")
"""By the numbers that `scviz.metrics.name_comparison` has for them."""
WORDS: dict[Relation, str] = {
    "same": "the same",
    "broader": "the first says less",
    "narrower": "the first says more",
    "coarse": "one coarse type",
    "different": "different types",
    "unknown": "cannot be compared",
}
TOOLS: tuple[tuple[str, str], ...] = (
    (r"(celltypist[_.])?(predicted_labels|majority_voting)", "CellTypist"),
    (r"predicted[._](celltype|ann|id|cluster|subclass|class|annotation)[._\w]*", "Azimuth or Seurat"),
    (
        r"(azimuth_(broad|medium|fine|label)|full_hierarchical_labels|final_level_labels|level_\w+_labels?)",
        "Azimuth",
    ),
    (r"(coarse|fine)_cell_type", "Cell Ranger"),
    (r"(singler[._]labels|pruned[._]labels)", "SingleR"),
    (r"(c_scanvi|scanvi_predictions?|scanvi_labels?)", "scANVI"),
    (r"(popv_prediction|popv_majority_vote_prediction)", "popV"),
    (r"scviz_\w+_label", "scviz"),
    (r"cell_type", "CELLxGENE or the authors"),
)
"""Names of columns, in small letters, and who writes them."""
AUTHORS = "the authors of the file"
OF_TYPES = (
    "celltype",
    "celllabel",
    "annotation",
    "cellline",
    "cellstate",
    "subclass",
    "bulklabels",
    "facsgate",
)
"""Parts of names of columns that hold names of types, whatever the names are; without underscores."""
NUMBERED = re.compile(r"(?i:cluster|clust|cl|c|group|leiden|louvain|seurat)?[\W_]*\d+([._]\d+)?")
"""What clustering calls its clusters: no names of types."""
NO_NAMES = re.compile(r"score|conf|prob|mapping|ontology|over_clustering|(^|_)set$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBy:
    """A column with names of types."""

    column: str
    tool: str
    """Who wrote it, as far as its name tells."""


def named_columns(columns: Sequence[ColumnInfo]) -> tuple[NamedBy, ...]:
    """Find the columns with names of types: those of other tools first, then all that name cell types.

    Numbers of clusters are no names, whatever their column is called.
    """
    words = [one for one in columns if _may_be_names(one)]
    by_tool = [NamedBy(column=one.name, tool=tool) for one in words if (tool := _tool_of(one.name))]
    rest = [one for one in words if not _tool_of(one.name) and _is_of_types(one)]
    return (*by_tool, *(NamedBy(column=one.name, tool=AUTHORS) for one in rest))


def _may_be_names(column: ColumnInfo) -> bool:
    words = column.kind in ("label", "category") and not NO_NAMES.search(column.name)
    return words and not _is_numbered(column)


def _is_numbered(column: ColumnInfo) -> bool:
    """Tell whether most values of a column are numbers of clusters."""
    numbers = sum(NUMBERED.fullmatch(value.strip()) is not None for value in column.values)
    return 2 * numbers > len(column.values)


def _is_of_types(column: ColumnInfo) -> bool:
    """Tell whether a column says by its name that it holds types, or a third of its values are of the Cell Ontology."""
    if column.kind != "label":
        return False
    joined = "".join(re.findall(r"[a-z0-9]+", column.name.lower()))
    known = [offer for offer in map(terms_for, column.values) if offer.sure or offer.coarse]
    return any(one in joined for one in OF_TYPES) or 0 < len(column.values) <= 3 * len(known)


def _tool_of(column: str) -> str:
    small = column.lower()
    return next((tool for pattern, tool in TOOLS if re.fullmatch(pattern, small)), "")


def relations_of(
    folder: Path, own: Sequence[str], other: Sequence[str], *, columns: tuple[str, str] = ("", "")
) -> NDArray[np.int8]:
    """Say how each of K names stands to each of L others, (K, L), by the positions of `RELATIONS`.

    Terms are those that `label_terms` gives. A name without one is the same as another of the same words, and else
    compared by the coarse type that all its possible terms share; without that it cannot be compared.

    Parameters
    ----------
    columns
        Columns of the file that the names are those of; empty for names that are not in it.
    """
    first = {one.label: one.term for one in label_terms(folder, own, columns[0])}
    second = {one.label: one.term for one in label_terms(folder, other, columns[1])}
    found = [[_relation((a, first[a]), (b, second[b])) for b in other] for a in own]
    return np.array([[RELATIONS.index(one) for one in row] for row in found], dtype=np.int8).reshape(
        len(own), len(other)
    )


def _relation(own: tuple[str, str], other: tuple[str, str]) -> Relation:
    if own[1] and other[1]:
        return relation(own[1], other[1])
    if words_of(own[0]) == words_of(other[0]):
        return "same"
    wide = [coarse(term) if term else terms_for(label).coarse for label, term in (own, other)]
    if None in wide:
        return "unknown"
    return "coarse" if wide[0] == wide[1] else "different"


def coarse_label(label: str, term: str) -> str:
    """Return the coarse type of a label with its term, "" for none; empty where it cannot be told."""
    wide = coarse(term) if term else terms_for(label).coarse
    return label_of(wide) if wide else ""
