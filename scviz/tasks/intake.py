"""Take a folder of weights into the workspace in our own format, and say what was found in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scviz.foundation.published import KnownFile, recognize
from scviz.models import cards, model_class
from scviz.progress import Progress
from scviz.workspace.records import file_hash
from scviz.workspace.store import CheckpointInfo, slug, write_checkpoint_info

if TYPE_CHECKING:
    from scviz.foundation.model import FoundationModel
    from scviz.tasks.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A folder of weights, and what they are called from now on."""

    model: str
    folder: Path
    name: str
    description: str
    released: str = ""
    """Which published weights these are; found out by their hash if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Where the weights are now, and what was found in the folder."""

    checkpoint: str
    """Id in the workspace."""
    n_parameters: int
    n_genes: int
    loaded: tuple[str, ...]
    """Names of the tensors that were read."""
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    """Tensors in the folder that the model has no place for."""
    known_files: tuple[KnownFile, ...] = ()
    """Files that have the name of a published file whose hash is known."""
    released: str = ""
    """Which published weights these are, where a download or a hash says so."""


def take_in(source: Source, context: Context) -> Taken:
    """Read a folder of weights and keep it; weights that are here already are not kept twice.

    Raises
    ------
    CheckpointError
        If the folder is no checkpoint of the model.
    """
    context.report(Progress(stage="Reading the weights"))
    model = model_class(source.model).from_checkpoint(source.folder)
    recognized = recognize(cards()[source.model], source.folder)
    context.report(Progress(stage="Keeping the weights"))
    draft = context.state / "checkpoint"
    model.save(draft)
    name = f"{slug(source.name)}-{file_hash(draft / 'weights.safetensors')[:8]}"
    folder = context.workspace.home / "checkpoints" / source.model / name
    info = _info(source, model, draft, f"{source.model}/{name}", source.released or recognized.released)
    if not folder.exists():
        write_checkpoint_info(info, draft)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(draft, folder)
    return Taken(
        checkpoint=info.id,
        n_parameters=info.n_parameters,
        n_genes=info.n_genes,
        loaded=model.load_report.loaded,
        missing=model.load_report.missing,
        unexpected=model.load_report.unexpected,
        known_files=recognized.files,
        released=info.released,
    )


def _info(source: Source, model: FoundationModel, draft: Path, id_: str, released: str) -> CheckpointInfo:
    return CheckpointInfo(
        id=id_,
        model=source.model,
        name=source.name,
        description=source.description,
        licence=model.card.licence,
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        n_genes=len(model.vocab),
        size_mb=(draft / "weights.safetensors").stat().st_size / 1e6,
        released=released,
        trained_on=_seen_before(source.folder),
    )


def _seen_before(folder: Path) -> tuple[str, ...]:
    """Return the datasets that weights have seen, if they were made by this program."""
    try:
        facts = json.loads((folder / "scviz.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    seen = facts.get("trained_on", []) if isinstance(facts, dict) else []
    return tuple(map(str, seen)) if isinstance(seen, list) else ()
