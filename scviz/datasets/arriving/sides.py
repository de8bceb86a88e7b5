"""Which side of a table are the genes: a guess by names, else by shape, that its user may turn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scviz.datasets.arriving.contract import Choices
from scviz.datasets.genes import ENSEMBL

FAMILY = re.compile(
    r"(RP[LS]\d+[A-Z]?\d*|MT-\w+|HLA-\w+|H2-\w+|LINC\d+|GM\d+|A[CLP]\d{6}\.\d+|RP\d+-\d+\w+\.\d+|C\d+ORF\d+|\d{7}\w\d\dRIK|"
    r"(ZNF|ZFP|TMEM|KRT|CD|FAM|NDUF[A-Z]+|PSM[A-D]|EIF|CXCL|CCL|CCR|IL|SLC|COL|ATP|KIF|DDX|USP|WDR|CCDC|"
    r"ANKRD|TRIM|MRP[LS]|KLR[A-Z]|UBE|RAB|HSP[A-Z]*|GZM|S100A|IFI|IFIT|STAT|SOX|HOX[A-D])\d+[A-Z]{0,3}\d{0,2}[A-Z]?|"
    r"GENE[ _.-]?\d+)"
)
_WELL_KNOWN = (
    "ACTB GAPDH B2M MALAT1 NEAT1 TP53 MYC PTPRC CD3D CD3E CD3G CD8A CD8B MS4A1 LYZ NKG7 GNLY PPBP FTL "
    "FTH1 TMSB4X TMSB10 EEF1A1 TPT1 VIM LGALS3 GATA1 GATA3 FOXP3 EPCAM PECAM1 XIST UBC HBB HBA1 ALB INS "
    "GCG SNAP25 GAD1 AQP4 MBP PLP1 COL1A1 DCN LUM ACTA2 FCGR3A IGHM JCHAIN A1BG A2M TGFB1 TNF EGFR KRAS "
    "BRCA1 SAMD11 NOC2L"
)
WELL_KNOWN = frozenset(_WELL_KNOWN.split())
CELL = re.compile(
    r".*[ACGTN]{10,}([-_.].*|$)|[A-P]\d{1,2}|"
    r"(CELL|BARCODE|SRR|ERR|GSM|SAMPLE|PLATE|WELL|DONOR|PATIENT|BC)\w*[ _.-]?\d.*"
)
LOOKED_AT = 50_000
"""Names of each side that are looked at."""
GENES = (8_000, 80_000)
"""How many genes an annotation has."""


def genes_are_rows(rows: Sequence[str], columns: Sequence[str], choices: Choices) -> tuple[bool, str]:
    """Tell whether rows are genes, and why, in a sentence.

    Parameters
    ----------
    rows
        (R,) names of rows.
    columns
        (K,) names of columns.
    choices
        What the user turned goes before any guess.

    Examples
    --------
    >>> genes_are_rows(["CD3E", "ACTB"], ["AAACCTGAGAAACCAT-1"], Choices())
    (True, 'Rows were taken for genes: 2 of 2 names of rows are those of genes, 0 of 1 of columns.')
    """
    if choices.turned is not None:
        side, other = ("genes", "cells") if choices.turned else ("cells", "genes")
        return choices.turned, f"Rows were taken for {side} and columns for {other}, as you chose."
    n_rows, n_columns = min(len(rows), LOOKED_AT), min(len(columns), LOOKED_AT)
    for what, count in (("genes", _n_genes), ("cells", _n_cells)):
        in_rows, in_columns = count(rows[:LOOKED_AT]), count(columns[:LOOKED_AT])
        share_rows, share_columns = in_rows / max(n_rows, 1), in_columns / max(n_columns, 1)
        if (
            abs(share_rows - share_columns) > 0.02
            or min(share_rows, share_columns) == 0 < in_rows + in_columns
        ):
            rows_are_genes = (share_rows > share_columns) == (what == "genes")
            side = "genes" if rows_are_genes else "cells"
            return rows_are_genes, (
                f"Rows were taken for {side}: {in_rows:,} of {n_rows:,} names of rows are those of {what}, "
                f"{in_columns:,} of {n_columns:,} of columns."
            )
    rows_are_genes = not (GENES[0] <= len(columns) <= GENES[1] and not GENES[0] <= len(rows) <= GENES[1])
    side = "genes" if rows_are_genes else "cells"
    return rows_are_genes, (
        f"Rows were taken for {side} by the shape, {len(rows):,} rows x {len(columns):,} columns, since no name "
        "of either is known; turn it if this is wrong."
    )


def _n_genes(names: Sequence[str]) -> int:
    return sum(
        bool(FAMILY.fullmatch(name) or name in WELL_KNOWN or ENSEMBL.match(name))
        for name in (one.strip().upper() for one in names)
    )


def _n_cells(names: Sequence[str]) -> int:
    return sum(CELL.fullmatch(name.strip().upper()) is not None for name in names)


def share_of_genes(names: Sequence[str]) -> float:
    """Return the share of names that are known as those of genes, from 0 to 1."""
    return _n_genes(names[:LOOKED_AT]) / max(len(names[:LOOKED_AT]), 1)
