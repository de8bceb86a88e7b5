"""Genes of two groups of cells: values of columns, groups of the map, expressions, among some cells."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.cli import groups as command
from scviz.cli import parser
from scviz.datasets import columns
from scviz.datasets.readers import open_file
from scviz.errors import MissingColumnError, RequestError
from scviz.metrics.two_groups import GeneTable
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.enrichment.sources import sets_of_run
from scviz.tasks.filters import Filter
from scviz.tasks.group_genes import Request, Result, deseq2
from scviz.tasks.group_genes.ahead import contrast_of, look_ahead
from scviz.tasks.group_genes.donors import Samples, samples_of
from scviz.tasks.group_genes.inputs import Inputs
from scviz.tasks.group_genes.run import price, run
from scviz.tasks.group_genes.verdict import outcome, verdict
from scviz.workspace import Workspace
from scviz.workspace.groups import group_version, name_group
from scviz.workspace.records import from_json, read_record, to_json, write_record
from tests.conftest import Opened

MARKERS = {f"GENE{i}" for i in range(1, 21)}
B_CELLS = CellGroup(column="cell_type", value="B cell")


@pytest.fixture
def opened(adata: anndata.AnnData, workspace: Workspace, tmp_path: Path) -> Opened:
    """The 60 cells, of which 6 have no type, and no model."""
    adata.obs.loc[adata.obs_names[-6:], "cell_type"] = np.nan
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return Opened(workspace, open_file(tmp_path / "cells.h5ad", workspace, name="cells").id, "")


def ask(opened: Opened, **more: object) -> Result:
    request = Request(**{"dataset": opened.dataset, "a": B_CELLS, **more})  # type: ignore[arg-type]
    return run(request, opened.context())


def test_planted_markers_come_first_and_the_verdict_says_what_was_compared(
    opened: Opened, tmp_path: Path
) -> None:
    result = ask(opened)
    assert set(result.genes[:20]) == MARKERS
    assert result.n_cells == (18, 36)  # cells without a type are on neither side
    assert 20 <= result.n_higher <= 22  # at 5 % one in twenty may be of chance
    assert result.outcome == "better"
    assert np.all(result.log2_fold_change[:20] > 1)
    assert np.all(np.diff(result.p_value) >= 0)
    assert np.all(result.share_a[:20] > result.share_b[:20])
    assert "of 200 genes differ between B cell (18 cells) and all other cells (36 cells)" in result.verdict
    assert "among all cells" in result.verdict
    assert "Every cell counts as a replicate: cells of one donor are alike" in result.verdict
    assert "4 and 4 values of donor" in result.verdict
    assert any("6 of 60 cells have no label" in note for note in result.notes)
    write_record(result, tmp_path / "kept")
    assert read_record(Result, tmp_path / "kept").genes == result.genes


def test_genes_of_either_side_are_sets_that_other_tasks_take(opened: Opened) -> None:
    result = ask(opened)
    higher = result.sets[0]
    assert higher.name == "higher in B cell than in all other cells"
    assert set(higher.genes[:20]) == MARKERS
    np.testing.assert_array_equal(np.bincount(result.sides[result.sides >= 0]), result.n_cells)
    assert result.donors == ""  # no donor has ten cells of the 18
    context = opened.context("kept")
    write_record(result, context.result)
    asked = {"task": "group_genes", "request": to_json(Request(dataset=opened.dataset, a=B_CELLS))}
    (context.folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")
    found = sets_of_run(opened.workspace, "kept")
    assert found.sets[higher.name] == higher.genes
    assert len(found.compared) == 200


def test_groups_of_a_map_are_called_circular_and_genes_of_an_expression_chosen(opened: Opened) -> None:
    name_group(opened.workspace.dataset_folder(opened.dataset), "mine", np.arange(20))
    assert "grouped by their expression, or on a map of it" in ask(opened, a=CellGroup(named="mine")).verdict
    chosen = ask(opened, a=CellGroup(expression="GENE1 > 1")).verdict
    assert "Genes that an expression names differ by choice" in chosen
    assert "by choice" not in ask(opened).verdict
    by_column = ask(opened, a=CellGroup(expression='cell_type == "B cell"'))
    assert "by choice" not in by_column.verdict  # no gene is named
    assert "grouped by their expression" not in by_column.verdict


@pytest.mark.parametrize(
    ("of_clusters", "of_others"),
    [
        ('leiden == "1"', 'cell_type == "leiden"'),
        ('not (donor == "d1" or column:Louvain_res1 == "0")', "gene:CLUSTER1 > 0"),
    ],
)
def test_clusters_in_an_expression_are_circular(of_clusters: str, of_others: str) -> None:
    assert CellGroup(expression=of_clusters).circular
    assert not CellGroup(expression=of_others).circular


@pytest.mark.parametrize("method", ["wilcoxon", "welch"])
def test_a_value_an_expression_and_a_group_of_the_map_are_the_same_cells(
    opened: Opened, adata: anndata.AnnData, method: str
) -> None:
    rows = np.flatnonzero((adata.obs["cell_type"] == "B cell").to_numpy())
    name_group(opened.workspace.dataset_folder(opened.dataset), "mine", rows)
    others = CellGroup(expression='cell_type != "B cell"')
    by_value = ask(opened, b=others, method=method)
    for group in (CellGroup(expression='cell_type == "B cell"'), CellGroup(named="mine")):
        again = ask(opened, a=group, b=others, method=method)
        assert again.genes == by_value.genes
        np.testing.assert_array_equal(again.p_value, by_value.p_value)


def test_only_cells_within_are_looked_at(opened: Opened, adata: anndata.AnnData) -> None:
    donors = Filter(column="donor", values=("donor 0", "donor 1"))
    result = ask(opened, b=CellGroup(column="cell_type", value="T cell"), within=(donors,), fewest_cells=5)
    inside = adata.obs["donor"].isin(["donor 0", "donor 1"])
    n, m = (int(np.sum(inside & (adata.obs["cell_type"] == one))) for one in ("B cell", "T cell"))
    assert result.n_cells == (n, m)
    said = f"between B cell ({n} cells) and T cell ({m} cells) among cells with donor donor 0 or donor 1"
    assert said in result.verdict


def test_blocks_of_genes_do_not_matter(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ask(opened)
    monkeypatch.setattr(columns, "BLOCK_VALUES", 100)
    again = ask(opened)
    assert again.genes == whole.genes
    np.testing.assert_array_equal(again.score, whole.score)


def test_of_a_few_cells_nobody_can_tell(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    name_group(folder, "two", np.arange(2))
    name_group(folder, "others", np.arange(2, 4))
    result = ask(opened, a=CellGroup(named="two"), b=CellGroup(named="others"), fewest_cells=2)
    assert result.outcome == "unknown"
    assert "Cannot tell which genes differ between two (2 cells) and others (2 cells)" in result.verdict
    assert "even a gene that differs in all of them has p = 0.083, too much" in result.verdict


def test_what_cannot_be_compared_is_refused(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    name_group(folder, "mine", np.arange(20))
    old = CellGroup(named="mine", version=group_version(np.arange(19)))
    for more, why, hint in (
        (
            {"b": CellGroup(expression="GENE1 > 0")},
            r"cells of B cell are also in cells with GENE1 > 0",
            "common",
        ),
        (
            {"fewest_cells": 19},
            "There are 18 cells of B cell among all cells; a comparison takes 19",
            "Minimum",
        ),
        ({"a": CellGroup(column="cell_type", value="C cell")}, "no group 'C cell'", "NK cell"),
        ({"a": CellGroup(named="yours")}, "'yours' is gone", "again"),
        ({"a": old}, "has other cells by now", "again"),
        ({"b": B_CELLS}, "Both groups are the same", "another"),
    ):
        with pytest.raises(RequestError, match=why) as refusal:
            ask(opened, **more)
        assert hint in refusal.value.hint
    with pytest.raises(MissingColumnError, match="no column 'type'"):
        ask(opened, a=CellGroup(column="type", value="x"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "one of these"),
        ({"column": "a", "value": "b", "named": "c"}, "one of these"),
        ({"column": "a"}, "No value of the column 'a'"),
        ({"named": "a", "value": "b"}, "No column was selected that has the value 'b'"),
        ({"expression": "CD3E >"}, "there should be a value"),
    ],
)
def test_a_group_is_named_in_one_way(given: dict[str, str], why: str) -> None:
    with pytest.raises(RequestError, match=why):
        CellGroup(**given)


def test_the_command_takes_expressions_and_names_and_writes_every_gene(
    opened: Opened, tmp_path: Path
) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    name_group(folder, "my cells", np.arange(0, 60, 3))
    line = ["groups", "cells", "--a", "my cells", "--b", "GENE1 < 0.5 and cell_type != 'B cell'"]
    line += ["--within", "donor=donor 0,donor 1", "donor=donor 1", "--method", "welch", "--fewest-cells", "2"]
    request = command.request_of(parser().parse_args(line), opened.dataset, opened.workspace)
    assert request.a == CellGroup(named="my cells", version=group_version(np.arange(0, 60, 3)))
    assert request.within[1] == Filter(column="donor", values=("donor 1",))
    assert from_json(Request, to_json(request)) == request
    result = run(request, opened.context())
    assert command.summary(result)["cells"] == {"a": 5, "b": result.n_cells[1]}
    command.write_genes(result, tmp_path / "genes.csv")
    with (tmp_path / "genes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["gene"] for row in rows] == list(result.genes)
    assert float(rows[0]["p_value"]) == result.p_value[0]


@pytest.fixture
def by_donor(workspace: Workspace, tmp_path: Path) -> Opened:
    """Cells of 6 donors, 3 of them treated, with genes 0 to 9 higher in all of these, and genes of single donors."""
    rng = np.random.default_rng(0)
    donor = np.repeat(np.arange(6), 40)
    treated = donor % 2 == 1
    means = np.tile(rng.gamma(2.0, 1.0, 120), (len(donor), 1)) * rng.lognormal(0, 0.1, (6, 120))[donor]
    means[treated, :10] *= 3
    means[donor == 1, 10:20] *= 6
    obs = pd.DataFrame(
        {
            "donor_sex": pd.Categorical(np.where(donor < 3, "f", "m")),
            "sample_type": pd.Categorical(np.where(donor < 2, "fresh", "frozen")),
            "donor": pd.Categorical([f"d{i}" for i in donor]),
            "condition": pd.Categorical(np.where(treated, "treated", "control")),
            "sex": pd.Categorical(np.where(donor < 3, "f", "m")),
            "half": pd.Categorical(np.tile(["left", "right"], len(donor) // 2)),
        },
        index=[f"cell{i}" for i in range(len(donor))],
    )
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(120)])
    anndata.AnnData(csr_matrix(rng.poisson(means).astype("f4")), obs=obs, var=var).write_h5ad(
        tmp_path / "d.h5ad"
    )
    return Opened(workspace, open_file(tmp_path / "d.h5ad", workspace, name="donors").id, "")


TREATED = CellGroup(column="condition", value="treated")


@pytest.mark.slow
def test_donors_are_compared_where_cells_would_take_one_donor_for_a_difference(by_donor: Opened) -> None:
    ask_donors = {"a": TREATED, "method": "deseq2", "donor": "donor"}
    cells, donors = ask(by_donor, a=TREATED), ask(by_donor, **ask_donors)
    of_one = {f"GENE{i}" for i in range(10, 20)}
    assert (
        len(of_one & set(cells.genes[: cells.n_higher + cells.n_lower])) >= 8
    )  # one donor is enough for these
    found = donors.genes[: donors.n_higher + donors.n_lower]
    assert set(found) >= {f"GENE{i}" for i in range(10)}
    assert not of_one & set(found)
    assert donors.n_donors == (3, 3)
    assert "treated (3 donors, 120 cells) and all other cells (3 donors, 120 cells)" in donors.verdict
    assert "Every donor counts as a replicate" in donors.verdict
    sex = ask(by_donor, **ask_donors, covariate="sex")
    assert set(sex.genes[: sex.n_higher]) >= {f"GENE{i}" for i in range(10)}
    halves = ask(by_donor, a=CellGroup(column="half", value="left"), method="deseq2", donor="donor")
    assert halves.n_donors == (6, 6)
    assert halves.n_higher + halves.n_lower <= 2
    assert "each donor is compared with itself" in halves.verdict


@pytest.mark.slow
def test_genes_without_counts_enough_are_not_tested_and_the_price_knows_it(
    by_donor: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Request(dataset=by_donor.dataset, a=TREATED, method="deseq2", donor="donor")
    everything = ask(by_donor, a=TREATED, method="deseq2", donor="donor")
    monkeypatch.setattr(deseq2, "LEAST_COUNT", 40)
    found = ask(by_donor, a=TREATED, method="deseq2", donor="donor")
    tested = ~np.isnan(found.p_value)
    assert 10 <= tested.sum() < np.sum(~np.isnan(everything.p_value))
    assert set(found.genes[: found.n_higher]) >= {"GENE0", "GENE1"} - set(np.array(found.genes)[~tested])
    assert f"{tested.sum()} of 120 genes were tested: those with 40 counts or more in 3 of the 6 sums" in (
        " ".join(found.notes)
    )
    cost = price(asked, by_donor.context())
    assert cost.seconds > 0
    assert cost.how.startswith(f"{tested.sum()} genes by DESeq2, timed on ")
    monkeypatch.setattr(deseq2, "LEAST_COUNT", 10_000)
    with pytest.raises(RequestError, match="No gene has 10000 counts in 3 of the 6"):
        ask(by_donor, a=TREATED, method="deseq2", donor="donor")


def test_a_gene_that_one_group_lacks_is_tested() -> None:
    sums = np.array([[0, 9, 30], [0, 9, 30], [12, 9, 0], [15, 30, 0], [11, 9, 0]])
    assert deseq2.counted_enough(sums, ["a", "a", "b", "b", "b"]).tolist() == [True, False, True]


def test_donors_are_counted_ahead_and_two_conditions_found(by_donor: Opened) -> None:
    asked = Request(dataset=by_donor.dataset, a=TREATED)
    ahead = look_ahead(asked, by_donor.workspace)
    assert (ahead.n_cells, ahead.n_shared) == ((120, 120), 0)
    assert ahead.donors == {"donor": (3, 3)}
    left = CellGroup(column="half", value="left")
    assert look_ahead(Request(dataset=by_donor.dataset, a=TREATED, b=left), by_donor.workspace).n_shared == 60
    one = Filter(column="donor", values=("d0", "d1"))
    assert not look_ahead(
        Request(dataset=by_donor.dataset, a=TREATED, within=(one,)), by_donor.workspace
    ).donors
    contrast = contrast_of(by_donor.workspace.dataset(by_donor.dataset))
    assert contrast is not None
    assert (contrast.column, contrast.case, contrast.control) == ("condition", "treated", "control")
    cells = ask(by_donor, a=TREATED)
    assert cells.donors == "donor"
    assert "come from 3 and 3 values of donor, whose sums DESeq2 compares" in cells.verdict


def test_too_few_donors_are_refused_and_not_replaced_by_cells(by_donor: Opened) -> None:
    asked = {"a": TREATED, "method": "deseq2", "donor": "donor"}
    with pytest.raises(RequestError, match="No column with donors"):
        ask(by_donor, a=TREATED, method="deseq2")
    some = Filter(column="donor", values=("d0", "d1", "d2"))
    with pytest.raises(RequestError, match="1 value of donor has 10 cells or more of treated") as refusal:
        ask(by_donor, **asked, within=(some,))
    assert "2 on each side, better 3" in refusal.value.hint
    with pytest.raises(RequestError, match="half has several values for cells of one donor"):
        ask(by_donor, **asked, covariate="half")


def test_where_no_gene_passes_between_donors_nobody_can_tell() -> None:
    cells, p_value = np.zeros((2, 4)), np.array([0.02, 0.4, np.nan, 0.6])
    table = GeneTable(
        log2_fold_change=p_value,
        score=p_value,
        p_value=p_value,
        adjusted_p=np.array([0.06, 0.6, np.nan, np.nan]),
        shares=cells,
        means=cells,
    )
    samples = Samples(codes=np.zeros(4, dtype=int), factors={}, n_donors=(2, 3), paired=False, notes=())
    inputs = Inputs(
        sides=np.array([0, 0, 1, 1], dtype=np.int8),
        cells="among all cells",
        donors="",
        donor_column="",
        chosen_by=(),
        samples=samples,
        notes=(),
    )
    asked = Request(dataset="any", a=TREATED, method="deseq2", donor="donor")
    assert outcome(asked, inputs, table) == "unknown"
    said = verdict(asked, inputs, table, genes=("A", "B", "C", "D"))
    assert said.startswith("Cannot tell which genes differ between treated (2 donors, 2 cells)")
    assert "none of 3 tested genes passes. With 2 donors in a group, small differences are not seen." in said
    hit = replace(table, adjusted_p=np.array([0.04, 0.6, np.nan, np.nan]))
    assert outcome(asked, inputs, hit) == "better"
    assert verdict(asked, inputs, hit, genes=("A", "B", "C", "D")).startswith("1 of 3 tested genes differs")


def test_a_few_donors_in_both_groups_do_not_throw_the_others_away(
    workspace: Workspace, tmp_path: Path
) -> None:
    donor = np.repeat([*range(5), *range(3, 8)], 10)  # two of five are in both
    side = np.repeat(np.array([0, 1], dtype=np.int8), 50)
    obs = pd.DataFrame(
        {"donor": [f"d{i}" for i in donor], "condition": np.where(side, "control", "treated")},
        index=[f"cell{i}" for i in range(100)],
    )
    counts = np.random.default_rng(0).poisson(3, (100, 20)).astype("f4")
    anndata.AnnData(csr_matrix(counts), obs=obs).write_h5ad(tmp_path / "few.h5ad")
    info = open_file(tmp_path / "few.h5ad", workspace, name="few")
    folder = workspace.dataset_folder(info.id)
    asked = Request(dataset=info.id, a=TREATED, method="deseq2", donor="donor")
    found = samples_of(asked, folder, side)
    assert (found.paired, found.n_donors) == (False, (5, 5))
    assert "2 names of donor are on both sides, too few to compare with themselves" in found.notes[-1]
    some = np.where(np.isin(donor, [0, 7]), np.int8(-1), side)  # two of four
    again = samples_of(asked, folder, some)
    assert (again.paired, again.n_donors) == (True, (2, 2))


def test_a_covariate_that_is_the_group_is_refused(by_donor: Opened) -> None:
    with pytest.raises(RequestError, match="cannot be told from that of covariate with 6 samples"):
        ask(by_donor, a=TREATED, method="deseq2", donor="donor", covariate="condition")
