"""The command `annotate` for cells without labels: names from a reference, or by a classifier that was saved."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, dataset_of, say, write_copy, write_csv
from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.tasks import opening, transfer
from scviz.tasks.annotation import Request as Learning
from scviz.tasks.fields import suggested
from scviz.tasks.transfer.references import keep_reference, named_reference, references
from scviz.tasks.transfer.tables import cells, summary
from scviz.workspace import DatasetInfo, Workspace

MOST_LISTED = 20
"""Datasets that a refusal names."""
LEARNED = "reference"
"""Folder of the classifier in the result of a run that learned one."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Offer a reference or a classifier in place of labels."""
    group = parser.add_argument_group("names from a reference, for cells without labels")
    group.add_argument(
        "--reference",
        default="",
        metavar="NAME|DATASET",
        help="name the cells by a reference that comes with scviz (blood), by a classifier that was saved, or by a "
        "labeled dataset; --label-key, --group-key, --test-fraction and --seed are then of that dataset",
    )
    group.add_argument("--apply", default="", metavar="FOLDER", help="the same by the classifier in a folder")
    group.add_argument(
        "--models",
        nargs="+",
        default=[],
        metavar="ID",
        help="checkpoints whose cell vectors name the cells, too",
    )
    group.add_argument("--classifier", type=Path, metavar="FOLDER", help="write the learned classifier here")
    add_fields(group, transfer.Request, "harmony", "tuning")  # type: ignore[arg-type]


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Name the cells, print what was found."""
    request = request_of(options, settings)
    run_id, result = carry_out("transfer", request, settings)
    learned = Workspace.from_settings(settings).run_folder(run_id) / "result" / LEARNED
    saved = {}
    if options.save_as or options.classifier:
        saved = _save(learned, options, settings)
    say(run_id, request, result, settings=settings, **summary(result), **saved)
    if options.csv:
        columns, rows = cells(result)
        write_csv(options.csv, request.dataset, settings, columns=columns, rows=rows)
    write_copy(options, run_id, settings)


def request_of(options: argparse.Namespace, settings: Settings) -> transfer.Request:
    """Turn options into a request.

    Raises
    ------
    RequestError
        If the question makes no sense.
    """
    workspace = Workspace.from_settings(settings)
    if options.reference and options.apply:
        raise RequestError("A reference and a classifier were named.", hint="Name one of them.")
    kept = named_reference(options.apply or options.reference, workspace)
    if options.apply and kept is None:
        known = ", ".join(one.id for one in references(workspace))
        raise RequestError(f"There is no classifier in {options.apply}.", hint=f"Known here: {known}.")
    dataset = dataset_of(options.dataset, settings)
    common = {"harmony": options.harmony, "tuning": options.tuning, "seed": options.seed}
    if kept is not None:
        _refuse_to_save(options, kept.reference.name)
        return transfer.Request(
            dataset=dataset,
            reference=kept.id,
            reference_version=kept.version,
            checkpoints=tuple(options.models),
            few_genes=options.few_genes,
            **common,
        )
    reference = _labeled_dataset(options.reference, workspace, settings)
    label_key = options.label_key or _column_of_types(workspace.dataset(reference))
    return transfer.Request(
        dataset=dataset,
        reference=reference,
        label_key=label_key,
        group_key=options.group_key,
        test_fraction=options.test_fraction,
        checkpoints=tuple(options.models),
        few_genes=options.few_genes,
        **common,
    )


def _refuse_to_save(options: argparse.Namespace, name: str) -> None:
    """Say before the run that it would learn nothing.

    Raises
    ------
    RequestError
        If what is learned shall be saved.
    """
    if options.save_as or options.classifier:
        raise RequestError(
            f"{name} is kept already: naming by it learns nothing that could be saved.",
            hint="Leave --save-as and --classifier out, or name a labeled dataset as reference.",
        )


def _column_of_types(dataset: DatasetInfo) -> str:
    """Choose the column that a page begins with; none where that holds batches, which would name cells silently."""
    found = suggested(Learning, "label_key", dataset)
    return "" if found in dataset.columns_of("batch") else found


def _labeled_dataset(text: str, workspace: Workspace, settings: Settings) -> str:
    """Find or open the dataset that is meant as a reference.

    Raises
    ------
    RequestError
        If the text means nothing that is here.
    """
    open_here = [info.id for info in workspace.datasets()]
    is_file = Path(text).expanduser().exists() or ":" in text or opening.request_of(text) is not None
    if text not in open_here and not is_file:
        known = ", ".join(one.id for one in references(workspace))
        labeled = ", ".join(open_here[:MOST_LISTED]) or "none"
        raise RequestError(
            f"There is no reference, dataset or file {text!r}.",
            hint=f"References: {known}. Datasets that are open: {labeled}. Or name a labeled file.",
        )
    return dataset_of(text, settings)


def _save(learned: Path, options: argparse.Namespace, settings: Settings) -> dict[str, str]:
    """Keep what was learned under a name, or in a folder.

    Raises
    ------
    RequestError
        If nothing was learned.
    """
    if not learned.is_dir():
        raise RequestError(
            "Nothing was learned that could be saved.",
            hint="Name a labeled dataset as reference to learn from it.",
        )
    if options.classifier:
        shutil.copytree(learned, options.classifier, dirs_exist_ok=True)
    if not options.save_as:
        return {"classifier": str(options.classifier)}
    workspace = Workspace.from_settings(settings)
    return {"classifier": keep_reference(learned, workspace, name=options.save_as).id}
