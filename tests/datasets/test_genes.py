"""Genes are known by symbols and Ensembl ids, wherever a file keeps them."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from scviz.datasets.genes import (
    GeneIdentifiers,
    guess_species,
    identifiers,
    kind_of,
    n_versioned,
    unique_names,
)
from scviz.foundation.vocab import GeneVocab

TP53, CD3E = "ENSG00000141510", "ENSG00000198851"


def var(index: list[str], **columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=index)


def test_symbols_in_the_index_are_symbols() -> None:
    assert identifiers(var(["TP53", "CD3E"])) == GeneIdentifiers(ensembl=None, symbol=("TP53", "CD3E"))


def test_versions_of_ensembl_ids_are_stripped() -> None:
    ids = identifiers(var([f"{TP53}.18", f"{CD3E}.10"]))
    assert ids == GeneIdentifiers(ensembl=(TP53, CD3E), symbol=None)


@pytest.mark.parametrize("column", ["ensembl_id", "gene_ids", "gene_id", "feature_id", "Ensembl"])
def test_ensembl_ids_are_found_in_columns(column: str) -> None:
    assert identifiers(var(["TP53", "CD3E"], **{column: [TP53, CD3E]})).ensembl == (TP53, CD3E)


@pytest.mark.parametrize("column", ["symbol", "gene_symbols", "feature_name", "gene_name", "gene_short_name"])
def test_symbols_are_found_in_columns(column: str) -> None:
    assert identifiers(var([TP53, CD3E], **{column: ["TP53", "CD3E"]})).symbol == ("TP53", "CD3E")


def test_a_blend_is_taken_apart() -> None:
    ids = identifiers(var(["TP53", CD3E]))
    assert ids == GeneIdentifiers(ensembl=("", CD3E), symbol=("TP53", ""))
    assert ids.names == ("TP53", CD3E)


def test_an_id_in_place_of_a_symbol_is_no_symbol() -> None:
    assert identifiers(var([TP53, CD3E], feature_name=["TP53", CD3E])).symbol == ("TP53", "")


def test_a_column_of_categories_with_gaps_is_read() -> None:
    table = var(["a", "b"])
    table["gene_ids"] = pd.Categorical([TP53, None])
    assert identifiers(table).ensembl == (TP53, "")


def test_a_few_ensembl_ids_among_symbols_do_not_count() -> None:
    names = [f"GENE{i}" for i in range(50)]
    assert identifiers(var([*names, TP53])).ensembl is None


def test_numbers_are_no_names() -> None:
    assert kind_of([str(i) for i in range(10)]) == "unknown"


def test_a_blend_is_called_mixed() -> None:
    assert kind_of(["CD3E", "MS4A1", TP53]) == "mixed"


def test_versions_are_counted() -> None:
    assert n_versioned([TP53, f"{CD3E}.10", "RP11-34P13.7"]) == 1


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
        (GeneIdentifiers(ensembl=None, symbol=("TP53", "C1orf112", "MT-ND1", "CD3E")), "human"),
        (GeneIdentifiers(ensembl=None, symbol=("Trp53", "Cd3e", "mt-Nd1", "H2-K1")), "mouse"),
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
    start = time.perf_counter()
    known.match(ids)
    assert time.perf_counter() - start < 0.5  # 0.02 s when the machine is free
