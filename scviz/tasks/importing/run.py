"""Read a folder of weights, and keep it in our own format."""

from __future__ import annotations

import shutil
from pathlib import Path

from scviz.models import model_class
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.importing import Request, Result
from scviz.workspace.records import file_hash
from scviz.workspace.store import CheckpointInfo, slug, write_checkpoint_info


def run(request: Request, context: Context) -> Result:
    """Carry the request out; weights that are here already are not kept twice."""
    context.report(Progress(stage="Reading the weights"))
    kind = model_class(request.model)
    model = kind.from_checkpoint(Path(request.folder))
    context.report(Progress(stage="Keeping the weights"))
    draft = context.state / "checkpoint"
    model.save(draft)
    name = f"{slug(request.name)}-{file_hash(draft / 'weights.safetensors')[:8]}"
    folder = context.workspace.home / "checkpoints" / request.model / name
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    if not folder.exists():
        info = CheckpointInfo(
            id=f"{request.model}/{name}",
            model=request.model,
            name=request.name,
            description=f"Weights from the folder {Path(request.folder).name}.",
            licence=kind.card.licence,
            n_parameters=n_parameters,
            n_genes=len(model.vocab),
            size_mb=(draft / "weights.safetensors").stat().st_size / 1e6,
        )
        write_checkpoint_info(info, draft)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(draft, folder)
    return Result(
        checkpoint=f"{request.model}/{name}",
        n_parameters=n_parameters,
        n_genes=len(model.vocab),
        loaded=model.load_report.loaded,
        missing=model.load_report.missing,
        unexpected=model.load_report.unexpected,
    )
