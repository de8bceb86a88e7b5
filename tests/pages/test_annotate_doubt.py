"""Confidence, new types and what is behind a square of the confusion matrix, as the Annotate page shows them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.views.annotate.door import NAMED, TRUE
from scviz.datasets.readers import open_file
from scviz.models.geneformer.model import Geneformer
from scviz.tasks import annotation
from scviz.tasks.annotation import MODEL, Result
from scviz.tasks.annotation.squares import genes_of_square, square_of
from scviz.tasks.annotation.tables import probabilities_csv
from scviz.workspace import Workspace
from scviz.workspace.groups import read_groups
from scviz.workspace.records import read_record
from tests.conftest import Opened, keep_model
from tests.pages.test_annotate import table_with, words
from tests.pages.test_pages import Open, carry_out, visit  # noqa: F401 - visit is a fixture
from tests.tasks.test_annotation_doubt import NAMES, cells

pytestmark = pytest.mark.slow


@pytest.fixture
def many(workspace: Workspace, tmp_path: Path) -> Opened:
    adata = cells()
    adata.write_h5ad(tmp_path / "many.h5ad")
    info = open_file(tmp_path / "many.h5ad", workspace, name="many")
    torch.manual_seed(0)
    return keep_model(Opened(workspace, info.id, ""), Geneformer.untrained(adata, "tiny"))


def test_confidence_sets_new_types_and_squares_are_shown_and_follow_from_the_tables(
    visit: Open,  # noqa: F811
    many: Opened,
) -> None:
    asked = {"dataset": many.dataset, "checkpoint": many.checkpoint, "label_key": "cell_type"}
    request = annotation.Request(**asked, epochs=8, seeds=2, test_fraction=0.3, novelty=True)
    run = carry_out(many, "annotation", request)
    result = read_record(Result, many.context(run).result)
    query = {"dataset": many.dataset, "checkpoint": many.checkpoint}
    page = visit("pages/annotate.py", **query, run=run)
    assert not page.exception
    assert_numbers_follow(page, result)
    assert "Over 2 seeds, each with other cells held out" in words(page)
    assert "Left out in turn" in words(page)
    novelty = table_with(page, "Type left out")
    assert set(novelty["Type left out"]) == set(NAMES)
    page.selectbox(key="novelty_score").set_value("mahalanobis").run()
    assert not page.exception

    square = square_of(result, NAMES[1], NAMES[2])
    assert len(square.rows) >= 10
    page.selectbox(key=TRUE).set_value(NAMES[1])
    page.selectbox(key=NAMED).set_value(NAMES[2]).run()
    assert not page.exception
    of_type = result.truth == 1
    n = int((of_type & (result.predicted[MODEL] == 2)).sum())
    assert f"{n} of {of_type.sum()} cells of {NAMES[1]} are named {NAMES[2]}" in words(page)
    page.button(key="door_genes").click().run()
    genes = table_with(page, "% of these")
    folder = many.workspace.dataset_folder(many.dataset)
    found = genes_of_square(folder, square, 720)
    assert found is not None
    np.testing.assert_allclose(genes["z"], found.score[found.order[:50]])
    page.button(key="door_group").click().run()
    assert not page.exception
    (group,) = read_groups(folder).values()
    assert group.tolist() == np.sort(square.rows).tolist()

    page.selectbox(key=TRUE).set_value(NAMES[0])
    page.selectbox(key=NAMED).set_value(NAMES[3]).run()
    few = square_of(result, NAMES[0], NAMES[3])
    if 0 < len(few.rows) < 10:
        page.button(key="door_genes").click().run()
        assert "Cannot tell which genes differ" in words(page)


def assert_numbers_follow(page: AppTest, result: Result) -> None:
    """Compute the tables of confidence and sets again from what is exported."""
    barcodes = [f"AAAC-{i}" for i in range(len(result.all_predicted))]
    p = pd.read_csv(StringIO(probabilities_csv(result, barcodes)))
    assert p.columns[0] == "cell"
    assert p["cell"].tolist() == [barcodes[row] for row in result.test_rows]
    shares = p[[f"p {name}" for name in NAMES]].to_numpy()
    truth = p["known"].to_numpy()
    calibration = table_with(page, "Brier").set_index("Confidence")
    brier = ((shares - (truth[:, None] == np.array(NAMES))) ** 2).sum(1).mean()
    assert calibration.loc["calibrated", "Brier"] == pytest.approx(brier, abs=1e-5)
    right = np.array(NAMES)[shares.argmax(1)] == truth
    assert calibration.loc["calibrated", "Right"] == pytest.approx(right.mean())
    sets = table_with(page, "Promised").set_index("Sets")
    for way, name in annotation.SET_WAYS.items():
        inside = p[[f"set {way} {one}" for one in NAMES]].to_numpy()
        held = inside[np.arange(len(p)), [NAMES.index(one) for one in truth]]
        assert sets.loc[name, "Observed"] == pytest.approx(100 * held.mean())
        assert sets.loc[name, "Types in a set"] == pytest.approx(inside.sum(1).mean())
        assert sets.loc[name, "None"] == pytest.approx(100 * (inside.sum(1) == 0).mean())


def test_cells_are_colored_by_their_names_on_explore(
    visit: Open,  # noqa: F811
    many: Opened,
) -> None:
    from scviz.tasks import overview

    asked = {"dataset": many.dataset, "checkpoint": many.checkpoint, "label_key": "cell_type"}
    carry_out(many, "annotation", annotation.Request(**asked, epochs=1, seeds=1))
    carry_out(many, "overview", overview.Request(dataset=many.dataset))
    page = visit("pages/explore.py", dataset=many.dataset)
    offered = page.selectbox(key="color_by").options
    for kind in ("Named by", "Confidence of", "Right or wrong:"):
        (choice,) = [one for one in offered if one.startswith(kind)]
        page.selectbox(key="color_by").set_value(choice).run()
        assert not page.exception
    again = visit("pages/explore.py", dataset=many.dataset, color=choice)
    assert again.selectbox(key="color_by").value == choice
