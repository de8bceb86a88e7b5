"""From a file of one's own to the figure for Monday's meeting, and to a link that shows the same to somebody else.

Upload, the map that is there by itself, its clusters, their markers, a name, two conditions within one type, the link
in a second browser, undo. With SCREENSHOTS=1 the steps are kept as pictures, light and dark, in assets/screenshots.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from playwright.sync_api import Browser, Locator, Page, expect
from scipy.sparse import csr_matrix

from scviz.datasets.demo import open_demo
from scviz.datasets.readers import read_counts
from scviz.tasks import group_genes, markers
from scviz.tasks.markers.ranking import given_names
from scviz.workspace import Workspace
from scviz.workspace.records import read_record
from tests.browser.conftest import PATIENCE
from tests.browser.steps import (
    SLOW,
    choose,
    follow,
    keyed,
    lasso,
    map_drawn,
    picture,
    press,
    selected,
    settled,
    stage,
    stage_pixels,
    upload,
    visit,
)

pytestmark = pytest.mark.slow

MAP = "map_overview"
ALL_BUT_THE_RIM = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)]
VIEWPORT = {"width": 1280, "height": 800}
INTERFERON = {"ISG15", "IFI6", "IFIT3", "CXCL10"}
PLANTED = {"IFITM3", "ISG20", "LY6E"}
"""Genes of interferon that the demo cells have."""


@dataclass(frozen=True)
class Sheet:
    """What somebody sees on a map: its cells and colors, how many are selected, and the picture itself."""

    drawn: str
    n_selected: int
    pixels: bytes


@pytest.fixture
def blood(tmp_path: Path) -> Path:
    """The demo cells as a file of two conditions and six donors: interferon raises three genes in all cells."""
    workspace = Workspace(tmp_path / "demo")
    demo = read_counts(workspace.dataset_folder(open_demo(workspace).id))
    counts, cell = demo.X.toarray(), np.arange(demo.n_obs)
    stimulated, rng = cell % 2 == 1, np.random.default_rng(0)
    places = demo.var_names.get_indexer(sorted(PLANTED))
    counts[np.ix_(stimulated, places)] += rng.poisson(8.0, (stimulated.sum(), len(places)))
    obs = pd.DataFrame(
        {
            "cell_type": demo.obs["bulk_labels"],
            "condition": pd.Categorical(np.where(stimulated, "stim", "ctrl")),
            "donor": pd.Categorical([f"donor {one}" for one in (cell // 2) % 6]),
        },
        index=demo.obs_names,
    )
    path = tmp_path / "treated_blood.h5ad"
    AnnData(csr_matrix(counts), obs=obs, var=pd.DataFrame(index=demo.var_names)).write_h5ad(path)
    return path


def shared_file(shared: Path, name: str) -> Path:
    """A file of the shared data, or none of this test."""
    path = shared / "data" / name / f"{name}.h5ad"
    if not path.exists():
        pytest.skip(f"the dataset {name} is not there")
    return path


def open_by_upload(page: Page, url: str, path: Path, *, n_cells: int) -> None:
    """Give the file to the Data page and open it."""
    page.goto(f"{url}/data")
    upload(page, path)
    keyed(page, "open_file", "button").wait_for(timeout=SLOW)
    press(page, "open_file")
    chosen = keyed(page, "pick_dataset", "input")
    expect(chosen).to_have_value(f"{path.stem} · {n_cells:,} cells", timeout=SLOW)


def see_clusters(page: Page) -> int:
    """Find the map on Explore without a click there, and color it by its clusters; returns their number."""
    visit(page, "Explore")
    keyed(page, MAP, ".scviz-map[data-drawn]").wait_for(timeout=SLOW)
    before = map_drawn(page, MAP)
    said = page.get_by_text(re.compile(r"^\d+ clusters among")).first
    said.wait_for()
    number = int(said.inner_text().split()[0])
    if keyed(page, "color_by", "input").input_value() != "Clusters":
        choose(page, "color_by", "Clusters")
        map_drawn(page, MAP, after=before)
    expect(keyed(page, MAP, ".scviz-map .legend button[data-code]")).to_have_count(number)
    settled(page)
    picture(page, "monday-clusters")
    return number


def find_markers(page: Page, home: Path, *, n_clusters: int) -> markers.Result:
    """Ask for the markers of the clusters that are seen."""
    follow(page, page.get_by_role("link", name="Markers of these clusters"), to="groups")
    page.wait_for_url(re.compile(r"/groups(\?|$)"), wait_until="commit")
    press(page, "run")
    keyed(page, "markers_tabs").wait_for(timeout=SLOW)
    settled(page)
    result = read_record(markers.Result, home / "runs" / run_of(page) / "result")
    assert len(result.names) == n_clusters
    assert result.circular  # the clusters were found on the genes that are compared
    expect(page.get_by_text("ranks count, p values do not", exact=False).first).to_be_visible()
    return result


def name_cluster(page: Page, result: markers.Result, suggested: str) -> str:
    """Name the first cluster whose markers suggest such a name, and go to the map; returns the name."""
    names = {k: name for k, name in given_names(result).items() if name.startswith(suggested)}
    assert names, [one.name for one in result.suggestions]
    place, name = next(iter(names.items()))
    choose(page, "markers_group", result.names[place])
    expect(page.get_by_label(f"Name of {result.names[place]}")).to_have_value(name)
    picture(page, "monday-markers")
    press(page, "name_one")
    page.get_by_text(f"Named: {name}.").wait_for()
    settled(page)
    follow(page, page.get_by_role("link", name="See them on the map"), to="explore")
    map_drawn(page, MAP)
    settled(page)
    n_cells = int(np.sum(result.groups == place))
    expect(chip(page, f"{name} · {n_cells:,}")).to_be_visible()
    expect(keyed(page, "color_by", "input")).to_have_value("My named groups")
    picture(page, "monday-named")
    return name


def compare_conditions(page: Page, home: Path, within: str) -> group_genes.Result:
    """Ask which genes differ between both conditions in one type; donors are recommended, cells are taken."""
    visit(page, "Groups")
    page.get_by_text("Two groups", exact=True).click()
    settled(page)
    keyed(page, "groups_preset").get_by_text(within, exact=True).click()
    expect(page.get_by_text("Donors as replicates:", exact=False)).to_be_visible()
    method = keyed(page, "group_genes_method", "input")
    expect(method).to_have_value("DESeq2 on counts summed by donor")
    choose(page, "group_genes_method", "Wilcoxon rank-sum test, corrected for ties")
    expect(page.get_by_text("Recommended: DESeq2", exact=False)).to_be_visible()
    press(page, "run")
    keyed(page, "groups_tabs").wait_for(timeout=SLOW)
    settled(page)
    picture(page, "monday-genes")
    result = read_record(group_genes.Result, home / "runs" / run_of(page) / "result")
    assert result.names == ("stim", "ctrl")
    expect(keyed(page, "group_gene")).to_contain_text(result.genes[0])
    return result


def raised(result: group_genes.Result, n: int) -> set[str]:
    """Name those of the first n genes that are higher in the first group."""
    return {result.genes[i] for i in range(n) if result.log2_fold_change[i] > 1}


def see(page: Page) -> Sheet:
    """Look at the map."""
    drawn = map_drawn(page, MAP)
    settled(page)
    return Sheet(drawn, selected(page, MAP), stage_pixels(page, MAP))


def seen_by_somebody_else(page: Page, browser: Browser) -> tuple[Sheet, Sheet]:
    """Look at the map here, and in another browser at the address alone."""
    mine = see(page)
    context = browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE * 1000)
    other = context.new_page()
    other.goto(page.url)
    map_drawn(other, MAP)
    expect(keyed(other, MAP, ".scviz-map")).to_have_attribute("data-selected", str(mine.n_selected))
    theirs = see(other)
    context.close()
    return mine, theirs


def undo_the_name(page: Page, name: str) -> None:
    """Take the name back by the keys, and see the clusters again."""
    settled(page)
    stage(page, MAP).focus()
    page.keyboard.press("Control+z")
    expect(page.get_by_text(f"Undone: Named “{name}”", exact=False).first).to_be_visible()
    expect(keyed(page, "groups_chosen")).to_have_count(0)
    map_drawn(page, MAP)


def chip(page: Page, text: str) -> Locator:
    """Return the chip of a named group."""
    return keyed(page, "groups_chosen").get_by_text(text, exact=True)


def run_of(page: Page) -> str:
    """Id of the run that a page shows."""
    (run,) = parse_qs(urlparse(page.url).query)["run"]
    return run


def circle_and_undo(page: Page, browser: Browser, *, n_cells: int) -> None:
    """Circle cells, show them to somebody else, name them, and take the name and the selection back."""
    lasso(page, ALL_BUT_THE_RIM, MAP)
    expect(keyed(page, MAP, ".scviz-map")).not_to_have_attribute("data-selected", "0")
    n = selected(page, MAP)
    assert 0.9 * n_cells < n <= n_cells
    page.get_by_text(f"{n:,} cells selected", exact=False).first.wait_for()
    page.wait_for_url(re.compile(r"[?&]selection="), wait_until="commit")
    mine, theirs = seen_by_somebody_else(page, browser)
    assert mine == theirs
    assert mine.n_selected == n
    keyed(page, "group_name", "input").fill("Circled")
    press(page, "name_it")
    expect(chip(page, f"Circled · {n:,}")).to_be_visible()
    undo_the_name(page, "Circled")
    page.keyboard.press("Control+z")
    expect(keyed(page, MAP, ".scviz-map")).to_have_attribute("data-selected", "0")


def test_the_path_on_cells_of_two_conditions(
    page: Page, browser: Browser, url: str, home: Path, blood: Path
) -> None:
    open_by_upload(page, url, blood, n_cells=700)
    found = find_markers(page, home, n_clusters=see_clusters(page))
    name = name_cluster(page, found, "")
    genes = compare_conditions(page, home, "CD14+ Monocyte")
    assert raised(genes, len(PLANTED)) == PLANTED
    visit(page, "Explore")
    mine, theirs = seen_by_somebody_else(page, browser)
    assert mine == theirs
    undo_the_name(page, name)
    circle_and_undo(page, browser, n_cells=700)


def test_the_path_on_blood_with_interferon(
    page: Page, browser: Browser, url: str, home: Path, shared: Path
) -> None:
    open_by_upload(page, url, shared_file(shared, "kang_ifnb_2000"), n_cells=2000)
    found = find_markers(page, home, n_clusters=see_clusters(page))
    name = name_cluster(page, found, "Monocytes")
    genes = compare_conditions(page, home, "CD14+ Monocytes")
    assert raised(genes, 30) >= INTERFERON, genes.genes[:30]
    visit(page, "Explore")
    mine, theirs = seen_by_somebody_else(page, browser)
    assert mine == theirs
    undo_the_name(page, name)


def test_the_path_on_blood_of_one_donor(
    page: Page, browser: Browser, url: str, home: Path, shared: Path
) -> None:
    open_by_upload(page, url, shared_file(shared, "pbmc3k_labelled"), n_cells=2638)
    found = find_markers(page, home, n_clusters=see_clusters(page))
    name = name_cluster(page, found, "B cells")
    visit(page, "Explore")
    mine, theirs = seen_by_somebody_else(page, browser)
    assert mine == theirs
    undo_the_name(page, name)
