"""Genes are known by symbols and Ensembl ids, wherever a file keeps them."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.datasets.genes import (
    GeneIdentifiers,
    guess_species,
    identifiers,
    kind_of,
    strip_version,
    unique_names,
)
from scviz.datasets.tables import read_table
from scviz.foundation.vocab import GeneVocab

TP53, CD3E = "ENSG00000141510", "ENSG00000198851"


def var(index: list[str], **columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=index)


def test_symbols_in_the_index_are_symbols() -> None:
    ids = identifiers(var(["TP53", "CD3E"]))
    assert (ids.ensembl, ids.symbol) == (None, ("TP53", "CD3E"))


def test_versions_of_ensembl_ids_are_stripped() -> None:
    ids = identifiers(var([f"{TP53}.18", f"{CD3E}.10"]))
    assert (ids.ensembl, ids.symbol) == ((TP53, CD3E), None)
    assert ids.names == (TP53, CD3E)


@pytest.mark.parametrize("column", ["ensembl_id", "gene_ids", "gene_id", "feature_id", "Ensembl"])
def test_ensembl_ids_are_found_in_columns(column: str) -> None:
    assert identifiers(var(["TP53", "CD3E"], **{column: [TP53, CD3E]})).ensembl == (TP53, CD3E)


@pytest.mark.parametrize("column", ["symbol", "gene_symbols", "feature_name", "gene_name", "gene_short_name"])
def test_symbols_are_found_in_columns(column: str) -> None:
    assert identifiers(var([TP53, CD3E], **{column: ["TP53", "CD3E"]})).symbol == ("TP53", "CD3E")


def test_a_blend_is_taken_apart() -> None:
    ids = identifiers(var(["TP53", CD3E]))
    assert (ids.ensembl, ids.symbol) == (("", CD3E), ("TP53", ""))
    assert ids.names == ("TP53", CD3E)


def test_an_id_in_place_of_a_symbol_is_no_symbol() -> None:
    assert identifiers(var([TP53, CD3E], feature_name=["TP53", CD3E])).symbol == ("TP53", "")


def test_a_column_of_categories_with_gaps_is_read() -> None:
    table = var(["a", "b"])
    table["gene_ids"] = pd.Categorical([TP53, None])
    assert identifiers(table).ensembl == (TP53, "")


def test_a_few_ids_among_symbols_name_their_genes_but_are_not_the_kind_of_the_dataset() -> None:
    names = [f"GENE{i}" for i in range(50)]
    ids = identifiers(var([*names, TP53]))
    assert ids.names == (*names, TP53)
    assert ids.ensembl == ("",) * 50 + (TP53,)
    assert not ids.has("ensembl")
    assert ids.has("symbol")
    turned = identifiers(var([*(f"ENSG{i:011d}" for i in range(50)), "GFP"]))
    assert turned.names[-1] == "GFP"
    assert not turned.has("symbol")


def test_of_two_genes_with_one_symbol_the_second_is_called_by_its_id() -> None:
    ids = identifiers(var([TP53, CD3E, "MATR3"], feature_name=["MATR3", "MATR3", "MATR3"]))
    assert ids.names == ("MATR3", CD3E, "MATR3-1")


def test_numbers_in_the_index_give_way_to_the_ids_of_a_column() -> None:
    ids = identifiers(var(["0", "1", "2"], gene_ids=[TP53, "", CD3E]))
    assert ids.symbol is None
    assert ids.names == (TP53, "1", CD3E)


WORDS = st.sampled_from(
    [
        "TP53",
        "CD3E",
        "MATR3",
        "GFP",
        "",
        " ",
        "nan",
        "NA",
        "7157",
        "0",
        TP53,
        CD3E,
        f"{TP53}.18",
        f"{CD3E}.2_PAR_Y",
    ]
)


@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=30),
    st.sets(st.sampled_from(["gene_ids", "feature_name"])),
)
def test_whatever_the_mix_of_kinds_every_gene_has_one_name_of_its_own(
    genes: list[tuple[str, str, str]], columns: set[str]
) -> None:
    index, ids, symbols = (list(column) for column in zip(*genes, strict=True)) if genes else ([], [], [])
    table = var(index, **{name: ids if name == "gene_ids" else symbols for name in sorted(columns)})
    found = identifiers(table)
    assert len(found.names) == len(set(found.names)) == len(found) == len(index)
    assert all(name.strip() for name in found.names)
    for place, name in enumerate(found.names):
        own = {index[place], *(table[column].iloc[place] for column in table)}
        own = {strip_version(word) for word in own} | own | {f"gene {place + 1}"}
        assert any(name == word or name.startswith(f"{word}-") for word in own)


def test_no_gene_of_a_real_file_with_a_few_ids_is_nameless(shared: Path) -> None:
    with h5py.File(shared / "cases" / "mixed_names_8pct_ensembl.h5ad") as file:
        table, _ = read_table(file["var"])
    ids = identifiers(table)
    assert len(set(ids.names)) == 2000
    assert sum(name.startswith("ENSG") for name in ids.names) == 188
    assert set(ids.names) == set(table.index)


def test_numbers_are_no_names() -> None:
    assert kind_of([str(i) for i in range(10)]) == "unknown"


def test_a_blend_is_called_mixed() -> None:
    assert kind_of(["CD3E", "MS4A1", TP53]) == "mixed"


def test_repeated_names_become_different_without_meeting_others() -> None:
    names = unique_names(["A", "A", "A-1", "A", "B"])
    assert len(set(names)) == 5
    assert names[0] == "A"
    assert names[2] == "A-1"


@pytest.mark.parametrize(
    ("ids", "species"),
    [
        (GeneIdentifiers(ensembl=(TP53, CD3E), symbol=None), "human"),
        (GeneIdentifiers(ensembl=("ENSMUSG00000059552",), symbol=None), "mouse"),
        (GeneIdentifiers(ensembl=("ENSDARG00000035559",), symbol=None), "unknown"),
        (GeneIdentifiers(ensembl=None, symbol=("TP53", "C1orf112", "MT-ND1", "CD3E")), "unknown"),
        (GeneIdentifiers(ensembl=None, symbol=("Trp53", "Cd3e", "mt-Nd1", "H2-K1")), "unknown"),
        (GeneIdentifiers(ensembl=None, symbol=("tp53", "cd4-1", "actb1")), "unknown"),
        (GeneIdentifiers(ensembl=None, symbol=()), "unknown"),
    ],
)
def test_the_species_is_told_by_the_names(ids: GeneIdentifiers, species: str) -> None:
    assert guess_species(ids).species == species


def vocab(genes: tuple[str, ...], aliases: dict[str, str] | None = None) -> GeneVocab:
    return GeneVocab(
        genes=genes, ids=np.arange(len(genes)), special={}, kind="ensembl", aliases=aliases or {}
    )


def test_coverage_lists_the_genes_that_are_lost() -> None:
    ids = GeneIdentifiers(ensembl=(TP53, "", CD3E), symbol=("TP53", "LOC1", "CD3E"))
    coverage = vocab((CD3E, TP53, "ENSG00000000003")).coverage(ids)
    assert (coverage.n_found, coverage.n_genes, coverage.n_vocab) == (2, 3, 3)
    assert coverage.lost == ("LOC1",)


def test_a_gene_without_an_id_is_found_by_its_alias() -> None:
    ids = GeneIdentifiers(ensembl=("", CD3E), symbol=("p53", "CD3E"))
    assert vocab((CD3E, TP53), {"P53": TP53}).match(ids).tolist() == [1, 0]


def test_thirty_thousand_names_take_no_time() -> None:
    names = [f"ENSG{i:011d}" for i in range(30_000)]
    ids = GeneIdentifiers(ensembl=tuple(names), symbol=None)
    known = vocab(tuple(names[::2]))
    start = time.process_time()
    known.match(ids)
    assert time.process_time() - start < 0.5  # 0.02 s when the machine is free


def test_symbols_of_rats_are_not_taken_for_those_of_mice() -> None:
    shared = [
        "Cd3e",
        "Ms4a1",
        "Nkg7",
        "Actb",
        "Gapdh",
        "Cd4",
        "Cd8a",
        "Lyz2",
        "Ncr1",
        "Ccr7",
        "Il7r",
        "S100a8",
    ]
    rat = guess_species(
        GeneIdentifiers(ensembl=None, symbol=(*shared, "RT1-A2", "RT1-Ba", "RT1-Da", "AABR07000046.1"))
    )
    assert (rat.species, rat.called) == ("unknown", "rat")
    assert "4 are such as rats alone have, 0 such as mice alone have" in rat.evidence
    mouse = guess_species(
        GeneIdentifiers(ensembl=None, symbol=(*shared, "H2-Aa", "H2-K1", "Gm12345", "0610007P14Rik"))
    )
    assert mouse.species == "mouse"
