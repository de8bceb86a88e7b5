"""Test a checkpoint of the workspace."""

from __future__ import annotations

from scviz.models import model_class
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.self_test import Request, Result
from scviz.tasks.testing import self_test


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    info = context.workspace.checkpoint(request.checkpoint)
    context.report(Progress(stage="Reading the weights"))
    folder = context.workspace.checkpoint_folder(request.checkpoint)
    return self_test(model_class(info.model).from_checkpoint(folder), context.report)
