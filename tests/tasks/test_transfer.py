"""Names from a reference: planted types, held-out cells, strange clusters, classifiers that are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.datasets.readers import open_file
from scviz.errors import DataError, GeneMatchError, RequestError
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.transfer import (
    HARMONY_NEAREST,
    LOGISTIC,
    PCS_LINEAR,
    PCS_NEAREST,
    Method,
    Request,
    Result,
    column_stem,
)
from scviz.tasks.transfer.judging import chosen_method
from scviz.tasks.transfer.references import (
    RECORD,
    TENSORS,
    find_reference,
    keep_reference,
    read_reference,
    references,
)
from scviz.tasks.transfer.rules import logistic, probabilities, temperature_of, vote
from scviz.tasks.transfer.run import run
from scviz.tasks.transfer.tables import cells, summary, types_table
from scviz.tasks.transfer.verdict import notes_of
from scviz.workspace import Workspace

TYPES = ("B cell", "NK cell", "T cell", "monocyte")
N_GENES = 160


def made(n_cells: int, *, seed: int, strange: int = 0) -> anndata.AnnData:
    """Cells of four planted types; the last `strange` ones are of a fifth, which other genes tell apart."""
    rng = np.random.default_rng(seed)
    types = np.arange(n_cells) % len(TYPES)
    levels = np.random.default_rng(0).gamma(0.7, 1.0, N_GENES)  # the same genes whatever the seed
    means = np.tile(levels, (n_cells, 1))
    for number in range(len(TYPES)):
        means[types == number, 20 * number : 20 * number + 20] += 5.0
    if strange:
        means[-strange:] = levels
        means[-strange:, 80:140] += 8.0
    counts = rng.poisson(means * rng.uniform(0.7, 1.5, (n_cells, 1))).astype(np.float32)
    labels = np.array(TYPES, dtype=object)[types]
    if strange:
        labels[-strange:] = "strange"
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(labels), "donor": pd.Categorical([f"d{i % 5}" for i in range(n_cells)])},
        index=pd.Index([f"S{seed}-{i}" for i in range(n_cells)], dtype=object),
    )
    var = pd.DataFrame(index=pd.Index([f"GENE{i}" for i in range(N_GENES)], dtype=object))
    return anndata.AnnData(X=csr_matrix(counts), obs=obs, var=var)


@dataclass(frozen=True)
class Two:
    workspace: Workspace
    reference: str
    query: str
    truth: np.ndarray

    def context(self, run: str = "one") -> Context:
        return Context(workspace=self.workspace, report=silent, folder=self.workspace.run_folder(run))

    def ask(self, **fields: object) -> Request:
        asked = {"dataset": self.query, "reference": self.reference, "label_key": "cell_type"}
        return Request(**{**asked, **fields})  # type: ignore[arg-type]


def opened(workspace: Workspace, folder: Path, adata: anndata.AnnData, name: str) -> str:
    path = folder / f"{name}.h5ad"
    adata.write_h5ad(path)
    return open_file(path, workspace, name=name).id


@pytest.fixture
def two(workspace: Workspace, tmp_path: Path) -> Two:
    query = made(120, seed=2, strange=30)
    truth = query.obs["cell_type"].astype(str).to_numpy()
    del query.obs["cell_type"]
    return Two(
        workspace,
        opened(workspace, tmp_path, made(240, seed=1), "known"),
        opened(workspace, tmp_path, query, "unlabeled"),
        truth,
    )


def right(result: Result, two: Two, method: str = "") -> float:
    known = two.truth != "strange"
    return float(np.mean(result.names(method)[known] == two.truth[known]))


def test_every_method_names_planted_types_and_is_judged_on_the_same_cells(two: Two) -> None:
    result = run(two.ask(harmony=True), two.context())
    assert {LOGISTIC, PCS_LINEAR, PCS_NEAREST, HARMONY_NEAREST} <= set(result.probabilities)
    for method in result.methods:
        assert right(result, two, method.name) > 0.95
        assert method.accuracy > 0.95
        assert method.scores is not None
    assert result.truth is not None
    assert result.predicted is not None
    assert {len(one) for one in result.predicted.values()} == {len(result.truth)}


def test_probabilities_sum_to_one(two: Two) -> None:
    result = run(two.ask(), two.context())
    for found in result.probabilities.values():
        np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


def test_cells_without_a_molecule_get_no_name(two: Two, tmp_path: Path) -> None:
    query = made(120, seed=2)
    query.X = csr_matrix(query.X.multiply(np.arange(120)[:, None] >= 9))
    dataset = opened(two.workspace, tmp_path, query, "with empty cells")
    by_dataset = run(two.ask(dataset=dataset), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace, name="My types")
    by_saved = run(Request(dataset=dataset, reference=kept.id), two.context("two"))
    for result in (by_dataset, by_saved):
        for method in result.probabilities:
            assert set(result.names(method)[:9]) == {""}
            assert "" not in set(result.names(method)[9:])
        there = result.names() != ""
        assert result.fit.beyond == pytest.approx(float((result.distance[there] > 1).mean()))
        assert "9 cells have no gene that the method reads and get no name." in notes_of(result)


def test_that_cells_are_shallow_is_told(two: Two, tmp_path: Path) -> None:
    query = made(120, seed=2)
    assert not any("or fewer molecules" in one for one in run(two.ask(), two.context()).notes)
    kept = keep_reference(two.context().result / "reference", two.workspace, name="My types")
    query.X = csr_matrix(
        np.random.default_rng(0).binomial(query.X.toarray().astype(int), 0.1).astype(np.float32)
    )
    dataset = opened(two.workspace, tmp_path, query, "shallow")
    for asked in (two.ask(dataset=dataset), Request(dataset=dataset, reference=kept.id)):
        notes = run(asked, two.context("two")).notes
        assert any("or fewer molecules of the shared genes" in one for one in notes)


def test_whether_cells_that_taught_are_unlike_is_not_told(two: Two, tmp_path: Path) -> None:
    some = made(240, seed=1)[:120].copy()
    del some.obs["cell_type"]
    dataset = opened(two.workspace, tmp_path, some, "some of the reference")
    by_dataset = run(two.ask(dataset=dataset), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace, name="My types")
    by_saved = run(Request(dataset=dataset, reference=kept.id), two.context("two"))
    for result in (by_dataset, by_saved):
        assert "is not told: many of them taught it" in result.verdict
        assert "another study" not in result.verdict
        assert {one.nearness for one in result.fit.clusters} == {"cannot tell"}
    others = run(Request(dataset=two.query, reference=kept.id), two.context("three"))
    assert "taught" not in others.verdict


def test_a_cluster_that_the_reference_lacks_is_told_and_no_other(two: Two) -> None:
    result = run(two.ask(), two.context())
    strange = two.truth == "strange"
    assert (result.distance[strange] > 1).mean() > 0.9
    assert (result.distance[~strange] > 1).mean() < 0.2
    far = {one.number - 1 for one in result.fit.far}
    assert far == set(np.unique(result.clusters[strange]).tolist())
    assert "no counterpart" in result.verdict


@pytest.mark.parametrize("strange", [0, 40])
def test_cells_of_one_type_are_foreign_only_where_the_reference_lacks_it(
    two: Two, tmp_path: Path, strange: int
) -> None:
    """Too few types to tell what all share: a file of one new type must not pass for one that fits."""
    cells = made(200, seed=3, strange=strange)
    some = cells[cells.obs["cell_type"] == ("strange" if strange else "T cell")].copy()
    del some.obs["cell_type"]
    dataset = opened(two.workspace, tmp_path, some, "one type")
    result = run(two.ask(dataset=dataset), two.context())
    assert result.fit.shift == 0
    assert result.fit.is_foreign == (strange > 0)
    assert ("does not fit these cells" in result.verdict) == (strange > 0)
    assert "taken off" not in result.verdict
    assert all(one.nearness != "near" for one in result.fit.clusters) or not strange


def test_held_out_donors_are_named(two: Two) -> None:
    result = run(two.ask(group_key="donor"), two.context())
    assert ", all those of donor d" in result.held_out
    assert any("whole groups of donor" in note for note in result.notes)


def test_what_was_learned_names_other_cells_alike(two: Two) -> None:
    learned = run(two.ask(), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace, name="My types")
    again = run(
        Request(dataset=two.query, reference=kept.id, reference_version=kept.version), two.context("two")
    )
    for method in (LOGISTIC, PCS_LINEAR):
        np.testing.assert_allclose(again.probabilities[method], learned.probabilities[method], atol=1e-4)
    np.testing.assert_allclose(again.distance, learned.distance, rtol=1e-3, atol=1e-4)
    assert "nearest" not in " ".join(again.probabilities)  # it would need the cells
    assert again.reference_name == "My types"


def test_genes_that_are_absent_from_the_file_do_not_stop_a_kept_classifier(two: Two, tmp_path: Path) -> None:
    run(two.ask(), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace)
    fewer = made(120, seed=5)[:, np.arange(N_GENES) % 3 > 0].copy()
    truth = fewer.obs["cell_type"].astype(str).to_numpy()
    query = opened(two.workspace, tmp_path, fewer, "fewer")
    result = run(Request(dataset=query, reference=kept.id), two.context("two"))
    assert (result.names() == truth).mean() > 0.9
    assert result.fit.read < 0.8


def test_a_kept_classifier_holds_no_cell(two: Two) -> None:
    run(two.ask(), two.context())
    kept = read_reference(two.context().result / "reference").with_tensors()
    assert max(max(one.shape) for one in kept.tensors.values()) <= N_GENES < 240
    assert "S1-" not in (kept.folder / RECORD).read_text()


def test_a_damaged_classifier_is_refused(two: Two) -> None:
    run(two.ask(), two.context())
    folder = two.context().result / "reference"
    record = json.loads((folder / RECORD).read_text())
    fewer = {name: record[name][:-1] for name in ("types", "ontology_ids")}
    (folder / RECORD).write_text(json.dumps(record | fewer))
    with pytest.raises(DataError, match="not"):
        keep_reference(folder, two.workspace)
    (folder / TENSORS).write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_reference(folder).with_tensors()
    with pytest.raises(DataError, match="no classifier"):
        read_reference(folder.parent)


def test_a_model_that_was_not_learned_with_is_refused(two: Two, opened: object) -> None:
    run(two.ask(), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace)
    with pytest.raises(RequestError, match="not learned with"):
        run(
            Request(dataset=two.query, reference=kept.id, checkpoints=("geneformer/tiny",)),
            two.context("two"),
        )


def test_datasets_without_common_genes_are_refused(two: Two, tmp_path: Path) -> None:
    other = made(60, seed=3)
    other.var_names = [f"OTHER{i}" for i in range(N_GENES)]
    with pytest.raises(GeneMatchError, match="share 0 genes"):
        run(two.ask(dataset=opened(two.workspace, tmp_path, other, "other")), two.context())


def test_a_reference_needs_its_column(two: Two) -> None:
    with pytest.raises(RequestError, match="No column with cell types of the reference"):
        run(two.ask(label_key=""), two.context())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reference": ""}, "No reference"),
        ({"reference": "d"}, "by itself"),
        ({"checkpoints": ("a", "a")}, "different"),
        ({"label_key": "x", "group_key": "x"}, "held out by the column"),
    ],
)
def test_a_question_without_sense_is_refused(fields: dict[str, str], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Request(**{"dataset": "d", "reference": "r", **fields})  # type: ignore[arg-type]


def test_scviz_comes_with_a_reference_of_blood(workspace: Workspace) -> None:
    blood = find_reference(workspace, "blood")
    assert blood is not None
    assert blood.shipped
    assert all(one.startswith("CL:") for one in blood.reference.ontology_ids)
    assert sum(path.stat().st_size for path in blood.folder.iterdir()) <= 1_000_000
    found = blood.with_tensors().tensors
    assert max(len(one) for one in found.values()) == len(blood.reference.genes)
    assert [one.id for one in references(workspace)] == ["blood"]


def test_tables_hold_every_cell_and_type(two: Two) -> None:
    result = run(two.ask(), two.context())
    columns, rows = cells(result)
    assert columns[:3] == [
        f"{column_stem(result.chosen)}_{end}" for end in ("label", "confidence", "ontology_term_id")
    ]
    assert len(list(rows)) == len(two.truth)
    assert sum(row["cells"] for row in types_table(result)) == len(two.truth)
    assert json.dumps(summary(result))


def test_ids_of_the_ontology_come_with_names(two: Two) -> None:
    result = run(two.ask(), two.context())
    found = dict(zip(result.types, result.ontology_ids, strict=True))
    assert found["B cell"] == "CL:0000236"


def test_a_method_is_chosen_over_a_plainer_one_only_where_chance_does_not_explain_it() -> None:
    plain = Method(name="plain", temperature=1.0, validated=0.90)
    better = replace(plain, name="better", validated=0.95)
    assert chosen_method([plain, better], n_validation=50) == "plain"
    assert chosen_method([plain, better], n_validation=5000) == "better"


def test_a_temperature_undoes_what_was_multiplied() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (20_000, 3)).astype(np.float32)
    drawn = scores + rng.gumbel(size=scores.shape)  # the largest is drawn by the probabilities of the scores
    types = drawn.argmax(axis=1)
    assert temperature_of(scores * 3, types) == pytest.approx(3.0, rel=0.05)


def test_two_types_are_scored_as_scikit_learn_does() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    types = np.arange(60) % 2
    inputs = (rng.normal(0, 1, (60, 3)) + types[:, None]).astype(np.float32)
    ours = probabilities(logistic(inputs, types, 2).scores(inputs), 1.0)
    theirs = LogisticRegression(max_iter=3000).fit(inputs, types).predict_proba(inputs)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_type_without_training_cells_is_never_named() -> None:
    inputs = np.eye(4, dtype=np.float32)
    scores = logistic(inputs, np.array([0, 2, 0, 2]), 3).scores(inputs)
    assert set(scores.argmax(axis=1).tolist()) == {0, 2}


def test_the_nearest_cells_vote() -> None:
    known = np.array([[0.0], [1.0], [5.0]], dtype=np.float32)
    scores = vote(known, np.array([0, 0, 1]), np.array([[0.0]], dtype=np.float32), n_types=2)
    votes = 5 / (5 + np.array([0.0, 1.0, 5.0]))  # the third nearest of these cells is 5, 4 and 5 away
    np.testing.assert_allclose(
        np.exp(scores[0]), [(votes[:2].sum() + 0.5) / (votes.sum() + 1), 1 / (votes.sum() + 1)]
    )


def test_a_cell_beyond_the_labeled_ones_is_less_sure_though_all_neighbors_agree() -> None:
    known = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    known[30:, 0] += 20
    types = np.repeat([0, 1], 30)
    near, far = np.exp(vote(known, types, np.array([[0, 0], [0, 40]], dtype=np.float32), n_types=2))[:, 0]
    assert near > 0.9 > far > 0.5


def test_equal_cells_vote_too() -> None:
    known = np.zeros((4, 3), dtype=np.float32)
    scores = vote(known, np.array([0, 0, 0, 1]), known[:1], n_types=2)
    np.testing.assert_allclose(np.exp(scores[0]), [0.7, 0.3], rtol=1e-6)
