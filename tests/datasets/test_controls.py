"""Names of control cells, and genes that look like them."""

from __future__ import annotations

import pytest

from scviz.datasets.conditions import read_values
from scviz.datasets.controls import control_name, says_control
from scviz.datasets.gene_keys import key

PLAIN = (
    *("ctrl", "control", "Control", "CTRL", "NT", "NTC", "non-targeting", "Non-Targeting"),
    *("NON_TARGETING", "nontargeting", "no_target", "not_targeting", "unperturbed", "negctrl"),
    *("NegCtrl", "neg_ctrl", "negative-control", "scrambled", "Scramble", "AAVS1", "ROSA26", "Rosa26"),
    *("Gt(ROSA)26Sor", "safe_harbor", "safe-harbour", "SafeTargeting", "safe-targeting", "INTERGENIC"),
    *("NO_SITE", "EMPTY_VECTOR", "EmptyVector", "EV", "GFP", "EGFP", "BFP", "tagBFP", "LUC"),
    *("Luciferase", "tdTomato", "mCherry", "LacZ", "dCas9-KRAB", "DMSO", "DMSO_TF", "vehicle", "Veh"),
    *("PBS", "saline", "water", "mock", "sham", "WT", "wildtype", "wild-type", "untreated"),
    *("non-treated", "No_treatment", "untransduced", "no-perturbation", "no_guide", "no_sgRNA"),
    *("unguided", "none", "UT", "parental", "NegCon", "non-silencing", "NonSilencing", "SAFE", "sfGFP"),
    *("turboGFP", "SCRMBL", "no_guide_detected", "No sgRNA found", "guide_not_detected"),
)
NUMBERED = (
    *("NTg4", "NT_1", "ntc-3", "sgNTC", "sgNT_2", "siCtrl", "siNT", "shSCR", "SCR_1", "shLuc", "sgGFP"),
    *("shGFP_2", "non-targeting_00023", "CTRL0001", "ctrl_g1", "control_2", "NegCtrl0"),
    *("NegCtrl0_NegCtrl0__NegCtrl0_NegCtrl0", "negative_control_12", "sgNegCtrl_1", "AAVS1-1"),
    *("AAVS1_sg2", "sgAAVS1-2", "sgRosa26-1", "SafeHarbour_12", "INTERGENIC1204", "INTERGENIC_12"),
    *("INTERGENIC393453", "NO_SITE_5", "ONE_INTERGENIC_SITE_54", "ONE_NON-GENE_SITE_3", "NO_CURRENT_12"),
    *("NonTargeting_Human_0001", "NonTargetingControlGuideForHuman_0001", "NTsgRNA3", "Non-Targeting-1"),
    *("SAFE_1", "Safe_sg12", "negcon_2", "shNS", "nonsilencing_3", "copGFP_1"),
    *("FLuc_2", "Renilla_1", "lacZ_3"),
)
GENES = (
    *("LUC7L", "LUC7L2", "CD19", "NT5E", "NT5C", "NTRK1", "NTF3", "NTN1", "NTM", "WT1", "SCRIB"),
    *("SCRN1", "SCRG1", "EVL", "EVI5", "EVX1", "EVC", "NEGR1", "CTR9", "CTRC", "CTRB1", "GFPT1", "NCK1"),
    *("NCL", "CNTRL", "CASP9", "MNT", "SAFB", "SAFB2", "RFPL1", "MOCOS", "NONO", "NOL1", "EMP1", "PBSN"),
    *("NOS1", "CTLA4", "CFP", "TOMM20", "STAT1", "UTRN", "UTP3", "SAFB", "PARN", "NSF"),
)


@pytest.mark.parametrize("name", [*PLAIN, *NUMBERED])
def test_a_control_is_no_gene_and_no_pair_wherever_it_stands(name: str) -> None:
    known = {key(gene): gene for gene in ("STAT1", "IRF1", *GENES)}
    assert read_values([name], known)[0].perturbation == ()
    both = read_values([f"STAT1+{name}", f"{name}|STAT1", f"STAT1_{name}", "IRF1"], known)
    assert [one.perturbation for one in both] == [("STAT1",)] * 3 + [("IRF1",)]


@pytest.mark.parametrize("name", GENES)
def test_a_gene_that_begins_like_a_control_is_a_gene_known_or_not(name: str) -> None:
    assert control_name(name) is None
    assert read_values([name, f"{name}_2", f"sg{name}-2"], {"STAT1": "STAT1"})[0].perturbation == (name,)
    known = {key(name): name}
    assert [one.perturbation for one in read_values([name, f"{name}_2", f"sg{name}-2"], known)] == [
        (name,)
    ] * 3


def test_a_gene_of_the_data_is_no_numbered_control_and_no_vector() -> None:
    for name in ("NT3", "EV", "NC"):
        assert read_values([name], {name: name})[0].perturbation == (name,)
        assert read_values([name], {"STAT1": "STAT1"})[0].perturbation == ()


def test_controls_of_another_kind_say_so() -> None:
    read = read_values(["AAVS1_1", "GFP", "DMSO", "EV", "ctrl"], {"STAT1": "STAT1"})
    assert [one.reason for one in read] == [
        "Taken for control: guides of this name cut where no gene is.",
        "Taken for control: it is no gene of the cells.",
        "Taken for control: it names what a treatment is dissolved in.",
        "Taken for control: a vector without an insert.",
        "",
    ]


def test_cells_without_a_guide_are_control_only_where_no_others_are() -> None:
    known = {"STAT1": "STAT1"}
    assert read_values(["none", "STAT1"], known)[0].perturbation == ()
    for name in ("none", "no_guide", "unguided"):
        left_out = read_values([name, "STAT1", "NT_1"], known)[0]
        assert left_out.perturbation is None
        assert left_out.reason == "It says that no guide was seen, and other cells are control."
        assert read_values([name, "STAT1", "NT_1"], known, control=name)[0].perturbation == ()
        assert not says_control(name)


@pytest.mark.parametrize(
    "name", ["control " * 20, "1" * 500, "ctrl" + "g1" * 60, "sgsisgsish" * 12, "", "___"]
)
def test_long_and_empty_names_are_none(name: str) -> None:
    assert control_name(name) is None or name.startswith("ctrl")
