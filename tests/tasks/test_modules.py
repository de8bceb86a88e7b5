"""Modules of planted genes, of simulated cells whose network is known, and of a real experiment."""

from __future__ import annotations

import argparse
import csv
import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from scviz.cli import modules as words
from scviz.datasets.readers import open_file
from scviz.datasets.simulated import truth_of
from scviz.errors import JobCancelledError, RequestError
from scviz.metrics.evidence import auroc, bootstrap, fdr
from scviz.models import MODELS, model_class
from scviz.progress import Progress
from scviz.tasks import opening
from scviz.tasks.filters import Filter
from scviz.tasks.known_types import types_of
from scviz.tasks.modules import EXPRESSION, RANDOM_WEIGHTS, Request, Result
from scviz.tasks.modules.files import (
    cell_columns,
    gene_table,
    gmt,
    graphml,
    module_table,
    standardized,
)
from scviz.tasks.modules.run import price, run
from scviz.tasks.opening.run import run as open_dataset
from scviz.workspace import Workspace
from scviz.workspace.groups import name_group
from scviz.workspace.records import read_record, write_record
from tests.conftest import Opened, keep_model, keep_stranger

MARKERS = {
    name: {f"GENE{20 * t + g}" for g in range(1, 21)}
    for t, name in enumerate(("B cell", "NK cell", "T cell"))
}
INTERFERON = {"ISG15", "IFIT1", "IFIT3", "MX1", "OAS1"}


def plain(opened: Opened, **more: object) -> Request:
    asked: dict[str, object] = {"source": "expression", "n_neighbors": 8, "label_key": "cell_type"}
    return Request(dataset=opened.dataset, **(asked | more))  # type: ignore[arg-type]


def of_model(opened: Opened, **more: object) -> Request:
    asked: dict[str, object] = {"source": "static", "n_neighbors": 8, "n_random": 50}
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, **(asked | more))  # type: ignore[arg-type]


def test_markers_of_a_type_make_a_module_that_tells_it_apart(opened: Opened, tmp_path: Path) -> None:
    result = run(plain(opened), opened.context())
    assert result.types == tuple(MARKERS)
    rates = []
    for type_, markers in MARKERS.items():
        at = [i for i, one in enumerate(result.modules) if len(markers & set(one.genes)) > 15]
        assert len(at) == 1, type_
        facts, held = result.facts[at[0]], result.own.held[at[0]]
        assert (facts.best_type, facts.auroc) == (type_, 1.0)
        assert (
            facts.type_place.n == 99
        )  # markers of the other types tell these apart as well: no rank is asked
        assert (
            held.place.p <= 0.05
        )  # random genes hold markers of the other types, which move together as well
        assert held.mean > held.random
        rates.append(result.own.rates[at[0]])
        assert set(result.modules[at[0]].genes[:10]) <= markers
        assert standardized(result)[at[0]].argmax() == result.mean_scores[:, at[0]].argmax()
    assert (np.array(rates) < 0.05).sum() >= 2
    assert result.scores.shape == (60, len(result.modules))
    assert list(result.methods) == [EXPRESSION]
    assert (result.gains, result.outcome) == ({}, "better")
    assert "This is plain co-expression" in result.verdict
    assert "tells" in result.verdict
    assert (result.n_found, result.n_held_out) == (30, 30)
    sizes = [len(one.genes) for one in result.modules]
    assert sizes == sorted(sizes, reverse=True)
    assert set(result.drawing.groups) <= {one.name for one in result.modules}
    write_record(result, tmp_path / "kept")
    kept = read_record(Result, tmp_path / "kept")
    assert repr(kept.facts) == repr(result.facts)
    assert kept.modules == result.modules
    assert np.array_equal(kept.membership[EXPRESSION], result.membership[EXPRESSION])


def test_labels_are_not_read_to_find_modules(opened: Opened) -> None:
    with_labels, without = (
        run(plain(opened), opened.context()),
        run(plain(opened, label_key=None), opened.context()),
    )
    assert with_labels.modules == without.modules
    assert np.array_equal(with_labels.scores, without.scores)
    assert without.types == ()
    assert without.auroc.shape == (0, len(without.modules))


def test_genes_of_a_module_come_by_their_similarity_to_its_middle(opened: Opened) -> None:
    result = run(plain(opened), opened.context())
    for one in result.modules:
        assert list(one.weights) == sorted(one.weights, reverse=True)
    numbers = result.membership[EXPRESSION]
    assert {frozenset(np.array(result.genes)[numbers == i]) for i in range(numbers.max() + 1)} == {
        frozenset(one.genes) for one in result.modules
    }


@pytest.mark.parametrize("graph", ["nearest", "threshold", "published"])
@pytest.mark.parametrize("source", ["static", "context"])
def test_a_model_stands_beside_co_expression_and_random_weights(
    opened: Opened, source: str, graph: str
) -> None:
    asked = of_model(opened, source=source, graph=graph, context_cells=20, threshold=0.2, fewest_genes=3)
    result = run(asked, opened.context())
    assert list(result.methods) == [source, EXPRESSION, RANDOM_WEIGHTS]
    assert list(result.gains) == [EXPRESSION, RANDOM_WEIGHTS]
    assert result.methods[source].agreement == 1.0
    plain_gain = result.methods[EXPRESSION].gain
    assert plain_gain > 3 * abs(result.methods[RANDOM_WEIGHTS].gain)
    gain = result.gains[EXPRESSION]
    assert gain.difference.mean == pytest.approx(result.methods[source].gain - plain_gain, abs=1e-6)
    assert gain.outcome == result.outcome != "better"  # this model was never trained
    assert "random weights" in result.verdict
    assert result.gains[RANDOM_WEIGHTS].outcome != "better"
    assert result.n_found == {"static": 0, "context": 20}[source]
    assert set(result.membership) == set(result.methods)
    assert all(len(cut) == len(result.genes) for cut in result.membership.values())


def test_a_threshold_links_as_many_pairs_by_every_method(opened: Opened) -> None:
    result = run(of_model(opened, graph="threshold", threshold=0.3, fewest_genes=2), opened.context())
    assert "link as many pairs" in " ".join(result.notes)
    assert result.methods[EXPRESSION].n_modules > 0


@pytest.mark.parametrize("name", MODELS)
def test_every_model_makes_vectors_of_genes_in_cells(opened: Opened, adata: AnnData, name: str) -> None:
    mine = keep_model(opened, model_class(name).untrained(adata, "tiny"))
    result = run(of_model(mine, source="context", context_cells=20), mine.context())
    assert result.modules
    assert "read 20 cells" in " ".join(result.notes)


def test_cells_that_a_stopped_run_has_read_are_not_read_again(opened: Opened) -> None:
    asked = of_model(opened, source="context", context_cells=30)
    whole = run(asked, opened.context("whole"))

    def stop(progress: Progress) -> None:
        if progress.stage == "Reading genes in cells" and progress.done >= 16:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(asked, opened.context("halved", report=stop))
    (kept,) = (opened.context("halved").state / "trained").glob("*.npy")
    written = kept.stat().st_mtime_ns
    again = run(asked, opened.context("halved"))
    assert kept.stat().st_mtime_ns == written
    assert again.modules == whole.modules
    assert np.array_equal(again.scores, whole.scores)


def test_the_known_network_of_a_simulated_screen_judges_every_method(workspace: Workspace) -> None:
    nothing = Opened(workspace, "", "")
    dataset = open_dataset(opening.Request(path="", name="", simulated="clean"), nothing.context()).dataset
    screen = Opened(workspace, dataset, "")
    result = run(plain(screen, label_key=None, resolution=2.0, most_cells=2000), screen.context())
    one = result.methods[EXPRESSION]
    assert one.precision > 1.5 * result.chance
    assert 0 < one.recall < 1
    truth = truth_of(workspace.dataset_folder(dataset))
    known = set(truth.target) & set(result.genes)
    assert 0 < result.chance < 1
    assert len(known) > 50
    assert "have a regulator in common" in result.verdict


def test_only_chosen_cells_make_and_judge_modules_and_all_are_scored(opened: Opened) -> None:
    cells = (Filter(column="cell_type", values=("B cell", "T cell")),)
    result = run(plain(opened, cells=cells), opened.context())
    assert result.n_found + result.n_held_out == 40
    assert len(result.scores) == 60
    name_group(opened.workspace.dataset_folder(opened.dataset), "mine", np.arange(24))
    grouped = run(plain(opened, group="mine"), opened.context())
    assert grouped.n_found + grouped.n_held_out == 24
    with pytest.raises(RequestError, match="15 cells are too few"):
        run(plain(opened, cells=(Filter(column="donor", values=("donor 1",)),)), opened.context())


def test_scores_as_published_lie_between_0_and_1(opened: Opened) -> None:
    result = run(plain(opened, scaled=True), opened.context())
    assert result.scores.min(axis=0).tolist() == [0.0] * len(result.modules)
    assert result.scores.max(axis=0).tolist() == [1.0] * len(result.modules)


def test_no_module_is_told_and_not_an_error(opened: Opened) -> None:
    result = run(plain(opened, fewest_genes=150), opened.context())
    assert (result.modules, result.facts, result.scores.shape) == ((), (), (60, 0))
    assert result.outcome == "unknown"
    assert result.verdict.startswith("No module of 150 genes or more")
    assert result.drawing.genes == ()


def test_a_model_that_knows_none_of_the_genes_is_refused(opened: Opened) -> None:
    asked = replace(of_model(opened), checkpoint=keep_stranger(opened, "scgpt"))
    with pytest.raises(RequestError, match="Only 0 genes vary") as refusal:
        run(asked, opened.context())
    assert "weights that know the genes" in refusal.value.hint


def test_every_number_of_the_command_can_be_recomputed_from_its_files(opened: Opened) -> None:
    result = run(of_model(opened, label_key="cell_type"), opened.context())
    rows = list(csv.DictReader(io.StringIO(module_table(result))))
    said = words.summary(result)
    for method, judged in said["methods"].items():
        own = [row for row in rows if row["method"] == method]
        genes, mean, random = (
            np.array([float(row[name]) for row in own]) for name in ("genes", "correlation", "random")
        )
        n_compared = len(gene_table(result).splitlines()) - 1
        p = (np.array([int(row["rank"]) for row in own])) / (
            1 + np.array([int(row["random_sets"]) for row in own])
        )
        assert judged["n_beyond"] == int((fdr(p) <= 0.05).sum())
        assert judged["n_modules"] == len(own)
        assert judged["share"] == pytest.approx(genes.sum() / n_compared, abs=1e-4)
        assert judged["coherence"] == pytest.approx(np.average(mean, weights=genes), abs=1e-4)
        assert judged["random"] == pytest.approx(np.average(random, weights=genes), abs=1e-4)
        assert judged["gain"] == pytest.approx(genes @ (mean - random) / n_compared, abs=1e-4)
    cells = cell_columns(result)
    judging = np.array(cells["used"]) == "judging"
    spread = {
        method: np.linalg.norm(
            [
                float(row["genes"]) / n_compared * float(row["random_spread"])
                for row in rows
                if row["method"] == method
            ]
        )
        for method in said["methods"]
    }
    for method, gain in said["gains"].items():
        values = np.array(cells[f"gain over {method}"], dtype=object)[judging].astype(float)
        interval = bootstrap(values)
        genes_ = 1.96 * np.hypot(spread["static"], spread[method])
        assert gain["difference"] == pytest.approx(values.mean(), abs=1e-4)
        assert gain["low"] == pytest.approx(
            values.mean() - np.hypot(values.mean() - interval.low, genes_), abs=1e-4
        )
    told = np.array(cells["told"]) == 1
    types = types_of(opened.workspace, opened.dataset, "cell_type")
    own = [row for row in rows if row["method"] == "static"]
    for number, row in enumerate(own):
        scores = np.array(cells[row["module"]])[told]
        best = types.names.index(row["best_type"])
        assert float(row["auroc"]) == pytest.approx(auroc(scores, types.codes[told] == best), abs=1e-6)
        assert float(row["auroc"]) == pytest.approx(result.auroc[best, number], abs=1e-6)
    assert not (told & (np.array(cells["used"]) == "finding")).any()


def test_nothing_is_called_told_apart_where_types_say_nothing(opened: Opened) -> None:
    result = run(plain(opened, label_key="donor"), opened.context())
    assert all(one.type_place.p > 0.05 for one in result.facts)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"source": "guess"}, "must be one of expression, static, context"),
        ({"graph": "guess"}, "must be one of nearest, threshold, published"),
        ({"method": "guess"}, "must be one of louvain, leiden"),
        ({"source": "static"}, "reads no model, every other source reads one"),
        ({"checkpoint": "c"}, "reads no model"),
        ({"group": "g", "cells": (Filter(column="a", values=("b",)),)}, "not from both"),
        ({"most_genes": 3}, "Genes must be 20 to 5,000 .got 3."),
        ({"most_cells": 3}, "Cells must be 40 to 20,000 cells .got 3"),
        ({"fewest_genes": 1}, "Minimum genes of a module must be 2 to 500 .got 1."),
        ({"resolution": 0.0}, "Resolution must be 0.01 to 200 .got 0."),
        ({"threshold": 1.5}, "Minimum cosine similarity must be 0.01 to 1 .got 1.5."),
    ],
)
def test_a_request_checks_itself(more: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message) as refusal:
        Request(**({"dataset": "d"} | more))  # type: ignore[arg-type]
    assert refusal.value.hint


def test_a_column_of_numbers_is_no_type(opened: Opened) -> None:
    with pytest.raises(RequestError, match="does not name groups"):
        run(plain(opened, label_key="percent_mt"), opened.context())


def test_a_price_counts_what_is_read(opened: Opened) -> None:
    cost = price(of_model(opened, source="context", context_cells=20), opened.context())
    assert cost.seconds > 0
    assert "20 of which the model reads twice" in cost.how
    assert "twice" not in price(plain(opened), opened.context()).how


def test_files_hold_genes_modules_and_links(opened: Opened) -> None:
    result = run(plain(opened, fewest_genes=10), opened.context())
    first = gmt(result.modules).splitlines()[0].split("\t")
    assert (first[0], first[2:]) == ("Module 1", list(result.modules[0].genes))
    rows = gene_table(result).splitlines()
    assert len(rows) == 1 + len(result.genes)
    space = "{http://graphml.graphdrawing.org/xmlns}"
    tree = ElementTree.fromstring(graphml(result))
    assert len(tree.findall(f".//{space}node")) == len(result.genes)
    assert len(tree.findall(f".//{space}edge")) == len(result.link_weights)
    edges = result.edges()
    assert edges.weights.tolist() == sorted(edges.weights.tolist(), reverse=True)


def test_the_command_line_asks_and_writes(opened: Opened, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    words.add_command(parser.add_subparsers())
    paths = {name: tmp_path / f"modules.{name}" for name in ("csv", "table", "gmt", "graphml")}
    line = ["modules", "cells", "--source", "expression", "--n-neighbors", "8", "--label-key", "cell_type"]
    line += ["--cells", "cell_type=B cell,T cell"] + [
        part for name, path in paths.items() for part in (f"--{name}", str(path))
    ]
    options = parser.parse_args(line)
    asked = words.request_of(options, opened.dataset, "")
    cells = (Filter(column="cell_type", values=("B cell", "T cell")),)
    assert asked == plain(opened, cells=cells)
    result = run(asked, opened.context())
    assert list(words.summary(result)["modules"]) == [one.name for one in result.modules]
    words.write_files(result, options)
    assert all(path.stat().st_size > 100 for path in paths.values())


@pytest.mark.slow
def test_interferon_genes_are_found_without_labels_and_tell_stimulated_cells_apart(
    shared: Path, workspace: Workspace
) -> None:
    info = open_file(shared / "data" / "kang_ifnb_2000" / "kang_ifnb_2000.h5ad", workspace, name="kang")
    kang = Opened(workspace, info.id, "")
    asked = Request(dataset=info.id, source="expression", label_key="condition")
    result = run(asked, kang.context())
    best = max(range(len(result.modules)), key=lambda i: result.facts[i].auroc)
    facts = result.facts[best]
    assert facts.best_type == "stim"
    assert facts.auroc > 0.9
    assert facts.type_place.p <= 0.05
    assert set(result.modules[best].genes) >= INTERFERON
    assert len(result.modules[best].genes) < 150
    assert result.own.rates[best] < 0.05
