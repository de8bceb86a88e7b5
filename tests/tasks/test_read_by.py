"""How many genes of a file each model knows, before it is opened."""

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.doctor import check_file
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.orthologs import mouse_to_human
from scviz.tasks.checking.coverage import ReadBy, advice, read_by
from tests.conftest import Opened

MARKERS = ("CD3E", "MS4A1", "LYZ", "NKG7", "SEPT2", "PPBP", "no gene", "neither")
"""SEPT2 is SEPTIN2 today."""


def found(opened: Opened, path: Path) -> dict[str, ReadBy]:
    return {one.title: one for one in read_by(path, check_file(path), opened.workspace)}


def write(path: Path, names: tuple[str, ...], **columns: list[str]) -> Path:
    counts = np.random.default_rng(0).poisson(2, (30, len(names))).astype(np.float32)
    counts[:, -1] = np.arange(30) * 100  # the last gene varies most
    adata = AnnData(csr_matrix(counts))
    adata.var_names = list(names)
    adata.var = adata.var.assign(**columns)
    adata.write_h5ad(path)
    return path


def test_published_models_are_asked_beside_the_weights_that_are_here(opened: Opened, tmp_path: Path) -> None:
    weights = found(opened, write(tmp_path / "cells.h5ad", MARKERS))
    assert [one.here for one in weights.values()].count(False) == 5
    assert any(one.here for one in weights.values())
    for title in ("Geneformer V1", "scGPT whole-human", "scFoundation"):
        assert (weights[title].known, weights[title].of) == (6, 8)
        assert weights[title].lost == ("neither", "no gene")


def test_antibodies_are_no_genes_that_a_model_could_know(opened: Opened, tmp_path: Path) -> None:
    kinds = ["Gene Expression"] * 6 + ["Antibody Capture"] * 2
    weights = found(opened, write(tmp_path / "cells.h5ad", MARKERS, feature_types=kinds))
    assert (weights["scFoundation"].known, weights["scFoundation"].of) == (6, 6)


def test_mouse_genes_count_by_their_human_counterparts(opened: Opened, tmp_path: Path) -> None:
    mouse = (
        *("Cd3e", "Cd3d", "Cd4", "Cd8a", "Ms4a1", "Cd79a", "Cd79b", "Cd19", "Nkg7", "Gzmb", "Klrd1", "Trp53"),
        *("Actb", "Gapdh", "Lyz2", "Csf1r", "Itgam", "Fcgr3", "Cd14", "Ptprc", "Foxp3", "Il2ra", "Gm1992"),
    )
    weights = found(opened, write(tmp_path / "cells.h5ad", mouse))["scFoundation"]
    human = mouse_to_human(GeneIdentifiers(ensembl=None, symbol=mouse))
    assert 15 <= len(human.columns) < len(mouse)
    assert (weights.known, weights.of) == (len(human.columns), len(mouse))


def weights(share: float, *, here: bool = False, title: str = "one", released: str = "one") -> ReadBy:
    return ReadBy(
        title=title,
        model="geneformer",
        here=here,
        released="" if here else released,
        known=int(100 * share),
        of=100,
        lost=(),
    )


def test_nothing_is_advised_where_weights_know_half() -> None:
    assert advice((weights(0.5, here=True), weights(0.9)), lambda _: 1) is None
    assert advice((), lambda _: 1) is None


def test_the_smallest_weights_that_know_about_as_much_are_offered() -> None:
    sizes = {"large": 400.0, "small": 40.0, "tiny": 4.0}
    offered = (
        weights(0.08, here=True),
        *(weights(share, title=title) for title, share in zip(sizes, (0.96, 0.9, 0.6), strict=True)),
    )
    said = advice(offered, lambda one: sizes[one.title])
    assert said is not None
    assert said.get is not None
    assert said.get.title == "small"
    assert "8% at most" in said.sentence
    assert "lies with the weights" in said.sentence


def test_a_file_that_no_model_knows_is_told_from_weights_that_know_little() -> None:
    said = advice((weights(0.08, here=True), weights(0.2)), lambda _: pytest.fail("nothing to weigh"))
    assert said is not None
    assert said.get is None
    assert "lies with the names" in said.sentence
