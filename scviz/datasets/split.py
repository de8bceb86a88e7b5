"""Divide cells into those to learn from, to stop by and to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError

MOST_WEIGHED = 200
"""Groups among which the best choice is found exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows of cells; no cell is in two of them, cells without a label are in none."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    held_out_groups: tuple[str, ...] = ()
    """Groups of which all cells are in `test`."""
    absent: tuple[str, ...] = ()
    """Labels that no training cell has."""

    @property
    def test_share(self) -> float:
        """Share of the divided cells that are held out, 0 to 1; with whole groups it may be far from what was asked."""
        return len(self.test) / (len(self.train) + len(self.validation) + len(self.test))


def split_cells(
    labels: NDArray[np.str_] | Sequence[str],
    *,
    groups: NDArray[np.str_] | Sequence[str] | None = None,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
) -> Split:
    """Divide cells at random, each label in the same shares, or by whole groups.

    Parameters
    ----------
    labels
        (N,) label of each cell, '' where it has none.
    groups
        (N,) donor, batch or the like; '' where unknown. With groups, test cells are those of the whole groups that
        come nearest to the share, validation cells come from the others; cells without a group are in no part.
    test_fraction
        Share of the cells to judge by, between 0 and 1.
    validation_fraction
        Share of the cells, of those that are left, to stop by; 0 for none.
    seed
        Same seed, same split.

    Raises
    ------
    RequestError
        If the shares leave nothing to learn from, or there are fewer than two groups.
    """
    if not (0 < test_fraction < 1 and 0 <= validation_fraction < 1):
        raise RequestError(
            f"Shares of {test_fraction:g} and {validation_fraction:g} cannot be held out.",
            hint="Choose shares between 0 and 1.",
        )
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels, dtype=str)
    known = np.flatnonzero(labels != "")
    held_out: tuple[str, ...] = ()
    if groups is None:
        test = _stratified(known, labels, test_fraction, rng=rng)
    else:
        groups = np.asarray(groups, dtype=str)
        known = known[groups[known] != ""]
        held_out = _held_out(groups[known], test_fraction, rng)
        test = known[np.isin(groups[known], held_out)]
    rest = np.setdiff1d(known, test)
    validation = _stratified(rest, labels, validation_fraction, rng=rng)
    train = np.setdiff1d(rest, validation)
    if not len(train) or not len(test):
        raise RequestError(
            f"There are too few labeled cells for this split: {len(known):,}.",
            hint="Choose a column with more labeled cells, or hold out less.",
        )
    absent = np.setdiff1d(labels[known], labels[train])
    return Split(
        train=train,
        validation=validation,
        test=test,
        held_out_groups=held_out,
        absent=tuple(absent.tolist()),
    )


def _stratified(
    rows: NDArray[np.int64], labels: NDArray[np.str_], fraction: float, *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw this share of every label, rounded; the last cell of a label is never drawn."""
    drawn = [np.empty(0, dtype=np.int64)]
    for label in np.unique(labels[rows]):
        own = rng.permutation(rows[labels[rows] == label])
        drawn.append(own[: min(int(np.floor(len(own) * fraction + 0.5)), len(own) - 1)])
    return np.sort(np.concatenate(drawn))


def _held_out(groups: NDArray[np.str_], fraction: float, rng: np.random.Generator) -> tuple[str, ...]:
    """Choose the whole groups whose cells come nearest to this share; at least one, never all.

    Of equally good choices one is drawn. Among very many groups those beyond `MOST_WEIGHED` are taken in random order
    as long as they fit, and the rest is weighed exactly.
    """
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) < 2:
        raise RequestError(
            "Whole groups can be held out only if there are two or more.",
            hint="Choose another column, or hold out single cells.",
        )
    order = rng.permutation(len(names))
    early, weighed = order[:-MOST_WEIGHED], order[-MOST_WEIGHED:]
    wanted, chosen = fraction * sizes.sum(), []
    for group in early:
        if sizes[group] <= wanted:
            chosen.append(group)
            wanted -= sizes[group]
    empty_counts = bool(chosen)  # with some groups chosen, none of the weighed ones need be
    full_counts = len(chosen) < len(early)
    places = _nearest_sum(
        sizes[weighed].tolist(), wanted, rng, empty_counts=empty_counts, full_counts=full_counts
    )
    chosen.extend(weighed[places])
    return tuple(sorted(str(names[group]) for group in chosen))


def _nearest_sum(
    sizes: Sequence[int], wanted: float, rng: np.random.Generator, *, empty_counts: bool, full_counts: bool
) -> list[int]:
    """Find the places of sizes whose sum is nearest to what is wanted, whether none or all may be chosen."""
    sums = [1]  # bit t of the i-th tells whether some of the first i sizes add up to t
    for size in sizes:
        sums.append(sums[-1] | sums[-1] << size)
    total = sum(sizes)
    bits = np.frombuffer(sums[-1].to_bytes(total // 8 + 1, "little"), dtype=np.uint8)
    reached = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    reached = reached[(empty_counts | (reached > 0)) & (full_counts | (reached < total))]
    off = np.abs(reached - wanted)
    left = int(rng.choice(reached[off == off.min()]))
    places = []
    for place in reversed(range(len(sizes))):
        without = sums[place] >> left & 1
        within = left >= sizes[place] and sums[place] >> (left - sizes[place]) & 1
        if within and (not without or rng.random() < 0.5):
            places.append(place)
            left -= sizes[place]
    return places
