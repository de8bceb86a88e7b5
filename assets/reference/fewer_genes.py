"""Add how well the reference names cells by fewer genes, measured on the donors that `make.py` leaves out.

    python assets/reference/fewer_genes.py FOLDER [REFERENCE]

FOLDER is that of `make.py`, REFERENCE the folder that is added to, `blood` by default. Only its record changes.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from make import HERE, N_FOLDS, Cells, folds_of, learned

from scviz.tasks.transfer.fewer_genes import joined, measured_with_fewer
from scviz.tasks.transfer.genes import Shared
from scviz.tasks.transfer.references import RECORD, read_reference
from scviz.workspace.records import write_json


def main() -> None:
    """Judge donors left out with parts of their genes, and write it beside the rule on genes."""
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "blood"
    cells = Cells(Path(sys.argv[1]))
    folds, parts, sizes = folds_of(cells), [], []
    for fold in range(N_FOLDS):
        known, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        space, rule, _ = learned(cells, known)
        own = Shared(counts=sp.csr_matrix(cells.counts[left]), places=np.arange(len(cells.genes)))
        parts.append(measured_with_fewer(space, rule, own, truth=cells.types[left], scaled=True, seed=fold))
        sizes.append(len(left))
    fewer = joined(parts, sizes)
    reference = read_reference(target).reference
    rules = [rule if rule.checkpoint else replace(rule, fewer=fewer) for rule in reference.rules]
    write_json(replace(reference, rules=tuple(rules)), target / RECORD)
    for one in fewer:
        print(f"{one.share:.2f} of the genes, {one.read:.3f} of the molecules: {one.accuracy:.4f}")


if __name__ == "__main__":
    main()
