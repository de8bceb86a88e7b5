"""Evidence for a name: what supports it, what speaks against it, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.attribution import matched_agreement
from scviz.tasks.name_evidence import (
    by_deletion,
    by_held_out,
    by_known_markers,
    by_ranking,
    conclusion,
    more_than_chance,
)


@pytest.mark.parametrize(("right", "wanted"), [(18, "supports"), (11, "cannot tell"), (2, "speaks against")])
def test_held_out_cells_support_a_name_where_most_are_known_so(right: int, wanted: str) -> None:
    named = np.arange(100) < 20
    truth = np.arange(100) < right
    said = by_held_out("B cell", truth, named)
    assert said.standing == wanted
    assert f"{5 * right} % of 20 held-out cells named so are known as B cell" in said.words
    assert f"dealt at random: {right} %" in said.words


def test_few_held_out_cells_tell_nothing() -> None:
    assert by_held_out("B cell", np.ones(9, dtype=bool), np.arange(9) < 3).standing == "cannot tell"


@pytest.mark.parametrize(
    ("relation", "wanted"),
    [
        ("same", "supports"),
        ("narrower", "supports"),
        ("coarse", "cannot tell"),
        ("different", "speaks against"),
    ],
)
def test_known_markers_speak_by_what_their_list_means(relation: str, wanted: str) -> None:
    assert by_known_markers("B cells", relation, shared=9, expected=1.2).standing == wanted
    assert by_known_markers("", "unknown", shared=0, expected=0).standing == "cannot tell"


@pytest.mark.parametrize(
    ("own", "wanted"), [(2.0, "supports"), (0.9, "cannot tell"), (0.1, "speaks against")]
)
def test_genes_are_needed_where_random_ones_matter_less(own: float, wanted: str) -> None:
    random = np.linspace(0, 1, 19)
    said = by_deletion(own, random, n_genes=20)
    assert said.standing == wanted
    assert f"as much in {int((random >= own).sum())} of 19 sets" in said.words


def test_eight_random_sets_never_tell_one_type_in_twenty() -> None:
    assert by_deletion(9.0, np.zeros(8), n_genes=5).standing == "cannot tell"


@pytest.mark.parametrize(
    ("own", "p", "wanted"),
    [
        (0.5, 0.01, "supports"),
        (0.2, 0.01, "cannot tell"),
        (0.5, 0.4, "cannot tell"),
        (0.0, 0.9, "speaks against"),
    ],
)
def test_a_ranking_must_beat_genes_expressed_as_much_and_other_types(
    own: float, p: float, wanted: str
) -> None:
    said = by_ranking(own, np.array([0.1, p]), np.array([0.1, 0.3, np.nan]))
    assert said.standing == wanted
    assert f"place {1 + int(own <= 0.3) + int(own <= 0.1)} of 3" in said.words


def test_a_ranking_that_follows_expression_alone_agrees_no_more_than_matched_genes() -> None:
    rng = np.random.default_rng(0)
    levels = rng.gamma(1.0, 1.0, 400)
    noise = [levels + rng.normal(0, 0.5, 400) for _ in range(2)]
    alone = matched_agreement(noise[0], noise[1], levels)
    assert alone.agreement > 0.4
    assert alone.p > 0.05
    signal = rng.normal(0, 1, 400)
    both = matched_agreement(noise[0] + signal, noise[1] + signal, levels)
    assert both.p == 1 / 200
    assert both.expected < both.agreement


def test_a_conclusion_names_all_three() -> None:
    said = [
        by_deletion(2.0, np.zeros(19), n_genes=20),
        by_known_markers("T cells", "different", shared=4, expected=1.0),
        by_ranking(float("nan"), np.array([0.0, 1.0]), np.array([0.1])),
    ]
    wanted = (
        "B cell: supported by genes deleted; spoken against by known markers; not told by genes it goes by."
    )
    assert conclusion("B cell", said) == wanted
    assert conclusion("B cell", []) == "B cell: nothing was asked yet."


def test_one_type_of_nine_is_no_more_than_chance() -> None:
    assert [more_than_chance(n, 9) for n in (0, 1, 2, 3)] == [False, False, False, True]
