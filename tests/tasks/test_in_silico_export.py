"""Numbers of an edit that a page or the command prints, computed again in plain numpy from the files of the run."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from pages.components.verdict_box import in_lines
from scviz.cli.in_silico import summary, write_tables
from scviz.jobs.queue import RunQueue
from scviz.metrics import in_silico as published
from scviz.settings import Settings
from scviz.tasks import exporting
from scviz.tasks.exporting.run import run as export
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import Request, Result
from scviz.tasks.in_silico.tables import zip_of
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]

T_CELLS = (Filter(column="cell_type", values=("T cell",)),)
GOAL = Filter(column="cell_type", values=("B cell",))
SWEEP = tuple(f"GENE{i}" for i in (41, 44, 45, 50, 43, 100))
Row = dict[str, str]


def finished(opened: Opened, **more: object) -> tuple[str, Result]:
    asked: dict[str, object] = {"genes": ("GENE45",), "cells": T_CELLS, "label_key": "cell_type"}
    request = Request(dataset=opened.dataset, checkpoint=opened.checkpoint, **(asked | more))  # type: ignore[arg-type]
    run = carry_out(opened, "in_silico", request)
    result: Result = RunQueue(Settings.from_env()).result(run)
    return run, result


def written(result: Result, folder: Path) -> dict[str, list[Row]]:
    """The files of the command, read as anybody reads them."""
    write_tables(result, folder / "edits.csv")
    files = {path.stem.removeprefix("edits_"): path for path in folder.glob("edits*.csv")}
    return {name: list(csv.DictReader(path.read_text("utf-8").splitlines())) for name, path in files.items()}


def column(rows: list[Row], name: str) -> NDArray[np.float64]:
    return np.array([float(row[name] or "nan") for row in rows])


def means(
    files: dict[str, list[Row]], measure: str, *, random: bool, rows: set[int] | None = None
) -> NDArray:
    """Mean of each edit or random gene over its cells, or over some of them, in the order of its table."""
    found: dict[str, list[float]] = {row["genes"]: [] for row in files["random" if random else "edits"]}
    for cell in files["cells"]:
        if (cell["random"] == "1") == random and (rows is None or int(cell["row"]) in rows):
            found[cell["genes"]].append(float(cell[measure]))
    return np.array([np.mean(values) if values else np.nan for values in found.values()])


def adjusted(p: NDArray, n_tests: int) -> NDArray:
    """Benjamini and Hochberg, over more tests than are here; the others found nothing."""
    order = np.argsort(p)
    scaled = p[order] * n_tests / np.arange(1, len(p) + 1)
    rates = np.empty(len(p))
    rates[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return rates


class Again:
    """Places of edits among random genes, with nothing of the product."""

    def __init__(self, random: NDArray, levels: NDArray, *, null: str, both_sides: bool) -> None:
        known = np.isfinite(random)
        order = np.argsort(levels[known], kind="stable")
        self.names = np.flatnonzero(known)[order]
        self.levels = levels[known][order]
        self.values = random[known][order] if both_sides else np.log(random[known][order])
        self.null, self.both_sides, self.n = null, both_sides, int(known.sum())
        self.near = min(self.n - 1, max(20, min(250, self.n // 5)))
        self.standard = np.array(
            [self._from(np.delete(self.values, i), i, self.near, self.values[i]) for i in range(self.n)]
        )

    def _from(self, values: NDArray, at: int, near: int, own: float) -> float:
        """Measure from the median of the nearest, in units of their usual distance where both sides count."""
        if self.null == "own":
            return own - float(np.median(self.values))
        start = min(max(at - near // 2, 0), len(values) - near)
        nearest = values[start : start + near]
        middle = np.median(nearest)
        spread = np.median(np.abs(nearest - middle)) if self.both_sides else 1.0
        return float((own - middle) / spread)

    def place(self, mean: float, level: float, same: int) -> tuple[int, float]:
        """Rank and p of an edit, which may be a random gene itself."""
        own = mean if self.both_sides else np.log(mean)
        at = int(np.searchsorted(self.levels, level))
        value = self._from(self.values, at, min(self.n, self.near + 1), own)
        far, out = (abs(value), np.abs(self.standard)) if self.both_sides else (value, self.standard)
        rank = 1 + int(((out >= far - 1e-9) & (self.names != same)).sum())
        return rank, self._tail(far, out, rank) if self.null == "all" else rank / (self.n + 1)

    def _tail(self, far: float, out: NDArray, rank: int) -> float:
        if self.both_sides:
            far, out = np.log(far), np.log(out)
        ordered = np.sort(out)
        n_tail = min(self.n // 4, max(20, self.n // 20))
        start, weight = ordered[-n_tail - 1], n_tail / 2
        mean = (np.median(ordered[-n_tail:]) - start) / np.log(2)
        if far - start <= mean * np.log(2):
            return rank / (self.n + 1)
        return (n_tail + 1) / (self.n + 1) * (1 + (far - start) / (weight * mean)) ** -weight


def check_places(files: dict[str, list[Row]], measure: str, *, null: str) -> None:
    """Compute means, places, p values and rates again, and compare them with the table of edits."""
    edits, random = files["edits"], files["random"]
    own = means(files, measure, random=False)
    np.testing.assert_allclose(column(edits, f"{measure}_mean"), own, rtol=1e-5, atol=1e-9)
    of_random = means(files, measure, random=True)
    if measure in random[0]:
        np.testing.assert_allclose(column(random, measure), of_random, rtol=1e-5, atol=1e-9)
    again = Again(of_random, column(random, "level"), null=null, both_sides=measure != "moved")
    names = [row["genes"] for row in random]
    same = [names.index(row["genes"]) if row["genes"] in names else -1 for row in edits]
    found = [
        again.place(mean, level, at)
        for mean, level, at in zip(own, column(edits, "level"), same, strict=True)
    ]
    assert column(edits, f"{measure}_n_random").tolist() == [again.n] * len(edits)
    assert column(edits, f"{measure}_rank").tolist() == [rank for rank, _ in found]
    p = np.array([one for _, one in found])
    np.testing.assert_allclose(column(edits, f"{measure}_p"), p, rtol=1e-5)
    n_tests = int(files["ruler"][0]["n_tests"])
    np.testing.assert_allclose(column(edits, f"{measure}_fdr"), adjusted(p, n_tests), rtol=1e-5)


def check_intervals(files: dict[str, list[Row]], measure: str) -> None:
    """The interval over cells is that of another bootstrap, but for chance."""
    rng = np.random.default_rng(99)
    for edit in files["edits"]:
        cells = [row for row in files["cells"] if (row["genes"], row["random"]) == (edit["genes"], "0")]
        values = column(cells, measure)
        drawn = rng.choice(values, (4000, len(values))).mean(axis=1)
        shown = [float(edit[f"{measure}_{end}"]) for end in ("low", "high")]
        np.testing.assert_allclose(shown, np.percentile(drawn, (2.5, 97.5)), atol=0.15 * np.ptp(shown))


def percent(share: float) -> str:
    """Two digits, as verdicts write shares."""
    size = abs(100 * share)
    digits = 0 if size >= 10 else 1 if size >= 1 else 2 if size >= 0.1 else 3
    return f"{100 * share:.{digits}f} %" if size >= 0.01 else "less than 0.01 %"


@pytest.mark.slow
def test_one_edit_can_be_computed_again_from_its_files(visit: Open, opened: Opened, tmp_path: Path) -> None:
    both = (Filter(column="cell_type", values=("T cell", "NK cell")),)
    run, result = finished(opened, genes=("GENE100",), cells=both, goal=GOAL, n_random=60, random_cells=20)
    files, said = written(result, tmp_path), summary(result)
    for measure in ("moved", "to_goal"):
        check_places(files, measure, null="own")
        check_intervals(files, measure)
    page = visit("pages/in_silico.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.error
    check_sentences(files, said, page)
    check_types(files, said, page, labels=labels_in_copy(opened, run, files))
    check_observed(files, said, result)
    check_archive(result, tmp_path)
    assert "All numbers (.zip)" in {button.proto.label for button in page.get("download_button")}


def check_sentences(files: dict[str, list[Row]], said: dict[str, Any], page: AppTest) -> None:
    """Shares, places, p values and arrows, as the verdict and the page have them."""
    (edit,), (ruler,) = files["edits"], files["ruler"]
    share = np.sqrt(float(edit["moved_mean"]) / float(ruler["distance"]))
    way = float(edit["to_goal_mean"]) / float(ruler["goal_distance"])
    assert f"by {percent(share)} of {ruler['words']}" in said["verdict"]
    assert f"{percent(abs(way))} of the way" in said["verdict"]
    for measure in ("moved", "to_goal"):
        place = f"{edit[f'{measure}_rank']}(st|nd|rd|th) of {int(edit[f'{measure}_n_random']) + 1}"
        assert re.search(place, said["verdict"])
    assert in_lines(said["verdict"]) in words(page)
    assert f"p = {float(edit['to_goal_p']):.3f}" in words(page)
    assert f"{n_clear(files, edit)} of {edit['cells']} cells that change have an arrow" in words(page)
    page.segmented_control(key="random_measure").set_value("moved").run()
    assert f"p = {float(edit['moved_p']):.3f}" in words(page)


def n_clear(files: dict[str, list[Row]], edit: Row) -> int:
    """Cells that move farther than with 95 % of the random genes, if the edit as a whole does."""
    if min(float(edit["moved_p"]), float(edit["to_goal_p"])) > 0.05:
        return 0
    random: dict[str, list[float]] = {}
    for cell in files["cells"]:
        if cell["random"] == "1":
            random.setdefault(cell["row"], []).append(float(cell["moved"]))
    every = np.concatenate([np.array(values) for values in random.values()])
    bars = {row: np.percentile(v if len(v) >= 20 else every, 95) for row, v in random.items()}
    own = [cell for cell in files["cells"] if cell["random"] == "0"]
    return sum(float(cell["moved"]) > bars.get(cell["row"], np.percentile(every, 95)) for cell in own)


def labels_in_copy(opened: Opened, run: str, files: dict[str, list[Row]]) -> NDArray[np.str_]:
    """Types in the copy of the file, (N,), whose column of the run holds what the table of cells has."""
    copy = export(exporting.Request(run=run), opened.context("export"))
    adata = anndata.read_h5ad(opened.context("export").result / copy.file_name)
    (name,) = [name for name in copy.added if name.endswith("_moved")]
    for cell in files["cells"]:
        if cell["random"] == "0":
            assert adata.obs[name].iloc[int(cell["row"])] == pytest.approx(float(cell["moved"]), rel=1e-6)
    return adata.obs["cell_type"].to_numpy(dtype=str)


def check_types(
    files: dict[str, list[Row]], said: dict[str, Any], page: AppTest, *, labels: NDArray[np.str_]
) -> None:
    """Each type by itself: the edit and the random genes in its cells alone."""
    table = next(table.value for table in page.dataframe if "Type" in table.value).set_index("Type")
    assert len(table) == 2
    distance = float(files["ruler"][0]["distance"])
    for name, row in table.iterrows():
        rows = set(np.flatnonzero(labels == name).tolist())
        (own,) = means(files, "moved", random=False, rows=rows)
        others = means(files, "moved", random=True, rows=rows)
        others = others[np.isfinite(others)]
        rank = 1 + int((others >= own * (1 - 1e-6)).sum())
        assert (row["moved: random genes"], row["moved: rank"]) == (len(others), rank)
        assert row["moved: p"] == pytest.approx(rank / (len(others) + 1))
        assert row["Moved (1 - cosine)"] == pytest.approx(own, rel=1e-5)
        assert row["% of the distance"] == pytest.approx(100 * np.sqrt(own / distance), rel=1e-5)
        assert said["types"][name] == pytest.approx(own, rel=1e-3)


def check_observed(files: dict[str, list[Row]], said: dict[str, Any], result: Result) -> None:
    """The cosine of simulated and observed shift, and its place."""
    rows = files["shifts"]

    def vectors(of: str) -> NDArray[np.float64]:
        return np.array(
            [[float(row[name] or "nan") for name in row if name != "of"] for row in rows if row["of"] == of]
        )

    (observed,) = vectors("observed")

    def cosines(of: str) -> NDArray[np.float64]:
        one = vectors(of)
        return np.asarray((one @ observed) / np.linalg.norm(one, axis=1) / np.linalg.norm(observed))

    (own,), few, random = cosines("edit"), cosines("edit in few cells").mean(), cosines("random")
    rank = 1 + int((random >= few).sum())
    assert f"agree with {own:.2f} " in said["observed"]
    assert re.search(rf"{rank}(st|nd|rd|th) of {len(random) + 1} ", said["observed"])
    assert result.observed is not None
    assert result.observed.p == pytest.approx(rank / (len(random) + 1))
    np.testing.assert_allclose(result.observed.random, random, atol=1e-5)


def check_archive(result: Result, folder: Path) -> None:
    """What the page offers is what the command writes."""
    with zipfile.ZipFile(io.BytesIO(zip_of(result))) as archive:
        for name in archive.namelist():
            path = folder / ("edits.csv" if name == "edits.csv" else f"edits_{name}")
            assert archive.read(name).decode() == path.read_text("utf-8")
        assert {"edits.csv", "random.csv", "cells.csv", "ruler.csv", "shifts.csv"} < set(archive.namelist())


@pytest.mark.slow
@pytest.mark.parametrize("goal", [None, GOAL])
def test_a_sweep_can_be_computed_again_from_its_files(
    visit: Open, opened: Opened, tmp_path: Path, goal: Filter | None
) -> None:
    run, result = finished(opened, genes=SWEEP, together=False, goal=goal, n_random=80)
    files = written(result, tmp_path)
    for measure in ("moved", "to_goal")[: 1 + (goal is not None)]:
        check_places(files, measure, null="shared")
        check_intervals(files, measure)
    page = visit("pages/in_silico.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    ranking = next(table.value for table in page.dataframe if "Gene" in table.value)
    assert ranking["Gene"].tolist() == [row["genes"] for row in files["edits"]]
    shown = {"p": "p", "FDR": "fdr", "rank": "rank", "random genes": "n_random"}
    names = {"": "moved"} if goal is None else {"goal: ": "to_goal", "moved: ": "moved"}
    for prefix, measure in names.items():
        for name, field in shown.items():
            np.testing.assert_allclose(
                ranking[f"{prefix}{name}"], column(files["edits"], f"{measure}_{field}"), rtol=1e-9
            )
    distance = float(files["ruler"][0]["distance"])
    share = 100 * np.sqrt(column(files["edits"], "moved_mean") / distance)
    np.testing.assert_allclose(ranking["% of the distance"], share, rtol=1e-6)


@pytest.mark.slow
def test_every_gene_can_be_computed_again_from_its_files(visit: Open, opened: Opened, tmp_path: Path) -> None:
    _, result = finished(opened, genes=(), all_genes=True, n_exact=12, n_random=80, most_cells=12)
    files = written(result, tmp_path)
    assert len(files["edits"]) == 12 < int(files["ruler"][0]["n_tests"])
    check_places(files, "moved", null="all")


@pytest.mark.slow
@pytest.mark.parametrize("sweep", [False, True])
@pytest.mark.parametrize("goal", [None, GOAL])
def test_published_statistics_are_those_of_the_cells_of_the_run(
    visit: Open, opened: Opened, tmp_path: Path, goal: Filter | None, *, sweep: bool
) -> None:
    run, result = finished(
        opened,
        genes=SWEEP if sweep else ("GENE45",),
        together=not sweep,
        goal=goal,
        statistics="published",
        n_random=5,
    )
    files = written(result, tmp_path)
    values: dict[str, list[np.float32]] = {row["genes"]: [] for row in files["edits"]}
    for cell in files["cells"]:
        if cell["random"] == "0":
            moved, *shifts = (np.float32(cell[name]) for name in list(cell)[3:])
            values[cell["genes"]].append(shifts[0] - shifts[1] if goal is not None else 1 - moved)
    vectors = {gene: np.array(found, dtype=np.float64) for gene, found in values.items() if found}
    wanted = {
        (False, False): lambda: published.aggregate_data(vectors),
        (False, True): lambda: published.group_shift({"goal": vectors}, "goal"),
        (True, False): lambda: published.mixture_model(vectors),
        (True, True): lambda: published.goal_state_shift({"goal": vectors}, "goal"),
    }[sweep, goal is not None]()
    page = visit("pages/in_silico.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.error
    shown = next(table.value for table in page.dataframe if list(table.value.columns) == list(wanted.columns))
    said = json.loads(json.dumps(summary(result)["published"]))
    assert said["rows"] == len(shown) == len(files["published"]) == len(wanted)
    for name in wanted.columns:
        told = [row[name] for row in said["first"]]
        if wanted[name].dtype.kind in "iuf":
            expected = wanted[name].to_numpy(dtype=np.float64)
            np.testing.assert_allclose(shown[name], expected, rtol=1e-9)
            np.testing.assert_allclose(column(files["published"], name), expected, rtol=1e-9)
            np.testing.assert_allclose(told, expected[: len(told)], rtol=1e-9)
        else:
            expected_names = wanted[name].tolist()
            assert shown[name].tolist() == [row[name] for row in files["published"]] == expected_names
            assert told == expected_names[: len(told)]
