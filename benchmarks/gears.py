"""An epoch of GEARS beside the authors' code, on made cells of the shape of the Norman screen.

python -m benchmarks.gears [--batches 12] [--rounds 2] [--folder FOLDER]

Makes an environment with cell-gears 0.1.2 in FOLDER (by default one that is deleted afterwards) and needs a package
index for it. Both learn from the same cells with the same graphs, one after the other in processes of their own; theirs
runs `GEARS.train` as published. A few batches are timed and the epoch is their multiple.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
from scipy import sparse

PACKAGES = ("cell-gears==0.1.2", "torch_geometric", "torch==2.13.0")
N_GENES, N_MODULES, N_PERTURBABLE, N_TERMS, TERMS_PER_GENE = 5045, 60, 9853, 6000, 8
N_SINGLES, N_PAIRS, N_VALIDATION = 105, 131, 24
BATCH, EPOCH_CELLS, VALIDATION_CELLS = 32, 60_000, 8_000
"""Cells of a batch, and those that an epoch learns from and is judged by in the real screen, about."""


def make(folder: Path, n_batches: int) -> None:
    """Write cells, their perturbations and both graphs."""
    from scviz.predictors.gears.graphs import coexpression_graph, term_graph

    rng = np.random.default_rng(0)
    symbols = [f"GENE{i}" for i in range(N_PERTURBABLE)]  # the first of them are measured
    terms = {gene: rng.choice(N_TERMS, TERMS_PER_GENE, replace=False).tolist() for gene in symbols}
    for start in range(0, N_PERTURBABLE, 20):  # genes of a pathway share terms
        for gene in symbols[start : start + 20]:
            terms[gene][:3] = terms[symbols[start]][:3]
    targets = rng.choice(N_GENES, N_SINGLES, replace=False)
    pairs = [sorted(rng.choice(targets, 2, replace=False).tolist()) for _ in range(N_PAIRS)]
    conditions = [[], *([int(one)] for one in targets), *pairs]
    n_cells = n_batches * BATCH
    codes = rng.integers(0, len(conditions) - N_VALIDATION, n_cells)
    codes[: n_cells // 12] = 0
    judged = np.repeat(np.arange(len(conditions) - N_VALIDATION, len(conditions)), 4)
    codes = np.concatenate([codes, judged])
    module = np.arange(N_GENES) % N_MODULES
    active = rng.random((len(codes), N_MODULES)) < 0.3
    seen = active[:, module] & (rng.random((len(codes), N_GENES)) < 0.8)
    expression = sparse.csr_matrix(np.where(seen, rng.gamma(4, 0.4, seen.shape), 0).astype(np.float32))
    learned = np.arange(n_cells)
    alone = [i for i in learned if len(conditions[codes[i]]) < 2]
    graphs = {
        "coexpression": coexpression_graph(expression[alone]),
        "terms": term_graph({g: frozenset(map(str, t)) for g, t in terms.items()}, sorted(symbols)),
    }
    sparse.save_npz(folder / "cells.npz", expression)
    arrays = {
        f"{n}_{part}": getattr(g, part) for n, g in graphs.items() for part in ("source", "target", "weight")
    }
    np.savez(folder / "arrays.npz", codes=codes, learned=learned, **arrays)
    content = {"terms": terms, "conditions": conditions, "symbols": symbols}
    (folder / "screen.json").write_text(json.dumps(content))
    print(", ".join(f"{name}: {graph.n_between:,} arrows between genes" for name, graph in graphs.items()))


def tell(train: float, judge: float) -> None:
    """Print what was measured, for the process that asked."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print("FOUND " + json.dumps({"train": train, "judge": judge, "peak": peak}))


def ours(folder: Path) -> None:
    """Train for an epoch: CPU seconds of a batch, and of judging the network after the epoch."""
    from scviz.datasets.screen import Screen
    from scviz.predictors.gears.predictor import Gears
    from scviz.predictors.gears.settings import GearsSettings
    from scviz.progress import Progress

    arrays, screen = np.load(folder / "arrays.npz"), json.loads((folder / "screen.json").read_text())
    names = [tuple(sorted(screen["symbols"][i] for i in one)) for one in screen["conditions"]]
    whole = Screen(
        expression=sparse.load_npz(folder / "cells.npz"),
        genes=tuple(screen["symbols"][:N_GENES]),
        perturbations=tuple(names),
        codes=arrays["codes"].astype(np.int64),
    )
    rest = np.setdiff1d(np.arange(len(arrays["codes"])), arrays["learned"])
    learned, judged = whole.take(arrays["learned"]), whole.take(rest)
    terms = {gene: frozenset(map(str, found)) for gene, found in screen["terms"].items()}
    times: dict[str, list[float]] = {"loss": [], "validation_loss": []}

    def note(progress: Progress) -> None:
        for kind in progress.values:
            times[kind].append(time.process_time())

    predictor = Gears(GearsSettings(epochs=1), terms=terms, also=screen["symbols"])
    predictor.fit(learned, judged, report=note)
    batches = times["loss"]
    tell((batches[-1] - batches[0]) / (len(batches) - 1), times["validation_loss"][0] - batches[-1])


def theirs(folder: Path) -> None:
    """Train for an epoch with the published class: CPU seconds of a batch, and of one that is only evaluated."""
    import gears.gears as published
    import torch
    from gears.model import GEARS_Model
    from torch_geometric.data import Data
    from torch_geometric.loader import DataLoader

    arrays, screen = np.load(folder / "arrays.npz"), json.loads((folder / "screen.json").read_text())
    cells = sparse.load_npz(folder / "cells.npz").toarray()
    codes, order = arrays["codes"], sorted(screen["symbols"])
    place = {gene: i for i, gene in enumerate(order)}
    symbols, rng = screen["symbols"], np.random.default_rng(0)
    controls = np.flatnonzero(codes == 0)

    def graph_of(cell: int) -> Data:
        targets = screen["conditions"][codes[cell]]
        return Data(
            x=torch.tensor(cells[rng.choice(controls) if targets else cell])[:, None],
            pert_idx=[place[symbols[i]] for i in targets] or [-1],
            y=torch.tensor(cells[cell])[None],
            de_idx=list(range(20)) if targets else [-1] * 20,
            pert="+".join(symbols[i] for i in targets) or "ctrl",
        )

    def loader(rows: np.ndarray, size: int) -> DataLoader:
        return DataLoader([graph_of(i) for i in rows], batch_size=size, shuffle=True, drop_last=size == BATCH)

    def edges(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        both = np.stack([arrays[f"{name}_source"], arrays[f"{name}_target"]])
        return torch.tensor(both), torch.tensor(arrays[f"{name}_weight"], dtype=torch.float32)

    near, alike = edges("coexpression"), edges("terms")
    config = {
        "num_genes": N_GENES, "num_perts": N_PERTURBABLE, "hidden_size": 64, "uncertainty": False,
        "num_go_gnn_layers": 1, "num_gene_gnn_layers": 1, "decoder_hidden_size": 16, "no_perturb": False,
        "device": "cpu", "G_coexpress": near[0], "G_coexpress_weight": near[1], "G_go": alike[0],
        "G_go_weight": alike[1], "direction_lambda": 0.1,
    }  # fmt: skip
    learned = arrays["learned"]
    trainer = published.GEARS.__new__(published.GEARS)  # its constructor fails with scipy 1.17
    trainer.device, trainer.config, trainer.wandb = "cpu", config, None
    trainer.model = GEARS_Model(config)
    trainer.ctrl_expression = torch.tensor(cells[controls].mean(axis=0))
    kinds = {
        "+".join(symbols[i] for i in screen["conditions"][c]): cells[codes == c].mean(axis=0) for c in codes
    }
    trainer.dict_filter = {name: np.flatnonzero(mean) for name, mean in kinds.items() if name}
    rest = np.setdiff1d(np.arange(len(codes)), learned)
    trainer.dataloader = {"train_loader": loader(learned, BATCH), "val_loader": loader(rest, 128)}

    evaluate, spent = published.evaluate, []

    def timed(*arguments: object) -> object:
        start = time.process_time()
        found = evaluate(*arguments)
        spent.append(time.process_time() - start)
        return found

    published.evaluate = timed
    start = time.process_time()
    trainer.train(epochs=1)
    n_batches = len(learned) // BATCH
    tell((time.process_time() - start - sum(spent)) / n_batches, spent[0] / n_batches)


def environment(folder: Path) -> Path:
    """Make an environment with the authors' package, unless it is there, and return its Python."""
    python = folder / "environment" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "environment", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def measured(command: list[str]) -> dict[str, float]:
    """Run a process and read what it found."""
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("FOUND "))
    found: dict[str, float] = json.loads(line.removeprefix("FOUND "))
    return found


def compare(folder: Path, n_batches: int, n_rounds: int) -> None:
    """Measure both by turns and print a table."""
    python = environment(folder)
    make(folder, n_batches)
    commands = {
        "scviz": [sys.executable, "-m", "benchmarks.gears", "--only", "ours", "--folder", str(folder)],
        "cell-gears 0.1.2": [
            str(python),
            "-P",
            str(Path(__file__)),
            "--only",
            "theirs",
            "--folder",
            str(folder),
        ],
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(n_rounds):
        for name, command in commands.items():
            found[name].append(measured(command))
    epochs = {}
    for name, rounds in found.items():
        train, judge, peak = (min(one[key] for one in rounds) for key in ("train", "judge", "peak"))
        n = EPOCH_CELLS / BATCH
        more = judge if name == "scviz" else judge * (n + VALIDATION_CELLS / BATCH)
        epochs[name] = n * train + more
        spread = " to ".join(f"{pick(one['train'] for one in rounds):.2f}" for pick in (min, max))
        print(
            f"{name:>17}: {spread} CPU s to learn from {BATCH} cells, {more / 60:.1f} min to judge, "
            f"an epoch of {EPOCH_CELLS:,} cells {epochs[name] / 60:.0f} min, peak {peak:.2f} GB"
        )
    print(f"            ratio: {epochs['cell-gears 0.1.2'] / epochs['scviz']:.1f} for an epoch")


def main() -> None:
    """Compare, or do one side of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=("ours", "theirs"), help="one side, on what lies in the folder")
    chosen = parser.parse_args()
    if chosen.only:
        {"ours": ours, "theirs": theirs}[chosen.only](chosen.folder)
    elif chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        compare(chosen.folder, chosen.batches, chosen.rounds)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), chosen.batches, chosen.rounds)


if __name__ == "__main__":
    main()
