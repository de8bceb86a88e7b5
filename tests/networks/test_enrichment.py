"""Enriched gene sets: formulas by hand, rankings, and random genes of like expression."""

from __future__ import annotations

import re
from math import comb
from pathlib import Path

import numpy as np
import pytest

from scviz.errors import DataError
from scviz.metrics.evidence import fdr
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.contract import GeneSet
from scviz.networks.enrichment import enrichment_scores, over_representation, prerank
from scviz.networks.enrichment_null import draws_for, membership, overlap_by_chance, ranked_by_chance
from scviz.networks.gmt import PROGRAMS, gmt_text, programs, read_gmt
from scviz.progress import Progress

GENES = [f"G{i}" for i in range(20)]


def named(name: str, *places: int) -> GeneSet:
    return GeneSet(name=name, genes=tuple(GENES[i] for i in places))


def test_an_overlap_by_hand() -> None:
    sets = [named("hit", 0, 1, 2, 3), named("part", 0, 10, 11, 12), named("none", 15, 16)]
    found = over_representation([*GENES[:5], "elsewhere"], sets, GENES)
    hit, part, none = found.sets
    assert (found.n_query, found.n_background) == (5, 20)
    assert hit.p == pytest.approx(comb(5, 4) * comb(15, 0) / comb(20, 4))
    assert hit.expected == 1.0
    assert hit.odds_ratio == pytest.approx(4.5 * 15.5 / (0.5 * 1.5))
    assert hit.combined == pytest.approx(-np.log(hit.p) * hit.odds_ratio)
    assert (none.p, none.overlap) == (1.0, ())
    assert np.isnan(none.fdr_hit)
    assert hit.fdr == pytest.approx(3 * hit.p)
    assert hit.fdr_hit == pytest.approx(2 * hit.p)
    assert part.fdr > part.fdr_hit


def test_a_number_as_background_restricts_nothing() -> None:
    (one,) = over_representation(
        ["G0", "elsewhere"], [GeneSet(name="s", genes=("G0", "elsewhere"))], 100
    ).sets
    assert (one.n_set, len(one.overlap)) == (2, 2)


def test_without_background_it_is_the_genes_of_all_sets() -> None:
    found = over_representation(["G0", "G19"], [named("a", 0, 1), named("b", 2, 3)])
    assert (found.n_query, found.n_background) == (1, 4)


@pytest.fixture
def scores() -> dict[str, float]:
    rng = np.random.default_rng(0)
    return {f"Gene{i}": float(value) for i, value in enumerate(np.sort(rng.normal(size=200))[::-1])}


def test_a_set_at_the_top_of_a_ranking_is_found_whatever_the_letters_of_its_genes(
    scores: dict[str, float],
) -> None:
    genes = list(scores)
    sets = [
        GeneSet(name="top", genes=(*genes[:10], "GENE150", "gene3")),
        GeneSet(name="spread", genes=tuple(genes[::20])),
        GeneSet(name="low", genes=tuple(genes[-8:])),
        GeneSet(name="tiny", genes=tuple(genes[:2])),
    ]
    found = {one.name: one for one in prerank(scores, sets, n_permutations=200, fewest=5)}
    assert found.keys() == {"top", "spread", "low"}
    assert found["top"].es == pytest.approx(1.0)
    assert found["low"].es == pytest.approx(-1.0)
    assert found["top"].n_set == 10
    assert set(found["top"].leading) <= set(genes[:10])
    assert found["top"].fdr < 0.05 < found["spread"].fdr
    assert prerank(scores, sets[3:], fewest=5) == ()


def test_scores_of_many_sets_are_those_of_the_library(scores: dict[str, float]) -> None:
    rng = np.random.default_rng(1)
    genes, places = list(scores), np.stack([rng.choice(200, 12, replace=False) for _ in range(20)])
    sets = [GeneSet(name=str(i), genes=tuple(genes[g] for g in row)) for i, row in enumerate(places)]
    theirs = {one.name: one.es for one in prerank(scores, sets, n_permutations=100, fewest=5)}
    ours = enrichment_scores(np.array(list(scores.values())), places)
    assert ours == pytest.approx([theirs[str(i)] for i in range(20)], abs=1e-9)


def test_random_genes_of_like_expression_show_what_expression_alone_gives() -> None:
    levels = np.arange(1000.0)
    null = MatchedNull(levels)
    high, drawn = np.arange(850, 1000), np.arange(900, 1000, 4)
    held = membership([high, np.arange(0, 1000, 20)], 1000)
    found = overlap_by_chance(held, drawn, null, n_draws=200, seed=0)
    assert found.expected[0] > 24  # not 3.75, as random genes of any expression would give
    assert found.p[0] > 0.2
    planted = np.arange(900, 1000, 4)
    own = overlap_by_chance(membership([planted], 1000), planted, null, n_draws=200, seed=0)
    assert own.p[0] == pytest.approx(1 / 201)


def test_sets_that_stand_out_get_the_draws_that_their_number_needs() -> None:
    null, rng = MatchedNull(np.arange(500.0)), np.random.default_rng(0)
    planted = np.arange(0, 500, 25)
    members = [planted, *(np.sort(rng.choice(500, 20, replace=False)) for _ in range(49))]
    found = overlap_by_chance(membership(members, 500), planted, null, n_draws=100, seed=0)
    assert draws_for(50, 100) == 9999
    assert (found.far[0], found.n[0]) == (0, 9999)
    assert np.median(found.n) <= 200
    assert fdr(found.p)[0] <= 0.005


def test_a_ranking_by_expression_is_no_more_than_random_sets_of_like_expression_give() -> None:
    rng = np.random.default_rng(0)
    levels = np.linspace(5, 0, 600)
    scores = levels - levels.mean() + rng.normal(size=600)
    order = np.argsort(-scores)
    ranking, levels, places = scores[order], levels[order], np.argsort(order)
    members = [places[np.arange(20, 140, 6)], places[np.arange(5, 600, 30)]]
    seen: list[int] = []

    def report(progress: Progress) -> None:
        seen.append(progress.done)

    found = ranked_by_chance(ranking, members, MatchedNull(levels), n_draws=100, seed=0, report=report)
    assert found.p[0] > 0.05
    assert seen == [0, 1]
    shuffled = MatchedNull(rng.permutation(levels))
    planted = ranked_by_chance(ranking, members, shuffled, n_draws=100, seed=0)
    assert planted.p[0] < 0.03
    assert np.isnan(planted.expected).all()


def test_a_file_of_gene_sets_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.gmt"
    path.write_text("heme\tpaper\tKLF1\tGATA1,1.0\t\nred\t\tKLF1\nheme\tagain\tALAS2\n", encoding="utf-8")
    heme, red = read_gmt(path)
    assert heme == GeneSet(name="heme", genes=("KLF1", "GATA1", "ALAS2"), description="again")
    assert red.genes == ("KLF1",)
    path.write_text(gmt_text([heme, GeneSet(name="a\tb", genes=("X",), regulator="TF")]), encoding="utf-8")
    assert read_gmt(path)[1] == GeneSet(name="a b", genes=("X",), description="TF")


@pytest.mark.parametrize("content", [b"", b"heme\n", b"\xff\xfe\x00\x01", b"\x1f\x8bnothing", b"\x00" * 50])
def test_what_is_no_file_of_gene_sets_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gmt").write_bytes(content)
    with pytest.raises(DataError) as refusal:
        read_gmt(tmp_path / "a.gmt")
    assert refusal.value.hint


def test_the_programs_that_come_along_are_sound() -> None:
    sets = programs()
    assert 60 <= len(sets) <= 90
    assert len({one.name.lower() for one in sets}) == len(sets)
    for one in sets:
        assert 10 <= len(one.genes) <= 60, one.name
        assert one.description, one.name
        assert all(re.fullmatch(r"[A-Z][A-Z0-9]*(orf[0-9]+)?(-[A-Z0-9]+)*", gene) for gene in one.genes), (
            one.name
        )
    lines = PROGRAMS.read_text(encoding="utf-8").splitlines()
    assert all(len(set(line.split("\t")[2:])) == len(line.split("\t")[2:]) for line in lines)
    names = " ".join(one.name for one in sets)
    for word in (
        "Interferon alpha",
        "Interferon gamma",
        "NF-kB",
        "Hypoxia",
        "G1/S",
        "G2/M",
        "p53",
        "MHC class II",
    ):
        assert word in names
