"""What exploring costs, by number of cells: `python -m benchmarks.explorer [--cells N ...] [--values V] [--genes G]`.

CPU seconds of the server, bytes that it sends and seconds in headless Chromium: a page with its map, another coloring,
another gene, a second map beside the first, a lasso, a keystroke of the search for a gene, and two groups compared.
Cells are random and lie in the workspace as opening leaves them, with two maps of their file; what opening and the
first map take is told by `benchmarks.first_map`. A million cells: `--cells 1000000 --values 100`. Needs chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.groups import make
from scviz.datasets.arriving.writing import end_csr, start_csr
from scviz.datasets.columns import COUNTS, n_cells_seen, write_genes
from scviz.datasets.gene_table import gene_table
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.keeping import Cells, info_of
from scviz.settings import ROOT, Settings
from scviz.tasks.overview import Request as FirstMap
from scviz.workspace import CountsSource, Workspace
from scviz.workspace.database import Database, Run
from scviz.workspace.records import to_json
from scviz.workspace.store import write_info
from tests.browser.conftest import QUIET, end_engine, start_server
from tests.browser.steps import COUNT_BYTES, SLOW, choose, keyed, lasso, map_drawn, press, selected, settled
from tests.browser.steps import traffic as bytes_since

SIZES, N_GENES, PER_CELL = (20_000, 100_000), 20_000, 1_000
"""Cells; genes, and of these what a cell expresses: 5 %."""
DATASET, N_TYPES, N_BATCHES = "cells", 12, 5
FIRST, SECOND = "X_umap", "X_tsne"
EXPRESSED = 0.1
"""Share of the cells that express the genes that are colored."""
TYPED = "cd79a"
BESIDE = 0.5
"""Seconds in which the server ends what no one waits for."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step took."""

    cpu: float
    """Seconds of the server."""
    seconds: float
    """Until the browser has drawn it."""
    down: int
    """Bytes from the server, after the page itself."""


def lay_out(home: Path, n_cells: int, n_genes: int, per_cell: int) -> None:
    """Make cells and lay them into a workspace as opening leaves them."""
    import pandas as pd
    from anndata.io import write_elem

    rng, folder = np.random.default_rng(0), Workspace(home).dataset_folder(DATASET)
    folder.mkdir(parents=True)
    make(folder, n_cells, n_genes, per_cell)
    names = list(dict.fromkeys(gene_table("human").symbols))[:n_genes]
    write_genes(folder, names, GeneIdentifiers(ensembl=None, symbol=tuple(names)))
    kinds = rng.integers(0, N_TYPES, n_cells)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical([f"type {kind + 1}" for kind in kinds]),
            "batch": pd.Categorical([f"batch {one + 1}" for one in rng.integers(0, N_BATCHES, n_cells)]),
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    maps = {
        name: (rng.normal(0, 5, (N_TYPES, 2))[kinds] + rng.normal(size=(n_cells, 2))).astype(np.float32)
        for name in (FIRST, SECOND)
    }
    cells = Cells(obs=obs, var=pd.DataFrame(index=names), obsm=maps)
    with h5py.File(folder / COUNTS, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        end_csr(start_csr(file, "X", n_genes, kind=np.dtype(np.float32)))  # no step reads counts by cell
        for name, table in (("obs", cells.obs), ("var", cells.var), ("obsm", maps)):
            write_elem(file, name, table)
    info = info_of(folder, cells, counts=CountsSource(location="X", how="as stored", evidence=""))
    write_info(replace(info, id=DATASET, name=f"{n_cells:,} cells", source="cells.h5ad"), folder)
    _stop_first_map(home)


def _stop_first_map(home: Path) -> None:
    """Let the first map count as stopped, so that nothing is computed beside what is timed."""
    database = Database.from_settings(Settings(home=home, data_roots=(home,)))
    asked = to_json(FirstMap(dataset=DATASET))
    database.add(Run(id="first", task="overview", request=asked, state="stopped", created=time.time()))
    database.close()


@contextmanager
def opened(home: Path) -> Iterator[tuple[Page, psutil.Process, str]]:
    """Start a server and a browser."""
    with sync_playwright() as driver:
        log = home.parent / "server.log"
        server, url = start_server(ROOT / "app.py", {"SCVIZ_HOME": str(home), **ONE_THREAD}, log)
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=path, args=list(QUIET))
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(SLOW)
            page.add_init_script(COUNT_BYTES)
            yield page, psutil.Process(server.pid), url
        finally:
            browser.close()
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)
            end_engine(home)


def cost(page: Page, server: psutil.Process, act: Callable[[], object]) -> Cost:
    """Carry a step out and wait until the page stands still."""
    begun, before = time.monotonic(), _cpu(server)
    act()
    settled(page)
    seconds = time.monotonic() - begun
    time.sleep(BESIDE)
    return Cost(cpu=_cpu(server) - before, seconds=seconds, down=bytes_since(page)["down"])


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def explore(
    page: Page, server: psutil.Process, url: str, *, genes: Sequence[str]
) -> Iterator[tuple[str, Cost]]:
    """Carry out what one does on Explore."""
    key = f"map_{FIRST}"

    def visit() -> None:
        page.goto(f"{url}/explore")
        map_drawn(page, key)

    def change(step: Callable[[], object]) -> Cost:
        before = map_drawn(page, key)

        def act() -> None:
            step()
            map_drawn(page, key, after=before)

        return cost(page, server, act)

    visit()  # imports, and what is read once
    settled(page)
    yield "page with its map, second visit", cost(page, server, visit)
    yield "another coloring", change(lambda: choose(page, "color_by", "batch"))
    choose(page, "color_by", "A gene")
    settled(page)
    yield from typed(page, server)
    costs = [change(lambda gene=gene: take(page, gene)) for gene in genes]
    yield "another gene", median(costs[1:])
    yield "a second map beside", cost(page, server, lambda: second_map(page))
    yield "lasso, to the number of cells", cost(page, server, lambda: circle(page, key))


def typed(page: Page, server: psutil.Process) -> Iterator[tuple[str, Cost]]:
    """Type the name of a gene, letter by letter."""
    box = page.get_by_role("combobox", name="Gene", exact=True)
    box.click()

    def letter(end: int) -> None:
        box.press_sequentially(TYPED[end])
        page.wait_for_function(
            "text => globalThis.scvizGenes.boxes.get('gene')?.answered === text", arg=TYPED[: end + 1]
        )

    costs = [cost(page, server, lambda end=end: letter(end)) for end in range(len(TYPED))]
    yield "a keystroke of the search, the first", costs[0]
    yield "a keystroke, median of the others", median(costs[1:])
    box.press("Escape")
    box.fill("")


def take(page: Page, gene: str) -> None:
    """Type a gene and take it."""
    box = page.get_by_role("combobox", name="Gene", exact=True)
    box.fill(gene)
    box.press("Enter")


def second_map(page: Page) -> None:
    """Show a second map beside the first."""
    keyed(page, "maps").locator("input").fill(SECOND)
    page.get_by_role("option", name=f"{SECOND} of the file").click()
    page.keyboard.press("Escape")
    map_drawn(page, f"map_{SECOND}")


def circle(page: Page, key: str) -> None:
    """Draw around cells and wait until the server has counted them."""
    lasso(page, [(0.3, 0.2), (0.65, 0.3), (0.6, 0.8), (0.25, 0.7)], key)
    found = page.locator("strong", has_text=f"{selected(page, key):,} cells selected")
    found.first.wait_for()


def compare(page: Page, server: psutil.Process, url: str) -> Cost:
    """Compare a type with all other cells: from the press of Run to the table."""
    page.goto(f"{url}/groups?a_column=cell_type&a_value=type 1")
    settled(page)

    def act() -> None:
        press(page, "run")
        keyed(page, "groups_tabs").first.wait_for()

    return cost(page, server, act)


def compared(home: Path) -> None:
    """Carry the comparison out in this process, and print what it took."""
    from scviz.progress import silent
    from scviz.tasks.cell_groups import CellGroup
    from scviz.tasks.context import Context
    from scviz.tasks.group_genes import Request
    from scviz.tasks.group_genes.run import run

    workspace = Workspace(home)
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("compared"))
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = run(Request(dataset=DATASET, a=CellGroup(column="cell_type", value="type 1")), context)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "seconds": result.seconds, "peak_mb": after.ru_maxrss / 1e3}))


def median(costs: Sequence[Cost]) -> Cost:
    """Take the median of each number."""
    cpu, seconds, down = (
        statistics.median(getattr(one, name) for one in costs) for name in ("cpu", "seconds", "down")
    )
    return Cost(cpu=cpu, seconds=seconds, down=int(down))


def some_genes(home: Path) -> list[str]:
    """Choose genes that a tenth of the cells express."""
    folder = Workspace(home).dataset_folder(DATASET)
    seen = n_cells_seen(folder)
    near = np.argsort(np.abs(seen / max(seen.max(), 1) - 2 * EXPRESSED), kind="stable")[:4]
    names = json.loads((folder / "genes.json").read_text("utf-8"))["names"]
    return [names[i] for i in near]


def measure(n_cells: int, n_genes: int, per_cell: int) -> None:
    """Print the figures of one size."""
    size = f"{n_cells:,} cells x {n_genes:,} genes, {per_cell:,} values a cell"
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        lay_out(home, n_cells, n_genes, per_cell)
        command = [sys.executable, "-m", "benchmarks.explorer", "--compare", str(home)]
        alone = subprocess.run(
            command, capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD
        )
        found = json.loads(alone.stdout)
        print(
            f"\n{size}. Two groups of all genes by rank sums, in a process of its own: {found['cpu']:.1f} CPU-s, "
            f"{found['seconds']:.1f} s, {found['peak_mb']:,.0f} MB.\n"
        )
        print(
            "| step | server CPU-s | bytes | seconds in the browser |\n| --- | --- | --- | --- |", flush=True
        )
        with opened(home) as (page, server, url):
            for step, took in explore(page, server, url, genes=some_genes(home)):
                show(step, took)
            show("two groups compared, from Run to the table", compare(page, server, url))
            held = server.memory_info().rss / 1e6
        print(f"\nThe server holds {held:,.0f} MB.", flush=True)


def show(step: str, took: Cost) -> None:
    """Print a row."""
    print(f"| {step} | {took.cpu:.2f} | {took.down:,} | {took.seconds:.2f} |", flush=True)


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=SIZES)
    parser.add_argument("--genes", type=int, default=N_GENES)
    parser.add_argument("--values", type=int, default=PER_CELL, help="genes that a cell expresses")
    parser.add_argument("--compare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.compare is not None:
        compared(given.compare)
        return
    for n_cells in given.cells:
        measure(n_cells, given.genes, given.values)


if __name__ == "__main__":
    main()
