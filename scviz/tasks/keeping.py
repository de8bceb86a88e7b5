"""Read a folder of weights and keep it in the workspace, with the head for cell types if it has one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from scviz.errors import OutOfMemoryError
from scviz.foundation.classifier import CellTypeClassifier, read_head
from scviz.foundation.model import FoundationModel
from scviz.foundation.published import WEIGHTS, recognize
from scviz.memory import GIGABYTE
from scviz.models import cards, model_class
from scviz.progress import Progress
from scviz.settings import Settings
from scviz.tasks.context import Context
from scviz.tasks.intake import Source, Taken
from scviz.tasks.testing import self_test
from scviz.workspace.limits import room_of
from scviz.workspace.names import slug
from scviz.workspace.plain_json import read_plain
from scviz.workspace.records import file_hash, fingerprint, read_json
from scviz.workspace.sizes import in_words
from scviz.workspace.store import CheckpointInfo, write_checkpoint_info

READING_GB = 0.65
"""What a process holds that has imported torch and has read the cells of a self-test, weights aside."""


def take_in(source: Source, context: Context) -> Taken:
    """Read a folder of weights and keep it; weights that are here already are not kept twice.

    Raises
    ------
    CheckpointError
        If the folder is no checkpoint of the model.
    OutOfMemoryError
        If reading it needs more memory than a run may use.
    """
    _refuse_large(source)
    context.report(Progress(stage="Reading the weights"))
    model = model_class(source.model).from_checkpoint(source.folder)
    recognized = recognize(cards()[source.model], source.folder)
    tested = self_test(model, context.report)
    context.report(Progress(stage="Keeping the weights"))
    draft = context.state / "checkpoint"
    seen = _seen_before(source.folder)
    head = read_head(source.folder, model)
    if head is None:
        model.save(draft)
        content = file_hash(draft / "weights.safetensors")
    else:
        classifier = CellTypeClassifier(model, head.head, head.types, temperature=head.temperature)
        classifier.save(draft, trained_on=seen)
        content = fingerprint(*(file_hash(path) for path in sorted(draft.glob("*.safetensors"))))
    made = _made_here(source.folder)
    name = context.workspace.own_name(slug(source.name), content)
    folder = context.workspace.home / "checkpoints" / source.model / name
    info = replace(
        _info(source, model, draft, id_=f"{source.model}/{name}"),
        released=source.released or recognized.released,
        trained_on=seen,
        types=() if head is None else head.types,
        self_test=tested.sentence,
    )
    if made is not None:
        info = replace(info, description=made.description, licence=made.licence, demo=made.demo)
    if not folder.exists():
        context.workspace.claim(draft)
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
        types=info.types,
        self_test=tested.sentence,
        passed={"passed": True, "not passed": False, "unknown": None}[tested.outcome],
    )


def _refuse_large(source: Source) -> None:
    """Refuse weights that cannot be read in the memory of a run, before they are."""
    sizes = [one.stat().st_size for one in source.folder.glob("*") if one.suffix in WEIGHTS and one.is_file()]
    size = max(sizes, default=0)
    own = size / cards()[source.model].networks  # the network that they are copied into
    needed, allowed = READING_GB + 1.05 * (size + own) / GIGABYTE, room_of(Settings.from_env())
    if needed >= allowed.gigabytes:
        raise OutOfMemoryError(
            f"Reading these weights ({in_words(size)}) needs about {needed:.2f} GB of memory, and a run may use "
            f"{allowed.gigabytes:.2f} GB here: {allowed.why}.",
            hint="Ask the owner of the server for more (SCVIZ_MEMORY_GB), or take smaller weights.",
        )


def _info(source: Source, model: FoundationModel, draft: Path, *, id_: str) -> CheckpointInfo:
    return CheckpointInfo(
        id=id_,
        model=source.model,
        name=source.name,
        description=source.description,
        licence=model.card.licence,
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        n_genes=len(model.vocab),
        size_mb=(draft / "weights.safetensors").stat().st_size / 1e6,
    )


def _made_here(folder: Path) -> CheckpointInfo | None:
    """Return what this program wrote of weights that it made; None for others."""
    try:
        return read_json(CheckpointInfo, folder / "scviz.json")
    except (OSError, ValueError, TypeError):  # not there, or a file of another kind with this name
        return None


def _seen_before(folder: Path) -> tuple[str, ...]:
    """Return the datasets that weights have seen, if they were made by this program."""
    seen: list[str] = []
    for name in ("scviz.json", "head.json"):
        try:
            facts = read_plain(folder / name)
        except (OSError, ValueError):
            continue
        said = facts.get("trained_on", [])
        seen += map(str, said) if isinstance(said, list) else ()
    return tuple(dict.fromkeys(seen))
