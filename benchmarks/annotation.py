"""Cell types on real data, by the command line's own path: `python -m benchmarks.annotation FILE [FILE ...]`.

For each file: macro-F1 of the demo-size model, head only and all of it, beside the baselines on the same cells; and
the baselines alone in five-fold cross-validation, which is what published numbers are compared with.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

from benchmarks.transfer import main as tables
from scviz.datasets.readers import open_file, read_counts
from scviz.datasets.split import Split
from scviz.metrics.classification import macro_f1
from scviz.progress import silent
from scviz.tasks.annotation import MODEL, Request
from scviz.tasks.annotation.baselines import baselines
from scviz.tasks.annotation.run import run
from scviz.tasks.context import Context
from scviz.workspace import Workspace

N_FOLDS = 5


def cross_validate(workspace: Workspace, dataset: str, label_key: str) -> dict[str, float]:
    """Mean macro-F1 of each baseline over five folds."""
    adata = read_counts(workspace.dataset_folder(dataset))
    types, codes = np.unique(adata.obs[label_key].astype(str), return_inverse=True)
    scores: dict[str, list[float]] = {}
    for known, held_out in StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(codes, codes):
        split = Split(train=known, validation=np.empty(0, dtype=np.int64), test=held_out)
        for name, named in baselines(adata, codes, split, seed=0).items():
            scores.setdefault(name, []).append(macro_f1(codes[held_out], named, len(types)))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def main() -> None:
    """Print one table per file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--transfer", type=Path, help="folder of real data: names from a reference, too")
    parser.add_argument("--label-key", default="cell_type")
    parser.add_argument("--checkpoint", default="geneformer/geneformer-blood")
    parser.add_argument("--modes", nargs="*", default=["head", "full"])
    parser.add_argument("--epochs", type=int, default=0)
    options = parser.parse_args()
    if options.transfer:
        tables([str(options.transfer)])
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        for file in options.files:
            info = open_file(file, workspace, name=file.stem)
            print(f"\n{info.name}: {info.n_cells:,} cells x {info.n_genes:,} genes", flush=True)
            for name, score in cross_validate(workspace, info.id, options.label_key).items():
                print(f"  five folds       {score:.3f}  {name}", flush=True)
            for mode in options.modes:
                folder = workspace.run_folder(f"{info.id}-{mode}")
                request = Request(
                    dataset=info.id,
                    checkpoint=options.checkpoint,
                    label_key=options.label_key,
                    mode=mode,
                    epochs=options.epochs,
                )
                result = run(request, Context(workspace=workspace, report=silent, folder=folder))
                for name, scores in result.scores.items():
                    words = f"the model, {mode}" if name == MODEL else name
                    print(f"  one split, 20 %  {scores.macro_f1:.3f}  {words}", flush=True)


if __name__ == "__main__":
    main()
