"""Divide the perturbations of a screen into those to learn from, to stop by and to judge by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Perturbation
from scviz.errors import RequestError

Kind = Literal[
    "simulation",
    "simulation_single",
    "combo_seen0",
    "combo_seen1",
    "combo_seen2",
    "single",
    "no_test",
    "no_split",
]
SUBGROUPS = ("combo_seen0", "combo_seen1", "combo_seen2", "unseen_single")
"""What a test perturbation is: a pair of which none, one or both genes were seen, or a single gene."""

SEEN_GENES = 0.75
SEEN_PAIRS = 0.75
"""Share of the pairs of two seen genes that are learned from."""
KEPT_FROM_VALIDATION = 0.9
HELD_OUT = 0.1
CTRL = "ctrl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSplit:
    """A split in the words of the field: `ctrl`, `A+ctrl` or `ctrl+A`, `A+B`."""

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    """In no part."""
    subgroup: Mapping[str, str] = field(default_factory=dict)
    """For each test condition of a simulation split, one of SUBGROUPS."""
    validation_subgroup: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationSplit:
    """Perturbations in parts; no perturbation is in two of them, control is always learned from."""

    train: tuple[Perturbation, ...]
    validation: tuple[Perturbation, ...]
    test: tuple[Perturbation, ...]
    dropped: tuple[Perturbation, ...]
    """In no part: what would tell about a test gene, and three or more genes together."""
    subgroup: Mapping[Perturbation, str]
    """For each test perturbation, one of SUBGROUPS.

    In simulation splits a gene counts as seen if it was drawn to be, as the authors count; in others if it is
    perturbed in the training or validation part.
    """


def split_perturbations(
    perturbations: Sequence[Perturbation], kind: Kind, *, seed: int, seen_genes: float = SEEN_GENES
) -> PerturbationSplit:
    """Divide perturbations at random, the same way for the same seed whatever their order.

    Parameters
    ----------
    perturbations
        Those of a screen, with or without control; each once.
    kind
        Rule, see `split_conditions`.
    seen_genes
        Share of the perturbed genes that are learned from, for the two simulation splits.

    Raises
    ------
    RequestError
        If nothing is left to learn from, or nothing to judge by.
    """
    by_name = {condition(one): one for one in sorted(perturbations) if one != CONTROL}
    split = split_conditions([CTRL, *by_name], kind, seed=seed, seen_genes=seen_genes)
    by_name[CTRL] = CONTROL
    parts = {
        part: tuple(sorted(by_name[name] for name in getattr(split, part)))
        for part in ("train", "validation", "test", "dropped")
    }
    known = {by_name[name]: group for name, group in split.subgroup.items()}
    _check(parts["train"], parts["test"], kind)
    return _with_subgroups(parts, known)


def custom_split(
    perturbations: Sequence[Perturbation],
    *,
    test: Sequence[Perturbation],
    validation: Sequence[Perturbation] = (),
) -> PerturbationSplit:
    """Hold out perturbations that are named; all others are learned from.

    Raises
    ------
    RequestError
        If one of them is not in the screen or in both parts, or nothing is left to learn from.
    """
    held_out = [*test, *validation]
    unknown = [one for one in held_out if one not in perturbations or one == CONTROL]
    if unknown or len(set(held_out)) < len(held_out):
        wrong = ", ".join(map(condition, unknown)) or "a perturbation that is named twice"
        raise RequestError(
            f"The screen cannot hold out {wrong}.",
            hint="Name each perturbation once, and only those that the column holds.",
        )
    parts = {
        "train": tuple(sorted({CONTROL, *perturbations} - set(held_out))),
        "validation": tuple(sorted(validation)),
        "test": tuple(sorted(test)),
        "dropped": (),
    }
    _check(parts["train"], parts["test"], "custom")
    return _with_subgroups(parts, {})


def condition(perturbation: Perturbation) -> str:
    """Write a perturbation as the field does.

    Examples
    --------
    >>> condition(("AHR",)), condition(("AHR", "KLF1")), condition(())
    ('AHR+ctrl', 'AHR+KLF1', 'ctrl')
    """
    return CTRL if not perturbation else "+".join(perturbation) + f"+{CTRL}" * (len(perturbation) == 1)


def _check(train: Sequence[Perturbation], test: Sequence[Perturbation], kind: str) -> None:
    if not test and kind != "no_test":
        raise RequestError(
            "This split leaves no perturbation to judge by.",
            hint="Choose another split, or a screen with more perturbations.",
        )
    if kind != "no_split" and not any(one != CONTROL for one in train):
        raise RequestError(
            "This split leaves no perturbation to learn from.",
            hint="Choose another split, or a screen with more perturbations.",
        )


def _with_subgroups(
    parts: Mapping[str, tuple[Perturbation, ...]], known: Mapping[Perturbation, str]
) -> PerturbationSplit:
    seen = {gene for one in (*parts["train"], *parts["validation"]) for gene in one}
    groups = {
        one: known.get(one) or ("unseen_single" if len(one) == 1 else f"combo_seen{len(seen & set(one))}")
        for one in parts["test"]
    }
    return PerturbationSplit(**parts, subgroup=groups)


def split_conditions(
    conditions: Sequence[str], kind: Kind, *, seed: int, seen_genes: float = SEEN_GENES
) -> ConditionSplit:
    """Divide condition names exactly as GEARS does, its random numbers included.

    The rules. "simulation": genes are drawn to be seen; test are single genes not seen, pairs with a gene not
    seen, and a part of the pairs of two seen genes; validation is drawn from the rest in the same way.
    "simulation_single": the same for single genes. "combo_seen0", "combo_seen1", "single": a tenth as many test
    genes as there are single perturbations is drawn; test are the single ones and, in this order, pairs of test
    genes alone, all pairs with one, no pairs; pairs that then mix test and other genes are dropped.
    "combo_seen2": a tenth of the pairs. "no_test": a tenth for validation. "no_split": everything is test.

    Parameters
    ----------
    conditions
        Names in the order of the data, which matters for all but the simulation splits.
    seen_genes
        Share of the perturbed genes that the simulation splits learn from.

    References
    ----------
    Roohani et al. (2024), doi:10.1038/s41587-023-01905-6.
    """
    names = list(dict.fromkeys(conditions))
    usable = [name for name in names if name != CTRL and len(name.split("+")) == 2]
    if kind == "no_split":
        return ConditionSplit(train=(), test=tuple(names))
    rng = np.random.RandomState(seed)
    if kind == "simulation":
        split = _simulation(usable, seed, seen_genes)
    elif kind == "simulation_single":
        split = _simulation_single(usable, seed, seen_genes)
    elif kind == "no_test":
        train, validation = _held_out(usable, kind, rng)
        split = ConditionSplit(train=train, validation=validation)
    else:
        rest, test = _held_out(usable, kind, rng)
        train, validation = _held_out(rest, kind, rng)
        split = ConditionSplit(train=train, validation=validation, test=test)
    placed = {*split.train, *split.validation, *split.test, CTRL}
    return ConditionSplit(
        train=(*split.train, CTRL),
        validation=split.validation,
        test=split.test,
        dropped=tuple(name for name in names if name not in placed),
        subgroup=split.subgroup,
        validation_subgroup=split.validation_subgroup,
    )


def _simulation(usable: Sequence[str], seed: int, seen_genes: float) -> ConditionSplit:
    rest, test = _simulated(usable, seed, seen_genes=seen_genes, seen_pairs=SEEN_PAIRS)
    train, validation = _simulated(
        rest, seed, seen_genes=KEPT_FROM_VALIDATION, seen_pairs=KEPT_FROM_VALIDATION
    )
    return ConditionSplit(
        train=train,
        validation=tuple(validation),
        test=tuple(test),
        subgroup=test,
        validation_subgroup=validation,
    )


def _simulated(
    names: Sequence[str], seed: int, *, seen_genes: float, seen_pairs: float
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Give what is learned from, and the subgroup of each that is held out."""
    genes = _genes(names)
    seen = set(_chosen(genes, int(len(genes) * seen_genes), seed))
    both = np.unique([name for name in names if _is_pair(name) and set(_genes([name])) <= seen])
    kept = set(_chosen(both, int(len(both) * seen_pairs), seed))
    train, held_out = [], {}
    for name in names:
        n_seen = len(seen & set(name.split("+")))
        if name in kept or (not _is_pair(name) and n_seen):
            train.append(name)
        else:
            held_out[name] = f"combo_seen{n_seen}" if _is_pair(name) else "unseen_single"
    return tuple(train), held_out


def _simulation_single(usable: Sequence[str], seed: int, seen_genes: float) -> ConditionSplit:
    singles = [name for name in usable if not _is_pair(name)]
    parts = []
    for share in (seen_genes, KEPT_FROM_VALIDATION):
        genes = _genes(singles)
        seen = set(_chosen(genes, int(len(genes) * share), seed))
        parts.append(tuple(name for name in singles if not seen & set(name.split("+"))))
        singles = [name for name in singles if name not in parts[-1]]
    test, validation = parts
    groups = (dict.fromkeys(part, "unseen_single") for part in (test, validation))
    return ConditionSplit(
        train=tuple(singles),
        validation=validation,
        test=test,
        subgroup=next(groups),
        validation_subgroup=next(groups),
    )


def _held_out(
    names: Sequence[str], kind: Kind, rng: np.random.RandomState
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give what is left to learn from, and what is held out."""
    pairs = [name for name in names if _is_pair(name)]
    n_genes = int((len(names) - len(pairs)) * HELD_OUT)
    test_genes = set(_drawn(_genes(names), n_genes, rng))  # with replacement, as the authors draw
    if kind in ("combo_seen2", "no_test"):
        drawn_from = pairs if kind == "combo_seen2" else names
        test = _drawn(drawn_from, int(len(drawn_from) * HELD_OUT), rng)
        return _without(names, test), test
    touched = [name for name in names if test_genes & set(name.split("+"))]
    return _without(names, touched), tuple(_asked_of(touched, kind, test_genes))


def _asked_of(touched: Sequence[str], kind: Kind, test_genes: set[str]) -> Sequence[str]:
    """Choose, of conditions with a test gene, those that a kind of split asks for."""
    singles = [name for name in touched if not _is_pair(name)]
    inside = [name for name in touched if _is_pair(name) and set(name.split("+")) <= test_genes]
    return {"single": singles, "combo_seen0": [*singles, *inside], "combo_seen1": touched}[kind]


def _is_pair(name: str) -> bool:
    return CTRL not in name.split("+")


def _genes(names: Sequence[str]) -> NDArray[np.str_]:
    """List the perturbed genes, sorted."""
    return np.unique([gene for name in names for gene in name.split("+") if gene != CTRL])


def _chosen(names: NDArray[np.str_], n: int, seed: int) -> list[str]:
    rng = np.random.RandomState(seed)
    drawn: list[str] = rng.choice(names, n, replace=False).tolist()
    return drawn


def _drawn(names: Sequence[str] | NDArray[np.str_], n: int, rng: np.random.RandomState) -> tuple[str, ...]:
    """Draw with replacement; each name that was drawn, once."""
    return tuple(dict.fromkeys(rng.choice(names, n).tolist()))


def _without(names: Sequence[str], out: Sequence[str]) -> tuple[str, ...]:
    left_out = set(out)
    return tuple(name for name in names if name not in left_out)
