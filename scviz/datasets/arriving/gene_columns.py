"""What tools call the columns that name genes, and what they are called here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scviz.datasets import genes

if TYPE_CHECKING:
    import pandas as pd

IDS = (
    "gene_ids",
    "gene_id",
    "geneid",
    "id",
    "accession",
    "ensembl",
    "ensembl_id",
    "ensembl_gene_id",
    "ens_id",
)
SYMBOLS = ("gene_symbols", "gene_symbol", "symbol", "gene_name", "genename", "gene", "name", "feature_name")
KINDS = ("feature_types", "feature_type", "type")
TYPES = {
    "gene expression",
    "antibody capture",
    "crispr guide capture",
    "multiplexing capture",
    "peaks",
    "custom",
}


def renamed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of genes whose columns of ids, symbols and kinds have the names of 10x Genomics.

    Examples
    --------
    >>> import pandas as pd
    >>> renamed(pd.DataFrame({"Accession": ["ENSG00000141510"]}, index=["TP53"])).columns.tolist()
    ['gene_ids']
    """
    new: dict[str, str] = {}
    for wanted, words in (("gene_ids", IDS), ("gene_symbols", SYMBOLS), ("feature_types", KINDS)):
        found = next((one for one in table if str(one).lower() in words and _fits(table[one], wanted)), None)
        if found is not None and wanted not in table:
            new[found] = wanted
    return table.rename(columns=new)


def _fits(column: pd.Series, wanted: str) -> bool:
    if column.dtype.kind in "iufb":
        return False
    texts = column.astype(str).tolist()
    if wanted == "feature_types":
        return bool({one.lower() for one in texts} & TYPES)
    return (genes.ensembl_share(texts) > genes.FEWEST) == (wanted == "gene_ids")
