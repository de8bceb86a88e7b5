"""Names from a reference on real data: every method, three seeds, with intervals, time and memory.

    python -m benchmarks.transfer FOLDER

FOLDER holds `pbmc_sorted_3500`, `pbmc3k_labelled`, `kang_ctrl_8684` and `kang_ifnb_2000`. Names and labels are compared
as coarse types of the Cell Ontology, since two studies never call all types alike.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anndata
import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_ontology import coarse
from scviz.datasets.cell_type_terms import terms_for
from scviz.datasets.labels import cell_labels
from scviz.datasets.readers import open_file
from scviz.memory import peak_gb
from scviz.metrics.evidence import bootstrap
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.transfer import Request, Result
from scviz.tasks.transfer.held_out import MAJORITY
from scviz.tasks.transfer.run import run
from scviz.workspace import Workspace

LABELS = "cell_type"
DONORS = "Kang ctrl, donors held out"


@dataclass(frozen=True)
class Case:
    """One reference and what is named by it."""

    title: str
    query: str
    reference: str
    label_key: str = LABELS


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--tuning", default="none")
    parser.add_argument("--harmony", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--cells", type=int, default=0, help="so many cells of a file at most; 0 for all")
    parser.add_argument("--only", default="", help="cases whose title begins with this")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home) / "home")
        workspace.home.mkdir()
        for case in _cases(options, workspace, Path(home)):
            if case.title.startswith(options.only):
                _across(case, workspace, options)
        if DONORS.startswith(options.only):
            _held_out_donors(options.folder, workspace, options)


def opened(path: Path, workspace: Workspace, name: str, most: int) -> str:
    """Open a file, or `most` cells of it, drawn by lot; 0 for all of them."""
    adata = anndata.read_h5ad(path, backed="r")
    if not most or adata.n_obs <= most:
        return open_file(path, workspace, name=name).id
    rows = np.sort(np.random.default_rng(0).choice(adata.n_obs, most, replace=False))
    drawn = workspace.home / f"{name}-{most}.h5ad"
    adata[rows].to_memory().write_h5ad(drawn)
    return open_file(drawn, workspace, name=name).id


def _cases(options: argparse.Namespace, workspace: Workspace, scratch: Path) -> Iterator[Case]:
    def file(name: str) -> str:
        return opened(options.folder / name / f"{name}.h5ad", workspace, name, options.cells)

    pbmc3k, sorted_cells = file("pbmc3k_labelled"), file("pbmc_sorted_3500")
    kang = anndata.read_h5ad(options.folder / "kang_ifnb_2000" / "kang_ifnb_2000.h5ad")
    author = (kang.obs["cell_type_source"] == "author").to_numpy()
    parts = {}
    for condition in ("ctrl", "stim"):
        path = scratch / f"{condition}.h5ad"
        kang[author & (kang.obs["condition"] == condition).to_numpy()].copy().write_h5ad(path)
        parts[condition] = open_file(path, workspace, name=condition).id
    yield Case("sorted -> pbmc3k", pbmc3k, sorted_cells)
    yield Case("shipped reference -> pbmc3k", pbmc3k, "blood", "")
    yield Case("Kang ctrl -> pbmc3k", pbmc3k, parts["ctrl"])
    yield Case("Kang ctrl -> stim, author labels", parts["stim"], parts["ctrl"])


def _ask(
    case: Case, workspace: Workspace, seed: int, options: argparse.Namespace, **fields: object
) -> Result:
    shipped = not case.label_key
    request = Request(
        dataset=case.query,
        reference=case.reference,
        label_key=case.label_key,
        checkpoints=() if shipped else tuple(options.models),
        tuning="none" if shipped else options.tuning,
        few_genes=True,
        seed=seed,
        **{"harmony": options.harmony and not shipped, **fields},  # type: ignore[arg-type]
    )
    own = f"-{seed}" if options.tuning != "none" else ""  # what a model has read is read once for all seeds
    folder = workspace.run_folder(re.sub("[^a-z0-9]+", "-", case.title.lower()) + own)
    return run(request, Context(workspace=workspace, report=silent, folder=folder))


@dataclass
class Scored:
    """What was found of each method over the seeds."""

    right: dict[str, list[NDArray[np.bool_]]] = field(default_factory=dict)
    """Whether each cell was named right, one array a seed."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    covered: dict[str, list[float]] = field(default_factory=dict)
    """Share of the held-out cells of the reference whose set holds their type."""

    def add(self, result: Result, right: dict[str, NDArray[np.bool_]]) -> None:
        """Take the result of one seed."""
        seconds = {one.name: one.seconds for one in result.methods}
        for name, one in right.items():
            self.right.setdefault(name, []).append(one)
            self.seconds.setdefault(name, []).append(seconds.get(name, 0.0))
            found = result.coverage(name) if name in seconds else None
            if found is not None:
                self.covered.setdefault(name, []).append(found.observed.mean)

    def print(self) -> None:
        """Print a row for each method: mean of the seeds, their range, 95 % interval over cells, time, sets."""
        for name, arrays in self.right.items():
            means = [float(one.mean()) for one in arrays]
            same = len({len(one) for one in arrays}) == 1
            cells = np.mean(arrays, axis=0) if same else np.concatenate(arrays)
            span = bootstrap(cells.astype(float))
            covered = f"{np.mean(self.covered[name]):.3f}" if name in self.covered else "  -  "
            print(
                f"  {np.mean(means):.3f} (seeds {min(means):.3f} to {max(means):.3f}; cells {span.low:.3f} to "
                f"{span.high:.3f}) sets {covered} {max(self.seconds[name]):6.1f} s  {name}",
                flush=True,
            )
        print(f"  {peak_gb():.2f} GB at most until here", flush=True)


def _across(case: Case, workspace: Workspace, options: argparse.Namespace) -> None:
    """Name cells of another study and compare with the labels that they have."""
    known = cell_labels(workspace.dataset_folder(case.query), LABELS).texts
    truth = _coarse(known)
    print(f"\n{case.title}: {len(known):,} cells, coarse types", flush=True)
    scored, far = Scored(), ""
    for seed in range(options.seeds):
        result = _ask(case, workspace, seed, options)
        right = {one.name: _coarse(result.names(one.name)) == truth for one in result.methods}
        for name, codes in result.baselines.items():
            if name == MAJORITY:  # the same name for every cell
                right[name] = _coarse(np.array([result.types[codes[0]]])) == truth
        scored.add(result, right)
        far = ", ".join(f"{one.n_cells} cells named {one.name}" for one in result.fit.far) or "none"
    scored.print()
    print(f"  clusters without a counterpart: {far}", flush=True)


def _held_out_donors(folder: Path, workspace: Workspace, options: argparse.Namespace) -> None:
    """Hold whole donors of Kang's unstimulated cells out: other seeds, other donors; and single cells, to compare."""
    kang = opened(folder / "kang_ctrl_8684" / "kang_ctrl_8684.h5ad", workspace, "kang", options.cells)
    query = next(info.id for info in workspace.datasets() if info.name == "stim")
    for title, held_out in ((DONORS, {"group_key": "donor"}), ("Kang ctrl, cells held out", {})):
        scored = Scored()
        for seed in range(options.seeds):
            result = _ask(Case(title, query, kang), workspace, seed, options, harmony=False, **held_out)
            named = {**(result.predicted or {}), **result.baselines}
            scored.add(result, {name: one == result.truth for name, one in named.items()})
        print(f"\n{title}: four types as they stand", flush=True)
        scored.print()


def _coarse(labels: NDArray[np.str_]) -> NDArray[np.str_]:
    """Give the coarse type of each label; its candidates may differ, their coarse type does not."""
    own = {"": ""}
    for label in sorted(set(labels.tolist()) - {""}):
        kinds = {coarse(one.id) for one in terms_for(label).candidates}
        if len(kinds) != 1:
            raise SystemExit(f"{label} means one of {sorted(kinds)}.")
        own[label] = kinds.pop()
    return np.array([own[one] for one in labels])


if __name__ == "__main__":
    main()
