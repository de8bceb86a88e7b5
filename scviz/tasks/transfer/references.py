"""References without cells: types with their ontology ids and what names cells by them, in a folder of two files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from scviz.errors import DataError, RequestError
from scviz.metrics.evidence import counted
from scviz.settings import ROOT
from scviz.tasks.transfer import FewerGenes
from scviz.workspace import Workspace
from scviz.workspace.names import slug
from scviz.workspace.plain_json import DamagedFileError
from scviz.workspace.records import content_hash, read_json, write_json

SHIPPED = ROOT / "assets" / "reference"
"""References that come with scviz, a folder each."""
RECORD, TENSORS = "reference.json", "reference.safetensors"
AGAIN = "Save it again from the run that learned it, and delete this one on the Data page."
MOST_BYTES = 200_000_000
"""A larger file is no reference."""
OF_GENES = ("profile", "chosen", "mean", "scale", "components", "centers", "spread")
"""What is known of the genes, besides what each rule keeps; `genes.GeneSpace` says what they are."""
TABLES = ("components", "centers")
"""Those of them that have rows and columns."""
TRUTH, JUDGED, BASELINE = "held_out_types", ".held_out", "baseline"
"""Known types of the held-out cells, (M,); how the names of their scores, (M, K) for each rule, end; how the names of
what a baseline calls them, (M,), begin. Nothing of their genes is kept, and their order is drawn by lot."""
TAUGHT = "taught"
"""Marks of the cells that it learned from, see `workspace.cell_marks`."""
NO_CELL = np.zeros(0, dtype=np.int64)
BARS = ".held_out_bars"
"""How the name of the bars of the held-out cells ends, (M,), where each has that of the cells it was not among."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One linear way of naming cells: scores are `inputs @ <key>.weights + <key>.intercept` over the temperature."""

    key: str
    """Begins the names of its tensors."""
    name: str
    temperature: float
    scaled: bool = False
    """Whether it reads genes divided by their standard deviations."""
    accuracy: float = float("nan")
    """On held-out cells when it was made, with `macro_f1`."""
    macro_f1: float = float("nan")
    validated: float = float("nan")
    """Accuracy on validation cells, by which rules are chosen."""
    checkpoint: str = ""
    """Model whose cell vectors it reads; empty for genes."""
    checkpoint_hash: str = ""
    """Of the files of that model: other weights give other vectors."""
    bar: float = float("nan")
    """How odd a cell may be and still have a type in its set; NaN where too few cells were set aside to find it."""
    fewer: tuple[FewerGenes, ...] = ()
    """What it does on the held-out cells with a part of their genes; empty where that was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What is known of a reference without reading its tensors."""

    name: str
    description: str
    types: tuple[str, ...]
    ontology_ids: tuple[str, ...]
    """In the order of the types; '' where not known."""
    genes: tuple[str, ...]
    """Symbols or Ensembl ids of the A genes whose molecules count for the depth of a cell."""
    target: float
    """Molecules that every cell is scaled to."""
    reach: float
    """95th percentile of the distance of held-out cells to their nearest type."""
    rules: tuple[Rule, ...]
    n_cells: int
    """That it was made of."""
    held_out: str
    """On which cells the scores of the rules were measured, a few words."""
    license: str
    sources: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    """Ids of the datasets that taught it, each ending with a hash of its content."""
    chosen: str = ""
    """The rule that names: the one that the run that learned it chose, where that can be kept."""
    n_validation: int = 0
    """Cells that chose among the rules."""
    n_calibrating: int = 0
    """Cells that were set aside to find the bars."""
    baselines: tuple[str, ...] = ()
    """Names without knowledge of the types; `baseline<n>` holds what the n-th of them says of the held-out cells."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A reference and where it lies."""

    id: str
    """Name of its folder."""
    folder: Path
    version: str
    """Hash of its files."""
    reference: Reference
    shipped: bool = False
    tensors: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    """By name; empty until `with_tensors`."""

    def with_tensors(self) -> Kept:
        """Read its tensors.

        Raises
        ------
        DataError
            If the file is damaged, or its tensors do not fit the record.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors = load_file(self.folder / TENSORS)
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"The reference {self.reference.name} cannot be read, since its file {TENSORS} is damaged: {error}.",
                hint=AGAIN,
            ) from error
        _check_shapes(self.reference, tensors)
        return replace(self, tensors=tensors)


def references(workspace: Workspace) -> list[Kept]:
    """List the references without cells: saved ones, newest first, then those that come with scviz.

    One that cannot be read is left out, see `damaged_references`.
    """
    found = []
    for folder in _folders(workspace):
        with suppress(DataError):
            found.append(read_reference(folder))
    return found


def damaged_references(workspace: Workspace) -> tuple[str, ...]:
    """Say which references cannot be read, why, and what to do."""
    said = []
    for folder in _folders(workspace):
        try:
            read_reference(folder)
        except DataError as error:
            said.append(f"{error} {error.hint}")
    return tuple(said)


def _folders(workspace: Workspace) -> list[Path]:
    """List the folders of references: saved ones, newest first, then those that come with scviz."""
    dated = []
    for folder in workspace.references.glob("*"):
        with suppress(OSError):  # deleted since it was listed, or out of reach
            if folder.is_dir() and workspace.lists(folder):
                record = folder / RECORD
                dated.append(((record if record.exists() else folder).stat().st_mtime, folder))
    saved = [folder for _, folder in sorted(dated, key=lambda one: -one[0])]
    return [*saved, *sorted(path.parent for path in SHIPPED.glob(f"*/{RECORD}"))]


def find_reference(workspace: Workspace, identifier: str) -> Kept | None:
    """Find one by its id; None if there is none, as where a dataset is meant.

    Raises
    ------
    DataError
        If it is there and cannot be read.
    """
    folder = next((one for one in _folders(workspace) if one.name == identifier), None)
    return read_reference(folder) if folder is not None else None


def read_reference(folder: Path) -> Kept:
    """Read the record of a reference.

    Raises
    ------
    DataError
        If the folder holds none, or one that cannot be read.
    """
    path, tensors = folder / RECORD, folder / TENSORS
    try:
        missing = [one.name for one in (path, tensors) if not one.is_file()]
        if missing:
            raise DataError(
                f"There is no classifier in {folder.name}: it lacks {' and '.join(missing)}.",
                hint=f"A folder with {RECORD} and {TENSORS} is one.",
            )
        if max(path.stat().st_size, tensors.stat().st_size) > MOST_BYTES:
            raise DataError(
                f"The reference {folder.name} cannot be read, since a file of it is larger than any reference is.",
                hint="Choose another folder.",
            )
        found, version = read_json(Reference, path), content_hash(folder)
    except OSError as error:
        raise DataError(
            f"The reference {folder.name} cannot be read: {error.strerror}.", hint=AGAIN
        ) from error
    except DamagedFileError as error:
        raise _unreadable(folder, error.why) from error
    wrong = _nonsense(found)
    if wrong:
        raise _unreadable(folder, wrong)
    return Kept(
        id=folder.name, folder=folder, version=version, reference=found, shipped=folder.parent == SHIPPED
    )


def _unreadable(folder: Path, why: str) -> DataError:
    return DataError(
        f"The reference {folder.name} cannot be read, since its file {RECORD} is damaged: {why}.", hint=AGAIN
    )


def _nonsense(reference: Reference) -> str:
    """Say what no reference can be, in a few words; empty where nothing is wrong."""
    if len(set(reference.types)) < max(2, len(reference.types)):
        return f"its {len(reference.types)} types are not two or more different ones"
    if len(reference.ontology_ids) != len(reference.types):
        return (
            f"it has {len(reference.ontology_ids)} ontology ids for {counted(len(reference.types), 'type')}"
        )
    if not reference.rules or not reference.genes:
        return "it has no rule or no genes to name cells by"
    above = (reference.target, reference.reach, *(rule.temperature for rule in reference.rules))
    if not all(0 < one < float("inf") for one in above):
        return "a temperature, the depth or the reach is not above 0"
    return ""


def write_reference(reference: Reference, tensors: Mapping[str, NDArray[np.generic]], folder: Path) -> None:
    """Write a reference; `tensors` by name, such as (G,) `mean` and (G, K) `<key>.weights`."""
    from safetensors.numpy import save_file

    _check_shapes(reference, tensors)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, folder / TENSORS)
    write_json(reference, folder / RECORD)


def keep_reference(folder: Path, workspace: Workspace, *, name: str = "") -> Kept:
    """Copy a reference into the workspace, under a name; one that is there already is found again.

    Raises
    ------
    DataError
        If the folder holds none.
    """
    found = read_reference(folder).with_tensors()
    named = replace(found.reference, name=name or found.reference.name)
    draft = workspace.references / f".{uuid4().hex}"
    try:
        write_reference(named, found.tensors, draft)
        target = workspace.references / workspace.own_name(slug(named.name), content_hash(draft))
        workspace.claim(draft)
        if not target.exists():
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return read_reference(target)


def named_reference(text: str, workspace: Workspace) -> Kept | None:
    """Find a reference by its id, its name or a folder; None where the text means none of these.

    Raises
    ------
    RequestError
        If several have the name.
    DataError
        If it cannot be read.
    """
    known = references(workspace)
    same = [one for one in known if text in (one.id, one.reference.name)]
    if len(same) > 1:
        ids = ", ".join(one.id for one in same)
        raise RequestError(f"Several references are called {text}.", hint=f"Name one by its id: {ids}.")
    if same:
        return same[0]
    if any(one.name == text for one in _folders(workspace)):  # there, and cannot be read
        return find_reference(workspace, text)
    folder = Path(text).expanduser()
    return keep_reference(folder, workspace) if (folder / RECORD).is_file() else None


def _check_shapes(reference: Reference, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """Refuse tensors that are not those of the record, with the first that is missing or has another shape."""
    _check_depths(tensors)
    for name, shape in (_wanted(reference, tensors) | _wanted_of_held_out(reference, tensors)).items():
        found = tensors[name].shape if name in tensors else "nothing"
        if found != shape:
            raise DataError(
                f"The reference {reference.name} is damaged: its tensor {name} is {found}, not {shape}.",
                hint=AGAIN,
            )
    _check_places(tensors["chosen"], len(reference.genes))
    _check_places(tensors.get(TRUTH, NO_CELL), len(reference.types))


def _check_depths(tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """Refuse tensors of which one is missing, or is a list where a table should be."""
    missing = [name for name in OF_GENES if name not in tensors]
    if missing:
        raise DataError(f"The classifier lacks {', '.join(missing)}.", hint=AGAIN)
    depths = {name: 2 if name in TABLES else 1 for name in OF_GENES} | {TRUTH: 1}
    flat = [name for name, depth in depths.items() if name in tensors and tensors[name].ndim != depth]
    if flat:
        raise DataError(f"{flat[0]} of the classifier has another shape.", hint=AGAIN)


def _check_places(places: NDArray[np.generic], most: int) -> None:
    """Refuse (n,) places among genes or types that lie beyond these."""
    if np.min(places, initial=0) < 0 or np.max(places, initial=0) >= most:
        raise DataError("The record of the classifier does not fit its tensors.", hint=AGAIN)


def _wanted_of_held_out(
    reference: Reference, tensors: Mapping[str, NDArray[np.generic]]
) -> dict[str, tuple[int, ...]]:
    """Give the shapes of what is known of the held-out cells: types, scores of each rule, names of each baseline."""
    if TRUTH not in tensors:
        return {}
    n = len(tensors[TRUTH])
    wanted: dict[str, tuple[int, ...]] = {TRUTH: (n,)}
    for rule in reference.rules:
        wanted[f"{rule.key}{JUDGED}"] = (n, len(reference.types))
        if f"{rule.key}{BARS}" in tensors:
            wanted[f"{rule.key}{BARS}"] = (n,)
    for number in range(len(reference.baselines)):
        wanted[f"{BASELINE}{number}"] = (n,)
    return wanted


def _wanted(reference: Reference, tensors: Mapping[str, NDArray[np.generic]]) -> dict[str, tuple[int, ...]]:
    """Give the shape that each tensor must have."""
    n_genes, n_types = len(tensors["chosen"]), len(reference.types)
    depth, placed = tensors["components"].shape[-1], len(tensors["spread"])
    wanted: dict[str, tuple[int, ...]] = {
        "profile": (len(reference.genes),),
        "mean": (n_genes,),
        "scale": (n_genes,),
        "components": (n_genes, depth),
        "centers": (n_types, placed),
        "spread": (min(placed, depth),),
    }
    for rule in reference.rules:
        wanted[f"{rule.key}.intercept"] = (n_types,)
        if not rule.checkpoint:
            wanted[f"{rule.key}.weights"] = (n_genes, n_types)
    return wanted
