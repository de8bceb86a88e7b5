"""A split of one's own: which perturbations are test and validation, from a file or from a column of the cells."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from scviz.datasets.columns import cell_column
from scviz.datasets.conditions import conditions_of, read_values, symbols_in
from scviz.datasets.gene_keys import key
from scviz.datasets.guide_names import Symbols
from scviz.datasets.screen import CONTROL, Perturbation, label
from scviz.errors import RequestError

PARTS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "held out": "test",
}
"""What a file or a column may say, in small letters."""
LAYOUT = (
    "Each perturbation is train, validation or test, in all of its cells; what is not named is learned from."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSplit:
    """Perturbations to judge by and to stop by; all others are learned from."""

    test: tuple[Perturbation, ...]
    validation: tuple[Perturbation, ...]


def split_of_text(text: str, folder: Path) -> OwnSplit:
    """Read lines of a perturbation and its part, with a comma or a tab between them.

    Parameters
    ----------
    folder
        Folder of the dataset, whose genes are known.

    Raises
    ------
    RequestError
        If a line names no perturbation or no part, or no perturbation is test.
    """
    symbols = symbols_in(folder)
    rows = named_parts(text, lambda name: _is_of(name, symbols), hint=LAYOUT)
    read = read_values([name for name, _ in rows], symbols)
    unknown = [one.value for one in read if one.perturbation is None]
    if unknown:
        raise RequestError(f"The split names no perturbation with {unknown[0]!r}.", hint=LAYOUT)
    return _parted((one.perturbation or CONTROL, part) for one, (_, part) in zip(read, rows, strict=True))


def _is_of(name: str, symbols: Symbols) -> bool:
    """Tell whether a name is that of known genes, and no heading."""
    genes = read_values([name], symbols)[0].perturbation
    return bool(genes) and all(key(gene) in symbols for gene in genes or ())


def says_parts(values: Collection[str]) -> bool:
    """Tell whether the values of a column are parts of a split, and nothing else."""
    return bool(values) and all(value.strip().lower() in PARTS for value in values)


def named_parts(text: str, is_name: Callable[[str], bool], *, hint: str) -> list[tuple[str, str]]:
    """Read the first two columns of lines with a comma or a tab between them, without their headings.

    Parameters
    ----------
    is_name
        Tells whether a word can stand in the first column; the first line is one of headings only if its word cannot.

    Raises
    ------
    RequestError
        If a line has no second column; `hint` says what is expected.
    """
    rows = [row for row in csv.reader(StringIO(text.removeprefix("\ufeff").replace("\t", ","))) if any(row)]
    if any(len(row) < 2 for row in rows):
        raise RequestError("A line of the split has no second column.", hint=hint)
    pairs = [(row[0].strip(), row[1].strip()) for row in rows]
    headed = pairs and pairs[0][1].lower() not in PARTS and not is_name(pairs[0][0])
    return pairs[1:] if headed else pairs


def split_of_column(folder: Path, column: str, *, perturbations: str, control: str = "") -> OwnSplit:
    """Read the part of each perturbation from a column of the cells.

    Parameters
    ----------
    folder
        Folder of the dataset.
    column
        Says train, validation or test of each cell.
    perturbations, control
        Column that says what was perturbed, and its value for control.

    Raises
    ------
    RequestError
        If the column says something else, or puts cells of one perturbation into several parts.
    """
    mapping = conditions_of(folder, perturbations, control).mapping
    values, parts = (cell_column(folder, name).strings() for name in (perturbations, column))
    pairs = {(mapping.get(value), part) for value, part in zip(values, parts, strict=True)}
    return _parted((one, part) for one, part in sorted(pairs, key=str) if one)


def _parted(pairs: Iterable[tuple[Perturbation, str]]) -> OwnSplit:
    part_of: dict[Perturbation, str] = {}
    for one, word in pairs:
        part = PARTS.get(word.strip().lower())
        if part is None:
            raise RequestError(f"The split says {word!r} of {label(one)}.", hint=LAYOUT)
        if part_of.setdefault(one, part) != part:
            raise RequestError(f"The split puts {label(one)} into two parts.", hint=LAYOUT)
    found = {
        part: tuple(sorted(one for one, its in part_of.items() if its == part and one != CONTROL))
        for part in ("test", "validation")
    }
    if not found["test"]:
        raise RequestError("The split names no perturbation as test.", hint=LAYOUT)
    return OwnSplit(**found)
