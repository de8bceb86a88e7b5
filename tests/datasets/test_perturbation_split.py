"""Splits of perturbations; those of the authors' splitter are compared among the goldens."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from scviz.datasets.perturbation_split import (
    Kind,
    custom_split,
    split_conditions,
    split_perturbations,
)
from scviz.errors import RequestError

GENES = [f"G{i:02d}" for i in range(30)]
SINGLES = [(gene,) for gene in GENES]
PAIRS = [pair for i, pair in enumerate(combinations(GENES, 2)) if i % 7 == 0]
ALL = [(), *SINGLES, *PAIRS]
KINDS = get_args(Kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_perturbation_is_in_one_part(kind: str, seed: int) -> None:
    split = split_perturbations(ALL, kind, seed=seed)
    parts = [*split.train, *split.validation, *split.test, *split.dropped]
    assert sorted(parts) == sorted(ALL if kind != "no_split" else [*SINGLES, *PAIRS, ()])
    assert set(split.subgroup) == set(split.test)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_perturbations_does_not_matter(kind: str) -> None:
    turned = [ALL[i] for i in np.random.default_rng(0).permutation(len(ALL))]
    assert split_perturbations(turned, kind, seed=3) == split_perturbations(ALL, kind, seed=3)


def test_another_seed_is_another_split() -> None:
    assert split_perturbations(ALL, "simulation", seed=1) != split_perturbations(ALL, "simulation", seed=2)


def test_subgroups_say_how_many_genes_were_seen() -> None:
    split = split_perturbations(ALL, "simulation", seed=1)
    seen = {gene for one in (*split.train, *split.validation) for gene in one}
    for one, group in split.subgroup.items():
        if group == "unseen_single":
            assert one[0] not in seen
        else:
            assert len(seen & set(one)) == int(group[-1])
    assert set(split.subgroup.values()) == {"combo_seen0", "combo_seen1", "combo_seen2", "unseen_single"}


def test_subgroups_of_a_simulation_are_those_of_its_authors() -> None:
    pairs = [(f"A{i}", f"B{i}") for i in range(40)]  # no gene is in two pairs
    split = split_perturbations([(), *pairs], "simulation", seed=1)
    theirs = split_conditions(["ctrl", *("+".join(pair) for pair in pairs)], "simulation", seed=1)
    assert {"+".join(one): group for one, group in split.subgroup.items()} == theirs.subgroup
    assert "combo_seen2" in split.subgroup.values()


def test_three_quarters_of_the_genes_are_seen() -> None:
    split = split_perturbations([(), *SINGLES], "simulation", seed=5)
    assert len(split.train) - 1 + len(split.validation) == int(0.75 * 30)
    assert () in split.train


def test_pairs_that_would_tell_about_a_test_gene_are_dropped() -> None:
    split = split_perturbations(ALL, "single", seed=2)
    genes = {gene for one in split.test for gene in one}
    assert all(len(one) == 1 for one in split.test)
    assert not genes & {gene for one in (*split.train, *split.validation) for gene in one}
    assert {one for one in PAIRS if genes & set(one)} <= set(split.dropped)


def test_three_genes_together_are_dropped() -> None:
    split = split_perturbations([*ALL, ("G00", "G01", "G02")], "simulation", seed=1)
    assert split.dropped == (("G00", "G01", "G02"),)


def test_both_ways_to_write_a_single_gene_are_one_rule() -> None:
    names = ["ctrl", *(f"{gene}+ctrl" if i % 2 else f"ctrl+{gene}" for i, gene in enumerate(GENES))]
    split = split_conditions(names, "simulation", seed=4)
    plain = split_conditions(["ctrl", *(f"{gene}+ctrl" for gene in GENES)], "simulation", seed=4)
    kept, expected = (
        {gene for one in part for gene in one.split("+")} for part in (split.train, plain.train)
    )
    assert kept == expected


def test_named_perturbations_are_held_out() -> None:
    split = custom_split(ALL, test=[("G00",), PAIRS[5]], validation=[("G03",)])
    assert split.test == tuple(sorted([("G00",), PAIRS[5]]))
    assert split.validation == (("G03",),)
    assert len(split.train) == len(ALL) - 3
    assert split.subgroup == {("G00",): "unseen_single", PAIRS[5]: "combo_seen2"}


@pytest.mark.parametrize("test", [[("NOBODY",)], [()], [("G00",), ("G00",)]])
def test_what_the_screen_lacks_cannot_be_held_out(test: list) -> None:
    with pytest.raises(RequestError, match="cannot hold out"):
        custom_split(ALL, test=test)


def test_too_few_perturbations_are_refused() -> None:
    with pytest.raises(RequestError, match="no perturbation to learn from"):
        split_perturbations([(), ("A",)], "simulation", seed=1)
    with pytest.raises(RequestError, match="no perturbation to judge by"):
        split_perturbations([(), ("A",), ("B",)], "combo_seen2", seed=1)
