"""Which questions fit a dataset, read from what is known of it without opening its matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scviz.datasets.controls import says_control
from scviz.metrics.evidence import counted
from scviz.workspace import ColumnInfo, DatasetInfo

FEWEST_TYPES, MOST_TYPES = 2, 200
STATES = {
    *("condition", "stim", "stimulation", "treatment", "treated", "exposure", "infection", "response"),
    *("disease", "status", "state", "genotype", "timepoint", "time", "tissue", "group"),
}
"""Words of the names of columns whose two values are states to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to ask of a dataset."""

    task: str
    """Name of the task that answers it."""
    title: str
    why: str
    """What in these data makes it fit, and what answers it: a sentence."""


def questions(dataset: DatasetInfo, *, screen: str | None = None) -> tuple[Question, ...]:
    """List the questions that fit a dataset, the best first.

    Parameters
    ----------
    screen
        Column that names what was perturbed in each cell; None where there is none.
    """
    return tuple(_fitting(dataset, screen))


def two_states(dataset: DatasetInfo) -> ColumnInfo | None:
    """Return the column whose two values are states of the same cells, such as control and stimulated.

    Examples
    --------
    >>> from scviz.workspace import CountsSource
    >>> cells = DatasetInfo(
    ...     id="a", name="a", source="a", n_cells=9, n_genes=9, gene_names="symbol",
    ...     counts=CountsSource(location="X", how="as stored", evidence=""),
    ...     columns=(ColumnInfo(name="label", kind="category", n_values=2, values=("ctrl", "stim")),),
    ... )
    >>> two_states(cells).name
    'label'
    """
    for column in dataset.columns:
        words = set(column.name.lower().replace(".", "_").replace(" ", "_").split("_"))
        if len(column.values) == 2 and (words & STATES or any(map(says_control, column.values))):
            return column
    return None


def known_types(dataset: DatasetInfo) -> ColumnInfo | None:
    """Return the first column with known cell types."""
    columns = (dataset.column(name) for name in dataset.columns_of("label"))
    return next((one for one in columns if FEWEST_TYPES <= one.n_values <= MOST_TYPES), None)


def _fitting(dataset: DatasetInfo, screen: str | None) -> Iterator[Question]:
    if dataset.species == "mouse":
        yield Question(
            task="mending",
            title="Can the models read mouse genes?",
            why="They read human ones. Replace the mouse genes by their human counterparts; what is lost is listed.",
        )
    if screen is not None:
        yield Question(
            task="perturbation",
            title="What would perturbations do that my screen lacks?",
            why=f"The column {screen} says what was perturbed in each cell. Methods are judged beside plain baselines.",
        )
    states = two_states(dataset)
    if states is not None and states.name != screen:
        yield from _of_two(states, [name for name in dataset.columns_of("batch") if name != states.name])
    types = known_types(dataset)
    if types is None:
        yield from _without_types()
    else:
        yield Question(
            task="annotation",
            title="Which type is each cell?",
            why=f"Learned from {types.name} ({counted(types.n_values, 'type')}) and checked on cells held out, "
            "beside logistic "
            "regression.",
        )
    yield from _of_all_cells()


def _of_two(states: ColumnInfo, samples: Sequence[str]) -> Iterator[Question]:
    first, second = states.values
    yield Question(
        task="group_genes",
        title=f"Which genes change between {first} and {second}?",
        why=f"The column {states.name} has these two values. Compare them in all cells, or within one cell type.",
    )
    if samples:
        yield Question(
            task="conditions",
            title=f"Does that hold across {samples[0]}?",
            why=f"Shares of cell types and changed genes of {first} and {second}, with {samples[0]} as replicates.",
        )


def _without_types() -> Iterator[Question]:
    yield Question(
        task="group_genes",
        title="Which genes mark my clusters?",
        why="No column names cell types. Compare a cluster or a circled group with the rest.",
    )
    yield Question(
        task="qc",
        title="Are all of my cells good enough?",
        why="No column names cell types yet. Look at counts, genes and doublets before you name groups.",
    )


def _of_all_cells() -> Iterator[Question]:
    yield Question(
        task="in_silico",
        title="What happens if I remove a gene?",
        why="Simulated in a model and compared with expression-matched random genes. It is no measurement.",
    )
    yield Question(
        task="embedding",
        title="How do my cells group?",
        why="The map of a model beside the map of plain principal components.",
    )
    yield Question(
        task="scenic",
        title="Which regulators drive my cells?",
        why="SCENIC beside plain correlation and a random ranking.",
    )
