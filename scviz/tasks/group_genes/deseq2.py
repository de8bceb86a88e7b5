"""The test of DESeq2 on counts summed by donor, by PyDESeq2."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import counted

GROUP = "group"
"""The factor that is tested, with the values of SIDES."""
SIDES = ("a", "b")
LEAST_COUNT = 10
"""Of a gene in a sample, for the sample to count for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTable:
    """G genes; NaN for those that no sample has, or one sample alone decides."""

    log2_fold_change: NDArray[np.float64]
    """(G,) coefficient of the design, above 0 where the first group expresses more; not shrunken."""
    score: NDArray[np.float64]
    """(G,) that divided by its standard error."""
    p_value: NDArray[np.float64]
    """(G,) two-sided."""
    adjusted_p: NDArray[np.float64]
    """(G,) Benjamini-Hochberg; NaN also for genes with so few counts that they are not tested."""
    notes: tuple[str, ...]
    """What PyDESeq2 warns of."""


def counted_enough(sums: NDArray[np.int64], groups: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which genes have LEAST_COUNT counts in as many samples as the smaller group has, (G,).

    So few counts cannot differ, and fitting them takes most of the time; a gene that one group lacks is kept.

    Parameters
    ----------
    sums
        (S, G) counts.
    groups
        (S,) the group of each sample.
    """
    fewest = min(list(groups).count(side) for side in SIDES)
    return np.asarray((sums >= LEAST_COUNT).sum(axis=0) >= fewest)


def donors_compared(sums: NDArray[np.int64], factors: Mapping[str, Sequence[str]]) -> WaldTable:
    """Test the genes that have counts enough, as DESeq2's authors advise; NaN for the others.

    Parameters
    ----------
    sums
        (S, G) counts.
    factors
        As for `wald_test`.

    Raises
    ------
    RequestError
        As `wald_test`, or if no gene has counts enough.
    """
    kept = counted_enough(sums, factors[GROUP])
    n_genes, n_samples = sums.shape[1], len(sums)
    fewest = min(list(factors[GROUP]).count(side) for side in SIDES)
    if not kept.any():
        raise RequestError(
            f"No gene has {LEAST_COUNT} counts in {fewest} of the {n_samples} sums of donors: so few counts cannot be "
            "compared.",
            hint="Compare larger groups, or compare cells by the Wilcoxon test.",
        )
    found = wald_test(sums[:, kept], factors)

    def of_all(values: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.full(n_genes, np.nan)
        whole[kept] = values
        return whole

    note = (
        f"{int(kept.sum()):,} of {counted(n_genes, 'gene')} were tested: those with {LEAST_COUNT} counts or more in "
        f"{fewest} of the {n_samples} sums, which is how many the smaller group has. The authors of DESeq2 advise to "
        "leave the others out."
    )
    return WaldTable(
        log2_fold_change=of_all(found.log2_fold_change),
        score=of_all(found.score),
        p_value=of_all(found.p_value),
        adjusted_p=of_all(found.adjusted_p),
        notes=(*(() if kept.all() else (note,)), *found.notes),
    )


def wald_test(sums: NDArray[np.int64], factors: Mapping[str, Sequence[str]]) -> WaldTable:
    """Test each gene for a difference between two groups of samples.

    Parameters
    ----------
    sums
        (S, G) counts.
    factors
        The value of each of S samples; the last one is GROUP.

    Raises
    ------
    RequestError
        If other factors cannot be told from the groups.

    References
    ----------
    Love et al. (2014), doi:10.1186/s13059-014-0550-8; Muzellec et al. (2023), doi:10.1093/bioinformatics/btad547.
    """
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.default_inference import DefaultInference
    from pydeseq2.ds import DeseqStats

    _check(factors, len(sums))
    samples = [f"sample {i}" for i in range(len(sums))]
    table = pd.DataFrame(dict(factors), index=samples)
    counts = pd.DataFrame(sums, index=samples, columns=[str(i) for i in range(sums.shape[1])])
    own = DefaultInference(n_cpus=1)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fitted = DeseqDataSet(
            counts=counts, metadata=table, design=f"~{' + '.join(factors)}", quiet=True, inference=own
        )
        fitted.deseq2()
        found = DeseqStats(fitted, contrast=[GROUP, *SIDES], quiet=True, inference=own)
        found.summary()
    columns = {name: found.results_df[name].to_numpy(dtype=np.float64) for name in found.results_df}
    texts = (" ".join(str(one.message).split()) for one in said if issubclass(one.category, UserWarning))
    return WaldTable(
        log2_fold_change=columns["log2FoldChange"],
        score=columns["stat"],
        p_value=columns["pvalue"],
        adjusted_p=columns["padj"],
        notes=tuple(dict.fromkeys(f"PyDESeq2: {text}" for text in texts)),
    )


def _check(factors: Mapping[str, Sequence[str]], n_samples: int) -> None:
    """Refuse a design whose coefficients cannot all be told from each other."""
    encoded = [np.ones((n_samples, 1))]
    for values in factors.values():
        words = sorted(set(values))
        encoded.append(np.array([[value == word for word in words[1:]] for value in values], dtype=float))
    design = np.concatenate(encoded, axis=1)  # (S, coefficients)
    rank = int(np.linalg.matrix_rank(design))
    if rank < design.shape[1] or rank >= n_samples:
        others = " and ".join(name for name in factors if name != GROUP) or "the groups"
        raise RequestError(
            f"The effect of the group cannot be told from that of {others} with {n_samples} samples.",
            hint="Leave the covariate out, or choose groups in which its values are mixed.",
        )
