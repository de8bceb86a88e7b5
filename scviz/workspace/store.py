"""Datasets, checkpoints and runs as folders, named by their content.

HOME/datasets/<slug>-<hash>/        source.h5ad counts.h5ad genes.csc.zarr info.json
HOME/checkpoints/<model>/<name>/    config.json vocab.json weights.safetensors scviz.json
HOME/terms/<slug>-<hash>/           terms.json info.json
HOME/links/                         tables of known links, as published
HOME/runs/<id>/                     request.json events.jsonl result/ log.txt state/
HOME/uploads/                       files that came through the browser
HOME/people/                        who has logged in, where there is a login
HOME/trash/<id>/                    what was deleted, for a day
HOME/arrived/                       files of other formats, turned into h5ad until they are opened
HOME/scviz.db                       which runs there are and how far they are

Beside a thing that a person owns lies access.json: whose it is, and with whom it is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from scviz.errors import DataError
from scviz.settings import ROOT, Settings
from scviz.workspace.cell_marks import holds_taught
from scviz.workspace.names import not_here, same_content
from scviz.workspace.records import read_json, readable, write_json
from scviz.workspace.shelves import Shelves

BUNDLED = ROOT / "assets" / "checkpoints"
"""Small models that come with the project."""

DEMO = "demo"
"""What checkpoints call the dataset that comes with the project, whose id differs from version to version."""

NOT_KNOWN = "not known"
"""What checkpoints call the cells that nobody here can name: those of weights that were trained elsewhere."""

Seen = Literal["seen", "not seen", "not known"]
"""Whether weights have seen cells in training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """A column that describes cells."""

    name: str
    kind: Literal["label", "batch", "category", "number", "text"]
    n_values: int
    """Different values, missing ones not counted."""
    n_missing: int = 0
    values: tuple[str, ...] = ()
    """The categories, at most 200, most frequent first; empty for numbers."""
    colors: tuple[str, ...] = ()
    """Hex colors that the file gives to `values`, in their order; may be empty."""
    reason: str = ""
    """Why it is taken for this kind, a few words."""


How = Literal[
    "as stored",
    "rounded",
    "recovered from log values",
    "recovered from normalized values",
    "relative expression",
]
"""What was done to stored values to get counts; the last is no counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsSource:
    """Where raw counts were found in a file, and how they were made sure of."""

    location: str
    """`X`, `raw/X` or `layers/<name>`."""
    how: How
    evidence: str
    """A sentence with the numbers that led to this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What is known of a dataset without reading its matrix."""

    id: str
    name: str
    source: str
    """Name of the file it came from."""
    n_cells: int
    n_genes: int
    counts: CountsSource
    gene_names: Literal["symbol", "ensembl", "mixed", "unknown"]
    """Kind of the identifiers that name the genes."""
    columns: tuple[ColumnInfo, ...] = ()
    embeddings: tuple[str, ...] = ()
    """Keys of `obsm` in the file."""
    species: Literal["human", "mouse", "unknown"] = "unknown"
    history: tuple[str, ...] = ()
    """What was done to the file on opening, a sentence each."""
    parent: str = ""
    """Dataset from which the last line of the history made this one; empty for one that was opened from a file."""
    demo: bool = False
    simulated: str = ""
    """Preset of a simulated screen; empty for cells that were measured."""

    def column(self, name: str) -> ColumnInfo:
        """Return the column of that name.

        Raises
        ------
        DataError
            If there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(f"The dataset {self.name} has no column {name!r}.", hint="Choose another column.")

    def columns_of(self, *kinds: str) -> tuple[str, ...]:
        """Return the names of the columns of these kinds, in their order."""
        return tuple(column.name for column in self.columns if column.kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointInfo:
    """What is known of a checkpoint without reading its tensors; kept in `scviz.json` beside them."""

    id: str
    """`<model>/<folder name>`."""
    model: str
    name: str
    description: str
    """What it was trained on, a sentence."""
    licence: str
    n_parameters: int
    n_genes: int
    """Genes in its vocabulary."""
    size_mb: float
    demo: bool = False
    """True for small models of this project, which are not the published ones."""
    command: str = ""
    """The command that made it, if it was made here."""
    released: str = ""
    """Which published weights these are, where a download or a hash says so."""
    trained_on: tuple[str, ...] = ()
    """Datasets whose cells they have seen in training here, as `seen_as` names them; those of the checkpoint that
    training went on from among them, with NOT_KNOWN where nobody here knows what that one had seen. Empty for weights
    that were trained elsewhere."""
    sources: tuple[str, ...] = ()
    """Where the cells that trained it come from and under which license, a sentence each, for those of this project."""
    judged: tuple[str, ...] = ()
    """What it was found to be worth on cells that it never saw, a sentence each, for those of this project."""
    types: tuple[str, ...] = ()
    """Cell types that it was fine-tuned to name, in the order of its head; empty for other checkpoints."""
    self_test: str = ""
    """What the self-test said when they came in, a sentence or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsInfo:
    """What is known of a collection of gene terms without reading it."""

    id: str
    name: str
    source: str
    """Where it comes from, a few words."""
    n_genes: int
    """Genes that have a term."""
    n_terms: int
    """Different terms."""


def seen_as(dataset: DatasetInfo) -> str:
    """Return the name under which checkpoints remember a dataset: its id, or DEMO whatever the id is."""
    return DEMO if dataset.demo else dataset.id


@lru_cache(maxsize=200)
def _known_dataset(path: Path, stamp: tuple[int, int, int]) -> DatasetInfo:  # noqa: ARG001 - another file, another stamp
    """Read what is known of a dataset; a page asks for it dozens of times."""
    return read_json(DatasetInfo, path)


class Workspace(Shelves):
    """Finds and lists what is kept below one folder, for one person: what she may not see is not there."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Workspace:
        """Open the workspace that the settings name, and make its folders; see `Settings.make_home`."""
        settings.make_home()
        workspace = cls(settings.home)
        for name in ("datasets", "checkpoints", "runs", "uploads", "data"):
            (settings.home / name).mkdir(parents=True, exist_ok=True)
        return workspace

    # datasets

    def dataset_folder(self, dataset: str) -> Path:
        """Return the folder of a dataset, which need not exist yet."""
        return self._inside("datasets", dataset)

    def dataset(self, dataset: str) -> DatasetInfo:
        """Read what is known of a dataset.

        Raises
        ------
        DataError
            If no dataset has this id.
        """
        path = self.dataset_folder(dataset) / "info.json"
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise not_here("datasets", dataset) from None
        return _known_dataset(path, (found.st_mtime_ns, found.st_size, found.st_ino))

    def datasets(self) -> list[DatasetInfo]:
        """List the datasets, the one opened last first."""
        paths = sorted((self.home / "datasets").glob("*/info.json"), key=lambda path: -path.stat().st_mtime)
        return readable(DatasetInfo, [path for path in paths if self.lists(path.parent)])

    # checkpoints

    def checkpoint_folder(self, checkpoint: str) -> Path:
        """Return the folder of a checkpoint; those that come with the project are found in its assets."""
        own = self._inside("checkpoints", checkpoint)
        bundled = BUNDLED / own.name
        return bundled if not own.exists() and bundled.exists() else own

    def comes_along(self, checkpoint: str) -> bool:
        """Tell whether a checkpoint is one of those that come with the project."""
        return self.checkpoint_folder(checkpoint).parent == BUNDLED

    def checkpoint(self, checkpoint: str) -> CheckpointInfo:
        """Read what is known of a checkpoint.

        Raises
        ------
        CheckpointError
            If no checkpoint has this id.
        """
        path = self.checkpoint_folder(checkpoint) / "scviz.json"
        if not path.exists():
            raise not_here("checkpoints", checkpoint)
        return read_json(CheckpointInfo, path)

    def checkpoints(self) -> list[CheckpointInfo]:
        """List the checkpoints: those of the workspace, newest first, then the small ones of the project."""
        own = sorted(
            (self.home / "checkpoints").glob("*/*/scviz.json"), key=lambda path: -path.stat().st_mtime
        )
        own = [path for path in own if self.lists(path.parent)]
        return readable(CheckpointInfo, [*own, *sorted(BUNDLED.glob("*/scviz.json"))])

    def names_of_weights(self) -> set[str]:
        """Gather what the checkpoints here are called, by their users and by those who published them."""
        return {name for info in self.checkpoints() for name in (info.name, info.released)}

    def seen_in_training(self, checkpoint: str, dataset: str) -> Seen:
        """Tell whether a checkpoint has been trained on cells of a dataset, or on some of them, under whatever name.

        Weights that were trained elsewhere may have seen any cells, and so may all that were trained further from them.

        Raises
        ------
        CheckpointError, DataError
            If one of them is not here.
        """
        own, trained_on = seen_as(self.dataset(dataset)), self.checkpoint(checkpoint).trained_on
        folder = self.dataset_folder(dataset)
        if any(same_content(seen, own) for seen in trained_on) or holds_taught(folder, trained_on):
            return "seen"
        return "not seen" if trained_on and NOT_KNOWN not in trained_on else "not known"

    def seen_after(self, checkpoint: str, dataset: str) -> tuple[str, ...]:
        """Return what a checkpoint has seen once it is trained further on a dataset, for `trained_on`."""
        before = self.checkpoint(checkpoint).trained_on or (NOT_KNOWN,)
        return tuple(dict.fromkeys((*before, seen_as(self.dataset(dataset)))))

    # gene terms

    def terms_folder(self, terms: str) -> Path:
        """Return the folder of a collection of gene terms, which need not exist yet."""
        return self._inside("terms", terms)

    def terms_file(self, terms: str) -> Path:
        """Return the file of a collection of gene terms; `gene_terms.read_terms` reads it.

        Raises
        ------
        DataError
            If there is no such collection.
        """
        path = self.terms_folder(terms) / "terms.json"
        if not path.exists():
            raise not_here("terms", terms)
        return path

    def terms(self) -> list[TermsInfo]:
        """List the collections of gene terms, newest first."""
        paths = sorted((self.home / "terms").glob("*/info.json"), key=lambda path: -path.stat().st_mtime)
        return readable(TermsInfo, [path for path in paths if self.lists(path.parent)])

    def upload_folder(self, upload: str) -> Path:
        """Return the folder of an upload, which need not exist."""
        return self._inside("uploads", upload)

    @property
    def arrived(self) -> Path:
        """Folder of files of other formats that were turned into h5ad and are not open yet; need not exist."""
        return self.home / "arrived"

    @property
    def links_folder(self) -> Path:
        """Folder of downloaded tables of known links, which need not exist yet."""
        return self.home / "links"

    @property
    def references(self) -> Path:
        """Folder of classifiers that were saved to name other cells, which need not exist yet."""
        return self.home / "references"

    def reference_folder(self, reference: str) -> Path:
        """Return the folder of a reference that was saved here, which need not exist."""
        return self._inside("references", reference)

    # runs

    def run_folder(self, run: str) -> Path:
        """Return the folder of a run."""
        return self._inside("runs", run)


def write_info(info: DatasetInfo, folder: Path) -> None:
    """Write `info.json`, which makes the dataset visible."""
    write_json(info, folder / "info.json")


def write_checkpoint_info(info: CheckpointInfo, folder: Path) -> None:
    """Write `scviz.json`, which makes the checkpoint visible."""
    write_json(info, folder / "scviz.json")
