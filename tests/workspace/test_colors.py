from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
from anndata import AnnData

from scviz.datasets.readers import open_file
from scviz.datasets.writeback import write_labels
from scviz.plots.theme import category_colors
from scviz.workspace import Workspace
from scviz.workspace.colors import forget_colors, give_color, read_colors


def test_colors_are_kept_by_column_and_value(tmp_path: Path) -> None:
    assert read_colors(tmp_path) == {}
    give_color(tmp_path, "type", value="B cell", color="#112233")
    give_color(tmp_path, "type", value="T cell", color="#445566")
    give_color(tmp_path, "donor", value="1", color="#778899")
    give_color(tmp_path, "type", value="B cell", color="#000000")
    assert read_colors(tmp_path) == {
        "type": {"B cell": "#000000", "T cell": "#445566"},
        "donor": {"1": "#778899"},
    }
    forget_colors(tmp_path, "type")
    assert read_colors(tmp_path) == {"donor": {"1": "#778899"}}


def test_a_saved_copy_holds_them_as_scanpy_reads_colors(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    adata.uns["donor_colors"] = np.array(["#010101", "#020202", "#030303", "#040404"])
    adata.write_h5ad(tmp_path / "cells.h5ad")
    info = open_file(tmp_path / "cells.h5ad", workspace)
    folder = workspace.dataset_folder(info.id)
    give_color(folder, "cell_type", value="NK cell", color="#123456")
    give_color(folder, "donor", value="donor 2", color="#abcdef")
    give_color(folder, "percent_mt", value="1", color="#abcdef")
    write_labels(folder, tmp_path / "out.h5ad", {}, model_note={})
    saved = anndata.read_h5ad(tmp_path / "out.h5ad")
    usual = category_colors(3)
    assert saved.uns["cell_type_colors"].tolist() == [usual[0], "#123456", usual[2]]
    assert saved.uns["donor_colors"].tolist() == ["#010101", "#020202", "#abcdef", "#040404"]
    assert "percent_mt_colors" not in saved.uns


def test_a_copy_without_colors_by_hand_keeps_those_of_the_file(
    adata: AnnData, workspace: Workspace, tmp_path: Path
) -> None:
    adata.uns["donor_colors"] = np.array(["#010101", "#020202", "#030303", "#040404"])
    adata.write_h5ad(tmp_path / "cells.h5ad")
    info = open_file(tmp_path / "cells.h5ad", workspace)
    write_labels(workspace.dataset_folder(info.id), tmp_path / "out.h5ad", {}, model_note={})
    saved = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert saved.uns["donor_colors"].tolist()[0] == "#010101"
    assert "cell_type_colors" not in saved.uns
