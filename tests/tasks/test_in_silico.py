"""Edits of genes, beside random genes that are expressed alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from scviz.errors import GeneMatchError, JobCancelledError, RequestError
from scviz.foundation.batching import encode
from scviz.foundation.edits import Edit, gene_columns, highest_levels
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.models import MODELS, model_class
from scviz.progress import Progress
from scviz.tasks import embedding, exporting
from scviz.tasks.chosen_cells import chosen_rows, sample
from scviz.tasks.embedding.run import run as embed
from scviz.tasks.exporting.run import run as export
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import RANKING, Request, Result
from scviz.tasks.in_silico.effects import cosine
from scviz.tasks.in_silico.genes import by_name
from scviz.tasks.in_silico.run import price, run
from scviz.workspace.groups import group_version, name_group
from scviz.workspace.records import fingerprint, read_record, to_json, write_record
from scviz.workspace.store import write_checkpoint_info
from tests.conftest import Opened, keep_model

T_CELLS = (Filter(column="cell_type", values=("T cell",)),)
GOAL = Filter(column="cell_type", values=("B cell",))


def anndata_counts(opened: Opened) -> np.ndarray:
    counts: np.ndarray = opened.context().counts(opened.dataset).X.toarray()
    return counts


def request(opened: Opened, **more: object) -> Request:
    asked: dict[str, object] = {
        "genes": ("GENE45",),
        "cells": T_CELLS,
        "n_random": 5,
        "label_key": "cell_type",
    }
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, **(asked | more))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["delete", "knockdown", "overexpress", "inhibit", "activate"])
def test_an_edit_has_shift_null_types_and_arrows(opened: Opened, kind: str, tmp_path: Path) -> None:
    result = run(request(opened, kind=kind, goal=GOAL), opened.context())
    assert result.rows.tolist() == list(range(2, 60, 3))
    (effect,) = result.effects
    moved = result.moved[0]
    assert effect.n_cells == np.isfinite(moved).sum() > 10
    assert effect.moved.mean == pytest.approx(np.nanmean(moved), rel=1e-4)
    assert effect.moved.low < effect.moved.mean < effect.moved.high
    assert effect.to_goal is not None
    assert effect.moved.n_random == len(result.random_genes) == len(result.random_moved) == 5
    assert 1 / 6 <= effect.moved.p <= 1
    assert effect.moved.fdr == effect.moved.p
    (one,) = result.types
    assert (one.name, one.n_cells) == ("T cell", effect.n_cells)
    assert one.moved.mean == pytest.approx(effect.moved.mean)
    assert result.map_places is not None
    assert len(result.map_places) == 60
    assert np.array_equal(np.isfinite(result.after).all(axis=1), np.isfinite(moved))
    assert not result.clear[~np.isfinite(moved)].any()
    assert result.observed is not None
    assert (result.observed.n_control, result.observed.n_perturbed, result.n_goal) == (20, 20, 20)
    assert len(result.observed.random) == 5
    write_record(result, tmp_path / "kept")
    kept = read_record(Result, tmp_path / "kept")
    assert str(kept.effects) == str(result.effects)  # NaN where five random genes cannot tell
    assert str(kept.affected) == str(result.affected)
    assert kept.ruler == result.ruler
    assert np.array_equal(kept.clear, result.clear)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_model_answers(opened: Opened, adata: anndata.AnnData, name: str) -> None:
    import torch

    torch.manual_seed(0)
    model = model_class(name).untrained(adata, "tiny")
    folder = opened.workspace.home / "checkpoints" / name / "mine"
    model.save(folder)
    info = opened.workspace.checkpoint(opened.checkpoint)
    write_checkpoint_info(replace(info, id=f"{name}/mine", model=name), folder)
    asked = replace(request(opened, genes=("GENE41", "GENE45"), together=False), checkpoint=f"{name}/mine")
    result = run(asked, opened.context())
    assert {effect.genes for effect in result.effects} == {("GENE41",), ("GENE45",)}
    assert all(effect.n_cells > 5 and effect.moved.mean > 0 for effect in result.effects)


@pytest.mark.slow
def test_a_sweep_ranks_genes_and_keeps_the_ranking_while_it_runs(opened: Opened) -> None:
    genes = ("GENE41", "GENE44", "GENE45", "GENE50")
    result = run(request(opened, genes=genes, together=False, goal=GOAL), opened.context())
    means = [effect.to_goal.mean for effect in result.effects]
    assert means == sorted(means, reverse=True)
    np.testing.assert_allclose(np.nanmean(result.to_goal, axis=1), means, rtol=1e-3, atol=1e-7)
    assert all(effect.to_goal.fdr >= effect.to_goal.p for effect in result.effects)
    assert not {gene for (gene,) in result.random_genes} & set(genes)
    assert result.map_places is None
    shown = json.loads((opened.context().state / RANKING).read_text())
    assert [row["gene"] for row in shown] == [effect.genes[0] for effect in result.effects]
    assert "1 by itself" not in result.verdict
    assert "4 genes were edited" in result.verdict


@pytest.mark.slow
def test_all_genes_are_compared_with_the_others_that_are_expressed_alike(opened: Opened) -> None:
    asked = request(opened, genes=(), all_genes=True, most_cells=5, n_exact=200)
    result = run(asked, opened.context())
    assert len(result.effects) > 40
    assert result.n_tests == len(result.effects) == len(result.random_genes)
    finite = [effect.moved.mean for effect in result.effects if effect.n_cells >= 5]
    assert finite == sorted(finite, reverse=True)
    assert all(effect.n_cells < 5 for effect in result.effects[len(finite) :])


@pytest.mark.slow
def test_of_all_genes_those_that_a_screen_chose_are_edited_and_its_recall_is_told(opened: Opened) -> None:
    asked = request(opened, genes=(), all_genes=True, most_cells=8, n_exact=10, n_random=40)
    result = run(asked, opened.context())
    scores = np.load(opened.context().state / "screen.npy")
    names = np.array([f"GENE{i}" for i in range(1, 201)])
    edited = np.isin(names, [effect.genes[0] for effect in result.effects])
    assert edited.sum() == 10
    seen_enough = (anndata_counts(opened)[result.rows] > 0).sum(axis=0) >= 5
    assert scores[edited].min() >= scores[~edited & seen_enough].max()
    assert "the screen had chosen" in result.notes[0]
    assert run(asked, opened.context()).effects == result.effects


@pytest.mark.slow
def test_a_run_that_was_stopped_half_way_gives_the_same_table(opened: Opened) -> None:
    asked = request(opened, genes=("GENE41", "GENE44", "GENE45", "GENE50"), together=False, n_random=60)
    whole = run(asked, opened.context("whole"))

    def stop(progress: Progress) -> None:
        if progress.stage == "Editing genes" and 2 * progress.done >= progress.total:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(asked, opened.context("halved", report=stop))
    kept = sorted((opened.context("halved").state / "moves").glob("*.npy"))
    assert 0 < len(kept) < len(whole.effects) + len(whole.random_genes)
    written = [path.stat().st_mtime_ns for path in kept]
    again = run(asked, opened.context("halved"))
    assert [path.stat().st_mtime_ns for path in kept] == written
    assert again.effects == whole.effects
    assert np.array_equal(again.moved, whole.moved, equal_nan=True)


def finish_map(opened: Opened, *, noise: float = 0.0) -> embedding.Result:
    """Draw a map as the run "mapped", with vectors that are off by about this share of their length."""
    asked = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, n_neighbors=8)
    context = opened.context("mapped")
    finished = embed(asked, context)
    off = 1 + noise * np.random.default_rng(0).normal(size=finished.embedding.shape)
    finished = replace(finished, embedding=(finished.embedding * off).astype(np.float32))
    write_record(finished, context.result)
    kept = {"task": "embedding", "request": to_json(asked), "fingerprint": fingerprint("embedding")}
    (context.folder / "request.json").write_text(json.dumps(kept))
    return finished


@pytest.mark.slow
def test_arrows_are_drawn_on_a_finished_map(opened: Opened) -> None:
    finished = finish_map(opened)
    result = run(request(opened, map_run="mapped"), opened.context())
    assert np.array_equal(result.map_places, finished.umap)
    assert np.array_equal(result.before, finished.umap[result.rows])
    other = replace(request(opened, map_run="mapped"), checkpoint="geneformer/geneformer-blood")
    with pytest.raises((RequestError, GeneMatchError)):
        run(other, opened.context("other"))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 1e-7, 1e-2])
def test_cells_are_read_again_where_the_vectors_of_a_map_are_not_exact(
    opened: Opened, noise: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = run(request(opened), opened.context())
    finish_map(opened, noise=noise)
    read: list[int] = []

    def counted(model: FoundationModel, tokens: Tokens, **more: Callable[[str], None]) -> np.ndarray:
        read.append(len(tokens))
        return encode(model, tokens, **more)

    monkeypatch.setattr("scviz.tasks.in_silico.reading.encode", counted)
    result = run(request(opened, map_run="mapped"), opened.context("beside"))
    assert read == ([8] if noise < 1e-5 else [8, 20])
    np.testing.assert_allclose(result.moved, alone.moved, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(result.random_moved, alone.random_moved, rtol=1e-3, atol=1e-7)


@pytest.mark.slow
def test_the_real_perturbation_stands_beside_the_simulated_one(
    opened: Opened, adata: anndata.AnnData, tmp_path: Path
) -> None:
    from scviz.datasets.readers import open_file

    cells = adata.copy()
    cells.obs["perturbation"] = ["control", "GENE45", "other"] * 20
    counts = cells.X.toarray()
    counts[cells.obs["perturbation"] == "GENE45", 44] = 0
    cells.X = csr_matrix(counts)
    cells.write_h5ad(tmp_path / "screen.h5ad")
    info = open_file(tmp_path / "screen.h5ad", opened.workspace, name="screen")
    asked = replace(
        request(opened, cells=(Filter(column="perturbation", values=("control",)),)), dataset=info.id
    )
    result = run(replace(asked, kind="overexpress"), opened.context())
    assert result.observed is not None
    assert (result.observed.column, result.observed.control) == ("perturbation", "control")
    assert (result.observed.n_control, result.observed.n_perturbed) == (20, 20)
    assert run(replace(asked, genes=("GENE3",), kind="overexpress"), opened.context("no")).observed is None


@pytest.mark.slow
def test_a_price_counts_edits_and_random_genes(opened: Opened) -> None:
    cost = price(request(opened), opened.context())
    assert cost.seconds > 0
    assert "1 edits in up to 20 cells and 5 of random genes in up to 3" in cost.how


@pytest.mark.slow
def test_how_far_cells_moved_goes_into_a_copy_of_the_file(opened: Opened) -> None:
    context = opened.context("edited")
    asked = request(opened)
    result = run(asked, context)
    write_record(result, context.result)
    (context.folder / "request.json").write_text(json.dumps({"task": "in_silico", "request": to_json(asked)}))
    written = export(exporting.Request(run="edited"), opened.context("export"))
    column = "scviz_geneformer_delete_GENE45_moved"
    assert column in written.added
    copy = anndata.read_h5ad(opened.context("export").result / written.file_name)
    assert copy.obs[column].notna().sum() == result.effects[0].n_cells


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"genes": ("TP53",)}, "no gene TP53"),
        ({"cells": (Filter(column="cell_type", values=("Neuron",)),)}, "has no 'Neuron'"),
        ({"cells": (Filter(column="percent_mt", values=("1",)),)}, "does not name groups"),
        ({"goal": T_CELLS[0]}, "goal T cell are among those chosen to be edited"),
        ({"cells": (), "goal": GOAL, "most_cells": 5}, "goal B cell are among the 60 chosen to be edited"),
        ({"cells": (), "group": "mine"}, "no group 'mine'"),
    ],
)
def test_what_cannot_be_edited_is_refused_in_words(
    opened: Opened, more: dict[str, object], words: str
) -> None:
    with pytest.raises((GeneMatchError, RequestError), match=words) as refusal:
        run(request(opened, **more), opened.context())
    assert refusal.value.hint


def test_an_order_of_genes_is_edited_only_where_a_model_reads_one(opened: Opened) -> None:
    model = model_class("scbert").untrained(opened.context().counts(opened.dataset), "tiny")
    asked = request(keep_model(opened, model), kind="inhibit")
    for answer in (run, price):
        with pytest.raises(RequestError, match="scBERT does not read an order of genes"):
            answer(asked, opened.context())


def test_a_gene_that_the_model_does_not_know_or_the_cells_lack_is_refused(
    opened: Opened, adata: anndata.AnnData, tmp_path: Path
) -> None:
    from scviz.datasets.readers import open_file

    cells = adata.copy()
    counts = cells.X.toarray()
    counts[:, 9] = 0
    counts[0, 9] = 1  # a B cell
    cells.X = csr_matrix(counts)
    names = cells.var_names.to_list()
    names[10], cells.var["ensembl_id"] = (
        "NEW",
        [*cells.var["ensembl_id"][:10], "", *cells.var["ensembl_id"][11:]],
    )
    cells.var_names = names
    cells.write_h5ad(tmp_path / "silent.h5ad")
    info = open_file(tmp_path / "silent.h5ad", opened.workspace, name="silent")
    asked = replace(request(opened), dataset=info.id)
    with pytest.raises(GeneMatchError, match="None of these 20 cells expresses GENE10"):
        run(replace(asked, genes=("GENE10",)), opened.context())
    with pytest.raises(GeneMatchError, match="does not know NEW"):
        run(replace(asked, genes=("NEW",)), opened.context())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"genes": ()}, "No gene was selected"),
        ({"all_genes": True}, "No gene was selected"),
        ({"genes": ("A", "A")}, "named twice"),
        ({"kind": "paint"}, "Edit must be one of delete, .*got 'paint'"),
        ({"share": 1.0}, "must be 5 % to 95 % .got 100 %"),
        ({"group": "mine"}, "not from both"),
        ({"most_cells": 2}, "Maximum cells must be 5 to 5,000 cells .got 2"),
        ({"n_random": 1}, "Random genes must be 5 to 5,000, or 0 .*got 1"),
    ],
)
def test_a_request_checks_itself(more: dict[str, object], words: str) -> None:
    asked: dict[str, object] = {"dataset": "d", "checkpoint": "c", "genes": ("A",), "cells": T_CELLS}
    with pytest.raises(RequestError, match=words) as refusal:
        Request(**(asked | more))  # type: ignore[arg-type]
    assert refusal.value.hint


def test_a_group_that_was_drawn_anew_is_noticed(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    name_group(folder, "mine", np.array([9, 3, 5]))
    asked = request(opened, cells=(), group="mine", group_version=group_version(np.array([3, 5, 9])))
    assert chosen_rows(folder, asked, 60).tolist() == [3, 5, 9]
    name_group(folder, "mine", np.array([1, 2]))
    with pytest.raises(RequestError, match="other cells by now"):
        chosen_rows(folder, asked, 60)


def test_a_sample_depends_on_its_seed_alone() -> None:
    rows = np.arange(100)
    assert sample(rows, 7, 1).tolist() == sample(rows, 7, 1).tolist() != sample(rows, 7, 2).tolist()
    assert len(set(sample(rows, 7, 1))) == 7


def test_genes_are_found_by_symbol_and_ensembl_id(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    assert by_name(folder, "gene45") == by_name(folder, "ENSG90000000045") == "GENE45"
    assert by_name(folder, "gene") == "gene"


def test_a_gene_is_turned_up_to_what_it_reaches_in_any_cell_of_the_dataset(opened: Opened) -> None:
    whole = opened.context().counts(opened.dataset)
    model = model_class("scfoundation").untrained(whole, "tiny").eval()
    opened = keep_model(opened, model)
    levels = np.array([highest_levels(cells.X, np.arange(60)) for cells in (whole, whole[2::3])])
    gene = str(whole.var_names[np.argmax(levels[0] / levels[1].clip(min=1))])
    result = run(request(opened, genes=(gene,), kind="overexpress"), opened.context())
    used, edit = whole[result.rows].copy(), Edit(kind="overexpress", genes=(gene,))
    tokens = model.tokenize(used)

    def moved(level: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            pair = [
                model.encode_cells(one).numpy()
                for one in (tokens, model.edited(used, edit, tokens=tokens, levels=level))
            ]
        return 1 - cosine(*pair)

    column = gene_columns(whole.var, (gene,))
    here = np.isfinite(result.moved[0])
    assert here.any()
    np.testing.assert_allclose(result.moved[0][here], moved(levels[0][column])[here], rtol=0.02, atol=1e-6)
    assert np.abs(moved(levels[1][column])[here] - result.moved[0][here]).max() > 1e-5


def test_random_genes_may_be_edited_in_some_of_the_cells(opened: Opened) -> None:
    asked = request(opened, n_random=8)
    whole = run(replace(asked, random_cells=20), opened.context())
    part = run(replace(asked, random_cells=6), opened.context("part"))
    np.testing.assert_array_equal(part.moved, whole.moved)
    assert part.random_genes == whole.random_genes
    known = np.isfinite(part.random_moved)
    assert known.sum(axis=1).max() == 6
    assert len({tuple(row) for row in known}) > 1
    np.testing.assert_allclose(part.random_moved[known], whole.random_moved[known], atol=1e-6)
    assert any("at most 6 of the cells" in note for note in part.notes)
    assert not any("at most" in note for note in whole.notes)
