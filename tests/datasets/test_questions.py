"""Which questions fit a dataset."""

from __future__ import annotations

from scviz.datasets.questions import known_types, questions, two_states
from scviz.workspace import ColumnInfo, CountsSource, DatasetInfo

TYPES = ColumnInfo(name="cell_type", kind="label", n_values=3, values=("B", "NK", "T"))
STATES = ColumnInfo(name="stim", kind="category", n_values=2, values=("ctrl", "stim"))
SEX = ColumnInfo(name="sex", kind="category", n_values=2, values=("female", "male"))


def cells(*columns: ColumnInfo, species: str = "human") -> DatasetInfo:
    """A dataset with these columns."""
    counts = CountsSource(location="X", how="as stored", evidence="")
    return DatasetInfo(
        id="a",
        name="a",
        source="a",
        n_cells=9,
        n_genes=9,
        counts=counts,
        gene_names="symbol",
        columns=columns,
        species=species,  # type: ignore[arg-type]
    )


def tasks(dataset: DatasetInfo, screen: str | None = None) -> list[str]:
    """The tasks that answer the first three questions."""
    return [one.task for one in questions(dataset, screen=screen)][:3]


def test_labels_lead_to_cell_types_and_a_knock_out() -> None:
    assert tasks(cells(TYPES)) == ["annotation", "in_silico", "embedding"]


def test_two_states_are_compared_first() -> None:
    assert tasks(cells(TYPES, STATES)) == ["group_genes", "annotation", "in_silico"]
    assert "between ctrl and stim" in questions(cells(STATES))[0].title


def test_two_states_of_several_donors_are_compared_across_them() -> None:
    donor = ColumnInfo(name="donor", kind="batch", n_values=8, values=tuple("12345678"))
    assert tasks(cells(TYPES, STATES, donor)) == ["group_genes", "conditions", "annotation"]


def test_a_screen_leads_to_prediction() -> None:
    assert tasks(cells(STATES, TYPES), screen="stim")[:2] == ["perturbation", "annotation"]


def test_mouse_genes_are_replaced_first() -> None:
    assert tasks(cells(TYPES, species="mouse"))[0] == "mending"


def test_without_labels_clusters_come_first() -> None:
    assert tasks(cells()) == ["group_genes", "qc", "in_silico"]


def test_two_values_alone_are_no_states() -> None:
    assert two_states(cells(SEX)) is None
    assert two_states(cells(SEX, STATES)) == STATES


def test_one_type_in_all_cells_is_no_label() -> None:
    assert known_types(cells(ColumnInfo(name="type", kind="label", n_values=1, values=("T",)))) is None
    assert known_types(cells(TYPES)) == TYPES
