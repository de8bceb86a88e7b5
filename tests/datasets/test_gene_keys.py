"""Lists of genes as others write them find the genes of the data."""

from __future__ import annotations

from scviz.datasets.gene_keys import matched

HUMAN = ("CXCL8", "CCN2", "SEPTIN2", "TP53", "STAT1", "EPRS1", "QARS1", "HLA-DRA", "NBDY")
MOUSE = (
    *("Septin2", "Ccn2", "Stat1", "Trp53", "Cd3e", "Cd3g", "Ms4a1", "Cd19", "Gata1", "H2ax", "Nkx2-1"),
    *("Xkr4", "Rp1", "Sox17", "Gm1992", "Lypla1", "Tcea1", "Rgs20", "Atp6v1h", "Rb1cc1", "4732440D04Rik"),
)


def test_former_symbols_and_ids_find_the_genes_of_today() -> None:
    listed = ["IL8", "ctgf", "SEPT2", "p53", "ENSG00000115415.18", "stat1", "HLA.DRA"]
    found = matched(listed, HUMAN)
    assert list(found.genes.values()) == ["CXCL8", "CCN2", "SEPTIN2", "TP53", "STAT1", "STAT1", "HLA-DRA"]
    assert "IL8 for CXCL8" in found.notes[0]


def test_a_name_of_several_genes_and_one_of_none_are_left() -> None:
    assert matched(["QARS", "nobody", "GENE9"], HUMAN).genes == {}


def test_genes_of_today_find_those_of_an_older_dataset() -> None:
    assert matched(["CXCL8", "MARCHF1"], ["IL8", "MARCH1", "STAT1"]).genes == {
        "CXCL8": "IL8",
        "MARCHF1": "MARCH1",
    }


def test_lists_of_mouse_genes_are_found_among_mouse_genes() -> None:
    assert matched(["Sept2", "Ctgf", "Stat1", "H2afx"], MOUSE).genes == {
        "Sept2": "Septin2",
        "Ctgf": "Ccn2",
        "Stat1": "Stat1",
        "H2afx": "H2ax",
    }
    assert matched(["IL8"], MOUSE).genes == {}


def test_an_approved_symbol_that_the_data_lack_is_no_alias_of_another_gene() -> None:
    assert matched(["NKX6-2", "NKX6.1"], ["NKX6-1", "STAT1"]).genes == {"NKX6.1": "NKX6-1"}
