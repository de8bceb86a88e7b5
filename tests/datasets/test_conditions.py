"""Values of a column become perturbations."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.conditions import guess_column, read_conditions, read_values, symbols_of
from scviz.datasets.gene_keys import key
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.tables import Column
from scviz.workspace import ColumnInfo

SYMBOLS = ("HLA-A", "NKX2-1", "MT-CO1", "STAT1", "IRF1", "CTRL", "WT1")
KNOWN = {key(name): name for name in SYMBOLS}


IDS = KNOWN | {key("ENSG00000115415"): "STAT1"}


def genes(value: str, *others: str, known=KNOWN):
    return read_values([value, *others], known)[0].perturbation


@pytest.mark.parametrize(
    "value",
    [
        "ctrl", "control", "Control", "NT", "NTg4", "NT_1", "non-targeting", "non-targeting_00023", "NegCtrl0",
        "NegCtrl0_NegCtrl0__NegCtrl0_NegCtrl0", "CTRL", "WT",
    ],
)  # fmt: skip
def test_control_has_many_names(value: str) -> None:
    assert genes(value) == ()


@pytest.mark.parametrize(
    "value", ["STAT1+ctrl", "ctrl+STAT1", "STAT1", "stat1", " STAT1 ", "STAT1+ctrl+ctrl"]
)
def test_one_gene_is_read_in_either_order(value: str) -> None:
    assert genes(value) == ("STAT1",)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "STAT1+IRF1",
            "IRF1+STAT1",
            "STAT1_IRF1",
            "IRF1;STAT1",
            "IRF1, STAT1",
            "STAT1-IRF1",
            "STAT1 || IRF1",
        ),
        *(
            "STAT1||IRF1",
            "STAT1|IRF1",
            "STAT1 & IRF1",
            "STAT1&IRF1",
            "IRF1/STAT1",
            "IRF1 and STAT1",
            "STAT1:IRF1",
        ),
        *(
            "['STAT1', 'IRF1']",
            "STAT1_sg1-IRF1_sg2",
            "STAT1-1|IRF1-2|STAT1-2",
            "STAT1_1_IRF1_2",
            "stat1+irf1",
        ),
        *("STAT1_+_1.23-P1P2__IRF1_-_33548040.23-P1P2", "STAT1_KO+IRF1_KO", "sgSTAT1+sgIRF1"),
    ],
)
def test_a_pair_is_the_same_in_both_orders(value: str) -> None:
    assert genes(value) == ("IRF1", "STAT1")


@pytest.mark.parametrize(
    "value",
    [
        "STAT1_1", "STAT1_g2", "STAT1g2", "STAT1-g2", "STAT1-2", "sgSTAT1", "sgSTAT1-1", "sgRNA_STAT1_3", "STAT1_KO",
        "STAT1-KO", "STAT1_KO_2", "STAT1_P1P2", "STAT1_pDS269", "STAT1_NegCtrl0__STAT1_NegCtrl0", "KO_STAT1",
        "KO-STAT1",
        "CRISPRi_STAT1", "siSTAT1", "shSTAT1_2", "STAT1_knockout", "STAT1 (KO)", "STAT1-/-", "STAT1_guide2",
        "STAT1 guide 2", "STAT1_sg2", "STAT1 #2", "STAT1.2", "STAT1_ENSG00000115415", "STAT1_ENSG00000115415.18",
        "10005_STAT1_P1P2_ENSG00000115415", "STAT1_chr2:191834000-191834020", "chr2:191834000-191834020:+ STAT1",
        "STAT1_+_191878812.23-P1P2", "STAT1_-_191878812.23-P1P2|STAT1_+_191878813.23-P1P2",
        "STAT1_ACGTACGTACGTACGTACGT", "STAT1-ACGTACGTACGTACGTACGT", "STAT1-1|STAT1-2", "STAT1-1|Non-Targeting",
    ],
)  # fmt: skip
def test_guides_are_those_of_their_gene(value: str) -> None:
    assert genes(value, known=IDS) == ("STAT1",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("HLA-A", ("HLA-A",)),
        ("HLA-A_STAT1", ("HLA-A", "STAT1")),
        ("NKX2-1", ("NKX2-1",)),
        ("NKX2-1_2", ("NKX2-1",)),
        ("NKX2-1-2", ("NKX2-1",)),
        ("MT_CO1", ("MT-CO1",)),
        ("MT_CO1_STAT1", ("MT-CO1", "STAT1")),
        ("WT1", ("WT1",)),
    ],
)
def test_genes_of_the_dataset_tell_names_from_separators(value: str, expected: tuple[str, ...]) -> None:
    assert genes(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "stim",
        "T cell",
        "Monocyte",
        "CD14+ Monocytes",
        "rep_1",
        "7",
        "STAT1++",
        "A+B",
        "KO",
        "NK cells",
        "HIGH_MOI",
    ],
)
def test_what_is_no_gene_is_not_understood(value: str) -> None:
    reading = read_values([value], KNOWN)[0]
    assert reading.perturbation is None
    assert "the name of a gene" in reading.reason or "not among the genes" in reading.reason


def test_a_sequence_and_a_place_name_no_gene() -> None:
    read = read_values(["ACGTACGTACGTACGT-1", "chr2:191834000-191834020"], KNOWN)
    assert [one.perturbation for one in read] == [None, None]
    assert [one.reason for one in read] == [
        "ACGTACGTACGTACGT-1 is a sequence or a number and not the name of a gene.",
        "It names a place in the genome and no gene.",
    ]


def test_an_underscore_makes_a_pair_of_genes_that_are_known_or_named_alone() -> None:
    assert genes("BRD4_TP53", "BRD4", "TP53_2") == ("BRD4", "TP53")
    assert genes("BRD4_STAT1", "BRD4") == ("BRD4", "STAT1")
    assert genes("BRD4+TP53") == ("BRD4", "TP53")
    reading = read_values(["BRD4_STAT1"], KNOWN)[0]
    assert reading.perturbation is None
    assert "BRD4 is not among the genes" in reading.reason
    assert "+ between them" in reading.reason


def test_dots_that_were_hyphens_make_no_difference() -> None:
    assert genes("HLA.A") == ("HLA-A",)
    assert genes("HLA-A", known={key("HLA.A"): "HLA.A"}) == ("HLA.A",)
    assert genes("NKX2.1_2") == ("NKX2-1",)
    assert genes("HLA-A-STAT1") == ("HLA-A", "STAT1")


def test_an_id_that_is_known_stands_for_a_symbol_that_is_not() -> None:
    known = KNOWN | {key("ENSG00000115415"): "STAT1"}
    assert genes("ISGF3_ENSG00000115415", known=known) == ("STAT1",)
    assert genes("BRD4_P1_ENSG00000141867", known=known) == ("BRD4",)


def test_unknown_cells_are_said_to_be_unknown() -> None:
    reading = read_values(["Unassigned"], KNOWN)[0]
    assert reading.perturbation is None
    assert "not known" in reading.reason


def test_genes_that_are_not_measured_are_understood_and_named() -> None:
    reading = read_values(["BRD4g1", "C10orf11+STAT1"], KNOWN)
    assert [one.perturbation for one in reading] == [("BRD4",), ("C10orf11", "STAT1")]
    assert [one.reason for one in reading] == [
        f"Not among the genes of the dataset: {name}." for name in ("BRD4", "C10orf11")
    ]


def test_a_gene_of_the_dataset_is_no_numbered_control() -> None:
    assert genes("NT3") == ()
    assert genes("NT3", known={"NT3": "NT3"}) == ("NT3",)


def test_the_other_values_tell_whether_a_number_is_a_guide() -> None:
    assert genes("NKX3-1", "STAT1", "IRF1") == ("NKX3-1",)
    assert genes("BRD4-1", "BRD4-2", "STAT1-1") == ("BRD4",)


def test_many_genes_together_are_no_perturbation() -> None:
    reading = read_values(["AB1+AB2+AB3+AB4+AB5"], KNOWN)[0]
    assert reading.perturbation is None
    assert "5 genes together" in reading.reason


def test_genes_of_mice_are_in_small_letters() -> None:
    mouse = {key(name): name for name in ("Stat1", "Cd3e", "mt-Nd1")}
    assert genes("Atg5+ctrl", known=mouse) == ("Atg5",)
    assert genes("mt-Nd1", known=mouse) == ("mt-Nd1",)
    assert genes("Stat1g2", known=mouse) == ("Stat1",)
    assert genes("Atg5", known=mouse) == ("Atg5",)


def test_ensembl_ids_become_symbols() -> None:
    ids = GeneIdentifiers(ensembl=("ENSG00000115415", ""), symbol=("STAT1", "IRF1"))
    known = symbols_of(ids, more=("BRD4",))
    assert genes("ENSG00000115415.18+ctrl", known=known) == ("STAT1",)
    assert read_values(["BRD4"], known)[0].reason == ""


def test_a_value_can_be_named_control() -> None:
    first, second = read_values(["AAVS1", "ctrl"], KNOWN, control="AAVS1")
    assert first.perturbation == ()
    assert second.perturbation is None
    assert "not the chosen control" in second.reason


def test_cells_are_counted() -> None:
    names = ("ctrl", "STAT1g1", "STAT1g2", "stim", "never")
    column = Column(
        name="guide", values=np.array([0, 0, 0, 1, 2, 2, 3, -1], dtype=np.int32), categories=names
    )
    conditions = read_conditions(column, KNOWN)
    assert [one.value for one in conditions.readings] == ["ctrl", "STAT1g2", "STAT1g1", "stim"]
    assert conditions.controls == ("ctrl",)
    assert conditions.n_cells == {(): 3, ("STAT1",): 3}
    assert conditions.n_left_out == 2
    assert conditions.left_out == {"they have no value": 1, "their value names no gene": 1}
    assert conditions.mapping == {"ctrl": (), "STAT1g1": ("STAT1",), "STAT1g2": ("STAT1",), "stim": None}


def test_cells_that_are_left_out_are_told_by_reason() -> None:
    words = ("NT", "STAT1", "stim", "Unassigned", "A1+B1+C1+D1+E1", "unguided", "AAVS1")
    codes = np.repeat([0, 1, 2, 3, 4, 5, 6, -1], [9, 8, 7, 6, 5, 4, 3, 2]).astype(np.int32)
    conditions = read_conditions(Column(name="guide", values=codes, categories=words), KNOWN)
    assert conditions.n_left_out == 24
    assert conditions.notes == (
        "7 cells are left out: their value names no gene (stim: 7).",
        "6 cells are left out: their value says that the perturbation is not known (Unassigned: 6).",
        "5 cells are left out: their value names more than 4 genes (A1+B1+C1+D1+E1: 5).",
        "4 cells are left out: no guide was seen in them (unguided: 4).",
        "2 cells are left out: they have no value.",
        "Taken for control: AAVS1 (3 cells). Name the control where that is wrong.",
    )


def test_numbers_name_no_genes() -> None:
    column = Column(name="depth", values=np.array([1.0, 2.5, np.nan]), categories=None)
    conditions = read_conditions(column, KNOWN)
    assert conditions.mapping == {"1": None, "2.5": None}
    assert conditions.n_left_out == 3


def info(name: str, *values: str) -> ColumnInfo:
    return ColumnInfo(name=name, kind="category", n_values=len(values), values=values)


def test_the_column_of_perturbations_is_found() -> None:
    infos = [
        info("cell_type", "B cell", "T cell"),
        info("stim", "ctrl", "stim"),
        info("guide", "NTg1", "STAT1g1", "STAT1g2", "IRF1g1"),
        info("perturbation", "control", "STAT1", "IRF1"),
        info("half", "control", "STAT1", "unassigned", "7", "9"),
    ]
    assert guess_column(infos, KNOWN) == "perturbation"
    assert guess_column(infos[:3], KNOWN) == "guide"
    assert guess_column(infos[:2], KNOWN) is None
    assert guess_column(infos[4:], KNOWN) is None
    drugs = info("drug", "Vehicle", "Ketamine", "Fluoxetine")
    assert guess_column([drugs], {key("Stat1"): "Stat1"}) is None


TODAY = {key(name): name for name in ("SEPTIN2", "MARCHF1", "KNL1", "STAT1", "TAFAZZIN", "IRF6")}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SEPT2", ("SEPTIN2",)),
        ("sgMARCH1-1", ("MARCHF1",)),
        ("MARCH1-1", ("MARCHF1",)),
        ("KO_CASC5", ("KNL1",)),
        ("SEPT2_STAT1", ("SEPTIN2", "STAT1")),
        ("SEPT2-STAT1", ("SEPTIN2", "STAT1")),
        ("SEPT2+ctrl", ("SEPTIN2",)),
        ("SEPT2|SEPTIN2", ("SEPTIN2",)),
        ("ENSG00000115415.18", ("STAT1",)),
        ("MARCH1_ENSG00000145416", ("MARCHF1",)),
    ],
)
def test_a_former_symbol_is_the_gene_of_today(value: str, expected: tuple[str, ...]) -> None:
    assert genes(value, known=TODAY) == expected


def test_what_a_former_symbol_was_taken_for_is_said_and_treatments_are_no_genes() -> None:
    read = read_values(["CASC5", "LPS", "TAZ", "QARS"], TODAY)
    assert read[0].reason == "CASC5 is KNL1 today."
    assert [one.perturbation for one in read[1:]] == [("LPS",), ("TAZ",), ("QARS",)]
    assert read[1].reason == "Not among the genes of the dataset: LPS."


@pytest.mark.parametrize("value", ["STAT1KO", "STAT1ko", "STAT1kd", "sgSTAT1KO", "STAT1KO_2"])
def test_a_word_glued_to_a_known_gene_says_how_it_was_perturbed(value: str) -> None:
    assert genes(value) == ("STAT1",)
    assert genes("MAPKO") == ("MAPKO",)


@pytest.mark.parametrize("value", ["STAT1.IRF1", "STAT1.1.IRF1.2", "IRF1..STAT1"])
def test_dots_that_r_made_of_signs_part_known_genes(value: str) -> None:
    assert genes(value) == ("IRF1", "STAT1")
    assert genes("STAT1.AAVS1") == ("STAT1",)
