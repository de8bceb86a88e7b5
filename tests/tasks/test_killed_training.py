"""A full fine-tune that is killed at a random step, and handed in again, ends as one that nothing broke."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from scviz.models.geneformer.model import Geneformer
from scviz.progress import Progress
from scviz.settings import ROOT
from scviz.tasks import annotation, back, transfer
from scviz.tasks.context import Context
from scviz.workspace import Workspace
from scviz.workspace.records import to_json
from tests.conftest import Opened, keep_model
from tests.tasks.test_transfer import Two, made, two  # noqa: F401 - two is a fixture

pytestmark = pytest.mark.slow


def ends_as_unbroken(workspace: Workspace, task: str, request: Any) -> None:
    """Carry the request out unbroken; then in a process that kills itself at a random step, and again to the end."""
    steps = 0

    def count(progress: Progress) -> None:
        nonlocal steps
        steps += progress.stage == "Training"

    def context(name: str, **more: Any) -> Context:
        return Context(workspace=workspace, folder=workspace.run_folder(name), **more)

    run = back(task).run
    whole = run(request, context("whole", report=count))
    assert steps > 8
    step = int(np.random.default_rng().integers(1, steps - 1))
    broken = subprocess.run(
        [sys.executable, "-m", "tests.tasks.killed_run", str(workspace.home), "broken", task, str(step)],
        input=json.dumps(to_json(request)),
        text=True,
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert broken.returncode == -signal.SIGKILL, broken.stderr
    again = run(request, context("broken", report=lambda _: None))
    where = f"killed at step {step} of {steps}"
    for name, found in _numbers(whole).items():
        np.testing.assert_allclose(_numbers(again)[name], found, atol=1e-5, err_msg=f"{name}, {where}")


def _numbers(result: Any) -> dict[str, Any]:
    if isinstance(result, annotation.Result):
        return {
            "losses": result.losses,
            "probabilities": result.probabilities,
            "confidence": result.all_confidence,
            "epoch": result.best_epoch,
        }
    (tuned,) = [name for name in result.probabilities if "Full fine-tuning" in name]
    return {"named": result.probabilities[tuned], "judged": result.judged[tuned]}


def test_a_full_fine_tune_on_labels(opened: Opened) -> None:
    request = annotation.Request(
        dataset=opened.dataset,
        checkpoint=opened.checkpoint,
        label_key="cell_type",
        mode="full",
        epochs=4,
        batch_size=8,
        random_weights=False,
    )
    ends_as_unbroken(opened.workspace, "annotation", request)


def test_a_full_fine_tune_on_a_reference(two: Two) -> None:  # noqa: F811
    torch.manual_seed(0)
    model = Geneformer.untrained(made(240, seed=1), "tiny")
    checkpoint = keep_model(Opened(two.workspace, two.query, ""), model).checkpoint
    request = two.ask(checkpoints=(checkpoint,), tuning="full")
    assert isinstance(request, transfer.Request)
    ends_as_unbroken(two.workspace, "transfer", request)
