"""Processor time of one edited gene, demo data and weights: `python -m benchmarks.one_edit GENE`.

In 200 cells, beside its expression-matched random genes; one thread.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import torch

from scviz.datasets.demo import open_demo
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.in_silico import Request
from scviz.tasks.in_silico.run import run
from scviz.workspace import Workspace

CHECKPOINT = "geneformer/geneformer-blood"


def main() -> None:
    """Print one line."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        request = Request(dataset=open_demo(workspace).id, checkpoint=CHECKPOINT, genes=(sys.argv[1],))
        context = Context(workspace=workspace, report=silent, folder=Path(home) / "run", device="cpu")
        start = time.process_time()
        result = run(request, context)
        seconds = time.process_time() - start
        print(
            f"{sys.argv[1]}: {seconds:.1f} CPU-s, {len(result.random_genes)} random genes. {result.verdict}"
        )


if __name__ == "__main__":
    main()
