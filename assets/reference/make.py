"""Make the reference of blood cells in this folder from the files that its README names; no cell is in it.

    python assets/reference/make.py FOLDER

FOLDER holds `pbmc_sorted_3500` and `kang_ifnb_2000`. Two studies were made in two ways, so that what all types differ
by between them is taken off both, half each; every type of a study counts the same. How strongly the regression is
held back, and that the shift is taken off, was chosen by Kang's donors left out in turns, and by no other cells.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from scviz.datasets.expression import N_COMPONENTS, TARGET_SUM, variable_genes  # noqa: E402
from scviz.datasets.gene_kinds import kinds_of_genes  # noqa: E402
from scviz.datasets.genes import identifiers  # noqa: E402
from scviz.metrics.comparison import FEWEST_JUDGED  # noqa: E402
from scviz.metrics.scores import classification_scores  # noqa: E402
from scviz.tasks.transfer import LOGISTIC  # noqa: E402
from scviz.tasks.transfer.genes import GeneSpace  # noqa: E402
from scviz.tasks.transfer.held_out import BASELINES  # noqa: E402
from scviz.tasks.transfer.judging import bar_of, baselines_of  # noqa: E402
from scviz.tasks.transfer.keeping import tensors_of  # noqa: E402
from scviz.tasks.transfer.placing import fit_place  # noqa: E402
from scviz.tasks.transfer.references import (  # noqa: E402
    BARS,
    BASELINE,
    JUDGED,
    TRUTH,
    Reference,
    Rule,
    write_reference,
)
from scviz.tasks.transfer.rules import STRENGTH, Linear, probabilities, temperature_of  # noqa: E402

N_GENES, N_FOLDS = 2000, 4
TYPES = {
    "B cell": "CL:0000236",
    "CD4 T cell": "CL:0000624",
    "CD8 T cell": "CL:0000625",
    "NK cell": "CL:0000623",
    "CD14 monocyte": "CL:0001054",
    "CD16 monocyte": "CL:0002396",
    "dendritic cell": "CL:0000451",
    "megakaryocyte": "CL:0000556",
}
SORTED = {
    "B": "B cell",
    "CD4TCM": "CD4 T cell",
    "CD4TN": "CD4 T cell",
    "CD4Treg": "CD4 T cell",
    "CD8TN": "CD8 T cell",
    "Monocyte": "CD14 monocyte",
    "NK": "NK cell",
}
KANG = {
    "B cells": "B cell",
    "CD4 T cells": "CD4 T cell",
    "CD8 T cells": "CD8 T cell",
    "NK cells": "NK cell",
    "CD14+ Monocytes": "CD14 monocyte",
    "FCGR3A+ Monocytes": "CD16 monocyte",
    "Dendritic cells": "dendritic cell",
    "Megakaryocytes": "megakaryocyte",
}
NAMES = list(TYPES)


class Cells:
    """Cells of both studies with the genes that they share."""

    def __init__(self, folder: Path) -> None:
        sorted_cells = _read(folder, "pbmc_sorted_3500")
        kang = _read(folder, "kang_ifnb_2000")
        own = (kang.obs["condition"] == "ctrl") & (kang.obs["cell_type_source"] == "author")
        kang = kang[own.to_numpy()]
        genes = _genes(sorted_cells, kang)
        self.genes = tuple(genes)
        counts = [sp.csr_matrix(one[:, genes].X) for one in (sorted_cells, kang)]
        self.counts = sp.csr_matrix(sp.vstack(counts)).astype(np.float64)
        labels = [SORTED[one] for one in sorted_cells.obs["cell_type"]]
        labels += [KANG[one] for one in kang.obs["cell_type"]]
        self.types = np.array([NAMES.index(one) for one in labels])
        self.study = np.repeat([0, 1], [sorted_cells.n_obs, kang.n_obs])
        self.donor = np.array(["sorted"] * sorted_cells.n_obs + [str(one) for one in kang.obs["donor"]])
        totals = np.asarray(self.counts.sum(axis=1)).ravel()
        scaled = sp.csr_matrix(sp.diags(TARGET_SUM / totals) @ self.counts)
        self.profile = np.asarray(scaled.sum(axis=0)).ravel() / scaled.sum()
        scaled.data = np.log1p(scaled.data)
        self.expression = scaled.astype(np.float32)


TRAINED_ON = ("pbmc-sorted-3500-4c63d345", "kang-ifnb-2000-bf2528c4")
"""Ids that the two files get when they are opened, which end with a hash of their content."""


def _read(folder: Path, name: str) -> anndata.AnnData:
    return anndata.read_h5ad(folder / name / f"{name}.h5ad")


def _genes(first: anndata.AnnData, second: anndata.AnnData) -> list[str]:
    """List shared genes, without those of ribosomes and mitochondria."""
    kinds = dict(zip(first.var_names, kinds_of_genes(identifiers(first.var)), strict=True))
    return [gene for gene in first.var_names if kinds[gene] == "gene" and gene in set(second.var_names)]


def learned(cells: Cells, rows: np.ndarray) -> tuple[GeneSpace, Linear, np.ndarray]:
    """Learn from some cells: their space, the rule, and the cells less the shift between studies, (n, G)."""
    types, study = cells.types[rows], cells.study[rows]
    chosen = variable_genes(cells.expression[rows], N_GENES)
    read = cells.expression[rows][:, chosen].toarray()
    read = read - _shift(read, types, study)[study]
    mean, scale = read.mean(axis=0), read.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    pca = PCA(N_COMPONENTS, svd_solver="arpack", random_state=0).fit(read - mean)
    space = GeneSpace(
        genes=cells.genes,
        profile=cells.profile,
        target=TARGET_SUM,
        chosen=chosen,
        mean=mean.astype(np.float32),
        scale=scale.astype(np.float32),
        components=np.ascontiguousarray(pca.components_.T, dtype=np.float32),
    )
    centered = (read - mean).astype(np.float32)
    model = LogisticRegression(C=STRENGTH, max_iter=3000)
    model.fit(space.scaled(centered), types, sample_weight=_weights(types, study))
    rule = Linear(weights=model.coef_.T.astype(np.float32), intercept=model.intercept_.astype(np.float32))
    return space, rule, centered


def _shift(read: np.ndarray, types: np.ndarray, study: np.ndarray) -> np.ndarray:
    """Find what types that both studies have differ by between them; half of it for each study, (2, G)."""
    both = [code for code in np.unique(types[study == 0]) if (types[study == 1] == code).any()]
    apart = [
        read[(types == code) & (study == 1)].mean(axis=0) - read[(types == code) & (study == 0)].mean(axis=0)
        for code in both
    ]
    half = np.mean(apart, axis=0) / 2
    return np.stack([-half, half])


def _weights(types: np.ndarray, study: np.ndarray) -> np.ndarray:
    """Let every type count the same, and within it both studies."""
    weights = np.ones(len(types))
    for code in np.unique(types):
        studies = np.unique(study[types == code])
        for one in studies:
            own = (types == code) & (study == one)
            weights[own] = 1 / own.sum() / len(studies)
    return weights * len(types) / weights.sum()


def folds_of(cells: Cells) -> np.ndarray:
    """Leave out Kang's donors in turns: fold of each cell, (N,).

    It is -1 for sorted cells, of which no donor is known and which are learned from every time.
    """
    folds = np.full(len(cells.types), -1)
    kang = np.flatnonzero(cells.study == 1)
    for fold, (_, left) in enumerate(GroupKFold(N_FOLDS).split(kang, groups=cells.donor[kang])):
        folds[kang[left]] = fold
    return folds


@dataclass(frozen=True)
class LeftOut:
    """What a rule says of cells that were left out in turns, each judged by what the other donors chose."""

    temperature: float
    bar: float
    scores: np.ndarray
    """(M, K), so that the temperature of all gives what that of the other donors gives."""
    bars: np.ndarray
    """(M,) of the other donors."""

    def rule(self, key: str, name: str, truth: np.ndarray, *, scaled: bool = False) -> Rule:
        """Give the record of the rule, with its scores by (M,) known types."""
        named = self.scores.argmax(axis=1)
        found = classification_scores(truth, named, NAMES, fewest=FEWEST_JUDGED)
        return Rule(
            key=key,
            name=name,
            temperature=self.temperature,
            scaled=scaled,
            accuracy=found.accuracy,
            macro_f1=found.macro_f1,
            validated=found.accuracy,
            bar=self.bar,
        )


def left_out(scores: np.ndarray, truth: np.ndarray, folds: np.ndarray) -> LeftOut:
    """Find temperature and bar of all cells left out, and for each fold those of the others.

    Parameters
    ----------
    scores
        (M, K)
    truth, folds
        (M,) of these.
    """
    temperature = temperature_of(scores, truth)
    own, bars = np.empty_like(scores), np.empty(len(scores), dtype=np.float32)
    for fold in np.unique(folds):
        here = folds == fold
        without = temperature_of(scores[~here], truth[~here])
        own[here] = scores[here] * np.float32(temperature / without)
        bars[here] = bar_of(probabilities(scores[~here], without), truth[~here])
    bar = bar_of(probabilities(scores, temperature), truth)
    return LeftOut(temperature=temperature, bar=bar, scores=own, bars=bars)


def order_of(n: int) -> np.ndarray:
    """Draw the order in which the cells left out are kept, (M,)."""
    return np.random.default_rng(0).permutation(n)


def main() -> None:
    """Judge on donors left out, then learn from all cells and write."""
    cells = Cells(Path(sys.argv[1]))
    folds, n = folds_of(cells), len(cells.types)
    scores = np.full((n, len(NAMES)), np.nan, dtype=np.float32)
    distances, guesses = np.full(n, np.nan), np.zeros((len(BASELINES), n), dtype=np.int64)
    for fold in range(N_FOLDS):
        known, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        space, rule, centered = learned(cells, known)
        read = space.centered(sp.csr_matrix(cells.counts[left]), np.arange(len(cells.genes)))
        scores[left] = rule.scores(space.scaled(read))
        pcs, taught = read @ space.components, centered @ space.components
        place = fit_place(taught, cells.types[known], len(NAMES), held_out=pcs)
        distances[left] = place.distances(pcs, place.shift(pcs, scores[left].argmax(axis=1))) * place.reach
        guessed = baselines_of(taught, cells.types[known], pcs, n_types=len(NAMES), seed=0)
        guesses[:, left] = [guessed[name] for name in BASELINES]
    left = np.flatnonzero(folds >= 0)[order_of(int((folds >= 0).sum()))]
    truth, judged = cells.types[left], left_out(scores[left], cells.types[left], folds[left])
    space, rule, centered = learned(cells, np.arange(n))
    pcs = centered @ space.components
    of_all = fit_place(pcs, cells.types, len(NAMES), held_out=pcs)
    place = replace(of_all, reach=float(np.quantile(distances[left], 0.95)))
    reference = Reference(
        name="Blood cells",
        description=f"Human blood (PBMC), {len(NAMES)} types; {n:,} cells of two public studies were learned from; it "
        "holds means and weights of types, no cells.",
        types=tuple(NAMES),
        ontology_ids=tuple(TYPES.values()),
        genes=cells.genes,
        target=TARGET_SUM,
        reach=place.reach,
        rules=(judged.rule("genes", LOGISTIC, truth, scaled=True),),
        n_cells=n,
        held_out=f"{len(left):,} cells of 8 donors of Kang et al., left out in turns",
        trained_on=TRAINED_ON,
        chosen=LOGISTIC,
        n_validation=len(left),
        n_calibrating=len(left),
        baselines=BASELINES,
        license="CC BY 4.0 (sorted cells, 10x Genomics) and GEO public data (GSE96583)",
        sources=(
            "Zheng et al. 2017, doi:10.1038/ncomms14049: blood cells sorted by antibodies, 10x Genomics, CC BY 4.0",
            "Kang et al. 2018, doi:10.1038/nbt.4042: unstimulated cells of 8 donors with lupus, GSE96583",
        ),
    )
    tensors = tensors_of(space, place) | {
        "genes.weights": rule.weights,
        "genes.intercept": rule.intercept,
        f"genes{JUDGED}": judged.scores,
        f"genes{BARS}": judged.bars,
        TRUTH: truth.astype(np.int32),
        **{f"{BASELINE}{at}": guesses[at, left].astype(np.int32) for at in range(len(BASELINES))},
    }
    write_reference(reference, tensors, HERE / "blood")
    own = reference.rules[0]
    print(f"accuracy {own.accuracy:.3f}, macro-F1 {own.macro_f1:.3f}, temperature {own.temperature:.2f}")


if __name__ == "__main__":
    main()
