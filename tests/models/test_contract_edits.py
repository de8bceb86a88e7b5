"""What holds for every foundation model when genes of cells are edited."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from anndata import AnnData
from scipy import sparse

from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.edits import Edit, Kind, changed
from scviz.models import cards
from tests.models.cells import planted_cells
from tests.models.every_model import built, embedded, every_model

EDITS: tuple[Kind, ...] = ("delete", "knockdown", "overexpress")


def vectors_after(name: str, adata: AnnData, edit: Edit) -> np.ndarray:
    model = built(name)
    tokens = model.edited(adata, edit)
    vectors = np.full_like(embedded(name), np.nan)
    for row in np.flatnonzero(tokens.mask.any(axis=1)):
        with torch.no_grad():
            vectors[row] = model.encode_cells(tokens.take(np.array([row])))[0]
    return vectors


@pytest.mark.parametrize("name", ["scbert", "geneformer", "scgpt", "scfoundation"])
def test_the_card_says_whether_its_authors_evaluated_edits(name: str) -> None:
    assert cards()[name].support["in_silico"] == ("evaluated" if name == "geneformer" else "none")


@every_model
@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_model_reads_the_edits_on_its_card_and_refuses_others(name: str, kind: Kind) -> None:
    model, edit = built(name), Edit(kind=kind, genes=("GENE3", "GENE25"))
    if kind in cards()[name].edits:
        adata = planted_cells()
        assert changed(model.tokenize(adata), model.edited(adata, edit)).any()
    else:
        with pytest.raises(RequestError, match="no order"):
            model.edited(planted_cells(), edit)


@every_model
@pytest.mark.parametrize("kind", ["delete", "knockdown"])
def test_removing_a_gene_changes_the_cells_that_hold_it_and_no_other(name: str, kind: Kind) -> None:
    adata = planted_cells()
    held = adata.X[:, 3].toarray().ravel() > 0
    assert 0 < held.sum() < len(held)
    vectors = vectors_after(name, adata, Edit(kind=kind, genes=("GENE3",), share=0.1))
    differ = np.abs(vectors - embedded(name)).max(axis=1) > 1e-5
    assert not differ[~held].any()
    assert differ[held].mean() > (0.8 if kind == "delete" else 0.5)


@every_model
def test_a_gene_turned_up_changes_cells_that_lack_it_too(name: str) -> None:
    adata = planted_cells()
    lacks = adata.X[:, 3].toarray().ravel() == 0
    vectors = vectors_after(name, adata, Edit(kind="overexpress", genes=("GENE3",)))
    assert (np.abs(vectors - embedded(name)).max(axis=1) > 1e-5)[lacks].all()


@every_model
@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_leaves_the_cells_as_they_are(name: str, kind: Kind) -> None:
    adata, same = planted_cells(), planted_cells()
    built(name).edited(adata, Edit(kind=kind, genes=("GENE3", "GENE25")))
    assert (adata.X != same.X).nnz == 0
    assert adata.obs.equals(same.obs)
    assert adata.var.equals(same.var)


@every_model
@pytest.mark.parametrize("kind", EDITS)
def test_edited_cells_come_in_their_order_and_an_empty_one_stays_empty(name: str, kind: Kind) -> None:
    adata = planted_cells()
    counts = adata.X.toarray()
    counts[5] = 0
    adata.X = sparse.csr_matrix(counts)
    model, edit = built(name), Edit(kind=kind, genes=("GENE3", "GENE25"))
    tokens = model.edited(adata, edit)
    assert tokens.lengths()[5] == 0
    order = np.random.default_rng(1).permutation(adata.n_obs)
    again = model.edited(adata[order].copy(), edit, tokens=model.tokenize(adata).take(order))
    assert not changed(tokens.take(order), again).any()


@every_model
def test_a_gene_that_was_not_measured_cannot_be_edited(name: str) -> None:
    with pytest.raises(GeneMatchError, match="no gene unheard-of"):
        built(name).edited(planted_cells(), Edit(kind="delete", genes=("GENE3", "unheard-of")))


@every_model
def test_deleting_a_gene_that_no_cell_expresses_changes_no_vector(name: str) -> None:
    adata = planted_cells()
    counts = adata.X.toarray()
    counts[:, 7] = 0
    adata.X = sparse.csr_matrix(counts)
    model = built(name)
    edited = model.embed_edited(adata, Edit(kind="delete", genes=("GENE7",)))
    np.testing.assert_allclose(edited, model.embed(adata), atol=1e-6)


@every_model
@pytest.mark.parametrize("kind", EDITS)
def test_vectors_after_an_edit_come_in_the_order_of_cells_and_keep_nan(name: str, kind: Kind) -> None:
    adata = planted_cells()
    counts = adata.X.toarray()
    counts[5] = 0
    adata.X = sparse.csr_matrix(counts)
    model, edit = built(name), Edit(kind=kind, genes=("GENE3", "GENE25"))
    vectors = model.embed_edited(adata, edit)
    assert np.isnan(vectors[5]).all()
    assert np.isfinite(np.delete(vectors, 5, axis=0)).all()
    order = np.random.default_rng(1).permutation(adata.n_obs)
    again = model.embed_edited(adata[order].copy(), edit, batch_size=7)
    np.testing.assert_allclose(again, vectors[order], atol=1e-5)
    assert np.nanmax(np.abs(vectors - model.embed(adata))) > 1e-4


@every_model
def test_a_cell_that_loses_its_only_gene_is_nan_or_as_empty_as_the_model_reads_it(name: str) -> None:
    adata = planted_cells()
    counts = adata.X.toarray()
    counts[5] = 0
    counts[5, 3] = 4
    adata.X = sparse.csr_matrix(counts)
    model = built(name)
    seen = model.n_tokens(adata)[5] > 0
    left = model.edited(adata, Edit(kind="delete", genes=("GENE3",))).lengths()[5]
    vectors = model.embed_edited(adata, Edit(kind="delete", genes=("GENE3",)))
    assert np.isnan(vectors[5]).all() == (not seen or left == 0)
