"""Files that people have, dropped on the page: looked into, opened, mended, undone, drawn as a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from playwright.sync_api import Page, expect

from scviz.datasets.demo import open_demo
from scviz.datasets.gene_table import FOLDER, lines
from scviz.datasets.readers import read_counts
from scviz.workspace import Workspace
from tests.browser.steps import SLOW, draw_model_map, keyed, map_drawn, picture, press, upload, visit
from tests.datasets.market_files import write_lines, write_mtx
from tests.datasets.test_packed import files_of, zipped

pytestmark = pytest.mark.slow
N_CELLS = 300


@pytest.fixture(scope="module")
def blood(tmp_path_factory: pytest.TempPathFactory) -> AnnData:
    """Counts of cells whose genes the small blood models know."""
    workspace = Workspace(tmp_path_factory.mktemp("blood"))
    demo = read_counts(workspace.dataset_folder(open_demo(workspace).id))[:N_CELLS]
    return AnnData(demo.X.toarray(), var=pd.DataFrame(index=demo.var_names))


def folder_of_10x(folder: Path, cells: AnnData) -> Path:
    """What Cell Ranger writes for these cells."""
    letters = np.array(list("ACGT"))
    barcodes = ["".join(letters[(i >> 2 * np.arange(16)) & 3]) + "-1" for i in range(cells.n_obs)]
    write_mtx(folder / "matrix.mtx.gz", cells.X.T.astype(int))
    write_lines(folder / "barcodes.tsv.gz", barcodes)
    names = [f"{name}\t{name}\tGene Expression" for name in cells.var_names]
    write_lines(folder / "features.tsv.gz", names)
    return folder


def drawn(page: Page) -> None:
    """See the first map of the dataset that is open, and draw that of a model."""
    visit(page, "Explore")
    map_drawn(page, "map_overview")
    draw_model_map(page)
    map_drawn(page, "map_model")
    map_drawn(page, "map_pca")


def test_a_zip_of_a_10x_folder_reaches_the_map(page: Page, url: str, tmp_path: Path, blood: AnnData) -> None:
    made = folder_of_10x(tmp_path / "filtered_feature_bc_matrix", blood)
    path = zipped(tmp_path / "donor7.zip", {f"{made.name}/{key}": one for key, one in files_of(made).items()})
    page.goto(f"{url}/data")
    upload(page, path)
    expect(page.get_by_text("Read from", exact=False).first).to_be_visible(timeout=SLOW)
    picture(page, "data-10x")
    press(page, "open_file")
    expect(keyed(page, "pick_dataset", "input")).to_have_value(f"donor7 · {N_CELLS} cells", timeout=SLOW)
    drawn(page)


def test_a_mouse_file_gets_human_genes_loses_them_again_and_reaches_the_map(
    page: Page, url: str, home: Path, tmp_path: Path, blood: AnnData
) -> None:
    with np.load(FOLDER / "orthologs.npz") as file:
        mouse = dict(zip(lines(file["human"]), lines(file["mouse"]), strict=True))
    paired = [name in mouse for name in blood.var_names]
    cells = blood[:, paired].copy()
    cells.var_names = [mouse[name] for name in cells.var_names]
    cells.write_h5ad(tmp_path / "spleen.h5ad")
    page.goto(f"{url}/data")
    upload(page, tmp_path / "spleen.h5ad")
    expect(page.get_by_text("These are genes of mouse", exact=False)).to_be_visible(timeout=SLOW)
    press(page, "open_file")
    chosen = keyed(page, "pick_dataset", "input")
    expect(chosen).to_have_value(f"spleen · {N_CELLS} cells", timeout=SLOW)
    picture(page, "data-mouse")
    step, mouse_genes = keyed(page, "past_step"), page.get_by_text("These are mouse genes", exact=False)
    press(page, "orthologs")
    expect(step).to_contain_text("Mouse genes were replaced", timeout=SLOW)
    press(page, "undo")
    expect(mouse_genes).to_be_visible(timeout=SLOW)
    expect(step).to_have_count(0)
    press(page, "orthologs")
    expect(step).to_contain_text("Mouse genes were replaced", timeout=SLOW)
    found = {one.name: one for one in Workspace(home).datasets() if one.parent}["spleen"]
    assert found.species == "human"
    assert found.n_genes > 0.9 * cells.n_vars
    drawn(page)
