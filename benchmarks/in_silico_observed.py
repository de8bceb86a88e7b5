"""Simulated and real perturbations compared: `python -m benchmarks.in_silico_observed KANG PAPALEXI`, two .h5ad files.

The demo weights know few genes of these files, so a Geneformer of the demo's size is first pre-trained on each file,
without labels. Then genes are edited in the control cells, by the task behind the In-silico page with its 199
expression-matched random genes in 3 cells each, and the mean shift is compared with the one that was measured: cells
with that gene knocked out (papalexi), or cells under interferon (kang). The place of its cosine among random genes is
that of as few cells of the edit.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from scviz.datasets.readers import open_file
from scviz.progress import silent
from scviz.tasks import in_silico, pretraining
from scviz.tasks.context import Context
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico.run import run as edit
from scviz.tasks.pretraining.run import run as pretrain
from scviz.workspace import DatasetInfo, Workspace

CONTROL = {
    "kang_ifnb_2000": Filter(column="condition", values=("ctrl",)),
    "papalexi_crispr_15k": Filter(column="perturbation", values=("control",)),
}
GOAL = {"kang_ifnb_2000": Filter(column="condition", values=("stim",))}
GENES = {
    "kang_ifnb_2000": ("STAT1", "IRF7", "ISG15", "IFI6", "CXCL10", "CST3", "GAPDH"),
    "papalexi_crispr_15k": (
        "STAT1",
        "JAK2",
        "IFNGR2",
        "STAT2",
        "STAT3",
        "CMTM6",
        "NFKBIA",
        "TNFRSF14",
        "UBE2L6",
    ),
}
KIND: dict[str, in_silico.Kind] = {"kang_ifnb_2000": "overexpress", "papalexi_crispr_15k": "delete"}


def compare(workspace: Workspace, info: DatasetInfo, checkpoint: str) -> None:
    """Print a row per gene."""
    for gene in GENES[info.name]:
        context = Context(
            workspace=workspace,
            report=silent,
            folder=workspace.run_folder(f"{info.id}-{gene}"),
            device="auto",
        )
        request = in_silico.Request(
            dataset=info.id,
            checkpoint=checkpoint,
            genes=(gene,),
            kind=KIND[info.name],
            cells=(CONTROL[info.name],),
            goal=GOAL.get(info.name),
        )
        result = edit(request, context)
        effect, seen = result.effects[0], result.observed
        row = f"{gene:10} {effect.n_cells:4} cells  moved {effect.moved.mean:.1e}, p {effect.moved.p:.3f}"
        if seen is not None:
            row += f"   cosine {seen.cosine:+.2f} (in few cells {seen.in_few_cells:+.2f}), "
            row += f"{seen.rank} of {1 + len(seen.random)}, p {seen.p:.3f}"
        if effect.to_goal is not None:
            row += f"   to the goal {effect.to_goal.mean:+.1e}, p {effect.to_goal.p:.3f}"
        print(row, flush=True)


def main() -> None:
    """Print a table per file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        for file in options.files:
            info = open_file(file, workspace, name=file.stem)
            print(f"\n{info.name}: {info.n_cells:,} cells x {info.n_genes:,} genes", flush=True)
            context = Context(
                workspace=workspace,
                report=silent,
                folder=workspace.run_folder(f"{info.id}-weights"),
                device="auto",
            )
            request = pretraining.Request(
                dataset=info.id, name=file.stem, epochs=options.epochs, batch_size=32, learning_rate=1e-3
            )
            weights = pretrain(request, context)
            loss = weights.validation_losses[weights.best_epoch]
            print(f"loss of held-out cells {loss:.2f}, of the frequency baseline {weights.baseline_loss:.2f}")
            compare(workspace, info, weights.checkpoint)


if __name__ == "__main__":
    main()
