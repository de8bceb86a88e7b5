"""One press from small weights to a result with published ones: served from a folder here, in the published layout."""

from __future__ import annotations

import dataclasses
import json
import pickle  # noqa: TID251 - the published dictionaries are pickles
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.models import geneformer
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.network import TIED
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import back, front
from scviz.workspace import Workspace
from scviz.workspace.records import from_json, write_record
from tests.conftest import Opened
from tests.foundation.hub import release, serving
from tests.pages.test_pages import Open, visit, words  # noqa: F401 - visit is a fixture
from tests.pages.test_published_panel import downloaded, pressed, runs

NAME = "Geneformer-V1-10M"


@pytest.fixture
def demo(workspace: Workspace) -> Opened:
    """The demo, with the small Geneformer that comes along."""
    dataset = open_demo(workspace, silent)
    (weights,) = [info for info in workspace.checkpoints() if info.model == "geneformer"]
    return Opened(workspace, dataset.id, weights.id)


def published(opened: Opened, folder: Path) -> dict[str, bytes]:
    """Lay the small Geneformer out as its authors publish theirs."""
    model = Geneformer.from_checkpoint(opened.workspace.checkpoint_folder(opened.checkpoint))
    weights = model.network.lm.state_dict()
    save_file(
        {name: one.contiguous() for name, one in weights.items() if name not in TIED},
        folder / "w.safetensors",
    )
    genes, ids = model.vocab.genes, model.vocab.ids.tolist()
    medians = model.vocab.values["median"].tolist()
    return {
        "V1/config.json": json.dumps(model.config.to_bert() | {"model_type": "bert"}).encode(),
        "V1/model.safetensors": (folder / "w.safetensors").read_bytes(),
        "geneformer/token_dictionary_gc30M.pkl": pickle.dumps(
            dict(model.vocab.special) | dict(zip(genes, ids, strict=True))
        ),
        "geneformer/gene_median_dictionary_gc30M.pkl": pickle.dumps(dict(zip(genes, medians, strict=True))),
    }


def serve_as(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these files be the published ones of that name."""
    known = geneformer.CARD.release(NAME)
    ours = dataclasses.replace(release(files), name=NAME, size_mb=known.size_mb, network=known.network)
    others = tuple(one for one in geneformer.CARD.released if one.name != NAME)
    monkeypatch.setattr(geneformer, "CARD", dataclasses.replace(geneformer.CARD, released=(ours, *others)))


def carried_out(opened: Opened, task: str) -> Any:
    """Carry out the run of a task that was handed in, as the engine would."""
    (run,) = [one for one in runs() if one.task == task and one.state == "queued"]
    context = opened.context(run.id)
    result = back(task).run(from_json(front(task).Request, run.request), context)
    write_record(result, context.result)
    (context.folder / "request.json").write_text(json.dumps({"task": task, "request": run.request}))
    RunQueue(Settings.from_env()).database.update(run.id, state="done", started=1.0, ended=9.0)
    return result


@pytest.mark.slow
def test_a_press_fetches_tests_and_ends_at_the_map_that_these_weights_draw(
    visit: Open,  # noqa: F811
    demo: Opened,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = published(demo, tmp_path)
    serve_as(files, monkeypatch)
    page = visit("pages/explore.py", dataset=demo.dataset, checkpoint=demo.checkpoint)
    said = words(page).replace("\\", "")
    assert "Geneformer, small blood model is small and not what its authors publish" in said
    pressed(page)
    with serving(files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        taken = carried_out(demo, "downloading")
    assert any("model.safetensors" in asked for asked in hub.asked)
    assert taken.passed, taken.self_test
    page.run()
    assert not page.exception
    assert page.selectbox(key="pick_checkpoint").value == taken.checkpoint
    (asked,) = [one for one in runs() if one.task == "embedding" and one.state == "queued"]
    assert asked.request["checkpoint"] == taken.checkpoint
    result = carried_out(demo, "embedding")
    assert len(result.umap) == 700
    page.run()
    assert not page.exception
    assert any("Geneformer-V1-10M" in name for name in page.multiselect(key="maps").options)
    assert not any(box.label.startswith("Published weights") for box in page.expander), "these read enough"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "task", "field"),
    [
        ("compare", "compare", "checkpoints"),
        ("in_silico", "in_silico", "checkpoint"),
        ("modules", "", ""),
        ("attention", "attention_network", "checkpoint"),
        ("perturb", "", ""),
    ],
)
def test_other_pages_go_on_with_these_weights_where_their_question_is_whole(
    visit: Open,  # noqa: F811
    demo: Opened,
    name: str,
    task: str,
    field: str,
) -> None:
    page = visit(f"pages/{name}.py", dataset=demo.dataset, checkpoint=demo.checkpoint)
    pressed(page)
    came = downloaded(demo, passed=True)
    page.run()
    assert not page.exception
    assert page.selectbox(key="pick_checkpoint").value == came
    asked = [
        one
        for one in runs()
        if one.state == "queued" and one.task not in ("downloading", "pricing", "overview")
    ]
    assert [one.task for one in asked] == ([task] if task else [])
    for one in asked:
        assert came in one.request[field]
