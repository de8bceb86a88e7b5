from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.gene_index import MOST_OFFERS, GeneIndex, gene_index, make_index
from scviz.datasets.gene_table import gene_table
from scviz.datasets.genes import GeneIdentifiers
from tests.conftest import Opened

NAMES = ("MS4A1", "CD2", "CD27", "HLA-DRA", "Gm42418", "IL8")
IDS = GeneIdentifiers(
    ensembl=("ENSG00000156738", "ENSG00000116824", "ENSG00000139193", "ENSG00000204287", "", ""),
    symbol=NAMES,
)
CELLS = np.array([30, 90, 50, 70, 5, 20])


@pytest.fixture(scope="module")
def index() -> GeneIndex:
    return make_index(NAMES, n_cells=CELLS, species="human", identifiers=IDS)


def genes(index: GeneIndex, text: str) -> list[str]:
    return [one.gene for one in index.search(text)]


def test_exact_name_comes_before_prefix_before_alias(index: GeneIndex) -> None:
    assert genes(index, "cd2") == ["CD2", "CD27", "MS4A1"]


def test_former_symbol_says_what_was_meant_and_how_many_cells(index: GeneIndex) -> None:
    (offer,) = index.search("Cd20")
    assert (offer.word, offer.gene, offer.how, offer.n_cells) == ("CD20", "MS4A1", "former symbol", 30)


def test_former_symbol_in_the_data_is_found_by_the_approved_one(index: GeneIndex) -> None:
    (offer,) = index.search("CXCL8")
    assert (offer.gene, offer.how) == ("IL8", "symbol")


@pytest.mark.parametrize(
    "text", ["ENSG00000156738", "ensg00000156738.17", "ENSG00000156738.", "ENSG000001567"]
)
def test_ensembl_id_with_or_without_version_or_end(index: GeneIndex, text: str) -> None:
    assert genes(index, text)[0] == "MS4A1"


def test_signs_and_case_make_no_difference(index: GeneIndex) -> None:
    assert genes(index, "hla.dra") == genes(index, " HLA_DRA ") == ["HLA-DRA"]


def test_names_that_contain_the_text_come_last(index: GeneIndex) -> None:
    assert genes(index, "dr")[-1] == "HLA-DRA"
    assert genes(index, "42418") == ["Gm42418"]


def test_of_equal_prefixes_the_gene_of_more_cells_comes_first_then_the_alphabet() -> None:
    index = make_index(("AB3", "AB2", "AB1", "AB4"), n_cells=np.array([7, 7, 1, 9]), species=None)
    assert genes(index, "ab") == ["AB4", "AB2", "AB3", "AB1"]


def test_a_gene_is_offered_once() -> None:
    index = make_index(NAMES, n_cells=CELLS, species="human", identifiers=IDS, in_file=("CD20", *NAMES[1:]))
    offers = index.search("cd20")
    assert [(one.gene, one.how) for one in offers] == [("MS4A1", "name in the file")]


def test_nothing_is_offered_for_nothing(index: GeneIndex) -> None:
    assert index.search("") == index.search("   ") == index.search("no such gene") == []
    assert index.named("cd") == ""
    assert index.named("cd20") == "MS4A1"


TWINS = ("CD3E", "Cd3e", "A.1", "A-1", "a_1", "ENSG00000182378.14", "ENSG00000182378.14_PAR_Y", "X", "Y")


@pytest.fixture(scope="module")
def twins() -> GeneIndex:
    """Genes whose names differ by case, signs or version alone; `Y` has the name of `X` as its symbol."""
    ids = GeneIdentifiers(ensembl=None, symbol=(*TWINS[:8], "X"))
    cells = np.array([50, 9, 3, 8, 5, 2, 40, 1, 30])
    return make_index(TWINS, n_cells=cells, species=None, identifiers=ids)


@pytest.mark.parametrize("name", TWINS)
def test_every_gene_is_found_by_its_own_name(twins: GeneIndex, name: str) -> None:
    assert twins.named(name) == name
    assert twins.search(name, 1)[0].gene == genes(twins, name)[0] == name


def test_of_names_that_differ_the_one_that_differs_by_case_comes_first_then_the_one_of_more_cells(
    twins: GeneIndex,
) -> None:
    assert genes(twins, "cd3E") == ["CD3E", "Cd3e"]
    assert genes(twins, "a.1") == ["A.1", "A-1", "a_1"]
    assert genes(twins, "a 1") == []
    assert twins.named("ensg00000182378") == "ENSG00000182378.14_PAR_Y"
    assert genes(twins, "x") == ["Y", "X"]


def test_names_with_signs_of_patterns_are_taken_as_they_are() -> None:
    index = make_index(("A(1)", "B"), n_cells=np.array([1, 1]), species=None)
    assert genes(index, "(1)") == ["A(1)"]


def test_no_more_than_fifty_of_thirty_thousand_genes_are_offered() -> None:
    table = gene_table("human")
    names = table.symbols[:30_000]
    ids = GeneIdentifiers(ensembl=tuple(map(table.ensembl, range(30_000))), symbol=names)
    index = make_index(names, n_cells=np.arange(30_000), species="human", identifiers=ids)
    for text in ("E", "EN", "ENSG", "C", "CD", "1", "1-", "A", "P5"):
        assert 0 < len(index.search(text)) <= MOST_OFFERS


def test_an_ensembl_id_finds_a_gene_of_a_file_without_ids() -> None:
    index = make_index(("MS4A1", "CD2"), n_cells=np.array([1, 9]), species="human")
    (offer,) = index.search("ENSG00000156738.12")
    assert (offer.gene, offer.how) == ("MS4A1", "Ensembl id")
    assert index.named("ensg00000156738") == "MS4A1"


def test_index_of_an_opened_dataset_counts_its_cells(opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    index = gene_index(folder)
    assert index is gene_index(folder)
    assert index.search("gene7")[0].gene == "GENE7"
    (offer,) = index.search("ENSG90000000007.3")
    assert offer.how == "Ensembl id"
    assert 0 < offer.n_cells <= 60
