"""How many of the genes that cells express the checkpoints in the box read: `python -m benchmarks.read_genes FOLDER`.

Every file under FOLDER that opens as human cells is counted: a gene is expressed if any cell has a count of it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from scviz.datasets.readers import open_file, read_counts
from scviz.errors import ScvizError
from scviz.models import model_class
from scviz.workspace import Workspace

ENDINGS = (".h5ad", ".h5", ".h5mu", ".loom", ".rds", ".zip", "_mtx")
FEWEST_GENES = 1000
"""Files that were made of fewer are of chosen genes."""


def main() -> None:
    """Print a line for each file."""
    folder = Path(sys.argv[1])
    paths = sorted(path for path in folder.rglob("*") if path.name.endswith(ENDINGS))
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        infos = workspace.checkpoints()
        models = [
            model_class(one.model).from_checkpoint(workspace.checkpoint_folder(one.id)) for one in infos
        ]
        print("| file | expressed genes | " + " | ".join(one.name for one in infos) + " |")
        for path in paths:
            try:
                info = open_file(path, workspace, name=path.stem)
            except ScvizError as error:
                print(f"  {path.name}: {error}")
                continue
            if info.species != "human":
                print(f"  {path.name}: {info.species or 'unknown'}, not human")
                continue
            cells = read_counts(workspace.dataset_folder(info.id))
            expressed = np.asarray((cells.X > 0).sum(axis=0)).ravel() > 0
            shares = [float((one.column_tokens(cells.var)[expressed] >= 0).mean()) for one in models]
            few = f"; {cells.n_vars:,} genes in the file" if cells.n_vars < FEWEST_GENES else ""
            words = " | ".join(f"{100 * share:.1f} %" for share in shares)
            print(f"| {path.name} | {expressed.sum():,}{few} | {words} |", flush=True)


if __name__ == "__main__":
    main()
