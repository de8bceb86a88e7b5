"""Names from a reference on real data: every method, three seeds, with intervals, time and memory.

    python -m benchmarks.transfer FOLDER

FOLDER holds `pbmc_sorted_3500`, `pbmc3k_labelled`, `kang_ctrl_8684` and `kang_ifnb_2000`. Names and labels are compared
as coarse types of the Cell Ontology, since two studies never call all types alike.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from scviz.tasks.transfer import NOT_SEEN, Request, Result
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
    parser.add_argument("--only", default="", help="cases whose title begins with this")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home) / "home")
        for case in _cases(options.folder, workspace, Path(home)):
            if case.title.startswith(options.only):
                _across(case, workspace, options)
        if DONORS.startswith(options.only):
            _held_out_donors(options.folder, workspace, options)


def _cases(folder: Path, workspace: Workspace, scratch: Path) -> Iterator[Case]:
    def opened(name: str) -> str:
        return open_file(folder / name / f"{name}.h5ad", workspace, name=name).id

    pbmc3k, sorted_cells = opened("pbmc3k_labelled"), opened("pbmc_sorted_3500")
    kang = anndata.read_h5ad(folder / "kang_ifnb_2000" / "kang_ifnb_2000.h5ad")
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
        harmony=not shipped and "group_key" not in fields,  # it is there for two studies
        few_genes=True,
        seed=seed,
        **fields,  # type: ignore[arg-type]
    )
    folder = workspace.run_folder(f"{case.title}-{seed}".replace(" ", "-").replace(">", "").replace(",", ""))
    return run(request, Context(workspace=workspace, report=silent, folder=folder))


def _across(case: Case, workspace: Workspace, options: argparse.Namespace) -> None:
    """Name cells of another study and compare with the labels that they have."""
    folder = workspace.dataset_folder(case.query)
    known = cell_labels(folder, LABELS).texts
    truth = _coarse(known)
    print(f"\n{case.title}: {len(known):,} cells, coarse types", flush=True)
    found: dict[str, list[NDArray[np.bool_]]] = {}
    seconds: dict[str, float] = {}
    for seed in range(options.seeds):
        result = _ask(case, workspace, seed, options)
        for method in result.methods:
            found.setdefault(method.name, []).append(_coarse(result.names(method.name)) == truth)
            seconds[method.name] = method.seconds
    for name, right in found.items():
        _row(name, [float(one.mean()) for one in right], right[0], seconds[name])
    far = ", ".join(f"{one.n_cells} cells named {one.name}" for one in result.fit.far) or "none"
    print(f"  clusters without a counterpart: {far}")


def _held_out_donors(folder: Path, workspace: Workspace, options: argparse.Namespace) -> None:
    """Hold whole donors of Kang's unstimulated cells out: other seeds, other donors."""
    kang = open_file(folder / "kang_ctrl_8684" / "kang_ctrl_8684.h5ad", workspace, name="kang").id
    query = next(info.id for info in workspace.datasets() if info.name == "stim")
    case = Case(DONORS, query, kang)
    scores: dict[str, list[float]] = {}
    right: dict[str, NDArray[np.bool_]] = {}
    seconds: dict[str, float] = {}
    for seed in range(options.seeds):
        result = _ask(case, workspace, seed, options, group_key="donor")
        for method in result.methods:
            scores.setdefault(method.name, []).append(method.accuracy)
            if result.truth is not None and result.predicted is not None:
                right.setdefault(method.name, result.predicted[method.name] == result.truth)
            seconds[method.name] = method.seconds
    print(f"\n{case.title}: four types as they stand", flush=True)
    for name, values in scores.items():
        _row(name, values, right[name], seconds[name])


def _row(name: str, values: Sequence[float], right: NDArray[np.bool_], seconds: float) -> None:
    spread = bootstrap(right.astype(float))
    print(
        f"  {np.mean(values):.3f} (seeds {min(values):.3f} to {max(values):.3f}; cells {spread.low:.3f} to "
        f"{spread.high:.3f}) {seconds:6.1f} s  {peak_gb():.2f} GB  {name}",
        flush=True,
    )


def _coarse(labels: NDArray[np.str_]) -> NDArray[np.str_]:
    """Give the coarse type of each label; its candidates may differ, their coarse type does not."""
    own = {NOT_SEEN: ""}
    for label in sorted(set(labels.tolist()) - {NOT_SEEN}):
        kinds = {coarse(one.id) for one in terms_for(label).candidates}
        if len(kinds) != 1:
            raise SystemExit(f"{label} means one of {sorted(kinds)}.")
        own[label] = kinds.pop()
    return np.array([own[one] for one in labels])


if __name__ == "__main__":
    main()
