"""Which cells have a label, which words in a column say that they have none, and which are one label twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column
from scviz.datasets.tables import Column, as_names
from scviz.errors import MissingColumnError, RequestError

if TYPE_CHECKING:
    import pandas as pd

NO_LABEL = frozenset(
    {
        *("", "-", "?", "na", "n/a", "<na>", "nan", "none", "null", "not available", "not assigned"),
        *("unknown", "unassigned", "unannotated", "unlabeled", "unlabelled", "unclassified", "undetermined"),
        *("doublet", "doublets", "multiplet", "multiplets", "multiple", "ambiguous"),
    }
)
"""Words for a missing label, in lower case: nobody knows, or two cells were taken for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Labels of a column that differ by blanks or the case of letters alone."""

    words: tuple[str, ...]
    """As the column has them, that of most cells first."""
    n_cells: tuple[int, ...]
    """Cells of each."""

    @property
    def into(self) -> str:
        """The label that they become when they are joined: that of most cells, with single blanks."""
        return " ".join(self.words[0].split())

    @property
    def sentence(self) -> str:
        """Say which labels these are."""
        such = ", ".join(
            f'"{word}" ({n_cells:,} cell{"s" * (n_cells != 1)})'
            for word, n_cells in zip(self.words, self.n_cells, strict=True)
        )
        return f"{such} differ by blanks or the case of letters alone and count as {len(self.words)} labels."


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The label of each of N cells."""

    column: str
    """Where they come from; empty where no column is named."""
    names: tuple[str, ...]
    """The K labels that some cell has, in the order of the column."""
    codes: NDArray[np.int64]
    """(N,) position in `names`; -1 for cells without a label."""
    left_out: Mapping[str, int]
    """Cells of each word that counts as no label; '' where the column is empty."""
    alike: tuple[Alike, ...] = ()
    """Labels that are one, but for blanks and the case of letters."""

    @property
    def texts(self) -> NDArray[np.str_]:
        """(N,) the label of each cell; '' for none."""
        return np.array([*self.names, ""], dtype=str)[self.codes]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say how many cells have no label, which words counted as none, and which labels are one in two writings."""
        return (*self._without, *(f"In {self.column} {one.sentence}" for one in self.alike))

    @property
    def _without(self) -> tuple[str, ...]:
        n_without = sum(self.left_out.values())
        if not n_without:
            return ()
        words = ", ".join(
            f'"{word}": {n_cells:,}' if word else f"empty: {n_cells:,}"
            for word, n_cells in self.left_out.items()
        )
        verbs = "has" if n_without == 1 else "have", "is" if n_without == 1 else "are"
        return (
            f"{n_without:,} of {len(self.codes):,} cells {verbs[0]} no label in {self.column} ({words}) and "
            f"{verbs[1]} left out of what is told by it.",
        )


def is_label(word: str) -> bool:
    """Tell whether a word of a column is a label; `NO_LABEL` are none, in any case.

    Examples
    --------
    >>> is_label("B cell"), is_label("Unassigned"), is_label(" NaN "), is_label("not_assigned")
    (True, False, False, False)
    """
    small = word.strip().lower()
    return small not in NO_LABEL and " ".join(re.split(r"[\s_-]+", small)) not in NO_LABEL - {""}


def alike_labels(column: Column) -> tuple[Alike, ...]:
    """Find labels that differ by blanks, `_` or the case of letters alone; a blank between two digits tells.

    Parameters
    ----------
    column
        (N,) codes with categories; one of numbers has none.

    Examples
    --------
    >>> words = ("B cell", "b  cell", "B_cell", "T cell", "1 1", "11")
    >>> found = alike_labels(Column(name="type", values=np.array([0, 0, 1, 2, 3, 4, 5]), categories=words))
    >>> [(one.words, one.into) for one in found]
    [(('B cell', 'b  cell', 'B_cell'), 'B cell')]
    """
    if column.categories is None:
        return ()
    codes = np.asarray(column.values, dtype=np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(column.categories)).tolist()
    groups: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for word, n_cells in zip(column.categories, counts, strict=True):
        if n_cells and is_label(word):
            groups[_plain(word)].append((n_cells, word))
    found = (sorted(group, key=lambda one: -one[0]) for group in groups.values() if len(group) > 1)
    return tuple(
        Alike(words=tuple(word for _, word in group), n_cells=tuple(n for n, _ in group)) for group in found
    )


def joined_labels(column: Column) -> Column:
    """Make one label of those that `alike_labels` finds; the column that comes in stays as it is.

    Parameters
    ----------
    column
        (N,) codes with categories.

    Examples
    --------
    >>> joined_labels(Column(name="type", values=np.array([0, 1, -1, 1]), categories=("b cell ", "B cell"))).strings()
    ['B cell', 'B cell', '', 'B cell']
    """
    into = {word: one.into for one in alike_labels(column) for word in one.words}
    words = [into.get(word, word) for word in column.categories or ()]
    names = tuple(dict.fromkeys(words))
    places = np.array([*(names.index(word) for word in words), -1], dtype=np.int32)
    return Column(name=column.name, values=places[column.values], categories=names) if into else column


def _plain(word: str) -> str:
    """Write a label in small letters without blanks, but for those between digits."""
    small = re.sub(r"[\s_]+", " ", word.strip(" _\t\n\r\u00a0")).casefold()
    return re.sub(r"(?<!\d) | (?!\d)", "", small)


def cell_labels(folder: Path, column: str, *, asked: Collection[str] = ()) -> Labels:
    """Read the labels of the cells of a dataset; see `labels_of`.

    Raises
    ------
    MissingColumnError
        If the dataset has no such column.
    RequestError
        If the column does not name groups.
    """
    return labels_of(cell_column(folder, column), asked=asked)


def no_labels(n_cells: int) -> Labels:
    """Return what stands where no column is named: no cell has a label."""
    return Labels(column="", names=(), codes=np.full(n_cells, -1, dtype=np.int64), left_out={})


def labels_of(column: Column, *, asked: Collection[str] = ()) -> Labels:
    """Tell labels from words that say that there is none.

    Parameters
    ----------
    column
        (N,) codes with categories.
    asked
        Words that somebody chose by name; they count as labels whatever they say.

    Raises
    ------
    RequestError
        If the column does not name groups.
    """
    if column.categories is None:
        raise RequestError(
            f"The column {column.name!r} does not name groups of cells.", hint="Choose a column of words."
        )
    return _labels(column, asked)


def labels_in(obs: pd.DataFrame, column: str) -> Labels:
    """Read labels from a table of cells; numbers are taken as names.

    Parameters
    ----------
    obs
        N rows, one for each cell, as in `AnnData.obs`.
    column
        Its name.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    """
    if column not in obs:
        raise MissingColumnError(
            f"The dataset has no column {column!r}.", hint=f"Its columns are: {', '.join(obs.columns)}."
        )
    if obs[column].dtype.kind in "iuf":
        numbers = obs[column].to_numpy(dtype=np.float64)
        return _labels(as_names(Column(name=column, values=numbers, categories=None)), ())
    names, codes = np.unique(obs[column].astype(str).to_numpy(dtype=str), return_inverse=True)
    values = np.where(obs[column].isna(), -1, codes)
    return _labels(Column(name=column, values=values, categories=tuple(names.tolist())), ())


def _labels(column: Column, asked: Collection[str]) -> Labels:
    words, codes = column.categories or (), np.asarray(column.values, dtype=np.int64)
    counts = np.bincount(codes + 1, minlength=len(words) + 1).tolist()
    left_out = {"": counts[0]} if counts[0] else {}
    places = np.full(len(words) + 1, -1, dtype=np.int64)
    names: list[str] = []
    for number, (word, n_cells) in enumerate(zip(words, counts[1:], strict=True)):
        if not n_cells:
            continue
        if is_label(word) or word in asked:
            places[number] = len(names)
            names.append(word)
        else:
            left_out[word.strip()] = left_out.get(word.strip(), 0) + n_cells
    return Labels(
        column=column.name,
        names=tuple(names),
        codes=places[codes],
        left_out=left_out,
        alike=alike_labels(column),
    )
