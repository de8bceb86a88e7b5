"""Mark the public cells that taught what comes with scviz, so that a part of them is known again; no cell is in it.

    python assets/cell_marks/make.py FOLDER

FOLDER holds the datasets that checkpoints and references name under `trained_on`; the demo is here.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from scviz.datasets.demo import open_demo  # noqa: E402
from scviz.datasets.readers import open_file  # noqa: E402
from scviz.workspace import Workspace  # noqa: E402
from scviz.workspace.cell_marks import MARKS  # noqa: E402
from scviz.workspace.names import content_of  # noqa: E402
from scviz.workspace.store import seen_as  # noqa: E402

FILES = ("pbmc_sorted_3500", "kang_ifnb_2000", "kang_ctrl_8684", "cellline_mixology")


def main() -> None:
    """Open each file and keep its marks under its content."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        opened = [
            open_file(Path(sys.argv[1]) / name / f"{name}.h5ad", workspace, name=name) for name in FILES
        ]
        for info in (*opened, open_demo(workspace)):
            target = HERE / f"{content_of(seen_as(info))}.npy"
            shutil.copyfile(workspace.dataset_folder(info.id) / MARKS, target)
            print(f"{info.id}: {target.name}, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
