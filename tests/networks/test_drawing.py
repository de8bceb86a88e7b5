"""What is drawn of a network, and where."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest

from scviz.networks.contract import Edges
from scviz.networks.drawing import Drawing, by_regulator, draw


def edges_of(*links: tuple[str, str, float], directed: bool = True) -> Edges:
    links = tuple(sorted(links, key=lambda link: -link[2]))
    return Edges(
        sources=tuple(source for source, _, _ in links),
        targets=tuple(target for _, target, _ in links),
        weights=np.array([weight for _, _, weight in links]),
        directed=directed,
    )


def large(n_regulators: int, n_genes: int, n_links: int) -> Edges:
    rng = np.random.default_rng(0)
    pairs = sorted({(f"R{rng.integers(n_regulators)}", f"G{rng.integers(n_genes)}") for _ in range(n_links)})
    return edges_of(*((a, b, float(rng.gamma(1, 1))) for a, b in pairs))


def distance(drawing: Drawing, first: str, second: str) -> float:
    a, b = drawing.genes.index(first), drawing.genes.index(second)
    return float(np.hypot(drawing.x[a] - drawing.x[b], drawing.y[a] - drawing.y[b]))


TRIANGLES = edges_of(
    *((a, b, 1.0) for a, b in combinations("ABC", 2)), *((a, b, 1.0) for a, b in combinations("XYZ", 2))
)


def test_equal_seeds_draw_equal_pictures_and_others_other_ones() -> None:
    first = draw(TRIANGLES, {}, seed=3)
    assert draw(TRIANGLES, {}, seed=3) == first
    assert draw(TRIANGLES, {}, seed=4).x != first.x


def test_positions_fill_the_picture() -> None:
    drawing = draw(TRIANGLES, {})
    for places in (drawing.x, drawing.y):
        assert (min(places), max(places)) == (0, 1)


def test_linked_genes_lie_nearer_than_others() -> None:
    drawing = draw(TRIANGLES, {})
    within = [distance(drawing, a, b) for part in ("ABC", "XYZ") for a, b in combinations(part, 2)]
    between = [distance(drawing, a, b) for a in "ABC" for b in "XYZ"]
    assert np.mean(within) < 0.75 * np.mean(between)


def test_modules_lie_apart() -> None:
    """Genes of one module stand around its own middle: nearer to it than to any other, most of them."""
    rng = np.random.default_rng(0)
    links = [
        (f"M{m}G{a}", f"M{m}G{b}", 1.0) for m in range(5) for a, b in rng.integers(0, 20, (120, 2)) if a < b
    ]
    links += [
        (f"M{rng.integers(5)}G{rng.integers(20)}", f"M{rng.integers(5)}G{rng.integers(20)}", 0.3)
        for _ in range(12)
    ]
    drawing = draw(edges_of(*(link for link in links if link[0] != link[1])), {})
    modules = np.array([int(gene[1]) for gene in drawing.genes])
    places = np.stack([drawing.x, drawing.y], axis=1)
    middles = np.stack([places[modules == m].mean(axis=0) for m in range(5)])
    nearest = np.linalg.norm(places[:, None] - middles[None], axis=2).argmin(axis=1)
    assert (nearest == modules).mean() > 0.9


def test_parts_that_no_link_joins_stay_near() -> None:
    chain = [(f"G{i}", f"G{i + 1}", 1.0) for i in range(12)]
    drawing = draw(edges_of(*chain, ("P", "Q", 1.0)), {})
    large_part = [i for i, gene in enumerate(drawing.genes) if gene not in "PQ"]
    spans = [np.ptp(np.array(places)[large_part]) for places in (drawing.x, drawing.y)]
    assert max(spans) > 0.6  # a pair far out would press the others together


def test_no_gene_hides_another() -> None:
    hubs = [(hub, f"G{i}", 1.0) for hub in "ABCDE" for i in range(30)]  # which would all lie in the middle
    drawing = draw(edges_of(*hubs), {})
    nearest = min(distance(drawing, a, b) for a, b in combinations(drawing.genes, 2))
    assert nearest > 0.4 / np.sqrt(len(drawing.genes))


def test_genes_that_are_linked_most_are_kept() -> None:
    links = [("A", "B", 5.0), ("A", "C", 4.0), ("B", "C", 3.0), ("C", "D", 2.0), ("E", "F", 1.0)]
    drawing = draw(edges_of(*links), {}, most_genes=3)
    assert drawing.genes == ("A", "B", "C")
    assert drawing.weights == (5.0, 4.0, 3.0)
    assert drawing.rule == (
        "3 of 6 genes, those linked most, and 3 of 5 links, the strongest of each gene first."
    )


def test_a_gene_whose_partners_are_left_out_is_not_drawn() -> None:
    links = [("A", "B", 9.0), ("C", "D", 5.0), ("C", "E", 4.0), ("C", "F", 4.0)]
    assert draw(edges_of(*links), {}, most_genes=3).genes == ("A", "B")


def test_each_gene_keeps_its_strongest_link_when_links_are_thinned() -> None:
    links = [("A", "B", 9.0), ("A", "C", 8.0), ("B", "C", 7.0), ("B", "D", 6.0), ("C", "D", 5.0)]
    drawing = draw(edges_of(*links), {}, most_links=3)
    assert drawing.weights == (9.0, 8.0, 6.0)  # B to C is stronger, but D has no other
    assert draw(edges_of(*links), {}, most_links=4).weights == (9.0, 8.0, 7.0, 6.0)
    assert drawing.degrees == [2, 2, 1, 1]
    assert drawing.rule == "All 4 genes and 3 of 5 links, the strongest of each gene first."


def test_neighbors_say_which_way_a_link_leads() -> None:
    links = (("A", "B", 2.0), ("C", "A", 1.0))
    found = draw(edges_of(*links), {}).neighbors("A")
    assert [(one.gene, one.role, one.weight) for one in found] == [
        ("B", "target", 2.0),
        ("C", "regulator", 1.0),
    ]
    both = draw(edges_of(*links, directed=False), {}).neighbors("A")
    assert [one.role for one in both] == ["linked", "linked"]


def test_genes_have_the_group_that_was_given() -> None:
    drawing = draw(edges_of(("A", "B", 1.0)), {"B": "Module 1"})
    assert dict(zip(drawing.genes, drawing.groups, strict=True)) == {"A": "", "B": "Module 1"}


def test_a_target_goes_with_its_strongest_regulator() -> None:
    edges = edges_of(("A", "C", 3.0), ("B", "C", 2.0), ("B", "A", 1.0))
    assert by_regulator(edges) == {"A": "A", "B": "B", "C": "A"}


def test_nothing_is_drawn_of_nothing() -> None:
    nothing = draw(edges_of(), {})
    assert (nothing.genes, nothing.degrees) == ((), [])


@pytest.mark.slow
def test_three_hundred_genes_are_laid_out_within_seconds() -> None:
    edges = large(25, 600, 4000)
    begun = time.perf_counter()
    drawing = draw(edges, {})
    assert time.perf_counter() - begun < 20  # 1 s on a free core
    assert len(drawing.genes) <= 300
    assert len(drawing.sources) == 900
