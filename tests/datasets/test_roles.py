"""What a column of cells is good for."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.roles import describe, role_of
from scviz.datasets.tables import Column


def column(name: str, *words: str) -> Column:
    values = np.tile(np.arange(len(words), dtype=np.int32), 40)
    return Column(name=name, values=values, categories=words)


RECEPTORS = {
    "v_call": ("TRAV12-1*01", "TRBV20-1", "TRAV8-3"),
    "cdr3": ("CAVNTGNQFYF", "CASSLGQAYEQYF", "None", "CASSPGTGGNEQFF"),
    "clonotype": ("clonotype1", "clonotype2", "clonotype17", "nan"),
    "raw_clonotype_id": ("clonotype_1", "clonotype_2", "clonotype_3"),
    "cdr3s_aa": ("TRA:CAVNTGNQFYF;TRB:CASSLGQAYEQYF", "TRB:CASSPGTGGNEQFF"),
    "CTgene": ("TRAV12-1.TRAJ49.TRAC_TRBV20-1.None.TRBJ2-7.TRBC2", "TRAV1-2_TRBV6"),
    "IR_VDJ_1_junction": ("TGTGCCAGCAGCTTAGGACAGGCCTACGAGCAGTACTTC", "TGTGCCAGCAGCCCAGGGACAGGGGGG"),
    "label": ("CAVNTGNQFYF", "CASSLGQAYEQYF", "CASSPGTGGNEQFF"),
    "cell_type": ("TRAV12-1", "TRBV20-1"),
}


@pytest.mark.parametrize("name", RECEPTORS)
def test_receptors_of_cells_are_no_cell_types(name: str) -> None:
    info = describe(column(name, *RECEPTORS[name]))
    assert info.kind == "text"
    assert info.values == ()
    assert "receptors" in info.reason


def test_many_clones_of_any_name_are_no_cell_types_and_few_are_a_category() -> None:
    assert role_of(column("clonotype", *(f"c{i}" for i in range(30)))).kind == "text"
    assert role_of(column("clonotype_size", "small", "medium", "large")).kind == "category"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cell_type", ("CD4 T", "CD8 T", "gdT", "NK")),
        ("cell_type", ("TRM", "TCM", "TEMRA", "IGHG plasma cells")),
        ("annotation", ("T cells alpha/beta", "T cells gamma/delta", "MAIT TRAV1-2")),
        ("cluster", ("0", "1", "2")),
        ("trait_label", ("a", "b", "c")),
    ],
)
def test_cell_types_stay_cell_types(name: str, words: tuple[str, ...]) -> None:
    assert role_of(column(name, *words)).kind == "label"


def test_perturbed_receptor_genes_are_a_screen_and_no_receptors() -> None:
    assert role_of(column("guide", "TRAC", "CD19", "PDCD1", "NT", "CD3E")).kind == "category"
