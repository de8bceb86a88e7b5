"""Equal names on both sides of a comparison: one donor compared with itself, or two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.conditions import Request
from scviz.tasks.conditions.inputs import gather
from scviz.tasks.conditions.run import run
from scviz.tasks.group_genes import Request as OfGroups
from scviz.tasks.group_genes.donors import samples_of
from scviz.tasks.same_donors import Same
from scviz.workspace import Workspace
from tests.conftest import Opened
from tests.donors import adata_of, crossed, open_cells, steady

N_DONORS = 3


def opened(column: str, workspace: Workspace, folder: Path) -> str:
    """Open cells whose donors have equal names in both conditions, in a column called so."""
    adata = adata_of(crossed(N_DONORS, steady), changed=False)
    adata.obs = adata.obs.rename(columns={"donor": column})
    return open_cells(adata, workspace, folder).id


def asked(dataset: str, column: str, said: Same) -> Request:
    return Request(
        dataset=dataset,
        type_key="cell_type",
        donor_key=column,
        condition_key="condition",
        first="stim",
        second="ctrl",
        same_donors=said,
    )


@pytest.mark.parametrize(
    ("column", "said", "paired", "words"),
    [
        (
            "donor",
            "by column",
            True,
            "taken for the same donors: each is compared with itself. If donors are numbered",
        ),
        ("donor", "different", False, "taken for different donors, as was chosen"),
        (
            "replicate",
            "by column",
            False,
            "taken for different ones, since what replicate names is often numbered anew",
        ),
        ("mouse_id", "by column", False, "often numbered anew on each side"),
        ("replicate", "same", True, "taken for the same donors, as was chosen"),
    ],
)
def test_what_equal_names_are_is_chosen_and_said(
    column: str, said: Same, words: str, workspace: Workspace, tmp_path: Path, *, paired: bool
) -> None:
    dataset = opened(column, workspace, tmp_path)
    result = run(asked(dataset, column, said), Opened(workspace, dataset, "").context())
    assert (result.paired, result.n_donors) == (paired, (N_DONORS, N_DONORS))
    assert all(one.paired is paired for one in result.genes)
    assert words in " ".join(result.notes)
    assert f"{N_DONORS} names of {column} are on both sides" in " ".join(result.notes)


@pytest.mark.parametrize(
    ("column", "said", "paired"),
    [
        ("donor", "by column", True),
        ("donor", "different", False),
        ("sample", "by column", False),
        ("sample", "same", True),
    ],
)
def test_deseq2_pairs_donors_by_the_same_choice(
    column: str, said: Same, workspace: Workspace, tmp_path: Path, *, paired: bool
) -> None:
    dataset = opened(column, workspace, tmp_path)
    folder = workspace.dataset_folder(dataset)
    sides = gather(asked(dataset, column, "same"), folder)
    of_cells = sides.sides[sides.sample_of].astype(np.int8)
    groups = [CellGroup(column="condition", value=name) for name in ("stim", "ctrl")]
    request = OfGroups(
        dataset=dataset, a=groups[0], b=groups[1], method="deseq2", donor=column, same_donors=said
    )
    found = samples_of(request, folder, of_cells)
    assert found.paired is paired
    assert ("donor" in found.factors) is paired
    assert "on both sides" in " ".join(found.notes)


def test_names_that_are_on_one_side_only_are_not_spoken_of(workspace: Workspace, tmp_path: Path) -> None:
    adata = adata_of(crossed(2, steady), changed=False)
    adata.obs["donor"] = adata.obs["donor"].astype(str) + adata.obs["condition"].astype(str)
    dataset = open_cells(adata, workspace, tmp_path).id
    result = run(asked(dataset, "donor", "by column"), Opened(workspace, dataset, "").context())
    assert not result.paired
    assert "on both sides" not in " ".join(result.notes)
