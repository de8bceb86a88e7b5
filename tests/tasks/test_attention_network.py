"""Networks of attention between two groups of cells, checked against known targets."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from scviz.errors import DataError, GeneMatchError, JobCancelledError, RequestError
from scviz.models import MODELS, model_class
from scviz.networks.attention import SETTINGS, influence, ranked_attention
from scviz.progress import Progress
from scviz.tasks import opening
from scviz.tasks.attention_network import ATTENTION, COEXPRESSION, RANDOM, Request, Result
from scviz.tasks.attention_network.judging import aurocs, by_chance, check
from scviz.tasks.attention_network.known_targets import known_targets
from scviz.tasks.attention_network.run import price, run
from scviz.tasks.opening.run import run as open_dataset
from scviz.workspace.records import RECORD, read_record, write_record
from tests.conftest import Opened, keep_model


@pytest.fixture
def scgpt(opened: Opened, adata: anndata.AnnData) -> Opened:
    torch.manual_seed(0)
    return keep_model(opened, model_class("scgpt").untrained(adata, "tiny"))


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Targets of GENE45: the markers of its own type."""
    lines = ["tf\ttarget", *(f"GENE45\tGENE{i}" for i in range(41, 61)), "OTHER\tGENE1"]
    path = tmp_path / "targets.tsv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return str(path)


def request(opened: Opened, **more: object) -> Request:
    asked: dict[str, object] = {
        "column": "cell_type",
        "control": "B cell",
        "perturbed": "T cell",
        "regulators": ("GENE45",),
        "most_genes": 80,
        "most_cells": 8,
        "n_null": 6,
    }
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, **(asked | more))  # type: ignore[arg-type]


def test_influence_is_the_mean_rank_of_attention_in_the_cells_of_each_group(scgpt: Opened) -> None:
    result = run(request(scgpt, most_cells=40), scgpt.context())
    adata, model = scgpt.context().counts(scgpt.dataset), scgpt.context().model(scgpt.checkpoint, "embedding")
    columns = np.array([adata.var_names.get_loc(gene) for gene in result.genes])
    means = []
    for cell_type in ("B cell", "T cell"):
        cells = adata[(adata.obs["cell_type"] == cell_type).to_numpy()]
        ranks = [ranked_attention(cell.scores) for cell in model.gene_attention(cells, columns)]
        means.append(np.mean(ranks, axis=0)[1:, 1:])  # without <cls>
    at = result.genes.index("GENE45")
    for setting in SETTINGS:
        wanted = influence(*means, at, setting=setting)
        wanted[at] = np.nan
        np.testing.assert_allclose(result.influence[setting][0], wanted, atol=1e-6)
    assert (len(result.genes), result.n_control, result.n_perturbed) == (80, 20, 20)
    assert "nobody can tell" in result.verdict
    assert result.checks == ()


def test_every_number_stands_beside_baselines(scgpt: Opened, table: str, tmp_path: Path) -> None:
    result = run(request(scgpt, prior=table), scgpt.context())
    assert [(one.setting, one.method) for one in result.checks] == [
        (setting, method) for setting in SETTINGS for method in (ATTENTION, COEXPRESSION, RANDOM)
    ]
    own, plain, chance = result.checks[:3]
    assert own.n_known == plain.n_known == chance.n_known > 5
    assert chance.auroc == 0.5
    assert chance.hits == pytest.approx(own.top * own.n_known / own.n_candidates)
    assert own.place is not None
    assert own.place.n == 59  # the correction over three settings needs as many
    assert result.control_auroc["difference"].shape == (1, 59)
    assert "GENE45" not in result.control_genes[0]
    assert result.gain is not None
    assert result.gain.sentence in result.verdict
    assert f"{own.place.words}" in result.verdict
    edges = result.edges("difference", 5)
    assert edges.sources == ("GENE45",) * 5
    assert (np.diff(edges.weights) <= 0).all()
    write_record(result, tmp_path / "kept")
    kept = read_record(Result, tmp_path / "kept")
    assert kept.checks[0] == result.checks[0]
    assert kept.gain == result.gain
    assert np.array_equal(kept.influence["control"], result.influence["control"], equal_nan=True)
    assert kept.drawings == result.drawings


def test_coexpression_finds_markers_that_go_together(scgpt: Opened, table: str) -> None:
    cells = scgpt.context().counts(scgpt.dataset)
    cells.obs["half"] = (["a"] * 30) + (["b"] * 30)
    path = scgpt.workspace.home.parent / "halves.h5ad"
    cells.write_h5ad(path)
    from scviz.datasets.readers import open_file

    dataset = open_file(path, scgpt.workspace, name="halves").id
    asked = request(scgpt, column="half", control="a", perturbed="b", prior=table, most_cells=30)
    result = run(replace(asked, dataset=dataset), scgpt.context())
    found = {(one.setting, one.method): one.auroc for one in result.checks}
    assert found["control", COEXPRESSION] > 0.9


@pytest.mark.parametrize("name", MODELS)
def test_every_model_answers(opened: Opened, adata: anndata.AnnData, table: str, name: str) -> None:
    torch.manual_seed(0)
    mine = keep_model(opened, model_class(name).untrained(adata, "tiny"))
    result = run(request(mine, prior=table), mine.context())
    assert np.isfinite(result.influence["perturbed"]).sum() > 20
    unread = not np.isfinite(result.influence["difference"]).any()
    assert any("The model reads GENE45 in no cell" in note for note in result.notes) == unread
    assert any("did not make networks in this way" in note for note in result.notes) == (name != "scgpt")
    assert price(request(mine), mine.context()).seconds > 0


def test_a_run_that_was_stopped_half_way_gives_the_same_numbers(scgpt: Opened) -> None:
    asked = request(scgpt, most_cells=20)

    def stop(progress: Progress) -> None:
        if progress.done == 30:
            raise JobCancelledError("Stopped.")

    with pytest.raises(JobCancelledError):
        run(asked, scgpt.context("stopped", stop))
    seen: list[Progress] = []
    again = run(asked, scgpt.context("stopped", seen.append))
    assert min(one.done for one in seen if one.stage == "Reading attention") == 20
    once = run(asked, scgpt.context("once"))
    np.testing.assert_array_equal(again.influence["difference"], once.influence["difference"])


def test_as_published_differs_and_says_so(scgpt: Opened) -> None:
    ours = run(request(scgpt), scgpt.context("ours"))
    theirs = run(request(scgpt, published=True), scgpt.context("theirs"))
    assert np.nanmean(theirs.influence["control"]) < np.nanmean(ours.influence["control"])
    assert any("As in the authors' code" in note for note in theirs.notes)


def test_the_truth_of_a_simulated_screen_is_known(workspace: object) -> None:
    nothing = Opened(workspace, "", "")  # type: ignore[arg-type]
    dataset = open_dataset(opening.Request(path="", name="", simulated="tiny"), nothing.context()).dataset
    known = known_targets("truth", nothing.workspace.dataset_folder(dataset))
    assert known.targets["P1R1"]
    assert "simulated" in known.name


def test_an_area_and_hits_are_those_of_others() -> None:
    rng = np.random.default_rng(0)
    values, known = rng.normal(size=60).round(1), rng.random(60) < 0.3
    assert aurocs(values[None], known)[0] == pytest.approx(roc_auc_score(known, values))
    one = check(values, known, regulator="A", setting="control", method=ATTENTION, top=15)
    assert one.hits == known[np.argsort(-values, kind="stable")[:15]].sum()
    assert np.isnan(by_chance(one).p)
    assert np.isnan(aurocs(values[None], np.zeros(60, dtype=bool))[0])


@pytest.mark.parametrize(
    ("more", "kind", "words"),
    [
        ({"regulators": ()}, RequestError, "No regulator"),
        ({"regulators": ("A", "A")}, RequestError, "named twice"),
        ({"perturbed": "B cell"}, RequestError, "same cells"),
        ({"top": 0}, RequestError, "Top targets must be 1 to 500"),
        ({"regulators": ("TP53",)}, GeneMatchError, "no gene TP53"),
        ({"perturbed": "monocyte"}, RequestError, "has no 'monocyte'"),
        ({"prior": "nowhere.tsv"}, DataError, "cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    scgpt: Opened, more: dict[str, object], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        run(request(scgpt, **more), scgpt.context())


def test_known_targets_come_from_tables_and_from_lists_of_chip_atlas(tmp_path: Path) -> None:
    table, targets = tmp_path / "table.csv", tmp_path / "A.10.tsv"
    table.write_text("source,target,weight\nA,B,1\nA,C,-1\n")
    targets.write_text("Target_genes\tA|Average\tSRX1|K-562\tSTRING\nB\t50\t50\t0\nC\t9\t9\t0\n")
    for path in (table, targets):
        assert known_targets(str(path), tmp_path).targets == {"A": frozenset({"B", "C"})}
    assert known_targets("", tmp_path).targets == {}


def test_the_top_targets_are_drawn_for_each_setting(scgpt: Opened) -> None:
    result = run(request(scgpt, regulators=("GENE45", "GENE46"), top=10), scgpt.context())
    assert set(result.drawings) == set(SETTINGS)
    for setting, drawing in result.drawings.items():
        edges = result.edges(setting, 10)  # type: ignore[arg-type]
        assert set(drawing.genes) == {*edges.sources, *edges.targets}
        assert len(drawing.weights) == len(edges.sources) <= 20
        assert min(drawing.weights) > 0
        assert set(drawing.groups) == {"GENE45", "GENE46"}
        assert "10 targets of highest influence" in drawing.rule


def test_a_record_without_drawings_can_still_be_read(scgpt: Opened, tmp_path: Path) -> None:
    write_record(run(request(scgpt), scgpt.context()), tmp_path)
    plain = json.loads((tmp_path / RECORD).read_text())
    del plain["drawings"]
    (tmp_path / RECORD).write_text(json.dumps(plain))
    assert read_record(Result, tmp_path).drawings == {}
