"""Make the reference of blood cells in this folder from the files that its README names; no cell is in it.

    python assets/reference/make.py FOLDER

FOLDER holds `pbmc_sorted_3500` and `kang_ifnb_2000`. Two studies were made in two ways, so that what all types differ
by between them is taken off both, half each; every type of a study counts the same. How strongly the regression is
held back, and that the shift is taken off, was chosen by Kang's donors left out in turns, and by no other cells.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from scviz.datasets.expression import N_COMPONENTS, TARGET_SUM, variable_genes  # noqa: E402
from scviz.datasets.gene_kinds import kinds_of_genes  # noqa: E402
from scviz.datasets.genes import identifiers  # noqa: E402
from scviz.tasks.transfer import LOGISTIC  # noqa: E402
from scviz.tasks.transfer.genes import GeneSpace  # noqa: E402
from scviz.tasks.transfer.keeping import tensors_of  # noqa: E402
from scviz.tasks.transfer.placing import Place, fit_place  # noqa: E402
from scviz.tasks.transfer.references import Reference, Rule, write_reference  # noqa: E402
from scviz.tasks.transfer.rules import STRENGTH, Linear, temperature_of  # noqa: E402

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


def _folds(cells: Cells) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Leave out Kang's donors in turns; sorted cells, of which no donor is known, are learned from every time."""
    kang, others = np.flatnonzero(cells.study == 1), np.flatnonzero(cells.study == 0)
    for known, left in GroupKFold(N_FOLDS).split(kang, groups=cells.donor[kang]):
        yield np.concatenate([others, kang[known]]), kang[left]


def main() -> None:
    """Judge on donors left out, then learn from all cells and write."""
    cells = Cells(Path(sys.argv[1]))
    scores = np.full((len(cells.types), len(NAMES)), np.nan, dtype=np.float32)
    distances = np.full(len(cells.types), np.nan)
    for known, left in _folds(cells):
        space, rule, centered = learned(cells, known)
        read = space.centered(sp.csr_matrix(cells.counts[left]), np.arange(len(cells.genes)))
        scores[left] = rule.scores(space.scaled(read))
        place = fit_place(
            centered @ space.components, cells.types[known], len(NAMES), held_out=read @ space.components
        )
        pcs = read @ space.components
        distances[left] = place.distances(pcs, place.shift(pcs, scores[left].argmax(axis=1))) * place.reach
    left = np.isfinite(scores[:, 0])
    truth, named = cells.types[left], scores[left].argmax(axis=1)
    space, rule, centered = learned(cells, np.arange(len(cells.types)))
    of_all = fit_place(
        centered @ space.components, cells.types, len(NAMES), held_out=centered @ space.components
    )
    place = Place(
        centers=of_all.centers, spread=of_all.spread, reach=float(np.quantile(distances[left], 0.95))
    )
    accuracy, macro_f1 = float(np.mean(named == truth)), float(f1_score(truth, named, average="macro"))
    reference = Reference(
        name="Blood cells",
        description=f"Human blood (PBMC), {len(NAMES)} types; {len(cells.types):,} cells of two public studies were "
        "learned from; it holds means and weights of types, no cells.",
        types=tuple(NAMES),
        ontology_ids=tuple(TYPES.values()),
        genes=cells.genes,
        target=TARGET_SUM,
        reach=place.reach,
        rules=(
            Rule(
                key="genes",
                name=LOGISTIC,
                temperature=temperature_of(scores[left], truth),
                scaled=True,
                accuracy=accuracy,
                macro_f1=macro_f1,
                validated=accuracy,
            ),
        ),
        n_cells=len(cells.types),
        held_out=f"{left.sum():,} cells of 8 donors of Kang et al., left out in turns",
        trained_on=TRAINED_ON,
        license="CC BY 4.0 (sorted cells, 10x Genomics) and GEO public data (GSE96583)",
        sources=(
            "Zheng et al. 2017, doi:10.1038/ncomms14049: blood cells sorted by antibodies, 10x Genomics, CC BY 4.0",
            "Kang et al. 2018, doi:10.1038/nbt.4042: unstimulated cells of 8 donors with lupus, GSE96583",
        ),
    )
    tensors = tensors_of(space, place) | {"genes.weights": rule.weights, "genes.intercept": rule.intercept}
    write_reference(reference, tensors, HERE / "blood")
    print(
        f"accuracy {accuracy:.3f}, macro-F1 {macro_f1:.3f}, temperature {reference.rules[0].temperature:.2f}"
    )


if __name__ == "__main__":
    main()
