"""Genes are known by every name they had, and nothing is guessed."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from scviz.datasets.gene_kinds import kinds_of_genes
from scviz.datasets.gene_matching import match_list
from scviz.datasets.gene_names import date_words, written
from scviz.datasets.gene_table import find_gene, gene_table
from scviz.datasets.genes import GeneIdentifiers, guess_species, identifiers
from scviz.datasets.orthologs import mouse_to_human
from scviz.datasets.renaming import known_as
from scviz.foundation.vocab import GeneVocab

HUMAN, MOUSE = gene_table("human"), gene_table("mouse")
TEN = ("CD3E", "CD4", "CD8A", "MS4A1", "NKG7", "LYZ", "PPBP", "GNLY", "CST3", "FCER1A")


def symbols(*names: str) -> GeneIdentifiers:
    return GeneIdentifiers(ensembl=None, symbol=names)


def human(name: str) -> list[str]:
    return [HUMAN.symbols[place] for place in find_gene(HUMAN, name).genes]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("CD3E", "CD3E"),
        ("ENSG00000198851", "CD3E"),
        ("ENSG00000198851.10", "CD3E"),
        ("ensg00000198851.3", "CD3E"),
        ("SEPT2", "SEPTIN2"),
        ("MARCH1", "MARCHF1"),
        ("CD20", "MS4A1"),
        (" CD3E ", "CD3E"),
        ("cd3e", "CD3E"),
        ("c1ORF112", "FIRRM"),
        ("HLA.DRA", "HLA-DRA"),
        ("X7SK", "RN7SK"),
        ("CD3E_ENSG00000198851", "CD3E"),
        ("ENSG00000198851.10_CD3E", "CD3E"),
        ("CD3E|ENSG00000198851", "CD3E"),
        ("CD3E (ENSG00000198851)", "CD3E"),
        ("chr11:CD3E", "CD3E"),
        ("CD3E__chr11", "CD3E"),
        ("2-Sep", "SEPTIN2"),
        ("Sep-02", "SEPTIN2"),
        ("2021-09-02 00:00:00", "SEPTIN2"),
        ("3-Mar", "MARCHF3"),
        ("15-Sep", "SELENOF"),
        ("1-Dec", "DELEC1"),
        ("ENSG00000117289", "TXNIP"),
    ],
)
def test_a_gene_is_found_by(name: str, symbol: str) -> None:
    assert human(name) == [symbol]


@pytest.mark.parametrize("name", ["44256", "no gene", "", "ENSG99999999999", "Gm1992"])
def test_what_is_no_gene_is_not_found(name: str) -> None:
    assert human(name) == []


def test_a_name_of_several_genes_is_told_and_left() -> None:
    assert sorted(human("QARS")) == ["EPRS1", "QARS1"]
    assert sorted(human("1-Mar")) == ["MARCHF1", "MTARC1"]
    today = known_as(["QARS", "1-Mar", "CD3E"], "human")
    assert today.names == ("QARS", "1-Mar", "CD3E")
    assert [one.name for one in today.ambiguous] == ["QARS", "1-Mar"]


def test_no_symbol_of_today_is_taken_for_another_gene() -> None:
    for table in (HUMAN, MOUSE):
        found = [table.find(symbol).genes for symbol in table.symbols]
        assert found == [(place,) for place in range(len(table.symbols))]
        words = {*table.former.one, *table.former.several, *table.alias.one, *table.alias.several}
        assert not words & set(table.symbols)


def test_every_old_name_of_the_table_leads_to_its_gene_or_to_none() -> None:
    names = [*HUMAN.former.one, *HUMAN.former.several]
    today = known_as(names, "human")
    several = {one.name for one in today.ambiguous}
    assert several == set(HUMAN.former.several)
    told = {one.old: one.new for one in (*today.renames, *today.repeated)}
    words = {word: place for word, place in HUMAN.former.one.items() if not word.startswith("ENSG")}
    assert told == {word: HUMAN.symbols[place] for word, place in words.items()}


def test_a_former_symbol_goes_before_a_mere_alias_and_says_so() -> None:
    (rename,) = known_as(["TAZ"], "human").renames
    assert (rename.new, rename.how, rename.also) == ("TAFAZZIN", "former symbol", ("WWTR1",))


def test_of_two_genes_with_one_new_name_the_exact_one_has_it() -> None:
    today = known_as(["SEPT2", "SEPTIN2"], "human")
    assert today.names == ("SEPT2", "SEPTIN2")
    assert [(one.old, one.new) for one in today.repeated] == [("SEPT2", "SEPTIN2")]
    assert today.renames == ()


@pytest.mark.parametrize(
    ("species", "name", "symbol"),
    [
        ("mouse", "AGT", "Agt"),  # Mgmt was called AGT
        ("mouse", "AIP", "Aip"),
        ("mouse", "elf1", "Elf1"),
        ("mouse", "AR", "Ar"),
        ("human", "NKX6.1", "NKX6-1"),  # NKX6-2 was called NKX6.1
        ("human", "Gem", "GEM"),
        ("human", "ski", "SKI"),
    ],
)
def test_an_approved_symbol_in_another_spelling_goes_before_an_alias(
    species: str, name: str, symbol: str
) -> None:
    assert known_as([name, "Trp53"], species).symbols[0] == symbol
    both = known_as([name, symbol], species)
    assert both.names == (name, symbol)
    assert [one.name for one in both.ambiguous] == [name]


@pytest.mark.parametrize(
    ("species", "letters"),
    [("mouse", str.upper), ("mouse", str.lower), ("human", str.lower), ("human", str.capitalize)],
)
def test_no_gene_in_other_letters_is_taken_for_another_one(species: str, letters) -> None:
    symbols = gene_table(species).symbols
    found = known_as([letters(symbol) for symbol in symbols], species)
    assert [
        (one, other) for one, other in zip(symbols, found.symbols, strict=True) if other not in ("", one)
    ] == []
    assert len(found.ambiguous) + len(found.unknown) <= 1


def test_a_mouse_alias_in_capital_letters_is_not_guessed_where_another_gene_has_it_in_small_ones() -> None:
    found = known_as(["TAZ", "Taz", "OCT4"], "mouse")
    assert found.names == ("TAZ", "Tafazzin", "Pou5f1")
    assert found.ambiguous[0].genes == ("Wwtr1", "Tafazzin")


def test_a_number_at_the_end_of_a_symbol_is_no_repeat() -> None:
    names = known_as(["IGHV1.69.2", "IGHV1.69", "ighv1-69-2"], "human").names
    assert names[:2] == ("IGHV1-69-2", "IGHV1-69")


def test_prefixes_of_genomes_are_taken_off_and_named() -> None:
    for prefix in ("GRCh38_", "GRCh38______", "hg19_", "GRCh38-2020-A_", "GRCh38-"):
        today = known_as([f"{prefix}{name}" for name in TEN], "unknown")
        assert today.names == TEN
        assert set(today.species) == {"human"}
        assert today.mended == {"The prefix of the human genome": 10}


def test_genes_of_two_species_stay_apart() -> None:
    names = [*(f"GRCh38_{name}" for name in TEN), *(f"mm10___{name.title()}" for name in TEN), "mm10___C3"]
    today = known_as(names, "unknown")
    assert today.names[:10] == TEN
    assert today.names[10:] == tuple(names[10:])
    assert today.species == ("human",) * 10 + ("mouse",) * 11
    ids = identifiers(pd.DataFrame(index=names))
    assert guess_species(ids).called == "human and mouse"
    assert match_list(ids, (*TEN, "C3")).places.tolist() == [*range(10), *[-1] * 11]


def test_repeats_that_were_made_different_are_told_not_counted_twice() -> None:
    matched = match_list(symbols("TAP2", "TAP2.1", "NKX2-1", "HLA-A-1", "HLA-A"), ("TAP2", "NKX2-1", "HLA-A"))
    assert matched.places.tolist() == [0, -1, 1, -1, 2]
    assert [one.old for one in matched.repeated] == ["TAP2.1", "HLA-A-1"]


def test_a_list_of_older_names_is_found_by_names_of_today() -> None:
    vocab = GeneVocab(genes=("SEPT2", "FAM46C", "CD3E"), ids=np.arange(3), special={}, kind="symbol")
    coverage = vocab.coverage(symbols("SEPTIN2", "TENT5C", "CD3E", "XIST"))
    assert (coverage.n_found, coverage.lost) == (3, ("XIST",))
    assert [(one.old, one.new) for one in coverage.renames] == [("SEPTIN2", "SEPT2"), ("TENT5C", "FAM46C")]


def test_spellings_that_r_made_are_found_in_the_list_itself() -> None:
    assert match_list(symbols("RP11.34P13.7", *TEN), ("RP11-34P13.7", *TEN)).places.tolist() == list(
        range(11)
    )


def test_mouse_genes_are_not_taken_for_human_ones() -> None:
    mouse = [name for name in MOUSE.symbols if name.upper() in HUMAN.by_symbol][:200]
    mouse += [name for name in MOUSE.symbols if name.startswith("Gm")][:50]
    ids = symbols(*mouse)
    exact = set(mouse) & set(HUMAN.symbols)
    places = match_list(ids, HUMAN.symbols).places
    assert {mouse[i] for i in np.flatnonzero(places >= 0)} == exact


def test_the_letters_do_not_tell_the_species() -> None:
    shared = [name for name in HUMAN.symbols if name.title() in MOUSE.by_symbol][:300]
    alone = [name for name in HUMAN.symbols if name.startswith("ZNF")][:40]
    for turned in (str.lower, str.title, str.upper):
        assert guess_species(symbols(*map(turned, [*shared, *alone]))).species == "human"
    capitals = [*shared, *[name.upper() for name in MOUSE.symbols if name.startswith("Gm")][:40]]
    assert guess_species(symbols(*capitals)).species == "mouse"


def test_few_genes_tell_no_species() -> None:
    guess = guess_species(symbols("CD3E", "MS4A1", "NKG7"))
    assert (guess.species, guess.called) == ("unknown", "")
    assert "too few" in guess.evidence


@pytest.mark.parametrize(
    ("start", "called"), [("ENSRNOG", "rat"), ("ENSDARG", "zebrafish"), ("ENSMMUG", "rhesus macaque")]
)
def test_other_species_are_named(start: str, called: str) -> None:
    guess = guess_species(GeneIdentifiers(ensembl=tuple(f"{start}{i:011d}" for i in range(20)), symbol=None))
    assert (guess.species, guess.called) == ("unknown", called)
    assert called in guess.evidence


def test_numbers_that_were_dates_are_hopeless_and_told() -> None:
    today = known_as(["44256", "CD3E"], "human")
    assert (today.names, today.dates, today.unknown) == (("44256", "CD3E"), ("44256",), ())
    assert any("cannot be known again" in note for note in today.notes)


def test_names_that_are_right_are_neither_renamed_nor_taken_apart() -> None:
    right = ("RP11-34P13.7", "HLA-DRB1", "NKX2-1", "AC000003.2", "Y_RNA", "MT-CO1", "chrXIST", "CHRNA1")
    assert known_as(right, "unknown").names == right
    assert [written(name).symbol for name in right] == list(right)
    assert [date_words(name) for name in ("SEPT2", "MARCH1", "DEC1", "NKX2-1", "AC000003.2")] == [()] * 5


def test_mouse_genes_get_their_human_counterparts_and_what_is_lost_is_named() -> None:
    found = mouse_to_human(symbols("Trp53", "Cd3e", "Gm1992", "Xkr4", "H2-K1", "no gene"))
    assert found.columns.tolist() == [0, 1, 3]
    assert found.symbols == ("TP53", "CD3E", "XKR4")
    assert found.ensembl[0] == "ENSG00000141510"
    assert found.lost == ("Gm1992", "H2-K1", "no gene")
    assert "3 of 6" in found.note
    assert "3 are left out" in found.note


def test_mouse_genes_are_found_by_their_ids_too() -> None:
    found = mouse_to_human(GeneIdentifiers(ensembl=("ENSMUSG00000059552",), symbol=None))
    assert found.symbols == ("TP53",)


def test_nearly_all_pairs_of_orthologs_hold_today() -> None:
    found = mouse_to_human(symbols(*MOUSE.symbols))
    assert len(found.symbols) == len(set(found.symbols)) > 16_000


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MT-CO1", "mitochondrial"),
        ("mt-Nd1", "mitochondrial"),
        ("MT.CYB", "mitochondrial"),
        ("GRCh38_MT-ND4", "mitochondrial"),
        ("ENSG00000198804", "mitochondrial"),
        ("ENSMUSG00000064351.2", "mitochondrial"),
        ("MT1X", "gene"),
        ("MTOR", "gene"),
        ("RPL3", "ribosomal"),
        ("Rps27a", "ribosomal"),
        ("RPLP0", "ribosomal"),
        ("RPS6KA1", "gene"),
        ("MRPL3", "gene"),
        ("ERCC-00002", "spike-in"),
        ("ERCC1", "gene"),
        ("CD3_TotalSeqB", "antibody"),
        ("CD45RA-ADT", "antibody"),
        ("HTO_1", "tag"),
        ("Hashtag5", "tag"),
        ("CMO301", "tag"),
        ("sgCD3E-1", "guide"),
        ("CD3E_sg2", "guide"),
        ("chr1-1000-2000", "peak"),
        ("HLA-A", "gene"),
        ("NKX2-1", "gene"),
        ("TAGLN", "gene"),
    ],
)
def test_what_stands_among_the_genes_is_known(name: str, kind: str) -> None:
    assert kinds_of_genes(identifiers(pd.DataFrame(index=[name]))) == (kind,)


def test_what_the_file_says_of_a_feature_goes_before_its_name() -> None:
    ids = identifiers(pd.DataFrame(index=["CD3", "CD3E", "STAT1g2"]))
    types = ["Antibody Capture", "Gene Expression", "CRISPR Guide Capture"]
    assert kinds_of_genes(ids, types) == ("antibody", "gene", "guide")


def test_the_tables_are_read_in_a_moment() -> None:
    gene_table.cache_clear()
    start = time.process_time()
    gene_table("human")
    assert time.process_time() - start < 1.0  # 0.1 s when the machine is free
    assert gene_table("human") is gene_table("human")
