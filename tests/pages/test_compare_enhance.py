"""The pages that compare models and denoise cells, asked and answered."""
# ruff: noqa: F811 - a fixture has the name of an argument

from __future__ import annotations

import pytest
from anndata import AnnData

from scviz.jobs.queue import RunQueue
from scviz.models import model_class
from scviz.settings import Settings
from scviz.tasks import compare, enhancement
from tests.conftest import Opened, keep_model
from tests.pages.test_pages import Open, carry_out, visit, words  # noqa: F401 - a fixture


def test_weights_that_cannot_restore_expression_are_told_apart(visit: Open, opened: Opened) -> None:
    page = visit("pages/enhance.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert "Geneformer cannot denoise expression; scFoundation can." in words(page)
    assert page.button(key="run").disabled
    page.button(key="use_scfoundation/scfoundation-blood").click().run()
    assert "cannot denoise" not in words(page)


@pytest.mark.slow
def test_restored_cells_are_shown_beside_both_baselines(visit: Open, opened: Opened, adata: AnnData) -> None:
    deep = keep_model(opened, model_class("scfoundation").untrained(adata, "tiny"), "Deep")
    where = {"dataset": deep.dataset, "checkpoint": deep.checkpoint}
    page = visit("pages/enhance.py", **where)
    page.button(key="run").click().run()
    (handed_in,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "enhancement"]
    assert (handed_in.request["read_depth"], handed_in.request["label_key"]) == ("f5", "cell_type")
    request = enhancement.Request(**where, label_key="cell_type", check_cells=20)
    run = carry_out(deep, "enhancement", request)
    page = visit("pages/enhance.py", **where, run=run)
    assert not page.exception
    assert not page.error
    assert "correlation with the original cells" in words(page)
    (methods,) = [table.value for table in page.dataframe if "Correlation" in table.value]
    assert list(methods["Method"]) == [
        "the model",
        "the down-sampled cells as they are",
        "mean with 15 neighbors",
        "the original cells",
    ]
    assert methods["Silhouette of types"].notna().all()
    assert len(page.get("plotly_chart")) == 1
    assert page.button(key="export")


def test_a_comparison_is_handed_in_with_the_weights_that_know_the_genes(visit: Open, opened: Opened) -> None:
    page = visit("pages/compare.py", dataset=opened.dataset)
    assert page.multiselect(key="compare_checkpoints").value == [opened.checkpoint]
    # the small blood models know one or two of these genes, by an old name
    assert (page.selectbox(key="compare_label_key").value, page.selectbox(key="compare_batch_key").value) == (
        "cell_type",
        "donor",
    )
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "compare"]
    assert run.request["checkpoints"] == [opened.checkpoint]
    assert page.query_params["run"] == run.id


@pytest.mark.slow
def test_a_finished_comparison_shows_the_baseline_among_scores_maps_and_disagreement(
    visit: Open, opened: Opened
) -> None:
    request = compare.Request(
        dataset=opened.dataset, checkpoints=(opened.checkpoint,), label_key="cell_type", n_neighbors=8
    )
    run = carry_out(opened, "compare", request)
    page = visit("pages/compare.py", dataset=opened.dataset, run=run)
    assert not page.exception
    assert not page.error
    scores = next(table.value for table in page.dataframe if "NMI" in table.value)
    assert list(scores["Method"]) == [
        "Tiny",
        "Tiny, same network, random weights",
        "Principal components (baseline)",
    ]
    assert scores["ARI"].notna().all()
    assert "Batch mixing" not in scores  # no column of batches was named
    gains = next(table.value for table in page.dataframe if "Told" in table.value)
    assert list(gains["Compared with"]) == ["principal components"] * 4 + [
        "the same network with random weights"
    ]
    over_components = gains[gains["Compared with"] == "principal components"]
    assert (over_components["from"] < over_components["Difference"]).all()
    assert "95 % interval of 4 comparisons together" in words(page)
    assert "of 1 model with principal components" in words(page)
    assert "small blood model" not in words(page)
    assert "random neighbors would disagree" in words(page)
    assert len(page.get("plotly_chart")) == 1
    page.selectbox(key="color_by").set_value("Where methods disagree").run()
    assert not page.exception
    (cells,) = [table.value for table in page.dataframe if "disagreement" in table.value]
    assert len(cells) == 60
    assert "Comparison · cells · Tiny" in words(visit("pages/runs.py", run=run))
