"""What the command `pretrain` takes, prints and writes."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import (
    carry_out,
    dataset_of,
    given,
    say,
)
from scviz.cli.words import DATASET
from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.tasks import pretraining
from scviz.tasks.pretraining import Result
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter


def add_command(entries: Any) -> None:
    """Offer training without labels."""
    pretrain = entries.add_parser(
        "pretrain", help="train a model, new or from a checkpoint, on the cells of a dataset, without labels"
    )
    pretrain.add_argument("dataset", help=DATASET)
    pretrain.add_argument(
        "--checkpoint",
        default=None,
        help="id of a checkpoint to start from; default: random weights of --model",
    )
    for name, text in (
        ("model", "one of the models"),
        ("configuration", "its size"),
        ("name", "of the checkpoint"),
    ):
        default = pretraining.Request.__dataclass_fields__[name].default
        pretrain.add_argument(f"--{name}", default=default, help=f"{text}; default {default}")
    add_fields(pretrain, pretraining.Request)
    pretrain.add_argument("--output", type=Path, help="folder to move the checkpoint to")
    pretrain.add_argument("--csv", type=Path, help="write the losses of each cell that judges the model here")
    pretrain.add_argument("--losses", type=Path, help="write the losses of each epoch here")
    pretrain.set_defaults(command=run)


def write_cells(result: Result, path: Path) -> None:
    """Write the row of each cell that judges, and its loss by the model and by what it is compared with."""
    columns = {
        "row": result.judged.tolist(),
        **{name: one.tolist() for name, one in result.cell_losses.items()},
    }
    _write(columns, path)


def write_epochs(result: Result, path: Path) -> None:
    """Write the losses of each epoch, of the cells trained on and of those that choose the best epoch."""
    epochs = list(range(1, len(result.losses) + 1))
    _write({"epoch": epochs, "training": result.losses, "choosing": result.validation_losses}, path)


def _write(columns: Mapping[str, Sequence[float]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _is_free(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Train a model without labels, and print the checkpoint and what was learned.

    Raises
    ------
    RequestError
        If the folder to move the checkpoint to holds something.
    """
    if options.output and not _is_free(options.output):
        raise RequestError(f"{options.output} is there already.", hint="Name a folder that is new or empty.")
    dataset = dataset_of(options.dataset, settings)
    request = pretraining.Request(**given(options, pretraining.Request) | {"dataset": dataset})
    run_id, result = carry_out("pretraining", request, settings)
    gains = [gain for gain in (result.gain, result.further) if gain is not None]
    verdict = " ".join(gain.sentence for gain in gains)
    say(
        run_id,
        request,
        result,
        settings=settings,
        checkpoint=result.checkpoint,
        outcome=result.gain.outcome,
        verdict=verdict,
    )
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        options.output.rmdir()
        shutil.move(Workspace.from_settings(settings).checkpoint_folder(result.checkpoint), options.output)
    if options.csv:
        write_cells(result, options.csv)
    if options.losses:
        write_epochs(result, options.losses)
