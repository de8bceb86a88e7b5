"""What is said of names by a reference: beside names without knowledge, which are weak, which cells stay unnamed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.tasks.transfer import LOGISTIC, PCS_LINEAR, PCS_NEAREST, Request, Result
from scviz.tasks.transfer.held_out import (
    COVERAGE,
    FEWEST_NAMED,
    MAJORITY,
    PERMUTED,
    abstaining,
    left_unnamed,
    name_doubts,
)
from scviz.tasks.transfer.references import Kept, find_reference, keep_reference, references, write_reference
from scviz.tasks.transfer.run import run
from scviz.tasks.transfer.tables import method_rows, summary, types_table
from scviz.tasks.transfer.verdict import verdict_of
from tests.tasks.test_transfer import N_GENES, TYPES, Two, made, opened, two  # noqa: F401 - two is a fixture


def kept_by(two: Two) -> Kept:  # noqa: F811
    return keep_reference(two.context().result / "reference", two.workspace)


def applied(two: Two, kept: Kept, name: str = "applied") -> Result:  # noqa: F811
    asked = Request(dataset=two.query, reference=kept.id, reference_version=kept.version)
    return run(asked, two.context(name))


def with_chosen(kept: Kept, two: Two, **fields: object) -> Kept:  # noqa: F811
    """The same classifier with another record."""
    known = kept.with_tensors()
    folder = two.workspace.references / "changed"
    write_reference(replace(known.reference, **fields), known.tensors, folder)  # type: ignore[arg-type]
    found = find_reference(two.workspace, "changed")
    assert found is not None
    return found


def test_names_without_knowledge_stand_beside_every_method(two: Two) -> None:  # noqa: F811
    result = run(two.ask(), two.context())
    assert result.truth is not None
    rows = {row["method"]: row for row in method_rows(result)}
    assert {LOGISTIC, PCS_LINEAR, PCS_NEAREST, MAJORITY, PERMUTED} == set(rows)
    most = np.bincount(result.truth).max() / len(result.truth)
    assert rows[MAJORITY]["accuracy"] <= most
    assert rows[PERMUTED]["accuracy"] < 0.5 < rows[LOGISTIC]["accuracy"]
    assert f"by {MAJORITY}" in result.verdict
    assert "by logistic regression on 50 PCs, labels permuted" in result.verdict
    assert "95 % interval" in result.verdict
    assert set(summary(result)["baselines"]) == {MAJORITY, PERMUTED}


def test_labels_without_meaning_are_not_shown_to_be_known(two: Two, tmp_path: Path) -> None:  # noqa: F811
    noise = made(240, seed=7)
    noise.obs["cell_type"] = np.random.default_rng(3).permutation(noise.obs["cell_type"].astype(str))
    reference = opened(two.workspace, tmp_path, noise, "noise")
    result = run(two.ask(reference=reference), two.context())
    assert "not shown to know anything" in result.verdict


def test_every_cell_has_the_same_name_by_the_run_and_by_what_it_learned(two: Two) -> None:  # noqa: F811
    learned = run(two.ask(), two.context())
    again = applied(two, kept_by(two))
    assert again.chosen == learned.chosen
    assert again.names().tolist() == learned.names().tolist()
    assert again.sets() is None or again.sets().tolist() == learned.sets().tolist()  # type: ignore[union-attr]
    np.testing.assert_allclose(again.confidence(), learned.confidence(), atol=1e-4)
    assert again.truth is not None
    assert learned.truth is not None
    assert sorted(again.truth) == sorted(learned.truth)
    own, others = ([(one.right, one.found) for one in each.doubts()] for each in (learned, again))
    assert own == others
    for one, other in zip(again.methods, (m for m in learned.methods if m.name != PCS_NEAREST), strict=True):
        assert (one.name, one.accuracy, one.macro_f1) == (other.name, other.accuracy, other.macro_f1)


def test_a_kept_classifier_names_by_the_method_that_its_run_chose(two: Two) -> None:  # noqa: F811
    """Though another rule was better on few validation cells, which chance explains."""
    run(two.ask(), two.context())
    kept = kept_by(two)
    known = kept.reference
    assert known.chosen == LOGISTIC
    rules = tuple(replace(one, validated=0.90 if one.name == LOGISTIC else 0.95) for one in known.rules)
    assert applied(two, with_chosen(kept, two, rules=rules), "chosen").chosen == LOGISTIC
    older = with_chosen(kept, two, rules=rules, chosen="", n_validation=20)
    assert applied(two, older, "older").chosen == LOGISTIC
    sure = with_chosen(kept, two, rules=rules, chosen="", n_validation=5000)
    assert applied(two, sure, "sure").chosen == PCS_LINEAR


def test_a_way_that_cannot_be_kept_is_said(
    two: Two,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scviz.tasks.transfer import judging

    plain = judging.chosen_method

    def nearest_first(methods: list[object], *, n_validation: int) -> str:
        names = [one.name for one in methods]  # type: ignore[attr-defined]
        return PCS_NEAREST if PCS_NEAREST in names else plain(methods, n_validation=n_validation)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "chosen_method", nearest_first)
    learned = run(two.ask(), two.context())
    assert learned.chosen == PCS_NEAREST
    kept = kept_by(two)
    assert kept.reference.chosen == LOGISTIC
    assert any(f"named by {PCS_NEAREST}" in note for note in applied(two, kept).notes)


def test_genes_left_out_by_rule_are_not_counted_as_absent(two: Two, tmp_path: Path) -> None:  # noqa: F811
    names = [f"GENE{i}" for i in range(N_GENES)]
    names[:12] = [*(f"RPL{i}" for i in range(3, 9)), *(f"MT-ND{i}" for i in range(1, 7))]
    reference, query = made(240, seed=1), made(120, seed=2)
    reference.var_names, query.var_names = names, names
    own = opened(two.workspace, tmp_path, reference, "with ribosomes")
    of = opened(two.workspace, tmp_path, query, "named")
    whole = run(two.ask(dataset=of, reference=own), two.context())
    assert (whole.fit.n_shared, whole.fit.n_reference, whole.fit.n_query) == (148, 148, N_GENES)
    assert whole.fit.read == pytest.approx(1)
    assert "148 of the 148 genes of the reference are in the dataset; they hold 100 % of" in " ".join(
        whole.notes
    )
    fewer = opened(two.workspace, tmp_path, query[:, 12:100].copy(), "fewer")
    part = run(two.ask(dataset=fewer, reference=own), two.context("part"))
    molecules = np.asarray(reference.X.sum(axis=0)).ravel()
    assert (part.fit.n_shared, part.fit.n_reference) == (88, 148)
    assert part.fit.read == pytest.approx(molecules[12:100].sum() / molecules[12:].sum())


def confused(seed: int, n_cells: int = 600) -> anndata.AnnData:
    """Cells of which a third of the T cells are called NK cells and the other way round."""
    adata = made(n_cells, seed=seed)
    labels = adata.obs["cell_type"].astype(str).to_numpy()
    pair = {"NK cell": "T cell", "T cell": "NK cell"}
    swapped = np.random.default_rng(seed).random(n_cells) < 0.38
    adata.obs["cell_type"] = [
        pair.get(one, one) if so else one for one, so in zip(labels, swapped, strict=True)
    ]
    return adata


def test_weak_names_are_told_with_their_numbers(two: Two, tmp_path: Path) -> None:  # noqa: F811
    reference = opened(two.workspace, tmp_path, confused(1), "confused")
    result = run(two.ask(reference=reference), two.context())
    doubts = {one.name: one for one in result.doubts()}
    assert {name for name, one in doubts.items() if one.weak} == {"NK cell", "T cell"}
    assert doubts["NK cell"].others == "T cell"
    n = int(np.isin(result.names(), ["NK cell", "T cell"]).sum())
    assert "Weak names: NK cell (right for " in result.verdict
    assert f"{n} cells here have one of them." in result.verdict
    rows = {row["type"]: row for row in types_table(result)}
    assert rows["NK cell"]["said"] == "weak"
    assert rows["B cell"]["said"] == ""
    assert rows["B cell"]["right"] > 0.9


def test_a_name_of_few_held_out_cells_cannot_be_told() -> None:
    truth = np.array([0] * 40 + [1] * (FEWEST_NAMED - 1))
    sure, few = name_doubts(truth, truth, ("B cell", "platelet"))
    assert (sure.untested, sure.weak, few.untested, few.weak) == (False, False, True, False)
    assert few.right.low < 0.8  # nine of nine is no certainty


def test_a_type_that_is_not_found_may_be_missed(two: Two) -> None:  # noqa: F811
    result = run(two.ask(), two.context())
    assert result.truth is not None
    named = np.where(result.truth == 1, 2, result.truth)  # every NK cell is called a T cell
    wrong = replace(result, predicted={**(result.predicted or {}), result.chosen: named})
    assert f"May be missed: {TYPES[1]} (found for 0 %" in verdict_of(wrong)


def test_sets_hold_the_true_type_as_often_as_promised(two: Two, tmp_path: Path) -> None:  # noqa: F811
    reference = opened(two.workspace, tmp_path, confused(1, 1600), "confused")
    query = confused(2, 1600)
    truth = query.obs["cell_type"].astype(str).to_numpy()
    result = run(
        two.ask(dataset=opened(two.workspace, tmp_path, query, "other"), reference=reference), two.context()
    )
    sets = result.sets()
    assert sets is not None
    held = np.mean([name in one.split(" | ") for name, one in zip(truth, sets, strict=True)])
    assert held == pytest.approx(COVERAGE, abs=0.06)  # 115 cells set aside leave the promise a spread of 0.03
    assert (result.names() == truth).mean() < held - 0.05
    columns = result.columns()
    assert columns["scviz_logistic_set"].tolist() == sets.tolist()
    pair = columns["scviz_logistic_set"] == "NK cell | T cell"  # both are lymphocytes of one kind
    assert set(columns["scviz_logistic_set_name"][pair]) == {"lymphocyte"}
    assert pair.sum() > 100
    assert summary(result)["sets"]["observed"] == pytest.approx(COVERAGE, abs=0.06)
    again = applied(two, kept_by(two))
    assert set(again.bars) == {LOGISTIC, PCS_LINEAR}


def test_too_few_cells_make_no_sets(two: Two) -> None:  # noqa: F811
    result = run(two.ask(), two.context())
    assert result.sets() is None
    assert "scviz_logistic_set" not in result.columns()
    assert any("No sets of types" in note for note in result.notes)


def test_cells_that_are_not_seen_are_in_no_set(two: Two, tmp_path: Path) -> None:  # noqa: F811
    reference = opened(two.workspace, tmp_path, confused(1), "confused")
    result = run(two.ask(reference=reference), two.context())
    found = result.probabilities[result.chosen].copy()
    found[0] = np.nan
    sets = replace(result, probabilities={result.chosen: found}).sets()
    assert sets is not None
    assert sets[0] == ""


def test_leaving_doubtful_cells_unnamed_is_judged_on_held_out_cells() -> None:
    truth = np.array([0, 0, 1, 1])
    judged = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.1, 0.9]], dtype=np.float32)
    found = left_unnamed(truth, judged, np.zeros(4, dtype=np.int64), threshold=0.7)
    assert (found.unnamed, found.accuracy, found.accuracy_of_all) == (0.25, 1.0, 0.75)
    curve = abstaining(truth, judged)
    assert curve.named[0] == 1
    assert curve.accuracy[0] == 0.75
    assert curve.accuracy[np.searchsorted(curve.thresholds, 0.7)] == 1


def test_the_shipped_reference_says_how_far_each_name_can_be_trusted(two: Two) -> None:  # noqa: F811
    """Of its own record: what was left out is there, and gives the figures that its README has."""
    (blood,) = [one for one in references(two.workspace) if one.shipped]
    known = blood.with_tensors()
    rule = known.reference.rules[0]
    judged, truth = known.tensors[f"{rule.key}.held_out"], known.tensors["held_out_types"]
    assert len(truth) == 954
    assert np.mean(judged.argmax(axis=1) == truth) == pytest.approx(rule.accuracy)
    found = name_doubts(truth.astype(np.int64), judged.argmax(axis=1), known.reference.types)
    assert {one.name for one in found if one.weak} == {"CD8 T cell"}
