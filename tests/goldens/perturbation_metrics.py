"""Cases of perturbation screens: which genes change, scores of predictions, and genetic interactions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.cell_eval import Side, cell_eval_scores
from scviz.metrics.differential import (
    TOP_DE,
    DifferentialGenes,
    differential_genes,
    moments,
    order_by_change,
    rank_sum_table,
)
from scviz.metrics.interactions import interaction_scores
from scviz.metrics.perturbation import Profiles, Scores, pearson_rows, score
from tests.goldens.arrays import load
from tests.goldens.perturbation_published import (
    PredictedCells,
    basic_scores,
    deeper_scores,
    group_cells,
    most_variable,
    non_dropout_scores,
    non_zero_scores,
    scgpt_scores,
)

SCORES = 2e-6
FIRST = 40  # genes far down the order have t that differ by rounding alone
TESTS = 5e-6  # the authors keep p values and fold changes in float32
DISTANCES = 5e-6  # the authors take distance correlations in float32
WEIGHTS = 2e-4  # their regression stops early, where it happens to be; sums in another order move it by 1e-4
CONTROL = "ctrl"
MOST_EXPRESSED = 100  # of the golden's few genes; the article takes 1,000


class Data:
    """The screen of a folder, and who predicted what."""

    def __init__(self, folder: Path) -> None:
        arrays, self.predictions = load(folder / "dataset.npz"), load(folder / "predictions.npz")
        self.expression, self.condition = arrays["X"], arrays["condition"]
        self.genes: list[str] = arrays["genes"].tolist()
        self.pert_cat = self.predictions.pop("pert_cat")
        self.truth = self.expression[self.predictions.pop("truth_rows")]
        self.tested = [str(name) for name in np.unique(self.pert_cat)]
        self.perturbed = [str(name) for name in np.unique(self.condition) if name != CONTROL]

    def cells(self, condition: str) -> NDArray[np.float32]:
        return self.expression[self.condition == condition]

    def published_mean(self, condition: str) -> NDArray[np.float32]:
        """Average in float32 from a sparse matrix, as the authors' code does."""
        return np.asarray(sp.csr_matrix(self.cells(condition)).mean(axis=0)).ravel()

    def mean(self, condition: str) -> NDArray[np.float64]:
        return self.cells(condition).mean(axis=0, dtype=np.float64)

    def differential(self, condition: str, *, sparse: bool = False) -> DifferentialGenes:
        cells, controls = self.cells(condition), self.cells(CONTROL)
        if sparse:
            cells, controls = sp.csr_matrix(cells), sp.csr_matrix(controls)
        return differential_genes(moments(cells), moments(controls))


def read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_text())


def same(
    ours: Mapping[str, float], theirs: Mapping[str, float | None], where: str, atol: float = SCORES
) -> None:
    """Compare numbers that have names; null is NaN."""
    assert set(ours) == set(theirs), f"{where}: {sorted(set(ours) ^ set(theirs))}"
    names = sorted(theirs)
    wanted = np.array([np.nan if theirs[name] is None else theirs[name] for name in names], dtype=np.float64)
    found = np.array([ours[name] for name in names], dtype=np.float64)
    wrong = [
        name
        for name, a, b in zip(names, found, wanted, strict=True)
        if not np.isclose(a, b, atol=atol, rtol=0, equal_nan=True)
    ]
    np.testing.assert_allclose(found, wanted, atol=atol, rtol=0, err_msg=f"{where}: {wrong}")


def check_order(folder: Path) -> None:
    data, expected = Data(folder), read(folder, "de_expected.json")
    assert sorted(expected) == sorted(data.perturbed)
    for condition, wanted in expected.items():
        for sparse in (False, True):
            found = data.differential(condition, sparse=sparse)
            assert found.order[:FIRST].tolist() == wanted["rank"][:FIRST], condition
            assert sorted(found.order.tolist()) == list(range(len(data.genes)))
            assert found.non_zero.tolist() == wanted["non_zeros_gene_idx"]
            assert found.non_dropout.tolist() == wanted["non_dropout_gene_idx"]
            assert found.top_non_dropout.tolist() == wanted["top_non_dropout_de_20"]
            assert found.top_non_zero.tolist() == wanted["top_non_zero_de_20"]


def check_metrics(folder: Path) -> None:
    data, expected = Data(folder), read(folder, "metrics_expected.json")
    assert set(expected) == set(data.predictions)
    genes = {condition: data.differential(condition) for condition in data.tested}
    control = data.published_mean(CONTROL)
    means = np.array([data.published_mean(name) for name in (CONTROL, *data.perturbed)])
    for method, wanted in expected.items():
        cells = group_cells(data.predictions[method], data.truth, data.pert_cat)
        found = published_tables(cells, genes, control, most_variable(means))
        for table in ("gears_deeper_analysis", "gears_non_dropout_analysis", "gears_non_zero_analysis"):
            assert set(wanted[table]) == set(cells)
            for condition in cells:
                same(found[table][condition], wanted[table][condition], f"{method} {table} {condition}")
        basic = found["gears_compute_metrics"]
        for condition in cells:
            theirs = wanted["gears_compute_metrics"]["per_perturbation"][condition]
            same(basic[condition], theirs, f"{method} {condition}")
        averages = {name: float(np.mean([row[name] for row in basic.values()])) for name in theirs}
        same(averages, wanted["gears_compute_metrics"]["aggregate"], method)
        check_scgpt_lists(wanted["scgpt"], cells, genes, control)
        check_other_sources(wanted, data, method, genes)
        handled = {
            "gears_compute_metrics",
            "scgpt",
            "linear_paper_top100_expressed",
            "systema",
            "topk_by_abs_change",
        }
        assert set(wanted) == handled | (set(found) - {"gears_compute_metrics"})


def published_tables(
    cells: Mapping[str, PredictedCells],
    genes: Mapping[str, DifferentialGenes],
    control: NDArray[np.float32],
    variable: NDArray[np.int64],
) -> dict[str, dict[str, dict[str, float]]]:
    tables: dict[str, dict[str, dict[str, float]]] = {
        "gears_compute_metrics": {},
        "gears_deeper_analysis": {},
        "gears_non_zero_analysis": {},
        "gears_non_dropout_analysis": {},
    }
    for name, one in cells.items():
        de = genes[name]
        tables["gears_compute_metrics"][name] = basic_scores(one, de.order[:TOP_DE])
        tables["gears_deeper_analysis"][name] = deeper_scores(one, control, de.order, variable)
        tables["gears_non_zero_analysis"][name] = non_zero_scores(one, control, de.top_non_zero)
        tables["gears_non_dropout_analysis"][name] = non_dropout_scores(
            one,
            control,
            top_non_dropout=de.top_non_dropout,
            non_zero=de.non_zero,
            non_dropout=de.non_dropout,
        )
    return tables


def check_scgpt_lists(
    wanted: Mapping[str, Any],
    cells: Mapping[str, PredictedCells],
    genes: Mapping[str, DifferentialGenes],
    control: NDArray[np.float32],
) -> None:
    assert wanted["conditions"] == list(cells)
    all_genes = scgpt_scores(cells, control, {name: de.order[:TOP_DE] for name, de in genes.items()})
    expressed = scgpt_scores(
        cells, control, {name: de.top_non_dropout for name, de in genes.items()}, non_zero_genes=True
    )
    for found, theirs in ((all_genes, wanted["raw"]), (expressed, wanted["raw_non_zero_genes"])):
        assert set(found) == set(theirs)
        for name, values in theirs.items():
            listed = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
            np.testing.assert_allclose(found[name], listed, atol=SCORES, rtol=0, err_msg=name)
    same({name: float(np.mean(values)) for name, values in all_genes.items()}, wanted["mean"], "scgpt mean")
    assert set(wanted) == {"conditions", "raw", "raw_non_zero_genes", "mean"}


def our_scores(data: Data, method: str, genes: Mapping[str, DifferentialGenes]) -> Scores:
    """Score a method as our results do."""
    cells = data.predictions[method]
    control = data.mean(CONTROL)
    others = [data.mean(name) for name in data.perturbed if name not in data.tested]
    return score(
        Profiles(
            predicted=np.array([cells[data.pert_cat == name].mean(axis=0) for name in data.tested]),
            observed=np.array([data.mean(name) for name in data.tested]),
            control_predicted=control,
            control_observed=control,
            de_order=[genes[name].order for name in data.tested],
            targets=[
                [data.genes.index(gene) for gene in name.split("+") if gene in data.genes]
                for name in data.tested
            ],
            others=np.array(others).reshape(-1, len(control)),
            other_targets=[[] for _ in others],
        )
    )


def check_other_sources(
    wanted: Mapping[str, Any], data: Data, method: str, genes: Mapping[str, DifferentialGenes]
) -> None:
    """Compare our own scores with those of the linear paper, Systema and GEARS."""
    ours, names = our_scores(data, method, genes), data.tested
    deeper = wanted["gears_deeper_analysis"]
    for key, theirs in {
        "pearson_delta": [deeper[name]["pearson_delta"] for name in names],
        "pearson_delta_de": [deeper[name]["pearson_delta_de"] for name in names],
        "mse_de": [deeper[name]["mse_top20_de"] for name in names],
        "direction_de": [deeper[name]["frac_correct_direction_20"] for name in names],
        "pearson_delta_centroid": [wanted["systema"]["pearson_delta_centroid_ref"][name] for name in names],
        "centroid_accuracy": [wanted["systema"]["centroid_accuracy"][name] for name in names],
    }.items():
        np.testing.assert_allclose(ours.values[key], theirs, atol=SCORES, rtol=0, err_msg=f"{method} {key}")
    observed = np.array([data.mean(name) for name in names])
    predicted = np.array([data.predictions[method][data.pert_cat == name].mean(axis=0) for name in names])
    control = data.mean(CONTROL)
    tops = order_by_change(observed - control)[:, :TOP_DE]
    assert [row.tolist() for row in tops] == [wanted["topk_by_abs_change"][name]["genes"] for name in names]
    centroid = np.mean([data.mean(name) for name in data.perturbed], axis=0)
    expressed = np.argsort(-control, kind="stable")[:MOST_EXPRESSED]
    linear = wanted["linear_paper_top100_expressed"]
    some = predicted[:, expressed], observed[:, expressed]
    changes = [part - control[expressed] for part in some]
    by_change = correlate_at(predicted - control, observed - control, tops)
    from_centroid = correlate_at(predicted - centroid, observed - centroid, tops)
    for row, name in enumerate(names):
        found = {
            "l2": float(np.linalg.norm((some[0] - some[1])[row])),
            "pearson_delta": float(pearson_rows(*changes)[row]),
            "pearson": float(pearson_rows(*some)[row]),
        }
        same(found, linear[name], f"{method} {name}")
        theirs = wanted["topk_by_abs_change"][name]
        np.testing.assert_allclose(by_change[row], theirs["pearson_delta_top20"], atol=SCORES)
        theirs = wanted["systema"]["pearson_delta_centroid_ref_top20"][name]
        np.testing.assert_allclose(from_centroid[row], theirs, atol=SCORES)


def correlate_at(
    x: NDArray[np.float64], y: NDArray[np.float64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Correlate rows over their own columns."""
    return pearson_rows(np.take_along_axis(x, columns, axis=1), np.take_along_axis(y, columns, axis=1))


def check_cell_eval(folder: Path) -> None:
    data, expected = Data(folder), read(folder, "cell_eval_expected.json")
    assert expected["_real_de_feature_order"] == data.genes
    conditions = {name.removesuffix("+ctrl"): name for name in data.tested}
    for name, table in expected["_real_de_first_two"].items():
        found = rank_sum_table(data.cells(conditions[name]), data.cells(CONTROL))
        for column, values in table.items():
            ours = getattr(found, column)
            theirs = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
            np.testing.assert_allclose(
                np.where(np.isinf(ours), np.nan, ours),
                theirs,
                atol=TESTS,
                rtol=TESTS,
                err_msg=f"{name} {column}",
            )
    names = sorted(conditions)

    def side(cells: NDArray[np.float32]) -> Side:
        parts = {name: cells[data.pert_cat == conditions[name]] for name in names}
        return Side(control=data.cells(CONTROL), cells=parts)

    methods = {name: table for name, table in expected.items() if not name.startswith("_")}
    assert set(methods) == set(data.predictions)
    for method, wanted in methods.items():
        found = cell_eval_scores(side(data.predictions[method].clip(min=0)), side(data.truth), data.genes)
        assert set(wanted["per_perturbation"]) == set(names)
        for row, name in enumerate(names):
            ours = {metric: float(values[row]) for metric, values in found.items()}
            same(ours, wanted["per_perturbation"][name], f"{method} {name}")
        same(
            {metric: float(values.mean()) for metric, values in found.items()},
            wanted["mean"],
            f"{method} mean",
        )


INTERACTIONS = {
    "c1": ("first", WEIGHTS),
    "c2": ("second", WEIGHTS),
    "mag": ("magnitude", WEIGHTS),
    "dcor": ("dcor", DISTANCES),
    "dcor_singles": ("dcor_singles", DISTANCES),
    "dcor_first": ("dcor_first", DISTANCES),
    "dcor_second": ("dcor_second", DISTANCES),
    "corr_fit": ("fit", WEIGHTS),
    "dominance": ("dominance", 5 * WEIGHTS),
    "eq_contr": ("equality", 2 * DISTANCES),
}
"""What the authors call a score, our name, and how near it must be."""


def check_interactions(folder: Path) -> None:
    data, expected = Data(folder), read(folder, "gi_params_expected.json")
    control = data.cells(CONTROL).mean(axis=0)
    for pair, wanted in expected.items():
        conditions = [*(f"{gene}+{CONTROL}" for gene in pair.split("+")), pair]
        changes = [data.cells(name).mean(axis=0) - control for name in conditions]
        found = interaction_scores(*changes)
        assert set(wanted) == set(INTERACTIONS)
        for theirs, (ours, atol) in INTERACTIONS.items():
            same({theirs: getattr(found, ours)}, {theirs: wanted[theirs]}, pair, atol)


CHECKS: dict[str, Callable[[Path], None]] = {
    "order of changed genes": check_order,
    "metrics": check_metrics,
    "cell_eval": check_cell_eval,
    "interactions": check_interactions,
}
