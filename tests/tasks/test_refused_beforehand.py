"""What a run would refuse, and is known before: nothing is handed in, and page and command say the same sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.cli import main, running
from scviz.jobs.queue import Submitted
from tests.conftest import Opened
from tests.inline_queue import InlineQueue
from tests.pages.test_pages import Open, visit  # noqa: F401 - a fixture
from tests.pages.test_reference import words
from tests.tasks.test_transfer import Two, made, two  # noqa: F401 - two is a fixture
from tests.tasks.test_transfer import opened as open_cells

OPENING = ("opening", "pricing")


class Handed(InlineQueue):
    """Remembers what is handed in."""

    tasks: list[str] = []  # noqa: RUF012 - emptied by the fixture

    def submit(self, task: str, request: Any, owner: str = "local") -> Submitted:
        self.tasks.append(task)
        return super().submit(task, request, owner)


@pytest.fixture(autouse=True)
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(running, "RunQueue", Handed)
    monkeypatch.setattr(Handed, "tasks", [])
    return Handed.tasks


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 1
    assert not set(Handed.tasks) - set(OPENING)
    return capsys.readouterr().err


MOUSE = [
    "Cd3d",
    "Cd3e",
    "Cd3g",
    "Ms4a1",
    "Cd79a",
    "Cd79b",
    "Nkg7",
    "Gzma",
    "Gzmb",
    "Lyz2",
    "Cd14",
    "Cst3",
    "Ptprc",
    "Cd8a",
    "Cd8b1",
    "Cd4",
    "Il7r",
    "Ccr7",
    "Sell",
    "Lef1",
    "Tcf7",
    "Foxp3",
    "Ctla4",
    "Pdcd1",
    "Lag3",
    "Havcr2",
    "Tigit",
    "Icos",
    "Cd27",
    "Cd28",
    "Itgam",
    "Itgax",
    "Adgre1",
    "Csf1r",
    "Fcgr3",
    "Fcgr1",
    "Ly6c2",
    "Ly6g",
    "S100a8",
    "S100a9",
    "Mki67",
    "Top2a",
    "Pcna",
    "Mcm5",
    "Hbb-bs",
    "Hba-a1",
    "Gata1",
    "Gata2",
    "Gata3",
    "Tbx21",
    "Rorc",
    "Klrb1c",
    "Ncr1",
    "Klrd1",
    "Xcl1",
    "Ccl5",
    "Ccl4",
    "Ccl3",
    "Ifng",
    "Tnf",
]


def mouse(n_cells: int = 120) -> anndata.AnnData:
    rng = np.random.default_rng(0)
    counts = csr_matrix(rng.poisson(2.0, (n_cells, len(MOUSE))).astype(np.float32))
    obs = pd.DataFrame(index=[f"m{i}" for i in range(n_cells)])
    return anndata.AnnData(X=counts, obs=obs, var=pd.DataFrame(index=pd.Index(MOUSE, dtype=object)))


def test_mouse_cells_are_not_named_by_a_human_reference(
    two: Two,  # noqa: F811
    visit: Open,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dataset = open_cells(two.workspace, tmp_path, mouse(), "mouse")
    assert two.workspace.dataset(dataset).species == "mouse"
    said = refused(["annotate", dataset, "--reference", "blood"], capsys)
    sentence = (
        "is human, and mouse is mouse. Open a labeled mouse dataset and choose it as reference, or make"
    )
    assert sentence in " ".join(said.split())
    page = visit("pages/annotate.py", dataset=dataset)
    page.selectbox(key="transfer_reference").set_value("blood").run()
    assert sentence in words(page)
    assert page.button(key="run").disabled


def test_a_reference_without_shared_genes_is_refused(
    two: Two,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = refused(["annotate", two.query, "--reference", "blood"], capsys)
    assert "share 0 genes, of 160 in the dataset; 50 or more are needed" in said


def test_labels_that_teach_nothing_are_refused(
    two: Two,  # noqa: F811
    opened: Opened,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labeled = made(240, seed=1)
    labeled.obs["one"] = np.where(np.arange(240) < 3, "rare", "T cell")
    labeled.obs["same"] = "lane 1"
    dataset = open_cells(two.workspace, tmp_path, labeled, "one type")
    by_reference = ["annotate", two.query, "--reference", dataset, "--label-key"]
    own = ["annotate", dataset, "--checkpoint", opened.checkpoint, "--few-genes", "--label-key"]
    for asked in (by_reference, own):
        said = refused([*asked, "one"], capsys)
        assert "has 1 cell type with 5 cells or more" in said
        assert "rare (3 cells)" in said
        assert "has no column 'nothing'" in refused([*asked, "nothing"], capsys)
    assert "two or more" in refused([*by_reference, "cell_type", "--group-key", "same"], capsys)


def test_weights_that_know_no_types_are_refused(opened: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["annotate", opened.dataset, "--checkpoint", opened.checkpoint, "--mode", "predict"]
    assert "knows no cell types" in refused(asked, capsys)
