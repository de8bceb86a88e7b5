"""Two conditions, donor by donor: simulated truth, and what cannot be told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scviz.cli import conditions as command
from scviz.cli import parser
from scviz.datasets.readers import open_file
from scviz.errors import MissingColumnError, RequestError
from scviz.settings import Settings
from scviz.tasks.conditions import Request, Result
from scviz.tasks.conditions.choosing import begin_with, conditions_of
from scviz.tasks.conditions.inputs import gather
from scviz.tasks.conditions.one_gene import gene_by_donor
from scviz.tasks.conditions.run import run
from scviz.workspace import Workspace
from scviz.workspace.records import from_json, read_record, to_json, write_record
from tests.conftest import Opened
from tests.donors import CHANGED, Cells, adata_of, crossed, nested, open_cells, steady
from tests.inline_queue import InlineQueue

CHOSEN = {"type_key": "cell_type", "donor_key": "donor", "condition_key": "condition"}
SIDES = {"first": "stim", "second": "ctrl"}


@pytest.fixture
def ask(workspace: Workspace, tmp_path: Path) -> object:
    """Open cells and compare their conditions."""

    def answer(cells: Cells, *, changed: bool = True, **more: object) -> Result:
        info = open_cells(adata_of(cells, changed=changed), workspace, tmp_path)
        request = Request(**{"dataset": info.id, **CHOSEN, **SIDES, **more})  # type: ignore[arg-type]
        return run(request, Opened(workspace, info.id, "").context())

    return answer


def doubled(donor: int, condition: str) -> dict[str, int]:
    """Type B is 2.5 times as frequent in stim."""
    cells = steady(donor, condition)
    return {**cells, "B": round(cells["B"] * 2.5)} if condition == "stim" else cells


def of(result: Result, name: str, what: str) -> float:
    return float(getattr(result, what)[result.types.index(name)])


def answers(result: Result) -> dict[str, str]:
    return dict(zip(result.types, result.answers, strict=True))


@pytest.mark.parametrize("design", [crossed, nested])
def test_a_type_that_rises_is_found_and_the_others_only_follow(
    ask: object, design: object, tmp_path: Path
) -> None:
    result = ask(design(6, doubled))  # type: ignore[operator]
    assert result.paired is (design is crossed)
    assert result.n_donors == (6, 6)
    assert answers(result)["B"] == "higher"
    assert result.without == "B"
    assert result.outcome == "better"
    low, high = of(result, "B", "low"), of(result, "B", "high")
    assert low < 0.75 * np.log2(2.5) < high  # the average type rises by a quarter of it
    assert np.isnan(of(result, "B", "adjusted_p_without"))
    others = result.adjusted_p_without[[i for i, name in enumerate(result.types) if name != "B"]]
    assert np.all(others > 0.05)
    assert "With B left out of the reference, no other type differs." in result.verdict
    assert [name for name, answer in answers(result).items() if answer in ("higher", "lower")] == ["B"]
    assert result.verdict.startswith("1 of 4 types differs in share between stim and ctrl")
    before, after = (100 * result.shares[side, result.types.index("B")] for side in (1, 0))
    assert f": B from {before:.0f} % in ctrl to {after:.0f} % in stim, " in result.verdict
    assert "times relative to the average of the types (95 % interval " in result.verdict
    write_record(result, tmp_path / "kept")
    again = read_record(Result, tmp_path / "kept")
    assert (again.answers, again.genes) == (result.answers, result.genes)


def test_a_reference_that_does_not_change_shows_the_whole_change(ask: object) -> None:
    result = ask(crossed(6, doubled), reference="A")  # type: ignore[operator]
    assert answers(result)["A"] == "reference"
    assert of(result, "B", "low") < np.log2(2.5) < of(result, "B", "high")
    assert answers(result)["C"] != "higher"
    assert np.isnan(of(result, "A", "change"))
    assert "log-ratios to A" in " ".join(result.notes)


def test_where_nothing_changes_a_twofold_change_is_ruled_out(ask: object) -> None:
    def many(donor: int, condition: str) -> dict[str, int]:
        return {name: 4 * n_cells for name, n_cells in steady(donor, condition).items()}

    result = ask(crossed(6, many), changed=False)  # type: ignore[operator]
    assert set(result.answers) == {"none"}
    assert result.outcome == "none"
    assert "a twofold change of each of 4 types is ruled out" in result.verdict
    assert [one.n_changed for one in result.genes] == [0, 0, 0, 0]
    assert result.genes_outcome == "unknown"
    assert "Cannot tell which genes change" in result.genes_verdict


def test_donors_that_vary_leave_it_open_and_it_is_said_what_would_tell(ask: object) -> None:
    def varied(donor: int, condition: str) -> dict[str, int]:
        rng = np.random.default_rng(10 * donor + (condition == "stim"))
        return dict(zip("ABCD", rng.multinomial(120, rng.dirichlet([4, 3, 2, 2])).tolist(), strict=True))

    result = ask(nested(3, varied))  # type: ignore[operator]
    assert result.outcome == "unknown"
    assert "unknown" in result.answers
    assert "is not ruled out. About " in result.verdict
    assert "donors in each condition that vary as these do" in result.verdict


def test_one_donor_in_a_condition_shows_shares_and_says_what_it_takes(ask: object) -> None:
    result = ask(nested(1, doubled))  # type: ignore[operator]
    assert result.outcome == result.genes_outcome == "unknown"
    assert set(result.answers) == {"unknown"}
    assert np.isnan(result.low).all()
    assert np.isnan(result.p_value).all()
    np.testing.assert_allclose(result.shares.sum(axis=1), 1)
    assert "there is 1 donor in stim and 1 donor in ctrl" in result.verdict
    assert "It takes 2 donors in each condition; 4 or more are better" in result.verdict
    assert "no type has 2 donors with 10 cells or more" in result.genes_verdict
    assert all(one.reason for one in result.genes)


def test_genes_change_in_the_type_where_they_were_made_to(ask: object) -> None:
    result = ask(crossed(4, doubled))  # type: ignore[operator]
    genes = {one.type: one for one in result.genes}
    assert {gene.gene for gene in genes["B"].first[:CHANGED]} == {f"GENE{i}" for i in range(CHANGED)}
    assert CHANGED <= genes["B"].n_higher <= CHANGED + 2
    assert genes["B"].n_tested == 80
    assert all(gene.change == pytest.approx(2, abs=0.6) for gene in genes["B"].first[:CHANGED])
    assert all(genes[name].n_changed <= 2 for name in "ACD")
    assert result.genes_verdict.startswith("Most genes change in B between stim and ctrl")
    assert genes["B"].n_swapped <= 2


def test_equally_many_cells_take_the_lead_of_the_largest_type(ask: object) -> None:
    def unequal(donor: int, condition: str) -> dict[str, int]:
        return {"A": 40, "B": 150, "C": 12 + donor}

    result = ask(crossed(3, unequal))  # type: ignore[operator]
    assert result.equal_cells == 12
    one = next(one for one in result.genes if one.type == "B")
    assert one.equal_range[0] <= one.n_equal <= one.equal_range[1]
    assert one.n_equal <= one.n_changed
    again = ask(crossed(3, unequal))  # type: ignore[operator]
    assert again.genes == result.genes  # the seed decides


def test_types_that_a_sample_lacks_count_as_zero_and_rare_ones_are_not_compared(ask: object) -> None:
    def vanishing(donor: int, condition: str) -> dict[str, int]:
        cells = steady(donor, condition)
        if condition == "stim":
            cells.pop("C")
        return {**cells, "E": donor % 2}

    result = ask(crossed(5, vanishing))  # type: ignore[operator]
    assert answers(result)["C"] == "lower"
    assert answers(result)["E"] == "rare"
    assert np.isnan(of(result, "E", "change"))
    stim = result.counts[result.sides == 0]
    assert not stim[:, result.types.index("C")].any()
    reasons = {one.type: one.reason for one in result.genes}
    assert reasons["C"] == "0 donors of stim have 10 cells or more; it takes 2 donors in each"


def test_cells_without_type_or_donor_are_left_out_and_empty_samples_with_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    adata = adata_of(crossed(3, steady))
    lone = (adata.obs["donor"] == "donor 0") & (adata.obs["condition"] == "stim")
    adata.obs.loc[lone, "cell_type"] = np.nan
    adata.obs["donor"] = adata.obs["donor"].astype(str)
    others = np.flatnonzero(~lone)[:7]
    adata.obs.iloc[others, adata.obs.columns.get_loc("donor")] = "NA"
    info = open_cells(adata, workspace, tmp_path)
    request = Request(dataset=info.id, **CHOSEN, **SIDES)
    inputs = gather(request, workspace.dataset_folder(info.id))
    assert int(inputs.counts.sum()) == info.n_cells - int(lone.sum()) - 7
    assert len(inputs.donors) == 5
    said = " ".join(inputs.notes)
    assert (
        f"{int(lone.sum()):,} of {info.n_cells:,} cells of stim and ctrl have no value in cell_type" in said
    )
    assert "7 of" in said
    assert "1 sample without a cell that has a type is left out." in said
    assert inputs.design.n_single == 1
    np.testing.assert_array_equal(np.bincount(inputs.type_of + 1)[1:], inputs.counts.sum(axis=0))


def test_a_gene_donor_by_donor(workspace: Workspace, tmp_path: Path) -> None:
    adata = adata_of(crossed(4, steady))
    info = open_cells(adata, workspace, tmp_path)
    request = Request(dataset=info.id, **CHOSEN, **SIDES)
    folder = workspace.dataset_folder(info.id)
    inputs = gather(request, folder)
    found = gene_by_donor(request, inputs, folder, gene="GENE0", type="B")
    assert len(found.donors) == 8
    assert found.paired
    total = np.asarray(adata.X.sum(axis=1)).ravel()
    frame = pd.DataFrame({"value": np.log1p(adata.X[:, 0].toarray().ravel() / total), **adata.obs})
    own = frame[frame["cell_type"] == "B"].groupby(["donor", "condition"], observed=True)["value"].mean()
    ours = [
        own[donor, SIDES["second" if side else "first"]]
        for donor, side in zip(found.donors, found.sides, strict=True)
    ]
    assert np.corrcoef(ours, found.means)[0, 1] > 0.99
    assert found.sentence.startswith("GENE0 in B: mean log expression ")
    assert "4 donors, each compared with itself." in found.sentence
    few = Request(dataset=info.id, **CHOSEN, **SIDES, fewest_cells=500)
    with pytest.raises(RequestError, match="No donor has 500 cells or more of B"):
        gene_by_donor(few, inputs, folder, gene="GENE0", type="B")


def test_what_cannot_be_asked_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    info = open_cells(adata_of(crossed(2, steady)), workspace, tmp_path)
    folder = workspace.dataset_folder(info.id)
    for more, why in (
        ({"second": "stim"}, "Both conditions are stim"),
        ({"donor_key": "condition"}, "must be three columns"),
        ({"donor_key": ""}, "No column with donors or samples was selected"),
    ):
        with pytest.raises(RequestError, match=why):
            Request(**{"dataset": info.id, **CHOSEN, **SIDES, **more})
    for more, why in (
        ({"second": "later"}, "No cell has 'later' in condition"),
        ({"reference": "Z"}, "No compared cell is a Z"),
    ):
        request = Request(**{"dataset": info.id, **CHOSEN, **SIDES, **more})
        with pytest.raises(RequestError, match=why):
            run(request, Opened(workspace, info.id, "").context())
    with pytest.raises(MissingColumnError):
        gather(Request(**{"dataset": info.id, **CHOSEN, **SIDES, "type_key": "kind"}), folder)


def test_columns_and_conditions_are_found_by_their_names(workspace: Workspace, tmp_path: Path) -> None:
    adata = adata_of(crossed(2, steady))
    adata.obs["plate"] = pd.Categorical(np.arange(adata.n_obs) % 2, categories=[0, 1]).rename_categories(str)
    sexes = pd.Categorical(np.where(adata.obs["donor"] == "donor 0", "f", "m"))
    adata.obs.insert(0, "donor_sex", sexes)
    info = open_cells(adata, workspace, tmp_path)
    found = begin_with(info)
    assert (found.type_key, found.donor_key, found.condition_key) == ("cell_type", "donor", "condition")
    assert conditions_of(info, "condition") == ("stim", "ctrl")


def test_command_asks_as_the_page_does_and_writes_types(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = open_cells(adata_of(crossed(4, doubled)), workspace, tmp_path)
    monkeypatch.setenv("SCVIZ_HOME", str(workspace.home))
    monkeypatch.setattr("scviz.cli.running.RunQueue", InlineQueue)
    options = parser().parse_args(["conditions", info.id, "--csv", str(tmp_path / "types.csv")])
    request = command.request_of(options, info)
    assert (request.first, request.second, request.donor_key) == ("stim", "ctrl", "donor")
    assert from_json(Request, to_json(request)) == request
    options.command(options, Settings.from_env())
    said = json.loads(capsys.readouterr().out)
    assert said["types"]["B"]["answers"] == "higher"
    assert said["donors"] == {"stim": 4, "ctrl": 4}
    with (tmp_path / "types.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["type"]: row["answers"] for row in rows} == {
        name: one["answers"] for name, one in said["types"].items()
    }


def test_interferon_genes_of_monocytes_come_first(shared: Path, workspace: Workspace) -> None:
    path = shared / "data" / "kang_ifnb_2000" / "kang_ifnb_2000.h5ad"
    if not path.exists():
        pytest.skip("kang_ifnb_2000 is not among the shared data")
    info = open_file(path, workspace, name="kang")
    result = run(Request(dataset=info.id, **CHOSEN, **SIDES), Opened(workspace, info.id, "").context())
    assert (result.paired, result.n_donors) == (True, (8, 8))
    monocytes = next(one for one in result.genes if one.type == "CD14+ Monocytes")
    first = {gene.gene for gene in monocytes.first[:30] if gene.change > 2}
    assert {"ISG15", "ISG20", "IFIT1", "IFIT3", "CXCL10"} <= first
    assert monocytes.n_changed > 200
    assert monocytes.n_swapped <= 5
    assert result.outcome == "unknown"


def test_more_cells_in_one_condition_change_no_gene_and_are_told(ask: object) -> None:
    def uneven(donor: int, condition: str) -> dict[str, int]:
        return {"A": 400, "B": 300} if condition == "stim" else {"A": 20, "B": 20}

    result = ask(nested(5, uneven), changed=False)  # type: ignore[operator]
    assert all(one.more_counts > 10 for one in result.genes)
    assert all(one.n_changed == 0 for one in result.genes)
    (said,) = [note for note in result.notes if "Counts were dropped" in note]
    assert said.startswith("In 2 types the samples of one condition hold more counts")
    assert "times as many in stim" in said
