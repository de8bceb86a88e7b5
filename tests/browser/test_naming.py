"""From unlabeled blood cells to named ones in a real browser: two clicks beyond opening, no model, no label."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from scviz.datasets.cell_ontology import coarse
from scviz.datasets.cell_type_terms import terms_for
from scviz.tasks.transfer import Result
from scviz.workspace import Workspace
from scviz.workspace.database import Database, sqlite_url
from scviz.workspace.records import read_record
from tests.browser.steps import SLOW, keyed, picture, press, settled, upload, visit

pytestmark = pytest.mark.slow

MOST_CLICKS = 4
RIGHT = 0.90
"""Share of the cells whose coarse type must be that of the labels held back."""


class Clicks:
    """Counts what somebody clicks on the way."""

    def __init__(self, page: Page) -> None:
        self.page, self.number = page, 0

    def visit(self, name: str) -> None:
        self.number += 1
        visit(self.page, name)

    def press(self, key: str) -> None:
        self.number += 1
        press(self.page, key)


@pytest.fixture
def blood(shared: Path, tmp_path: Path) -> tuple[Path, np.ndarray]:
    """The cells of pbmc3k without anything that tells their types, and their labels."""
    whole = anndata.read_h5ad(shared / "data" / "pbmc3k_labelled" / "pbmc3k_labelled.h5ad")
    labels = whole.obs["cell_type"].astype(str).to_numpy()
    bare = anndata.AnnData(X=whole.X, obs=whole.obs[[]].copy(), var=whole.var[[]].copy())
    bare.write_h5ad(tmp_path / "blood.h5ad")
    return tmp_path / "blood.h5ad", labels


def coarse_types(names: np.ndarray) -> np.ndarray:
    """The coarse type of each name, whatever the two studies call it."""
    own = {}
    for name in set(names.tolist()):
        (own[name],) = {coarse(one.id) for one in terms_for(name).candidates}
    return np.array([own[one] for one in names])


def named(home: Path) -> Result:
    """What the run found that the page handed in."""
    (run,) = [one for one in Database(sqlite_url(home / "scviz.db")).runs() if one.task == "transfer"]
    return read_record(Result, Workspace(home).run_folder(run.id) / "result")


def test_unlabeled_cells_are_named_within_four_clicks(
    page: Page, url: str, home: Path, blood: tuple[Path, np.ndarray]
) -> None:
    path, labels = blood
    page.goto(f"{url}/data")
    upload(page, path)
    keyed(page, "open_file", "button").wait_for(timeout=SLOW)
    press(page, "open_file")
    chosen = keyed(page, "pick_dataset", "input")
    expect(chosen).to_have_value(f"blood · {len(labels):,} cells", timeout=SLOW)
    clicks = Clicks(page)  # the file is open
    clicks.visit("Annotate")
    clicks.press("run")
    verdict = page.get_by_text(f"{len(labels):,} of {len(labels):,} cells named", exact=False)
    expect(verdict.first).to_be_visible(timeout=SLOW)
    settled(page)
    picture(page, "annotate-reference")
    assert clicks.number <= MOST_CLICKS
    result = named(home)
    assert np.mean(coarse_types(result.names()) == coarse_types(labels)) >= RIGHT
    assert np.isfinite(result.confidence()).all()
    assert set(result.ids().tolist()) <= {one for one in result.ontology_ids if one.startswith("CL:")}
