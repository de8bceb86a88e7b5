"""Every number that is printed comes again from the files that a command writes, by numpy, scipy and scikit-learn."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import false_discovery_control, hypergeom, norm
from scipy.stats import t as student
from sklearn.metrics import (
    adjusted_rand_score,
    average_precision_score,
    f1_score,
    normalized_mutual_info_score,
    roc_auc_score,
)

from scviz.cli import attention as attention_words
from scviz.cli import compare as compare_words
from scviz.cli import enhance as enhance_words
from scviz.cli import enrich as enrich_words
from scviz.cli import modules as modules_words
from scviz.cli import pretrain as pretrain_words
from scviz.cli import regulons as regulons_words
from scviz.datasets.gene_terms import keep_terms
from scviz.metrics.evidence import Gain
from scviz.models import model_class
from scviz.tasks import (
    attention_network,
    compare,
    enhancement,
    enrichment,
    modules,
    opening,
    pretraining,
    scenic,
)
from scviz.tasks.attention_network.run import run as attend
from scviz.tasks.compare.run import run as compare_models
from scviz.tasks.enhancement.run import run as enhance
from scviz.tasks.enrichment.run import run as enrich
from scviz.tasks.known_types import types_of
from scviz.tasks.modules.files import gene_table, module_table
from scviz.tasks.modules.run import run as find_modules
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.pretraining.run import run as pretrain
from scviz.tasks.scenic.run import run as find_regulons
from scviz.workspace import Workspace
from tests.conftest import Opened, keep_model


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def written(write: Callable[[Any, Path], None], result: Any, path: Path) -> list[dict[str, str]]:
    write(result, path)
    return rows_of(path)


def numbers(rows: list[dict[str, str]], column: str) -> NDArray[np.float64]:
    return np.array([float(row[column] or "nan") for row in rows])


def bounds(values: NDArray[np.float64], *, seed: int = 0) -> NDArray[np.float64]:
    """Draw values 2,000 times for the 95 % interval of their mean, as much wider as Student's t is for so few."""
    n = len(values)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=2000) @ values / n
    tail = norm.sf(np.sqrt(n / (n - 1)) * student.ppf(0.975, n - 1))
    return np.quantile(drawn, [tail, 1 - tail])


def is_gain(gain: Gain, model: NDArray[np.float64], baseline: NDArray[np.float64], *, sign: int = 1) -> None:
    assert gain.score == pytest.approx(model.mean())
    assert gain.baseline_score == pytest.approx(baseline.mean())
    assert gain.difference.mean == pytest.approx(sign * (model - baseline).mean())
    if gain.difference.known:
        low, high = bounds(sign * (model - baseline))
        assert (gain.difference.low, gain.difference.high) == (pytest.approx(low), pytest.approx(high))


def test_compare(opened: Opened, tmp_path: Path) -> None:
    asked = compare.Request(
        dataset=opened.dataset, checkpoints=(opened.checkpoint,), label_key="cell_type", batch_key="donor",
        n_neighbors=8,
    )  # fmt: skip
    result = compare_models(asked, opened.context())
    compare_words.write_arrays(result, tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz") as file:
        arrays = dict(file)
    types, batches = arrays["types"], arrays["batches"]
    for method in arrays["methods"].tolist():
        scores, neighbors = result.scores[method], arrays[f"neighbors/{method}"]
        votes = np.stack([(types[neighbors] == code).sum(axis=1) for code in range(3)], axis=1)
        named = arrays[f"named/{method}"]
        assert (votes[np.arange(60), named] == votes.max(axis=1)).all()  # of ties the nearer neighbors decide
        assert scores.agreement == pytest.approx(f1_score(types, named, average="macro"))
        clusters = arrays[f"clusters/{method}"]
        assert scores.nmi == pytest.approx(normalized_mutual_info_score(types, clusters))
        assert scores.ari == pytest.approx(adjusted_rand_score(types, clusters))
        assert scores.silhouette_label == pytest.approx(arrays[f"silhouette_label/{method}"].mean())
        assert scores.silhouette_batch == pytest.approx(arrays[f"silhouette_batch/{method}"].mean())
        expected = np.mean([(batches != batches[i]).sum() / 59 for i in range(60)])
        assert scores.mixing == pytest.approx((batches[neighbors] != batches[:, None]).mean() / expected)
    reach = student.ppf(1 - 0.05 / len(result.gains) / 2, 39)
    for one in result.gains:
        at = arrays["scores"].tolist().index(one.score)
        sign = -1 if one.score == "silhouette_batch" else 1
        drawn = sign * (arrays[f"halves/{one.method}"][:, at] - arrays["halves/pca"][:, at])
        assert one.gain.difference.high - one.gain.difference.mean == pytest.approx(reach * drawn.std(ddof=1))
    first, second = (arrays[f"neighbors/{method}"] for method in arrays["methods"])
    shared = np.array([len(set(a) & set(b)) for a, b in zip(first.tolist(), second.tolist(), strict=True)])
    assert result.overlap[0, 1] == pytest.approx((shared / (16 - shared)).mean())
    np.testing.assert_allclose(arrays["disagreement"], 1 - shared / (16 - shared), atol=1e-6)


def test_enhance(opened: Opened, adata: AnnData, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deep = keep_model(opened, model_class("scfoundation").untrained(adata, "tiny").eval())
    asked = enhancement.Request(
        dataset=deep.dataset, checkpoint=deep.checkpoint, check_cells=25, label_key="cell_type"
    )
    result = enhance(asked, deep.context())
    rows = written(enhance_words.write_check, result, tmp_path / "check.csv")
    for method, score in result.scores.items():
        values = numbers(rows, method)
        assert score.mean == pytest.approx(values.mean())
        assert [score.low, score.high] == pytest.approx(bounds(values))
        assert result.silhouettes[method] == pytest.approx(numbers(rows, f"silhouette {method}").mean())
    assert result.original_silhouette == pytest.approx(numbers(rows, "silhouette original").mean())
    best = max(list(result.scores)[1:], key=lambda method: numbers(rows, method).mean())
    assert result.gain.baseline == best
    is_gain(result.gain, numbers(rows, "model"), numbers(rows, best))


def test_pretrain(opened: Opened, tmp_path: Path) -> None:
    asked = pretraining.Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, epochs=2, validation_fraction=0.5
    )
    result = pretrain(asked, opened.context())
    rows = written(pretrain_words.write_cells, result, tmp_path / "cells.csv")
    own, baseline, before = (
        numbers(rows, name) for name in ("model", "frequency baseline", "weights before")
    )
    is_gain(result.gain, own, baseline, sign=-1)
    assert result.further is not None
    is_gain(result.further, own, before, sign=-1)
    epochs = written(pretrain_words.write_epochs, result, tmp_path / "epochs.csv")
    assert numbers(epochs, "training").tolist() == result.losses
    assert result.best_epoch == int(np.argmin(numbers(epochs, "choosing")))


def test_regulons_and_their_links(workspace: Workspace, tmp_path: Path) -> None:
    nothing = Opened(workspace, "", "")
    dataset = open_dataset(opening.Request(path="", name="", simulated="tiny"), nothing.context()).dataset
    asked = scenic.Request(
        dataset=dataset, method="interventions", condition_key="condition", fewest_genes=5, most_genes=80
    )
    result = find_regulons(asked, Opened(workspace, dataset, "").context())
    rows = written(regulons_words.write_links, result, tmp_path / "links.csv")
    areas = {}
    for method in ("interventions", "correlation"):
        own = [row for row in rows if row["method"] == method and row["judged"] == "1"]
        weights, known = numbers(own, "weight"), numbers(own, "known") == 1
        found = result.checks[method]
        areas[method] = average_precision_score(known, weights)
        assert (result.n_candidates, result.n_known) == (len(own), known.sum())
        assert found.auprc == pytest.approx(areas[method])
        assert found.auprc_ratio == pytest.approx(areas[method] / known.mean())
        assert found.auroc == pytest.approx(roc_auc_score(known, weights))
        assert found.hits == pytest.approx(
            known[np.argsort(-weights, kind="stable")][: known.sum()].sum(), abs=3
        )
        others = exchanged(result, own, method)
        assert found.place.rank == 1 + sum(other >= areas[method] for other in others)
    gain = result.gain
    assert gain is not None
    assert gain.difference.mean * known.mean() == pytest.approx(areas["interventions"] - areas["correlation"])
    table = [
        row for row in written(regulons_words.write_regulons, result, tmp_path / "table.csv") if row["n_all"]
    ]
    p = hypergeom.sf(
        *(numbers(table, "hits") - 1, numbers(table, "n_all")),
        numbers(table, "n_known"),
        numbers(table, "n_chosen"),
    )
    assert numbers(table, "p") == pytest.approx(p)
    rates = false_discovery_control(p)
    kept = np.array([row["kept"] == "1" for row in table])
    assert numbers(table, "fdr")[kept] == pytest.approx(rates[kept])


def exchanged(result: scenic.Result, rows: list[dict[str, str]], method: str) -> list[float]:
    """Give the area of a ranking by known links whose targets are exchanged, 199 times, as the seed 0 has it."""
    at = (
        {name: i for i, name in enumerate(result.regulators)},
        {name: i for i, name in enumerate(result.targets)},
    )
    ends = [(at[0][row["source"]], at[1][row["target"]]) for row in rows]
    known = np.zeros((len(result.regulators), len(result.targets)), dtype=bool)
    known[tuple(np.array(ends).T)] = numbers(rows, "known") == 1
    known |= result.known  # links that are not judged are exchanged as well
    order = sorted(range(len(ends)), key=lambda i: ends[i])
    weights, places = numbers(rows, "weight")[order], tuple(np.array(ends)[order].T)
    rng = np.random.default_rng(0)
    return [
        average_precision_score(known[:, rng.permutation(known.shape[1])][places], weights)
        for _ in range(199)
    ]


def test_regulons_in_types(opened: Opened, tmp_path: Path) -> None:
    table = tmp_path / "known.tsv"
    pairs = [
        (f"GENE{20 * t + r}", f"GENE{20 * t + g}") for t in range(3) for r in (1, 2) for g in range(5, 21)
    ]
    table.write_text("tf\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    asked = scenic.Request(
        dataset=opened.dataset, method="correlation", fewest_genes=5, prior=str(table), label_key="cell_type"
    )
    result = find_regulons(asked, opened.context())
    columns = regulons_words.activity_columns(result)
    labels = types_of(opened.workspace, opened.dataset, "cell_type")
    for row in written(regulons_words.write_types, result, tmp_path / "types.csv"):
        own, values = labels.codes == labels.names.index(row["type"]), np.array(columns[row["regulon"]])
        assert float(row["mean_activity"]) == pytest.approx(values[own].mean(), abs=1e-6)
        specific = 1 - jensenshannon(values / values.sum(), own / own.sum())
        assert float(row["specificity"]) == pytest.approx(specific, abs=1e-5)
    for one in result.regulons:
        assert one.share_on == pytest.approx(np.mean(columns[f"{one.name} on"]))


def test_modules(opened: Opened) -> None:
    asked = modules.Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, source="static", n_neighbors=8, n_random=50
    )
    result = find_modules(asked, opened.context())
    said = modules_words.summary(result)
    table = list(csv.DictReader(module_table(result).splitlines()))
    genes = list(csv.DictReader(gene_table(result).splitlines()))
    own = alone([row["module"] for row in genes])
    for method, judged in said["methods"].items():
        rows = [row for row in table if row["method"] == method]
        p = numbers(rows, "rank") / (1 + numbers(rows, "random_sets"))
        assert judged["n_beyond"] == (false_discovery_control(p) <= 0.05).sum()
        sizes, more = numbers(rows, "genes"), numbers(rows, "correlation") - numbers(rows, "random")
        assert judged["gain"] == pytest.approx(sizes @ more / len(genes), abs=1e-4)
        other = own if method == "static" else alone([row[f"module by {method}"] for row in genes])
        assert judged["agreement"] == pytest.approx(adjusted_rand_score(own, other), abs=1e-4)
    for method, values in result.by_cell.items():
        spread = [
            float(row["genes"]) / len(genes) * float(row["random_spread"])
            for row in table
            if row["method"] in ("static", method)
        ]
        low, high = bounds(values) - values.mean()
        by_genes = 1.96 * np.linalg.norm(spread)
        gap = result.gains[method].difference
        if gap.known:
            assert gap.low == pytest.approx(values.mean() - np.hypot(low, by_genes), abs=1e-6)
            assert gap.high == pytest.approx(values.mean() + np.hypot(high, by_genes), abs=1e-6)


def alone(names: list[str]) -> list[str]:
    """Give genes of no module one of their own."""
    return [name or f"alone {i}" for i, name in enumerate(names)]


def test_attention(opened: Opened, adata: AnnData, tmp_path: Path) -> None:
    torch.manual_seed(0)
    scgpt = keep_model(opened, model_class("scgpt").untrained(adata, "tiny").eval())
    known = tmp_path / "known.tsv"
    known.write_text("tf\ttarget\n" + "".join(f"GENE45\tGENE{g}\n" for g in range(46, 60)))
    asked = attention_network.Request(
        dataset=scgpt.dataset, checkpoint=scgpt.checkpoint, column="cell_type", control="B cell", top=10,
        perturbed="T cell", regulators=("GENE45",), prior=str(known), most_genes=40, most_cells=8, n_null=20,
    )  # fmt: skip
    result = attend(asked, scgpt.context())
    rows = written(attention_words.write_influence, result, tmp_path / "influence.csv")
    controls = written(attention_words.write_controls, result, tmp_path / "controls.csv")
    truth, places = numbers(rows, "known") == 1, []
    for setting in attention_network.SETTINGS:
        of = {one.method: one for one in result.checks if one.setting == setting}
        values = numbers(rows, f"influence {setting}")
        told = np.isfinite(values)
        for method, column in (("attention", "influence"), ("co-expression", "co-expression")):
            ranked, check = numbers(rows, f"{column} {setting}")[told], of[method]
            assert check.auroc == pytest.approx(roc_auc_score(truth[told], ranked))
            assert check.hits == truth[told][np.argsort(-ranked, kind="stable")[:10]].sum()
            left = check.n_candidates - check.n_known - 10 + check.hits
            odds = (
                (check.hits + 0.5) * (left + 0.5) / ((check.n_known - check.hits + 0.5) * (10.5 - check.hits))
            )
            assert check.odds_ratio == pytest.approx(odds)
        areas = numbers([row for row in controls if row["setting"] == setting], "auroc")
        areas = areas[np.isfinite(areas)]
        rank = 1 + (areas >= of["attention"].auroc).sum()
        assert of["attention"].place.rank == rank
        places.append(rank / (1 + len(areas)))
    rates = [one.fdr for one in result.checks if one.method == "attention"]
    assert rates == pytest.approx(false_discovery_control(places))
    assert result.gain is not None
    columns = [numbers(rows, f"{one} difference") for one in ("influence", "co-expression")]
    told = np.isfinite(columns).all(axis=0)
    pair = [roc_auc_score(truth[told], one[told]) for one in columns]
    assert (result.gain.score, result.gain.baseline_score) == (pytest.approx(pair[0]), pytest.approx(pair[1]))


@pytest.mark.parametrize("method", ["over-representation", "prerank"])
def test_enrich(opened: Opened, tmp_path: Path, method: str) -> None:
    members = {f"type {t}": [f"GENE{20 * t + g}" for g in range(1, 21)] for t in range(3)}
    members |= {f"others {i}": [f"GENE{g}" for g in range(61 + i, 201, 7)] for i in range(7)}
    terms = {f"GENE{g}": [name for name, own in members.items() if f"GENE{g}" in own] for g in range(1, 201)}
    sets = keep_terms(terms, opened.workspace, name="Planted", source="made").id
    asked = enrichment.Request(
        dataset=opened.dataset, sets=sets, column="cell_type", group="B cell", n_shuffles=20, method=method,
        n_permutations=100,
    )  # type: ignore[arg-type] # fmt: skip
    result = enrich(asked, opened.context())
    said = enrich_words.summary(result)
    rows = written(enrich_words.write_terms, result, tmp_path / "terms.csv")
    tests = ["p_alike", "p_shuffled"]
    if method == "over-representation":
        tests.append("p_overlap")
        overlap = np.array([len(row["genes"].split()) for row in rows])
        n_all, n_set, n_query = (numbers(rows, name) for name in ("n_background", "n_set", "n_genes"))
        plain = hypergeom.sf(overlap - 1, n_all, n_set, n_query)
        assert numbers(rows, "p_overlap") == pytest.approx(plain)
        assert numbers(rows, "expected") == pytest.approx(n_query * n_set / n_all)
        assert said["by_the_plain_test"] == (false_discovery_control(plain) <= 0.05).sum()
        genes = written(enrich_words.write_genes, result, tmp_path / "genes.csv")
        assert len(genes) == said["genes"] == n_query[0]
        assert (numbers(genes, "fdr") <= 0.05).all()
        assert f"call {np.mean(said['with_shuffled_groups']):.2g} sets on average" in result.verdict
    else:
        assert said["by_the_plain_test"] == (numbers(rows, "fdr_published") <= 0.05).sum()
    p = np.max([numbers(rows, name) for name in tests], axis=0)
    assert numbers(rows, "p") == pytest.approx(p)
    assert numbers(rows, "fdr") == pytest.approx(false_discovery_control(p))
    assert (said["tested"], said["enriched"]) == (len(rows), (false_discovery_control(p) <= 0.05).sum())
