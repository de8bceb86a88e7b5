"""Named groups in a copy of the user's own file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.datasets.labels import cell_labels
from scviz.datasets.readers import open_file
from scviz.errors import RequestError
from scviz.progress import silent
from scviz.tasks import mending
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.context import Context
from scviz.tasks.exporting import Request
from scviz.tasks.exporting.run import run
from scviz.tasks.mending.run import run as mend
from scviz.workspace import Workspace
from scviz.workspace.group_history import read_history
from scviz.workspace.groups import name_group


@pytest.fixture
def dataset(workspace: Workspace, adata: anndata.AnnData, tmp_path: Path) -> str:
    adata.layers["own"] = adata.X * 2
    adata.uns["note"] = "mine"
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return open_file(tmp_path / "cells.h5ad", workspace, name="My cells").id


def chosen(folder: Path) -> tuple[CellGroup, ...]:
    groups = read_history(folder).groups
    return tuple(CellGroup(named=name, version=group.version) for name, group in groups.items())


def test_groups_become_one_column_and_all_else_is_as_it_was(
    workspace: Workspace, dataset: str, tmp_path: Path
) -> None:
    folder = workspace.dataset_folder(dataset)
    name_group(folder, "T/<b>cells</b>", np.array([0, 1, 2]))
    name_group(folder, "odd", np.array([1, 59]))
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    made = run(Request(dataset=dataset, groups=chosen(folder)), context)
    assert (made.file_name, made.added) == ("my-cells-groups.h5ad", ("scviz_groups",))
    before, after = (
        anndata.read_h5ad(tmp_path / "cells.h5ad"),
        anndata.read_h5ad(context.result / made.file_name),
    )
    column = after.obs.pop("scviz_groups")
    assert column.dropna().to_dict() == {
        "CELL00-1": "T/<b>cells</b>",
        "CELL01-1": "T/<b>cells</b> | odd",
        "CELL02-1": "T/<b>cells</b>",
        "CELL59-1": "odd",
    }
    assert column.dtype == "category"
    assert after.obs.equals(before.obs)
    assert after.var.equals(before.var)
    assert (after.X != before.X).nnz == 0
    assert (after.layers["own"] != before.layers["own"]).nnz == 0
    assert after.uns["note"] == "mine"
    assert list(after.uns["scviz"]["models"]["groups"]) == ["T/<b>cells</b>", "odd"]


def test_a_group_that_has_other_cells_by_now_is_not_written(workspace: Workspace, dataset: str) -> None:
    folder = workspace.dataset_folder(dataset)
    name_group(folder, "mine", np.array([0, 1]))
    request = Request(dataset=dataset, groups=chosen(folder))
    name_group(folder, "mine", np.array([2]))
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    with pytest.raises(RequestError, match="gone or has other cells"):
        run(request, context)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"run": "one", "groups": (CellGroup(named="mine"),), "dataset": "cells"},
        {"groups": (CellGroup(named="mine"),)},
        {"dataset": "cells"},
        {"dataset": "cells", "groups": (CellGroup(expression="GENE1 > 0"),)},
    ],
)
def test_a_run_or_named_groups_are_asked_for(asked: dict[str, object]) -> None:
    with pytest.raises(RequestError, match=r"one of these|Only named groups"):
        Request(**asked)  # type: ignore[arg-type]


def test_groups_become_labels_of_a_dataset_of_its_own(workspace: Workspace, dataset: str) -> None:
    folder = workspace.dataset_folder(dataset)
    for number, name in enumerate(("first", "second", "third")):
        name_group(folder, name, np.arange(number, 50, 3))
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    request = mending.Request(dataset=dataset, what="groups", column="named_groups", groups=chosen(folder))
    made = mend(request, context)
    labels = cell_labels(workspace.dataset_folder(made.dataset), "named_groups")
    assert labels.names == ("first", "second", "third")
    assert labels.texts.tolist() == [*(labels.names[i % 3] for i in range(50)), *[""] * 10]
    info = workspace.dataset(made.dataset)
    assert (info.column("named_groups").kind, info.parent) == ("label", dataset)
    assert "'first' (17 cells), 'second' (17 cells), 'third' (16 cells); 10 cells are in none" in made.note
    with pytest.raises(RequestError, match="has a column 'cell_type' already"):
        mend(replace(request, column="cell_type"), context)
    name_group(folder, "third", np.array([2, 3]))
    with pytest.raises(RequestError, match="1 cell of 'third' is in another group, too"):
        mend(replace(request, groups=chosen(folder)), context)
