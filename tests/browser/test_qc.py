"""Quality control in a real browser: measured, thresholds moved, applied, and undone."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from scviz.datasets.columns import COUNTS
from scviz.datasets.labels import cell_labels
from scviz.metrics.thresholds import Bounds, losses
from scviz.settings import ROOT
from scviz.tasks.qc import Result
from scviz.tasks.qc.suggesting import at_first, kept_cells, suggested
from scviz.tasks.qc.telling import kept_sentence
from scviz.workspace import Workspace
from scviz.workspace.records import read_record
from tests.browser.conftest import Serve, end_engine
from tests.browser.steps import SLOW, choose, keyed, picture, press, settled

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty workspace; the engine that a run starts there ends with the test."""
    home = tmp_path / "home"
    yield home
    end_engine(home)


def lost_cells(page: Page) -> dict[str, tuple[int, int]]:
    """What the table of the page says that each type has and loses."""
    settled(page)
    with page.expect_download() as download:
        press(page, "type_lost_csv")
    rows = csv.reader(StringIO(Path(download.value.path()).read_text("utf-8")))
    next(rows)
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def applied_and_undone(page: Page, home: Path, label: str) -> None:
    """Measure the open dataset, let more mitochondrial cells pass, apply, and take it back."""
    page.get_by_role("link", name="QC", exact=True).click()
    choose(page, "qc_label_key", label)
    press(page, "run")
    keyed(page, "violin_counts").wait_for(timeout=SLOW)
    settled(page)
    (run,) = parse_qs(urlparse(page.url).query)["run"]
    result = read_record(Result, home / "runs" / run / "result")
    workspace = Workspace(home)
    (before,) = workspace.datasets()
    counts = workspace.dataset_folder(before.id) / COUNTS
    content = hashlib.sha256(counts.read_bytes()).hexdigest()
    labels = cell_labels(workspace.dataset_folder(before.id), label)

    bounds = at_first(suggested(result, 3.0))
    kept = kept_cells(result.measures, bounds)
    found = losses(kept, labels.codes, labels.names)
    expect(page.get_by_text(kept_sentence(kept, found), exact=False)).to_be_visible(timeout=SLOW)
    assert lost_cells(page) == {one.name: (one.n, one.lost) for one in found}
    picture(page, "qc")

    lowest = float(np.ceil(np.quantile(result.measures["counts"], 0.2)))
    box = keyed(page, f"low_counts_{run}_3", "input")
    box.fill(f"{lowest:.0f}")
    box.press("Enter")
    bounds["counts"] = Bounds(low=lowest, high=bounds["counts"].high)
    kept = kept_cells(result.measures, bounds)
    found = losses(kept, labels.codes, labels.names)
    expect(page.get_by_text(kept_sentence(kept, found), exact=False)).to_be_visible(timeout=SLOW)
    assert lost_cells(page) == {one.name: (one.n, one.lost) for one in found}

    press(page, "apply")
    chosen = keyed(page, "pick_dataset", "input")
    expect(chosen).to_have_value(f"{before.name} · {int(kept.sum()):,} cells", timeout=SLOW)
    made = next(one for one in workspace.datasets() if one.parent == before.id)
    assert made.n_cells == int(kept.sum())
    press(page, "undo")
    expect(chosen).to_have_value(f"{before.name} · {before.n_cells:,} cells", timeout=SLOW)
    expect(page.get_by_text(kept_sentence(kept, found), exact=False)).to_be_visible(timeout=SLOW)
    assert hashlib.sha256(counts.read_bytes()).hexdigest() == content
    assert workspace.dataset(before.id) == before


def test_qc_of_labeled_blood_is_applied_and_undone(
    page: Page, serve: Serve, home: Path, shared: Path
) -> None:
    blood = shared / "data" / "pbmc3k_labelled"
    url = serve(ROOT / "app.py", {"SCVIZ_HOME": str(home), "SCVIZ_DATA_ROOTS": str(blood)})
    page.goto(f"{url}/data")
    choose(page, "server_file", "pbmc3k_labelled.h5ad")
    press(page, "open_file")
    expect(keyed(page, "pick_dataset", "input")).to_have_value("pbmc3k_labelled · 2,638 cells", timeout=SLOW)
    applied_and_undone(page, home, "cell_type")


def test_qc_of_the_demo_is_applied_and_undone(page: Page, serve: Serve, home: Path) -> None:
    url = serve(ROOT / "app.py", {"SCVIZ_HOME": str(home)})
    page.goto(f"{url}/data")
    press(page, "open_demo")
    keyed(page, "pick_dataset", "input").wait_for(timeout=SLOW)
    settled(page)
    applied_and_undone(page, home, "bulk_labels")
