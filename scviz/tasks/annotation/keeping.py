"""Keep a trained classifier in the folder of its run, ready to be imported as a checkpoint."""

from __future__ import annotations

from scviz.foundation.classifier import CellTypeClassifier
from scviz.tasks.annotation import CLASSIFIER, MODES, Request
from scviz.tasks.context import Context
from scviz.workspace.store import CheckpointInfo, write_checkpoint_info


def keep_classifier(classifier: CellTypeClassifier, request: Request, context: Context) -> None:
    """Write encoder and head, and what is known of them: of what they were made, which datasets they have seen."""
    workspace, folder = context.workspace, context.result / CLASSIFIER
    seen = workspace.seen_after(request.checkpoint, request.dataset)
    classifier.save(folder, trained_on=seen)
    source, dataset = workspace.checkpoint(request.checkpoint), workspace.dataset(request.dataset)
    info = CheckpointInfo(
        id=f"{source.model}/{context.folder.name}",
        model=source.model,
        name=f"{source.name}, types of {dataset.name}",
        description=(
            f"{source.name}, fine-tuned ({MODES[request.mode]}) to name the {len(classifier.types)} types in "
            f"{request.label_key} of {dataset.name}."
        ),
        licence=source.licence,
        n_parameters=sum(parameter.numel() for parameter in classifier.parameters()),
        n_genes=len(classifier.encoder.vocab),
        size_mb=sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6,
        demo=source.demo,
        trained_on=seen,
        types=classifier.types,
    )
    write_checkpoint_info(info, folder)
