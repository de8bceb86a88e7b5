"""Which cells are edited, without a network."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import anndata
import numpy as np
from scipy.sparse import csr_matrix

from scviz.foundation.edits import Edit
from scviz.foundation.tokens import Tokens
from scviz.tasks.in_silico.effects import Cells, Draw, edited_cells


def test_cells_are_tried_until_enough_are_changed(adata: anndata.AnnData) -> None:
    adata.X = csr_matrix(np.ones(adata.shape, dtype=np.float32))
    tokens = Tokens(
        gene_ids=np.arange(60)[:, None], values=None, mask=np.ones((60, 1), dtype=bool)
    )  # cells say who they are
    tried: list[int] = []

    def edited(part: anndata.AnnData, *_: object, tokens: Tokens, **__: object) -> Tokens:
        tried.append(len(part))
        new = np.where(tokens.gene_ids % 6 == 0, 100 + tokens.gene_ids, tokens.gene_ids)
        return replace(tokens, gene_ids=new)

    cells = Cells(adata=adata, tokens=tokens, vectors=np.zeros((60, 2)), goal=None, start=np.zeros(2))
    model, edit = SimpleNamespace(edited=edited), Edit(kind="delete", genes=("GENE3",))
    rows, after = edited_cells(model, cells, edit, draw=Draw(most=7, seed=(0, 1)))
    assert (len(rows), len(set(rows.tolist())), set(rows % 6)) == (7, 7, {0})
    assert after.gene_ids.ravel().tolist() == (rows + 100).tolist()
    assert tried[0] == 14
    assert len(tried) > 1
    assert len(edited_cells(model, cells, edit, draw=Draw(most=11, seed=(0, 1)))[0]) == 10
    assert edited_cells(model, cells, edit)[0].tolist() == list(range(0, 60, 6))
