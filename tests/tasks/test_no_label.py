"""What is no label is none in every task, and every task says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.readers import open_file
from scviz.models import model_class
from scviz.tasks import (
    annotation,
    attention_network,
    compare,
    enhancement,
    enrichment,
    in_silico,
    modules,
    scenic,
)
from scviz.tasks.annotation.run import run as annotate
from scviz.tasks.attention_network.run import run as attention
from scviz.tasks.compare.run import run as compare_models
from scviz.tasks.enhancement.run import run as enhance
from scviz.tasks.enrichment.run import run as enrich
from scviz.tasks.in_silico.run import run as edit
from scviz.tasks.modules.run import run as find_modules
from scviz.tasks.scenic.run import run as find_regulons
from tests.conftest import TYPES, Opened, keep_model

NOTE = '24 of 60 cells have no label in some ("NA": 6, "Unassigned": 6, "doublet": 6, "unknown": 6) and are left out'


@pytest.fixture
def some(opened: Opened, adata: AnnData, tmp_path: Path) -> Opened:
    """The same cells; 24 of them without a label, each fourth of these in other words."""
    words = np.array(["unknown", "Unassigned", "doublet", "NA"])[np.arange(60) % 4]
    adata.obs["some"] = np.where(np.arange(60) < 24, words, adata.obs["cell_type"].astype(str))
    adata.write_h5ad(tmp_path / "some.h5ad")
    return Opened(opened.workspace, open_file(tmp_path / "some.h5ad", opened.workspace).id, opened.checkpoint)


def said(notes: tuple[str, ...]) -> bool:
    return any(note.startswith(NOTE) for note in notes)


def test_annotation_says_which_cells_have_no_label(some: Opened) -> None:
    asked = annotation.Request(dataset=some.dataset, checkpoint=some.checkpoint, label_key="some", epochs=1)
    result = annotate(asked, some.context())
    assert result.types == TYPES
    assert said(result.notes)


def test_comparison_scores_cells_with_a_label_alone(some: Opened) -> None:
    asked = {"dataset": some.dataset, "checkpoints": (some.checkpoint,), "n_neighbors": 8}
    result = compare_models(compare.Request(**asked, label_key="some"), some.context())  # type: ignore[arg-type]
    assert said(result.notes)
    assert result.scores[compare.PCA].ari > 0.9  # four words for none would be types that no method can part
    assert result.scores[compare.PCA].agreement > 0.9


def test_modules_are_told_apart_by_labels_alone(some: Opened) -> None:
    asked = modules.Request(dataset=some.dataset, source="expression", n_neighbors=8, label_key="some")
    result = find_modules(asked, some.context())
    assert sorted(result.types) == list(TYPES)
    assert said(result.notes)


def test_regulons_are_told_apart_by_labels_alone(some: Opened, tmp_path: Path) -> None:
    pairs = [
        (f"GENE{20 * t + r}", f"GENE{20 * t + g}") for t in range(3) for r in (1, 2) for g in range(5, 21)
    ]
    (tmp_path / "links.tsv").write_text("tf\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    asked = scenic.Request(
        dataset=some.dataset,
        method="correlation",
        fewest_genes=5,
        prior=str(tmp_path / "links.tsv"),
        label_key="some",
    )
    result = find_regulons(asked, some.context())
    assert sorted(result.types) == list(TYPES)
    assert len(result.rss) == len(TYPES)
    assert said(result.notes)


def test_all_other_cells_are_those_with_another_label(some: Opened) -> None:
    terms = {f"GENE{i}": [f"set {i % 5}"] for i in range(1, 101)}
    sets = keep_terms(terms, some.workspace, name="Made", source="made").id
    asked = {"dataset": some.dataset, "sets": sets, "column": "some"}
    result = enrich(enrichment.Request(**asked, group="B cell"), some.context())  # type: ignore[arg-type]
    assert said(result.notes)
    assert "12 cells of B cell compared with 24 of all other cells" in result.notes[0]
    named = enrich(
        enrichment.Request(**asked, group="unknown", max_fdr=0.5, method="prerank"), some.context()
    )  # type: ignore[arg-type]
    assert "6 cells of unknown compared with 36 of all other cells" in named.notes[0]


def test_attention_says_which_cells_have_no_label(some: Opened, adata: AnnData) -> None:
    scgpt = keep_model(some, model_class("scgpt").untrained(adata, "tiny"))
    asked = attention_network.Request(
        dataset=scgpt.dataset,
        checkpoint=scgpt.checkpoint,
        column="some",
        control="B cell",
        perturbed="T cell",
        regulators=("GENE45",),
        most_genes=40,
        most_cells=6,
        n_null=5,
    )
    assert said(attention(asked, scgpt.context()).notes)


def test_an_edit_is_summed_up_by_labels_alone(some: Opened) -> None:
    asked = in_silico.Request(
        dataset=some.dataset, checkpoint=some.checkpoint, genes=("GENE45",), n_random=5, label_key="some"
    )
    result = edit(asked, some.context())
    assert {one.name for one in result.types} == {
        "T cell"
    }  # the marker is seen in these, the unlabeled ones too
    assert said(result.notes)


def test_restored_cells_are_told_apart_by_labels_alone(some: Opened, adata: AnnData) -> None:
    deep = keep_model(some, model_class("scfoundation").untrained(adata, "tiny").eval())
    asked = enhancement.Request(
        dataset=deep.dataset, checkpoint=deep.checkpoint, check_cells=60, label_key="some"
    )
    result = enhance(asked, deep.context())
    assert said(result.notes)
    assert result.original_silhouette > 0.2
