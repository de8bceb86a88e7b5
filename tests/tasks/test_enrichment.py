"""Gene sets of typed genes, of finished runs and of groups of cells, beside random genes."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scviz.cli import enrich as words
from scviz.datasets.demo import open_demo
from scviz.datasets.enrichr import LIBRARIES
from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.readers import open_file
from scviz.errors import CheckpointError, DataError, MissingColumnError, RequestError
from scviz.progress import silent
from scviz.tasks import gene_terms, scenic
from scviz.tasks.enrichment import PROGRAMS, Request, Result
from scviz.tasks.enrichment.run import run
from scviz.tasks.enrichment.sources import libraries, library, sets_of_run, tasks_with_sets
from scviz.tasks.scenic.run import run as find_regulons
from scviz.workspace import Workspace
from scviz.workspace.groups import group_version, name_group
from scviz.workspace.records import read_record, to_json, write_record
from tests.conftest import Opened

MARKERS = {f"type {t}": [f"GENE{20 * t + g}" for g in range(1, 21)] for t in range(3)}
OTHERS = {f"others {i}": [f"GENE{g}" for g in range(61 + i, 201, 7)] for i in range(7)}


@pytest.fixture
def sets(opened: Opened) -> str:
    """Marker genes of the three planted types, and other genes, as gene sets in the workspace."""
    members = {**MARKERS, **OTHERS}
    genes = sorted({gene for own in members.values() for gene in own})
    terms = {gene: [name for name, own in members.items() if gene in own] for gene in genes}
    return keep_terms(terms, opened.workspace, name="Planted", source="made").id


def request(opened: Opened, sets: str, **more: object) -> Request:
    question: dict[str, object] = {} if {"genes", "run", "group"} & more.keys() else {"group": "B cell"}
    if "group" not in more and question:
        question["column"] = "cell_type"
    return Request(dataset=opened.dataset, sets=sets, **(question | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("group", "planted"), [("B cell", "type 0"), ("NK cell", "type 1"), ("T cell", "type 2")]
)
def test_the_planted_markers_are_found_in_the_genes_of_a_group(
    opened: Opened, sets: str, group: str, planted: str, tmp_path: Path
) -> None:
    result = run(request(opened, sets, column="cell_type", group=group), opened.context())
    first = result.terms[0]
    assert first.name == planted
    assert len(first.genes) >= 18
    # 10 sets and 100 shuffles cannot give a rate below 10 / 1,001, however small the plain p, which the rate was of
    # before and which has its own bar: a set must pass every test now
    assert first.fdr <= 0.01
    assert first.p_overlap < 1e-10
    assert first.expected_alike > first.expected  # markers are expressed more than other genes
    assert first.p_alike < 0.05
    assert (result.n_passing, result.outcome) == (1, "better")
    assert result.shuffled_passing.shape == (100,)
    # in the place of sets that pass for random genes, of which there is a simulation in test_enrichment_null.py
    assert result.shuffled_passing.mean() < 0.1
    assert first.p == max(first.p_overlap, first.p_alike, first.p_shuffled)
    assert result.n_sets == len(MARKERS) + len(OTHERS)
    assert result.n_background <= 200
    assert set(first.genes) <= set(result.genes)
    assert (result.change > 0.5).all()
    assert (result.gene_fdr <= 0.05).all()
    assert planted in result.verdict
    assert "expression-matched random genes and the same cells in shuffled groups give" in result.verdict
    write_record(result, tmp_path / "kept")
    kept = read_record(Result, tmp_path / "kept")
    assert repr(kept.terms) == repr(result.terms)
    assert np.array_equal(kept.shuffled_passing, result.shuffled_passing)


def test_genes_that_are_lower_or_either_can_be_asked_for(opened: Opened, sets: str) -> None:
    down = run(request(opened, sets, direction="down"), opened.context())
    assert {one.name for one in down.terms if one.fdr <= 0.05} == {"type 1", "type 2"}
    assert (down.change < 0).all()
    both = run(request(opened, sets, direction="both", against="T cell"), opened.context())
    assert {one.name for one in both.terms if one.fdr <= 0.05} == {"type 0", "type 2"}
    assert "20 cells of B cell compared with 20 of T cell" in both.notes[0]


def test_a_ranking_finds_them_at_its_ends(opened: Opened, sets: str) -> None:
    result = run(request(opened, sets, method="prerank"), opened.context())
    found = {one.name: one for one in result.ranked}
    assert result.terms == ()
    assert result.ranked[0].name in MARKERS
    assert found["type 0"].nes > 1.5
    assert max(found["type 1"].nes, found["type 2"].nes) < -1.2
    assert found["type 0"].fdr <= 0.05
    assert result.ranked[0].p <= result.ranked[-1].p
    assert all(one.p == max(one.p_alike, one.p_shuffled) for one in result.ranked)
    assert "ranking of all genes by B cell compared with all other cells" in result.verdict


def test_typed_genes_are_looked_up_and_what_is_not_found_is_said(opened: Opened, sets: str) -> None:
    typed = ("GENE1", "gene2", "ENSG90000000003", "GENE4", "GENE5", "CD3E", "GENE1")
    result = run(request(opened, sets, genes=typed), opened.context())
    assert (result.n_asked, result.not_found) == (6, ("CD3E",))
    assert result.genes == ("GENE1", "GENE2", "GENE3", "GENE4", "GENE5")
    assert "gene2 as GENE2" in result.notes[0]
    first = result.terms[0]
    assert (first.name, first.genes) == ("type 0", result.genes)
    assert first.p_overlap == pytest.approx(_by_hand(20, 5, result.n_background))
    missed = [one for one in result.terms if not one.genes]
    assert missed
    assert all(np.isnan(one.fdr_hit) for one in missed)
    assert result.change.size == 0


def _by_hand(n_set: int, n_query: int, n_all: int) -> float:
    p = 1.0
    for i in range(n_query):
        p *= (n_set - i) / (n_all - i)
    return p


def test_random_genes_are_not_enriched(opened: Opened, sets: str) -> None:
    chosen = np.random.default_rng(1).choice(np.arange(61, 201), 20, replace=False)
    result = run(request(opened, sets, genes=tuple(f"GENE{i}" for i in chosen)), opened.context())
    assert result.n_passing == 0
    assert result.outcome == "none"
    assert result.verdict.startswith("0 of 10 gene sets hold more of")


def test_the_genes_a_model_knows_can_be_the_background(opened: Opened, sets: str) -> None:
    vocab = opened.workspace.checkpoint_folder(opened.checkpoint) / "vocab.json"
    content = json.loads(vocab.read_text())
    content["genes"], content["ids"] = content["genes"][:50], content["ids"][:50]
    content["values"] = {name: values[:50] for name, values in content["values"].items()}
    vocab.write_text(json.dumps(content))
    typed = ("GENE1", "GENE2", "GENE150")
    result = run(request(opened, sets, genes=typed, checkpoint=opened.checkpoint), opened.context())
    assert result.n_background == 50
    assert result.not_found == ("GENE150",)
    assert "that Tiny knows" in result.background


def test_a_group_circled_on_a_map_can_be_asked_for(opened: Opened, sets: str) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    rows = np.arange(2, 60, 3)
    name_group(folder, "island", rows)
    asked = request(opened, sets, group="island", group_version=group_version(rows))
    assert run(asked, opened.context()).terms[0].name == "type 2"
    name_group(folder, "island", rows[:5])
    with pytest.raises(RequestError, match="other cells by now"):
        run(asked, opened.context())


def test_a_regulon_of_a_finished_run_can_be_asked_for(opened: Opened, sets: str, tmp_path: Path) -> None:
    assert {"scenic"} <= set(tasks_with_sets())
    table = tmp_path / "links.tsv"
    table.write_text("tf\ttarget\n" + "".join(f"GENE{t}\tGENE{g}\n" for t in (1, 2, 3) for g in range(4, 21)))
    asked = scenic.Request(
        dataset=opened.dataset, method="correlation", prior=str(table), fewest_genes=5, most_genes=100
    )
    folder = opened.workspace.run_folder("earlier")
    write_record(find_regulons(asked, opened.context("earlier")), folder / "result")
    (folder / "request.json").write_text(json.dumps({"task": "scenic", "request": to_json(asked)}))
    found = sets_of_run(opened.workspace, "earlier")
    assert (found.dataset, found.most_genes) == (opened.dataset, 100)
    name, genes = next(iter(found.sets.items()))
    result = run(request(opened, sets, run="earlier", name=name), opened.context())
    assert result.terms[0].name == "type 0"
    assert set(result.genes) == set(genes)
    assert 100 <= result.n_background < 130
    assert "the most variable" in result.background
    with pytest.raises(RequestError, match="no gene set 'nothing'") as refusal:
        run(request(opened, sets, run="earlier", name="nothing"), opened.context())
    assert name in refusal.value.hint
    with pytest.raises(RequestError, match="no finished run 'gone'"):
        run(request(opened, sets, run="gone", name="x"), opened.context())
    (folder / "request.json").write_text(json.dumps({"task": "embedding", "request": to_json(asked)}))
    with pytest.raises(RequestError, match="holds no gene sets"):
        sets_of_run(opened.workspace, "earlier")


def test_gene_sets_of_another_kind_are_refused_in_words(opened: Opened, sets: str) -> None:
    with pytest.raises(DataError, match="none is in both") as refusal:
        run(request(opened, PROGRAMS), opened.context())
    assert "same species" in refusal.value.hint
    with pytest.raises(DataError, match="No gene set has 21 to"):
        run(request(opened, sets, fewest_genes=21), opened.context())
    with pytest.raises(DataError, match="no gene terms 'gone'"):
        run(request(opened, "gone"), opened.context())


def test_what_cannot_be_asked_is_refused_in_words(opened: Opened, sets: str) -> None:
    with pytest.raises(RequestError, match="None of the 2 genes, such as CD3E, CD4") as refusal:
        run(request(opened, sets, genes=("CD3E", "CD4")), opened.context())
    assert "GENE1" in refusal.value.hint
    with pytest.raises(RequestError, match="has no group 'C cell'"):
        run(request(opened, sets, column="cell_type", group="C cell"), opened.context())
    with pytest.raises(CheckpointError, match="no checkpoint 'scgpt/gone'"):
        run(request(opened, sets, checkpoint="scgpt/gone"), opened.context())
    with pytest.raises(MissingColumnError, match="no column 'nothing'"):
        run(request(opened, sets, column="nothing", group="B cell"), opened.context())
    with pytest.raises(RequestError, match="No gene is higher in B cell") as refusal:
        run(request(opened, sets, least_change=19.0), opened.context())
    assert "prerank" in refusal.value.hint


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "No gene was selected"),
        ({"genes": ("A",), "run": "r", "name": "n"}, "Genes were selected twice"),
        ({"run": "r"}, "No set of the run was selected"),
        ({"group": "B"}, "No column was selected that has the value 'B'"),
        ({"genes": ("A",), "method": "guess"}, "Method must be one of"),
        ({"genes": ("A",), "direction": "sideways"}, "Genes that are must be one of"),
        ({"genes": ("A",), "method": "prerank"}, "A ranking needs a score"),
        ({"genes": ("A",), "n_random": 1}, "Random draws must be 20 to 10,000 .got 1."),
        ({"genes": ("A",), "max_fdr": 2.0}, "FDR of a gene must be 0.0001 to 1 .got 2."),
        (
            {"genes": ("A",), "fewest_genes": 50, "most_genes": 40},
            "Maximum genes of a set must be 50 or more .got 40.",
        ),
    ],
)
def test_a_request_checks_itself(more: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message) as refusal:
        Request(dataset="d", **more)  # type: ignore[arg-type]
    assert refusal.value.hint


def test_other_content_under_the_same_name_is_another_question(opened: Opened, sets: str) -> None:
    again = keep_terms({"GENE1": ["other"]}, opened.workspace, name="Planted", source="made").id
    assert again != sets
    assert set(libraries(opened.workspace)) == {PROGRAMS, sets, again}
    assert [one.name for one in library(opened.workspace, again)] == ["other"]


def test_the_demo_cells_are_what_their_labels_say(workspace: Workspace) -> None:
    opened = Opened(workspace, open_demo(workspace, silent).id, "")
    for group, expected in (("Dendritic", "MHC class II"), ("CD19+ B", "B cells"), ("CD56+ NK", "NK cells")):
        result = run(Request(dataset=opened.dataset, column="bulk_labels", group=group), opened.context())
        enriched = [one.name for one in result.terms if one.fdr <= 0.05]
        assert any(expected in name for name in enriched), (group, enriched)
        assert result.outcome == "better"


def test_three_genes_of_one_set_are_too_few_to_tell_and_it_is_said_how_many_would_do(
    workspace: Workspace,
) -> None:
    opened = Opened(workspace, open_demo(workspace, silent).id, "")
    asked = Request(dataset=opened.dataset, genes=("CD74", "HLA-DRA", "HLA-DPA1"), n_random=20)
    result = run(asked, opened.context())
    first = result.terms[0]
    assert (first.name, len(first.genes)) == ("Antigen presentation, MHC class II", 3)  # no overlap is larger
    assert first.p_overlap <= 0.05 / result.n_sets < first.p_alike
    assert (result.n_passing, result.outcome) == (0, "unknown")  # was none: "0 of 35 gene sets hold more"
    assert "could not pass with all 3 genes in it" in result.verdict
    assert "about 4 genes expressed like these would do" in result.verdict


@pytest.mark.slow
def test_interferon_is_found_in_stimulated_blood(workspace: Workspace, shared: Path) -> None:
    path = shared / "data" / "kang_ifnb_2000" / "kang_ifnb_2000.h5ad"
    if not path.exists():
        pytest.skip("kang_ifnb_2000 is not among the shared data")
    opened = Opened(workspace, open_file(path, workspace, name="blood").id, "")
    asked = {"dataset": opened.dataset, "column": "condition", "group": "stim", "against": "ctrl"}
    result = run(Request(**asked), opened.context())  # type: ignore[arg-type]
    first = result.terms[0]
    assert first.name == "Interferon alpha and beta response"
    assert first.fdr < 0.01
    assert len(first.genes) > 4 * first.expected_alike
    ranked = run(Request(**asked, method="prerank"), opened.context()).ranked  # type: ignore[arg-type]
    (own,) = [one for one in ranked if one.name == first.name]
    assert own.nes > 2.5
    assert own.p_alike < 0.02


def test_the_command_line_asks_and_writes(opened: Opened, sets: str, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    words.add_command(parser.add_subparsers())
    line = ["enrich", "cells", "--column", "cell_type", "--group", "B cell", "--sets", sets]
    options = parser.parse_args(line)
    assert words.sets_of(options, opened.workspace) == sets
    asked = words.request_of(options, opened.dataset, sets)
    assert asked == request(opened, sets)
    result = run(asked, opened.context())
    said = words.summary(result)
    assert (said["enriched"], next(iter(said["first"]))) == (1, "type 0")
    words.write_terms(result, tmp_path / "terms.csv")
    with (tmp_path / "terms.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [one.name for one in result.terms]
    assert rows[0]["genes"].split() == list(result.terms[0].genes)


def test_the_command_line_takes_gene_sets_in(opened: Opened, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    words.add_command(parser.add_subparsers())

    def sets_of(name: str) -> str | gene_terms.Request:
        return words.sets_of(
            parser.parse_args(["enrich", "cells", "--genes", "A", "--sets", name]), opened.workspace
        )

    assert sets_of(PROGRAMS) == PROGRAMS
    assert sets_of("Reactome_2022") == gene_terms.Request(library="Reactome_2022")
    here = keep_terms({"A": ["x"]}, opened.workspace, name=LIBRARIES["Reactome_2022"], source="Enrichr")
    assert sets_of("Reactome_2022") == here.id
    (tmp_path / "mine.gmt").write_text("x\t\tA\n")
    assert sets_of(str(tmp_path / "mine.gmt")) == gene_terms.Request(path=str(tmp_path / "mine.gmt"))
    with pytest.raises(RequestError, match="no gene sets 'nothing'") as refusal:
        sets_of("nothing")
    assert "MSigDB_Hallmark_2020" in refusal.value.hint
