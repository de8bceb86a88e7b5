"""A screen is divided, predicted by every method, and scored beside baselines and ceiling."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from scviz.cli import parser
from scviz.cli.perturb import request_of, summary
from scviz.datasets.own_split import split_of_text
from scviz.errors import JobCancelledError, RequestError
from scviz.metrics.perturbation import Profiles, score
from scviz.metrics.perturbation_table import METRICS
from scviz.progress import Progress, Report, silent
from scviz.tasks import opening
from scviz.tasks.context import Context
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.perturbation import HALVES, MEASURED, Request, Result
from scviz.tasks.perturbation.as_published import cells_with_mean
from scviz.tasks.perturbation.coverage import Known, reason_against, seen_alone
from scviz.tasks.perturbation.inputs import gather
from scviz.tasks.perturbation.interactions import kind_of_interaction
from scviz.tasks.perturbation.methods import BASELINES, Method, method_of
from scviz.tasks.perturbation.predictors import build
from scviz.tasks.perturbation.run import price, run
from scviz.tasks.perturbation.tables import predictions_as_csv, unknowing_scores
from scviz.tasks.perturbation.verdict import Row, beside, gain_over
from scviz.workspace import Workspace
from scviz.workspace.records import read_record, write_record

GEARS = (Method(name="gears"),)
HEADLINE = list(METRICS).index("pearson_delta")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the tiny simulated screen."""
    workspace = Workspace(tmp_path_factory.mktemp("screen"))
    surroundings = context(workspace, "opening")
    open_dataset(opening.Request(path="", name="", simulated="tiny"), surroundings)
    return workspace


def context(workspace: Workspace, name: str, report: Report = silent) -> Context:
    return Context(workspace=workspace, report=report, folder=workspace.run_folder(name))


def request(workspace: Workspace, **more: object) -> Request:
    (dataset,), (terms,) = workspace.datasets(), workspace.terms()
    asked: dict[str, object] = {"column": "condition", "terms": terms.id, "epochs": 1, "methods": ()}
    return Request(dataset=dataset.id, **(asked | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def result(home: Workspace) -> Result:
    asked = request(
        home,
        methods=(*GEARS, Method(name="linear_terms")),
        predict_also=(("P1R1", "P4R2"), ("NOBODY",)),
    )
    return run(asked, context(home, "one"))


def test_baselines_and_ceiling_stand_beside_every_method(result: Result) -> None:
    assert list(result.outcomes) == [*BASELINES, "gears", "linear_terms", HALVES]
    shape = (len(result.tested) + 2, len(result.genes))
    assert all(values.shape == shape for values in result.predicted.values())
    assert all(values.shape == (len(METRICS), len(result.tested)) for values in result.scores.values())
    assert result.gain is not None
    assert result.gain.model in ("GEARS", "Linear, gene terms")
    assert result.gain.sentence in result.verdict
    assert len(result.outcomes["gears"].losses) == 1
    assert "Without the perturbed genes themselves" in result.outcomes["gears"].beside


def test_what_is_judged_was_never_learned_from(result: Result) -> None:
    judged = {one.genes for one in result.tested}
    assert len(judged) > 5
    assert not judged & {*result.train, *result.validation}
    assert {one.subgroup for one in result.tested} >= {"unseen_single", "combo_seen1"}


def test_no_change_scores_nothing_and_the_mean_something(result: Result) -> None:
    rows = {name: result.scores[name][HEADLINE] for name in ("no_change", "train_mean")}
    assert not rows["no_change"].any()
    assert rows["train_mean"].mean() > 0.1
    summary = result.outcomes["train_mean"].summaries["pearson_delta"]["all"]
    assert summary.mean == pytest.approx(float(rows["train_mean"].mean()), abs=1e-6)
    assert summary.low < summary.mean < summary.high


def test_what_cannot_know_the_perturbation_stands_beside_scores_by_rank(result: Result) -> None:
    beside = summary(result)["scores without knowing the perturbation"]
    assert list(beside) == ["discrimination", "discrimination_screen", "centroid_accuracy"]
    assert beside["discrimination"] == {"No change": 0.5, "Mean of perturbations": 0.5}
    for name in ("discrimination_screen", "centroid_accuracy"):
        row = list(METRICS).index(name)
        means = [float(result.scores[key][row].mean()) for key in ("no_change", "train_mean")]
        assert list(beside[name].values()) == pytest.approx(means, abs=1e-4)
        assert max(means) < 0.4  # not 0.5: the tested perturbations lie farther out than the others
    assert unknowing_scores(result, "mse") == {}


def test_the_scores_are_those_of_the_means_that_are_shown(result: Result) -> None:
    at = next(i for i, one in enumerate(result.tested) if one.subgroup == "unseen_single")
    predicted = result.predicted["train_mean"][at] - result.control_predicted
    observed = result.observed[at] - result.control
    expected = np.corrcoef(predicted, observed)[0, 1]
    assert result.scores["train_mean"][HEADLINE, at] == pytest.approx(expected, abs=1e-4)
    genes = result.de_genes[at]
    of_de = np.corrcoef(predicted[genes], observed[genes])[0, 1]
    place = list(METRICS).index("pearson_delta_de")
    assert result.scores["train_mean"][place, at] == pytest.approx(of_de, abs=1e-4)


def test_a_perturbation_that_is_asked_for_is_predicted_where_a_method_can(result: Result) -> None:
    pair, nobody = (result.predicted["linear_terms"][len(result.tested) + i] for i in range(2))
    assert np.isfinite(pair).all()
    assert np.isnan(nobody).all()
    refused = {one.genes: one.reason for one in result.outcomes["linear_terms"].refused}
    assert "NOBODY" in refused[("NOBODY",)]
    assert not np.isnan(result.predicted["train_mean"]).any()


def test_pairs_with_both_genes_measured_have_a_class(result: Result) -> None:
    measured = [one for one in result.interactions if one.key == MEASURED]
    assert measured
    assert all(len(one.genes) == 2 and one.magnitude > 0 for one in measured)
    assert {one.key for one in result.interactions} <= {MEASURED, *result.outcomes}


def test_shared_control_cells_are_told_of(result: Result) -> None:
    assert result.inflation.difference > 0.05
    assert any("control cells" in warning for warning in result.warnings)


def test_different_control_cells_cost_the_score_that_noise_gave(home: Workspace, result: Result) -> None:
    apart = run(request(home, independent_controls=True), context(home, "apart"))
    assert not np.array_equal(apart.control, apart.control_predicted)
    mean = apart.outcomes["train_mean"].summaries["pearson_delta"]["all"].mean
    assert mean < result.outcomes["train_mean"].summaries["pearson_delta"]["all"].mean - 0.05
    assert not any("control cells" in warning for warning in apart.warnings)


def test_a_result_can_be_kept(result: Result, tmp_path: Path) -> None:
    write_record(result, tmp_path)
    kept = read_record(Result, tmp_path)
    assert kept.tested == result.tested
    assert kept.left_out == result.left_out
    assert sum(result.left_out.values()) == result.n_left_out
    assert kept.outcomes["gears"].method == result.outcomes["gears"].method
    assert np.array_equal(kept.predicted["gears"], result.predicted["gears"], equal_nan=True)


def test_a_stopped_run_goes_on_and_says_the_same(home: Workspace) -> None:
    asked = replace(request(home, methods=(Method(name="linear_terms"), *GEARS)), epochs=2)
    whole = run(asked, context(home, "whole"))

    def stop(progress: Progress) -> None:
        if progress.stage == "Training" and progress.done > progress.total // 2 > 0:
            raise JobCancelledError("The run was stopped.")

    with pytest.raises(JobCancelledError):
        run(asked, context(home, "halted", stop))
    seen: list[str] = []
    again = run(asked, context(home, "halted", lambda progress: seen.append(progress.stage)))
    assert "Linear, gene terms: learning" not in seen
    assert "GEARS: learning" in seen
    np.testing.assert_allclose(again.predicted["gears"], whole.predicted["gears"], atol=1e-5)
    assert again.verdict == whole.verdict


def test_a_method_that_cannot_does_not_keep_the_others_from_it(home: Workspace) -> None:
    asked = replace(request(home, methods=(Method(name="linear_terms"),)), terms="")
    result = run(asked, context(home, "no terms"))
    outcome = result.outcomes["linear_terms"]
    assert outcome.summaries["pearson_delta"]["all"].n == 0
    assert len(outcome.refused) == len(result.tested)
    assert "gene annotations" in outcome.notes[0]
    assert result.outcomes["train_mean"].summaries["pearson_delta"]["all"].n == len(result.tested)


def test_a_price_names_epochs_and_cells(home: Workspace) -> None:
    cost = price(request(home, methods=GEARS), context(home, "price"))
    assert cost.seconds > 0
    assert "GEARS 1 epochs" in cost.how


@pytest.mark.parametrize(
    "wrong",
    [
        {"column": ""},
        {"split": "by cell"},
        {"methods": (*GEARS, *GEARS)},
        {"predict_also": (("A", "A"),)},
        {"most_genes": 3},
        {"epochs": 1000},
    ],
)
def test_a_request_that_means_nothing_is_refused(home: Workspace, wrong: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        request(home, **wrong)


@pytest.mark.parametrize("key", ["scgpt", "scgpt:geneformer/x", "gears:scgpt/x", "oracle"])
def test_a_method_takes_the_weights_that_it_can_use(key: str) -> None:
    with pytest.raises(RequestError):
        method_of(key)
    assert method_of("scgpt:scgpt/demo").key == "scgpt:scgpt/demo"


def test_a_gain_is_over_the_best_baseline_on_the_same_perturbations() -> None:
    own = Row(title="own", values=np.array([0.9, 0.8, 0.1, np.nan]))
    pairs = Row(title="of pairs", values=np.array([0.9, 0.9, np.nan, 0.9]))
    strong = Row(title="strong", values=np.array([0.5, 0.4, 0.3, 0.0]))
    weak = Row(title="weak", values=np.array([0.1, 0.2, 0.0, 0.9]))
    gain = gain_over(own, [strong, weak, pairs])
    assert gain is not None
    assert gain.baseline == "the best baseline, “strong”"
    assert (gain.score, gain.baseline_score, gain.n) == (pytest.approx(0.6), pytest.approx(0.4), 3)
    assert gain.outcome == "unknown"
    bare = {"every": own.values, "bare": np.full(4, np.nan)}
    words = beside(bare, {"bare": weak.values, "additive": pairs.values})
    assert words.startswith("On the 2 pairs")


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [((1.41, 0.9, 0.0), "additive"), ((1.4, 0.9, 1.0), "one gene"), ((0.5, 0.9, 0.1), "less")],
)
def test_interactions_have_classes(numbers: tuple[float, float, float], kind: str) -> None:
    assert kind_of_interaction(*numbers) == kind


@pytest.mark.parametrize("independent", [False, True])
def test_every_score_can_be_computed_from_the_exported_file(home: Workspace, *, independent: bool) -> None:
    asked = request(home, independent_controls=independent, methods=(Method(name="linear_terms"),))
    result = run(asked, context(home, f"export {independent}"))
    rows = list(csv.DictReader(StringIO(predictions_as_csv(result))))
    genes = [row["gene"] for row in rows]

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name] or "nan") for row in rows])  # empty: there is none

    def places(name: str) -> np.ndarray:
        ranks = {gene: int(row[name]) for gene, row in enumerate(rows) if row[name]}
        return np.array(sorted(ranks, key=ranks.__getitem__))

    def targets(name: str) -> list[int]:
        return [genes.index(gene) for gene in name.split("+") if gene in genes]

    names = [one.name for one in result.tested]
    learned = [name.removeprefix("learned from ") for name in rows[0] if name.startswith("learned from ")]
    for key, outcome in result.outcomes.items():
        if outcome.method is None:
            continue
        profiles = Profiles(
            predicted=np.array([column(f"{outcome.title}: {name}") for name in names]),
            observed=np.array([column(f"measured {name}") for name in names]),
            control_predicted=column("control of predicted changes"),
            control_observed=column("control of measured changes"),
            de_order=[places(f"place among the most changed {name}") for name in names],
            targets=[targets(name) for name in names],
            others=np.array([column(f"learned from {name}") for name in learned]),
            other_targets=[targets(name) for name in learned],
        )
        for without, printed in ((False, result.scores), (True, result.scores_without_targets)):
            found = score(profiles, without_targets=without)
            for row, metric in enumerate(METRICS):
                np.testing.assert_allclose(
                    found.counted(metric), printed[key][row], atol=1e-5, err_msg=metric
                )


def test_a_mean_over_some_perturbations_competes_with_none(result: Result) -> None:
    assert 0 < result.outcomes["additive"].summaries["pearson_delta"]["all"].n < len(result.tested)
    assert result.gain is not None
    assert "Additive" not in result.gain.baseline
    assert result.gain.n == len(result.tested)
    printed = list(summary(result)["scores"].items())
    n_predicted = [scores["predicted perturbations"] for _, scores in printed]
    assert n_predicted == sorted(n_predicted, reverse=True)
    assert n_predicted[-1] < len(result.tested)


def test_your_own_split_is_what_is_judged(home: Workspace) -> None:
    (dataset,) = home.datasets()
    own = split_of_text("perturbation,part\nP1R1+ctrl,test\nP2R1,val\n", home.dataset_folder(dataset.id))
    asked = request(home, split="own", held_out=own.test, stop_by=own.validation, cell_eval=True)
    found = run(asked, context(home, "own"))
    assert [one.name for one in found.tested] == ["P1R1"]
    assert found.validation == (("P2R1",),)
    assert ("P1R1",) not in found.train
    assert set(found.cell_eval) == {"no_change", "train_mean", "linear"}
    assert found.cell_eval["train_mean"]["mse"] == pytest.approx(
        float(found.scores["train_mean"][2, 0]), rel=0.2
    )
    assert any("Only 1 perturbations" in warning for warning in found.warnings)
    with pytest.raises(RequestError, match="names no perturbation as test"):
        split_of_text("P1R1,train", home.dataset_folder(dataset.id))
    with pytest.raises(RequestError, match="says 'maybe'"):
        split_of_text("P1R1,test\nP2R1,maybe", home.dataset_folder(dataset.id))
    with pytest.raises(RequestError, match="says 'maybe'"):  # no line of headings
        split_of_text("P1R1,maybe\nP2R1,test", home.dataset_folder(dataset.id))


def test_cells_that_stand_for_a_prediction_have_its_mean() -> None:
    rng = np.random.default_rng(0)
    controls = rng.gamma(2.0, 0.5, size=(50, 8)).astype(np.float32)
    controls[:, 0] = 0
    mean = rng.uniform(0, 2, 8)
    made = cells_with_mean(mean, controls, n_cells=30, rng=rng)
    np.testing.assert_allclose(made.mean(axis=0), mean, atol=1e-5)
    assert made.min() >= 0


def test_the_command_begins_with_the_column_and_the_annotations_of_the_page(home: Workspace) -> None:
    (dataset,), (terms,) = home.datasets(), home.terms()
    options = parser().parse_args(["perturb", dataset.id])
    asked = request_of(options, dataset.id, home)
    assert asked == Request(dataset=dataset.id, column="condition", terms=terms.id)
    assert asked.methods == ()  # the baselines alone
    assert asked.most_genes == 2000
    also = parser().parse_args(["perturb", dataset.id, "--methods", "gears"])
    assert request_of(also, dataset.id, home).methods == GEARS
    without = parser().parse_args(["perturb", dataset.id, "--terms", ""])
    assert request_of(without, dataset.id, home) == Request(dataset=dataset.id, column="condition")


def test_what_is_told_before_a_run_is_what_the_predictors_refuse(home: Workspace) -> None:
    also = (("P1R1", "P4R2"), ("NOBODY",), ("P1R1", "NOBODY"))
    names = ("matching_mean", "linear_terms", "gears")
    inputs = gather(request(home, predict_also=also), context(home, "refusals"))
    known = Known(measured=inputs.screen.genes, with_terms=inputs.terms, seen_alone=seen_alone(inputs.split))
    for name in (*BASELINES, *names):
        method = Method(name=name)
        predictor = build(method, inputs, context(home, "refusals"))
        predictor.fit(inputs.train, inputs.validation)
        told = [reason_against(method, one, known) for one in inputs.wanted]
        assert [predictor.reason_against(one) for one in inputs.wanted] == told, name
        assert np.isnan(predictor.predict(inputs.wanted)).any(axis=1).tolist() == [bool(one) for one in told]
