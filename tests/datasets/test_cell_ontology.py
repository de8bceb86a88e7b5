"""The terms of cell types: what they are kinds of, how coarse, and what labels as people write them may mean."""

import subprocess
import sys

import pytest

from scviz.datasets.cell_ontology import (
    ALSO,
    COARSE,
    ancestors,
    coarse,
    common_name,
    common_parent,
    label_of,
    relation,
    terms,
)
from scviz.datasets.cell_type_terms import USUAL, terms_for
from scviz.datasets.cell_words import words_of

T, CD4, CD8, NK, B = "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000623", "CL:0000236"
MEANT = {
    "CD4+ T": CD4,
    "CD4 T cells": CD4,
    "CD4_T_cell": CD4,
    "CD4..T": CD4,
    "T cells CD4+": CD4,
    "CD4-positive, alpha-beta T cell": CD4,
    "CD8 T": CD8,
    "CD8+ T-cells": CD8,
    "B": B,
    "B lymphocytes": B,
    "NK": NK,
    "NK cells": NK,
    "Dendritic": "CL:0000451",
    "DC": "CL:0000451",
    "pDC": "CL:0000784",
    "pDCs": "CL:0000784",
    "Megakaryocytes": "CL:0000556",
    "Platelet": "CL:0000233",
    "Treg": "CL:0000815",
    "T_reg": "CL:0000815",
    "Naive CD4 T": "CL:0000895",
    "Memory CD4 T": "CL:0000897",
    "CD4TCM": "CL:0000904",
    "CD8TN": "CL:0000900",
    "CD4+/CD45RO+ Memory": "CL:0001204",
    "CD4+/CD25 T Reg": "CL:0000792",
    "CD19+ B": "CL:0001201",
    "gdT": "CL:0000798",
    "γδ T": "CL:0000798",
    "NK_CD56bright": "CL:0000938",
    "Smooth_muscle_cells": "CL:0000192",
    "Alveolar macrophages": "CL:0000583",
    "cl_0000084": T,
}
"""Labels as people write them, and the term."""
OFFERED = {
    "CD14+ Monocytes": {"CL:0001054", "CL:0000860", "CL:0002057"},
    "FCGR3A+ Mono": {"CL:0000875", "CL:0002396", "CL:0002397"},
    "DC2": {"CL:0002399", "CL:0000784"},
    "CD4Treg": {"CL:0000792", "CL:0000815"},
    "T/NK": {"CL:0000542", T, NK},
    "CD56+ NK": {NK},
}
"""Labels that mean several things: some of the terms that must be offered."""
OF_PUBLIC_FILES = [
    *(
        "CD4 T cells",
        "CD14+ Monocytes",
        "B cells",
        "NK cells",
        "CD8 T cells",
        "FCGR3A+ Monocytes",
        "Dendritic cells",
    ),
    *(
        "Megakaryocytes",
        "Naive CD4 T",
        "Memory CD4 T",
        "CD14+ Mono",
        "B",
        "CD8 T",
        "FCGR3A+ Mono",
        "NK",
        "DC",
    ),
    *("Platelet", "CD4TCM", "CD4TN", "CD4Treg", "CD8TN", "Monocyte", "CD19+ B", "CD4+/CD45RO+ Memory"),
    *(
        "CD4+/CD45RA+/CD25- Naive T",
        "CD4+/CD25 T Reg",
        "CD8+/CD45RA+ Naive Cytotoxic",
        "CD14+ Monocyte",
        "CD56+ NK",
    ),
]
"""All labels of the public blood sets that scviz was built on."""


@pytest.mark.parametrize(("label", "term"), MEANT.items())
def test_a_label_finds_its_term_however_it_is_written(label: str, term: str) -> None:
    sure = terms_for(label).sure
    assert sure is not None
    assert sure.id == term


@pytest.mark.parametrize(("label", "among"), OFFERED.items())
def test_of_a_label_that_means_several_things_none_is_chosen(label: str, among: set[str]) -> None:
    offer = terms_for(label)
    assert offer.sure is None
    assert among <= {one.id for one in offer.candidates}


@pytest.mark.parametrize("label", ["H1975", "control", "STAT1+ctrl", "stim", "7", "", "Doublet", "rep_1"])
def test_what_is_no_cell_type_is_offered_nothing(label: str) -> None:
    assert terms_for(label).candidates == ()


def test_every_label_of_the_public_blood_sets_is_offered_a_term_and_has_a_coarse_type() -> None:
    offers = [terms_for(label) for label in OF_PUBLIC_FILES]
    assert all(one.candidates for one in offers)
    wide = {offer.text: label_of(offer.coarse or "") for offer in offers}
    assert wide["CD14+ Mono"] == wide["Monocyte"] == "monocyte"
    assert wide["CD4+/CD45RA+/CD25- Naive T"] == wide["CD8+/CD45RA+ Naive Cytotoxic"] == "T cell"
    assert wide["Platelet"] == wide["Megakaryocytes"] == "megakaryocyte"
    assert set(wide.values()) == {
        *("T cell", "B cell", "natural killer cell", "monocyte", "dendritic cell", "megakaryocyte"),
    }


def test_how_a_term_matches_is_said() -> None:
    assert [terms_for(label).candidates[0].match for label in ("T cell", "T-cell", "T.cells", "mDC")] == [
        *("label", "synonym", "spelling", "usual"),
    ]
    naive = terms_for("CD4+/CD45RA+/CD25- Naive T")
    assert [(one.id, one.match) for one in naive.candidates] == [("CL:0000895", "broader")]


@pytest.mark.parametrize("label", ["B_1", "B_2", "B.1", "B cells 1", "B-cells-1", "B-cell 2", "DC_1"])
def test_a_number_that_may_count_clusters_chooses_no_type(label: str) -> None:
    found = terms_for(label)
    assert found.sure is None
    assert found.coarse in (B, "CL:0000451")
    assert [one.match for one in found.candidates] == ["broader", "numbered"]


@pytest.mark.parametrize("label", ["T cell?", "T (?)", "T ?"])
def test_a_question_mark_is_no_choice(label: str) -> None:
    found = terms_for(label)
    assert found.sure is None
    assert [(one.id, one.match) for one in found.candidates] == [(T, "doubted")]


@pytest.mark.parametrize(
    "label", ["B_doublet", "B cell doublets", "not a B cell", "Immune (not T)", "T-depleted"]
)
def test_doublets_and_what_is_not_of_a_type_have_no_coarse_type(label: str) -> None:
    found = terms_for(label)
    assert found.candidates
    assert found.sure is None
    assert found.coarse is None


def test_double_negative_t_cells_mean_two_things_however_they_are_written() -> None:
    assert {one.id for one in terms_for("CD4-CD8- T").candidates} == {T, "CL:0002489"}


@pytest.mark.parametrize("term", [T, CD4, "CL:0000556", "CL:0000540", "CL:0002306"])
def test_a_label_of_the_ontology_is_its_own_term(term: str) -> None:
    sure = terms_for(label_of(term)).sure
    assert sure is not None
    assert (sure.id, sure.match) == (term, "label")


def test_minus_and_plus_are_two_things() -> None:
    assert words_of("CD16- NK") != words_of("CD16+ NK")
    assert words_of("CD16-negative NK cell") == words_of("CD16- NK")


def test_kinds_and_parents() -> None:
    assert T in ancestors(CD4)
    assert CD4 not in ancestors(CD4)
    assert ancestors("CL:9999999") == frozenset()
    assert common_parent([CD4]) == CD4
    assert common_parent([CD4, T]) == T
    assert label_of(common_parent([CD4, NK]) or "") == "lymphocyte"
    assert common_parent([]) is None
    assert common_parent([CD4, "CL:9999999"]) is None


def test_a_cell_that_may_be_cd4_or_cd8_is_a_t_cell() -> None:
    assert common_name([CD4, CD8]) == T
    assert common_name([CD4]) == CD4
    assert common_name(["CL:0000233", "CL:0000556"]) == common_parent(["CL:0000233", "CL:0000556"])


def test_terms_are_compared() -> None:
    assert relation(CD4, CD4) == "same"
    assert relation(T, CD4) == "broader"
    assert relation(CD4, T) == "narrower"
    assert relation(CD4, CD8) == "coarse"
    assert relation(CD4, NK) == "different"
    assert relation(None, NK) == relation("CL:9999999", NK) == "unknown"


def test_every_id_that_is_named_is_in_the_table() -> None:
    usual = [line.split("\t")[1] for line in USUAL.read_text("utf-8").splitlines()[1:]]
    assert {*COARSE, *ALSO, *ALSO.values(), *usual} <= set(terms())
    assert all(parent in terms() for term in terms().values() for parent in term.parents)
    assert all(coarse(one) in (one, ALSO.get(one)) for one in COARSE)


def test_the_table_is_read_only_when_it_is_asked() -> None:
    code = (
        "import sys; from scviz.datasets import cell_ontology, cell_type_terms; "
        "assert not {'pandas', 'torch', 'anndata'} & set(sys.modules); "
        "assert cell_ontology.terms.cache_info().misses == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
