"""Regulons of simulated cells, whose network is known, and of others."""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pytest
from anndata import AnnData

from scviz.cli import regulons as words
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.simulated import truth_of
from scviz.errors import JobCancelledError, MissingColumnError, RequestError
from scviz.metrics.evidence import Place
from scviz.progress import Progress
from scviz.tasks import opening
from scviz.tasks.context import Context
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.scenic import RANDOM, Check, Found, Request, Result
from scviz.tasks.scenic.files import TABLES, files_ending, gmt
from scviz.tasks.scenic.judging import Judged
from scviz.tasks.scenic.picture import TOP_TARGETS
from scviz.tasks.scenic.run import help_out, price, run
from scviz.tasks.scenic.verdict import verdict_of
from scviz.workspace import Workspace
from scviz.workspace.records import RECORD, files_version, read_record, write_record
from tests.conftest import Opened


@pytest.fixture
def screen(workspace: Workspace) -> Opened:
    """A workspace with the tiny simulated screen."""
    nothing = Opened(workspace, "", "")
    request = opening.Request(path="", name="", simulated="tiny")
    return Opened(workspace, open_dataset(request, nothing.context()).dataset, "")


def request(opened: Opened, **more: object) -> Request:
    asked: dict[str, object] = {"method": "correlation", "fewest_genes": 5}
    return Request(dataset=opened.dataset, **(asked | more))  # type: ignore[arg-type]


@pytest.fixture
def markers(tmp_path: Path) -> Path:
    """A table in which marker genes of the three planted types drive their fellows."""
    path = tmp_path / "links.tsv"
    pairs = [
        (f"GENE{20 * t + r}", f"GENE{20 * t + g}") for t in range(3) for r in (1, 2) for g in range(5, 21)
    ]
    path.write_text("tf\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    return path


@pytest.mark.slow
def test_trees_correlation_and_chance_are_held_against_the_true_network(
    screen: Opened, tmp_path: Path
) -> None:
    result = run(request(screen, method="boosting", most_genes=60, most_cells=400), screen.context())
    truth = truth_of(screen.workspace.dataset_folder(screen.dataset))
    assert set(result.checks) == {"boosting", "correlation", RANDOM} == {*result.links, RANDOM}
    assert result.n_regulators == len(set(truth.source)) == 20
    assert result.checks["boosting"].auprc_ratio > 2 > result.checks[RANDOM].auprc_ratio
    known = set(zip(truth.source, truth.target, strict=True))
    links = result.links["boosting"]
    pairs = list(zip(links.sources, links.targets, strict=True))
    assert list(links.known) == [pair in known for pair in pairs]
    assert result.n_known == sum(target in set(links.targets) for _, target in known)
    assert result.checked_by in result.verdict
    assert result.gain is not None
    assert result.gain.sentence in result.verdict
    write_record(result, tmp_path / "kept")
    kept = read_record(Result, tmp_path / "kept")
    assert repr(kept.regulons) == repr(result.regulons)  # NaN is not equal to itself
    assert kept.links == result.links
    assert kept.drawing == result.drawing
    assert np.array_equal(kept.auc, result.auc)


def test_known_links_choose_the_targets_and_types_show_where_regulons_are_active(
    opened: Opened, markers: Path
) -> None:
    result = run(request(opened, prior=str(markers), label_key="cell_type"), opened.context())
    assert result.types == ("B cell", "NK cell", "T cell")
    assert result.regulons
    best = result.rss.argmax(axis=0)
    for i, one in enumerate(result.regulons):
        number = (int(one.regulator.removeprefix("GENE")) - 1) // 20
        assert best[i] == number
        assert result.mean_auc[:, i].argmax() == number
        assert all((int(gene.removeprefix("GENE")) - 1) // 20 == number for gene in one.genes)
        assert one.score > 2
        assert one.n_known == len(one.genes) > one.expected
    assert (result.rss_fdr.min(axis=0) <= 0.05).all()
    assert result.auc.shape == result.on.shape == (60, len(result.regulons))
    assert result.checks["correlation"].auprc > 3 * result.checks[RANDOM].auprc
    assert "Checked by links" in result.verdict
    assert (result.gain, result.outcome) == (None, "better")  # than exchanged targets; was none
    assert "as many known links as a random ranking, more than by chance" in result.verdict


def correlation_verdict(rank: int, *, high: float, n_regulons: int = 1) -> tuple[str, str]:
    """Say what plain correlation found, of which a tenth of all links is known."""
    place = Place(own=0.11, low=0.09, high=high, rank=rank, n=199)
    check = Check(
        auprc=0.11, auprc_ratio=1.1, auroc=0.5, early_precision=0.1, hits=1, odds_ratio=1.0, place=place
    )
    found = Found(
        name="A", regulator="A", genes=("B",), weights=(1.0,), score=1.0, motifs=(), n_linked=1, n_known=1,
        expected=0.1, p=0.001, fdr=0.001, share_on=0.5,
    )  # fmt: skip
    judged = Judged(checks={"correlation": check}, gain=None, n_candidates=1000, n_known=100)
    return verdict_of("correlation", judged, [found] * n_regulons, pruned="none", checked_by="links")


def test_plain_correlation_is_judged_by_chance() -> None:
    outcome, told = correlation_verdict(1, high=0.105)
    assert outcome == "better"
    assert "1st of 200 when known targets are exchanged at random" in told
    assert "1.10 times as many known links as a random ranking, more than by chance" in told
    outcome, told = correlation_verdict(60, high=0.149)
    assert outcome == "none"
    assert "1.49 times as many would have been seen" in told
    outcome, told = correlation_verdict(60, high=0.151)
    assert outcome == "unknown"
    assert "only 1.51 times as many would have been seen" in told


def test_one_regulon_holds_and_two_hold() -> None:
    assert "1 regulon, from co-expression alone; 1 holds more" in correlation_verdict(1, high=0.1)[1]
    assert (
        "2 regulons, from co-expression alone; 2 hold more"
        in correlation_verdict(1, high=0.1, n_regulons=2)[1]
    )


def test_regulators_are_drawn_with_their_strongest_targets(opened: Opened, markers: Path) -> None:
    result = run(request(opened, prior=str(markers)), opened.context())
    drawing = result.drawing
    assert drawing is not None
    regulators = {one.regulator for one in result.regulons}
    assert regulators <= set(drawing.genes)
    assert set(drawing.groups) == regulators
    linked = {one.regulator: set(one.genes[:TOP_TARGETS]) for one in result.regulons}
    for source, target in zip(drawing.sources, drawing.targets, strict=True):
        assert drawing.genes[target] in linked[drawing.genes[source]]
    assert len(drawing.sources) == sum(map(len, linked.values()))
    assert f"{TOP_TARGETS} strongest targets" in drawing.rule


def test_a_record_without_a_drawing_can_still_be_read(opened: Opened, markers: Path, tmp_path: Path) -> None:
    write_record(run(request(opened, prior=str(markers)), opened.context()), tmp_path)
    plain = json.loads((tmp_path / RECORD).read_text())
    del plain["drawing"]
    (tmp_path / RECORD).write_text(json.dumps(plain))
    assert read_record(Result, tmp_path).drawing is None


def test_motifs_choose_the_targets(opened: Opened, markers: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ranks = np.stack([rng.permutation(200) for _ in range(60)])
    ranks[7] = np.arange(200)  # GENE1 to GENE20 first: the markers of B cells
    columns = {f"GENE{i + 1}": ranks[:, i].astype(np.int16) for i in range(200)}
    rankings = tmp_path / "made.genes_vs_motifs.rankings.feather"
    feather.write_feather(pa.table({**columns, "motifs": [f"M{i}" for i in range(60)]}), rankings)
    annotations = tmp_path / "made.tbl"
    head = "#motif_id\tgene_name\tmotif_similarity_qvalue\torthologous_identity\tdescription\n"
    annotations.write_text(f"{head}M7\tGENE1\t0\t1.0\tx\nM9\tGENE21\t0\t1.0\tx\n")
    regulators = tmp_path / "tfs.txt"
    regulators.write_text("GENE1\nGENE21\nGENE41\n")
    files = {"regulators": regulators, "rankings": rankings, "annotations": annotations}
    asked = request(opened, **{name: str(path) for name, path in files.items()})
    result = run(asked, opened.context())
    (one,) = result.regulons
    assert (one.name, one.motifs, result.pruned) == ("GENE1(+)", ("M7",), "motif")
    assert {int(gene.removeprefix("GENE")) for gene in one.genes} <= set(range(2, 21))
    assert result.checks == {}
    assert "Nothing here says which links are true" in result.verdict


def test_a_search_that_was_stopped_gives_the_same_regulons(
    screen: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(screen, method="boosting", most_genes=50, most_cells=200)
    whole = run(asked, screen.context("whole"))

    def stop(progress: Progress) -> None:
        if progress.stage == "Growing trees" and progress.done >= 40:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        run(asked, screen.context("halved", report=stop))
    kept = sorted((screen.context("halved").state / "trees").glob("*.npy"))
    assert len(kept) == 2
    written = [path.stat().st_mtime_ns for path in kept]
    again = run(asked, screen.context("halved"))
    assert [path.stat().st_mtime_ns for path in kept] == written
    assert again.links == whole.links
    assert np.array_equal(again.auc, whole.auc)
    assert "200 cells drawn from 840" in " ".join(whole.notes)


def test_another_process_helps_with_the_targets(screen: Opened) -> None:
    asked = request(screen, method="boosting", most_genes=50, most_cells=100)
    help_out(asked, screen.context("helped"))
    written = sorted((screen.context("helped").state / "trees").glob("*.npy"))
    assert len(written) == 4
    times = [path.stat().st_mtime_ns for path in written]
    helped = run(asked, screen.context("helped"))
    assert [path.stat().st_mtime_ns for path in written] == times
    assert helped.links == run(asked, screen.context("alone")).links


def test_no_module_is_told_and_not_an_error(screen: Opened) -> None:
    result = run(request(screen, most_genes=50, fewest_genes=400), screen.context())
    assert (result.regulons, result.n_modules, result.auc.shape) == ((), 0, (840, 0))
    assert "No regulator has a module of 400 genes" in " ".join(result.notes)
    assert result.drawing is not None
    assert result.drawing.genes == ()


def test_a_price_counts_targets(screen: Opened) -> None:
    cost = price(request(screen, method="boosting", most_cells=100), screen.context())
    assert cost.seconds > 0
    assert "20 regulators, 230 targets, 100 cells; trees of 4 targets timed" in cost.how
    assert "timed" not in price(request(screen), screen.context()).how


def test_what_cannot_be_searched_is_refused_in_words(opened: Opened, markers: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Only 0 of 1,499 regulators are measured") as refusal:
        run(request(opened), opened.context())  # those that scviz ships: the genes of these cells are made up
    assert "list of regulators" in refusal.value.hint
    strangers = tmp_path / "tfs.txt"
    strangers.write_text("MYC\nSPI1\nGATA1\nGENE1\n")
    with pytest.raises(RequestError, match="Only 1 of 4 regulators are measured"):
        run(request(opened, regulators=str(strangers)), opened.context())
    with pytest.raises(RequestError, match="does not name groups"):
        run(request(opened, prior=str(markers), label_key="percent_mt"), opened.context())
    with pytest.raises(RequestError, match="tells of 0 control cells and 0 perturbed"):
        run(request(opened, prior=str(markers), condition_key="cell_type"), opened.context())
    with pytest.raises(MissingColumnError, match="no column 'nothing'"):
        run(request(opened, prior=str(markers), label_key="nothing"), opened.context())


def test_perturbations_of_the_screen_stand_beside(screen: Opened) -> None:
    result = run(request(screen, condition_key="condition"), screen.context())
    assert list(result.links) == ["correlation", "interventions"]
    assert result.checks["interventions"].auprc_ratio > 3 > result.checks[RANDOM].auprc_ratio
    chosen = run(request(screen, method="interventions", condition_key="condition"), screen.context())
    assert chosen.checks == {name: result.checks[name] for name in chosen.checks}
    assert list(chosen.links) == ["interventions", "correlation"]
    assert chosen.verdict.count("perturbing the regulators") >= 1


class Twins:
    """A model in which some genes have the vector of another, and which does not know the gene P1R1."""

    def __init__(self, pairs: dict[str, str]) -> None:
        self.pairs = pairs
        self.n_cells = 0
        names = [f"P{i}{kind}{j}" for i in range(1, 6) for kind in "RT" for j in range(1, 200)]
        self.vocab = SimpleNamespace(genes=names[1:], match=self.match)

    def match(self, ids: GeneIdentifiers) -> np.ndarray:
        place = {name: i for i, name in enumerate(self.vocab.genes)}
        return np.array([place.get(name, -1) for name in ids.names])

    def to(self, _: object) -> Twins:
        return self

    def eval(self) -> Twins:
        return self

    def context_gene_embeddings(self, adata: AnnData, genes: list[str]) -> np.ndarray:
        self.n_cells += adata.n_obs
        rng = np.random.default_rng(0)
        own = {gene: rng.normal(size=16) + 50.0 for gene in self.vocab.genes}
        return np.array([own[self.pairs.get(gene, gene)] for gene in genes], dtype=np.float32)


def test_each_regulator_is_compared_by_its_own_vector(
    screen: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = truth_of(screen.workspace.dataset_folder(screen.dataset))
    targets = [gene for gene in dict.fromkeys(truth.target) if gene not in truth.source]
    pairs = dict(zip(sorted(set(truth.source)), targets, strict=False))
    model = Twins(pairs)
    monkeypatch.setattr(Context, "model", lambda *_: model)
    result = run(request(screen, method="similarity", checkpoint="any", model_cells=30), screen.context())
    assert model.n_cells == 30
    links = result.links["similarity"]
    best = dict(zip(reversed(links.sources), reversed(links.targets), strict=True))
    told = [best.get(regulator) == target for regulator, target in pairs.items()]
    assert told == [regulator != "P1R1" for regulator in pairs]
    assert result.n_known < run(request(screen), screen.context()).n_known  # P1R1 is judged by no method
    cost = price(request(screen, method="similarity", checkpoint="any"), screen.context())
    assert "timed on two cells" in cost.how


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"method": "similarity"}, "No checkpoint was selected"),
        ({"method": "interventions"}, "No column was selected"),
        ({"method": "guess"}, "must be one of boosting"),
        ({"rankings": "a"}, "belong together"),
        ({"most_genes": 3}, "Genes must be 50"),
        ({"most_cells": 3}, "Cells must be 50"),
        ({"fewest_genes": 1}, "at least must be 3"),
    ],
)
def test_a_request_checks_itself(more: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message) as refusal:
        Request(dataset="d", **more)  # type: ignore[arg-type]
    assert refusal.value.hint


def test_files_that_changed_make_another_question(markers: Path, tmp_path: Path) -> None:
    assert files_ending([tmp_path, tmp_path / "not there"], TABLES) == [str(markers)]
    before = files_version(str(markers), "")
    assert before == files_version(str(markers))
    markers.write_text(markers.read_text() + "GENE1\tGENE99\n")
    assert files_version(str(markers)) != before
    assert files_version("", "gone.tsv") == ""


def test_the_command_line_asks_and_writes(opened: Opened, markers: Path, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    words.add_command(parser.add_subparsers())
    line = ["regulons", "cells", "--prior", str(markers), "--method", "correlation", "--fewest-genes", "5"]
    asked = words.request_of(parser.parse_args(line), opened.dataset)
    assert asked == replace(request(opened, prior=str(markers)), files_version=files_version(str(markers)))
    result = run(asked, opened.context())
    assert words.summary(result)["regulons"].keys() == {one.name for one in result.regulons}
    words.write_links(result, tmp_path / "links.csv")
    first = result.regulons[0]
    line_ = gmt(result.regulons).splitlines()[0].split("\t")
    assert line_ == [first.name, first.regulator, *first.genes]
    with (tmp_path / "links.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shown = result.links["correlation"]
    assert (
        len(rows) == len(result.regulators) * (len(result.targets) - 1) == len(shown.sources)
    )  # all of them
    assert [row["target"] for row in rows[:50]] == list(shown.targets[:50])
    with pytest.raises(RequestError, match="There is no file"):
        words.request_of(parser.parse_args(["regulons", "cells", "--prior", "gone.tsv"]), opened.dataset)
    with pytest.raises(
        RequestError, match="checks their links in any case, and it is known of no other cells"
    ):
        words.request_of(parser.parse_args(["regulons", "cells", "--prior", "truth"]), opened.dataset)
