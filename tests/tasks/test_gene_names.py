"""A few Ensembl ids among symbols, as Cell Ranger writes them: no gene is lost on the way to a task."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from anndata import AnnData

from scviz.datasets.columns import gene_identifiers
from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.readers import open_file
from scviz.datasets.screen_cells import screen_of
from scviz.tasks import enrichment, scenic
from scviz.tasks.enrichment import inputs as enrichment_inputs
from scviz.tasks.modules.inputs import known_columns
from scviz.tasks.scenic import inputs as scenic_inputs
from tests.conftest import Opened

N_IDS = 16  # of 200, fewer than one in ten
IDS = [f"ENSG{i:011d}" for i in range(1, N_IDS + 1)]


@pytest.fixture
def mixed(opened: Opened, adata: AnnData, tmp_path: Path) -> Opened:
    """The same cells; the first genes are named by their ids alone."""
    adata.var_names = [*IDS, *adata.var_names[N_IDS:]]
    adata.var = adata.var.drop(columns="ensembl_id")
    adata.write_h5ad(tmp_path / "mixed.h5ad")
    return Opened(
        opened.workspace, open_file(tmp_path / "mixed.h5ad", opened.workspace).id, opened.checkpoint
    )


def test_every_gene_of_a_screen_has_a_name(mixed: Opened) -> None:
    adata = mixed.context().counts(mixed.dataset)
    screen = screen_of(adata, "cell_type", {"B cell": (), "T cell": (IDS[3],)}, most_genes=20)
    assert IDS[3] in screen.genes
    assert screen_of(adata, "cell_type", {"B cell": ()}).genes[:N_IDS] == tuple(IDS)


def test_backgrounds_and_targets_hold_every_gene_that_is_seen(mixed: Opened, tmp_path: Path) -> None:
    seen = mixed.context().counts(mixed.dataset).X.sum(axis=0).A1 > 0
    sets = keep_terms({"GENE20": ["one"]}, mixed.workspace, name="Made", source="made").id
    question = enrichment_inputs.gather(
        enrichment.Request(dataset=mixed.dataset, sets=sets, genes=(IDS[0], "GENE20")), mixed.context()
    )
    assert len(question.genes) == seen.sum()
    assert question.not_found == ()
    (tmp_path / "links.tsv").write_text("tf\ttarget\n" + "".join(f"{one}\tGENE50\n" for one in IDS[:4]))
    asked = scenic.Request(
        dataset=mixed.dataset, method="correlation", prior=str(tmp_path / "links.tsv"), most_genes=200
    )
    inputs = scenic_inputs.gather(asked, mixed.context())
    assert inputs.regulator_names == tuple(IDS[:4])
    assert set(IDS) <= set(inputs.target_names)
    assert len(known_columns(mixed.context().counts(mixed.dataset), None)) == 200


def test_what_was_opened_before_gives_a_name_to_every_gene_too(mixed: Opened) -> None:
    folder = mixed.workspace.dataset_folder(mixed.dataset)
    file = folder / "genes.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"ensembl": None}))
    assert gene_identifiers(folder).names[:N_IDS] == tuple(IDS)
