"""Edits of counts, computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.edits import Edit, changed, edited_counts, gene_columns, highest_levels
from scviz.foundation.tokens import Tokens

COUNTS = np.array([[2.0, 6.0, 0.0, 0.0], [0.0, 1.0, 9.0, 0.0], [0.0, 0.0, 0.0, 0.0]], dtype=np.float32)
FIRST = np.array([0])


def edit(kind: str, **rest: float) -> Edit:
    return Edit(kind=kind, genes=("A",), **rest)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_deletion_takes_all_counts_and_a_knockdown_leaves_a_share(form: type) -> None:
    counts = form(COUNTS)
    assert edited_counts(counts, FIRST, edit("delete")).toarray().tolist()[0] == [0, 6, 0, 0]
    assert edited_counts(counts, FIRST, edit("knockdown", share=0.25)).toarray().tolist()[0] == [0.5, 6, 0, 0]
    kept = counts if isinstance(counts, np.ndarray) else counts.toarray()
    assert np.array_equal(kept, COUNTS)


def test_over_expression_brings_a_gene_to_its_highest_share_of_a_cell() -> None:
    assert highest_levels(COUNTS, FIRST) == pytest.approx([2500])  # 2 of 8 counts
    after = edited_counts(COUNTS, FIRST, edit("overexpress")).toarray()
    assert after[0].tolist() == [2, 6, 0, 0]
    assert after[1] == pytest.approx([10 / 3, 1, 9, 0], rel=1e-5)  # 10 / 3 of 40 / 3 counts is a quarter
    assert not after[2].any()


def test_a_gene_that_no_cell_expresses_gets_what_few_genes_have() -> None:
    level = highest_levels(COUNTS, np.array([3]))
    values = np.log1p([2500, 7500, 1000, 9000])
    assert level == pytest.approx(np.expm1([np.percentile(values, 99)]), rel=1e-4)


def test_over_expressed_genes_leave_room_for_others() -> None:
    after = edited_counts(COUNTS, np.array([1, 2]), Edit(kind="overexpress", genes=("B", "C"))).toarray()
    assert after[0, 1:3].sum() / after[0].sum() == pytest.approx(0.9, rel=1e-5)


def test_levels_of_a_whole_dataset_can_be_given() -> None:
    after = edited_counts(COUNTS[1:2], FIRST, edit("overexpress"), levels=np.array([5000.0])).toarray()
    assert after[0].tolist() == [10, 1, 9, 0]


def test_genes_are_found_by_any_of_their_names() -> None:
    var = pd.DataFrame(
        {"gene_ids": ["ENSG00000000001", "ENSG00000000002", "ENSG00000000003"]}, index=["A", "B", "C"]
    )
    assert gene_columns(var, ["C", "ENSG00000000001.7"]).tolist() == [2, 0]
    with pytest.raises(GeneMatchError, match="no gene D") as caught:
        gene_columns(var, ["A", "D"])
    assert caught.value.hint


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "double", "genes": ("A",)}, "no edit 'double'"),
        ({"kind": "delete", "genes": ()}, "no gene to edit"),
        ({"kind": "knockdown", "genes": ("A",), "share": 1.0}, "cannot leave 1"),
    ],
)
def test_edits_that_make_no_sense_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        Edit(**wrong)
    assert caught.value.hint


def test_padding_is_no_change_and_a_value_is() -> None:
    ids, mask = np.array([[5, 6, 0], [7, 0, 0]]), np.array([[True, True, False], [True, False, False]])
    before = Tokens(gene_ids=ids, values=mask.astype(np.float32), mask=mask)
    wide = np.pad(mask, ((0, 0), (0, 2)))
    values = wide.astype(np.float32)
    values[1, 0] = 2
    after = Tokens(gene_ids=np.pad(ids, ((0, 0), (0, 2)), constant_values=9), values=values, mask=wide)
    assert changed(before, after).tolist() == [False, True]
