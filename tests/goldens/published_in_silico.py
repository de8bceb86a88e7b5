"""Statistics of Geneformer's in-silico perturbation that no question here asks for."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import ranksums

from scviz.metrics.evidence import fdr
from scviz.metrics.in_silico import SIGNIFICANT, Values

WHOLE_CELL = "cell_emb"
"""Stands for the whole cell among affected genes."""


def vs_null(test: Values, null: Values) -> pd.DataFrame:
    """Compare the values of each gene with those that the same gene has elsewhere; p = 1 where it has none.

    One row for each gene of `test`, significant ones first, then by difference of means.
    """
    rows = []
    for gene, values in test.items():
        other = null.get(gene, np.empty(0))
        known = len(values) and len(other)
        rows.append(
            {
                "Gene": gene,
                "Test_avg_shift": np.mean(values) if len(values) else np.nan,
                "Null_avg_shift": np.mean(other) if len(other) else np.nan,
                "Test_vs_null_pval": ranksums(values, other).pvalue if known else 1.0,
                "N_Detections_test": len(values),
                "N_Detections_null": len(other),
            }
        )
    table = pd.DataFrame(rows)
    table.insert(3, "Test_vs_null_avg_shift", table["Test_avg_shift"] - table["Null_avg_shift"])
    rates = fdr(table["Test_vs_null_pval"].to_numpy(dtype=np.float64))
    table.insert(5, "Test_vs_null_FDR", rates)
    table["Sig"] = (rates < SIGNIFICANT).astype(int)
    order = ["Sig", "Test_vs_null_avg_shift", "Test_vs_null_FDR"]
    return table.sort_values(order, ascending=[False, False, True], kind="stable", ignore_index=True)


def aggregate_gene_shifts(values: Values) -> pd.DataFrame:
    """Summarize how perturbed genes affect other genes.

    Parameters
    ----------
    values
        Similarities by (perturbed gene, affected gene); WHOLE_CELL may stand for the affected gene.

    Returns
    -------
    One row for each pair: mean, population standard deviation and number; whole cells first, then the strongest effect.
    """
    rows = [
        (*pair, float(np.mean(found)), float(np.std(found)), len(found)) for pair, found in values.items()
    ]
    names = ["Perturbed", "Affected", "Cosine_sim_mean", "Cosine_sim_stdev", "N_Detections"]
    table = pd.DataFrame(rows, columns=names)
    of_genes = (table["Affected"] != WHOLE_CELL).to_numpy()
    order = np.lexsort((table["Cosine_sim_mean"].to_numpy(), of_genes))
    return table.iloc[order].reset_index(drop=True)
