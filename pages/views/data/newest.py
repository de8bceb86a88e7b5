"""Whether the page shows the file or the dataset: what was chosen last."""

from __future__ import annotations

from pathlib import Path

from pages.components import state
from pages.components.first_map import begin_first_map
from pages.components.job_panel import OPEN
from scviz.workspace.database import Run


def is_news(path: Path, dataset: str) -> bool:
    """Tell whether a file was chosen after the dataset that is open, "" for none."""
    if state.kept("file_shown") != str(path):
        state.keep("file_shown", str(path))
        state.keep("dataset_then", dataset)
    if state.kept("dataset_then") != dataset:  # chosen in the header since
        state.keep("opened", str(path))
    return state.kept("opened") != str(path)


def opening_ended(path: Path | None, run: Run) -> bool:
    """Take over the dataset that a run has opened; tell whether nothing of the run is left to be shown.

    The page then shows the dataset, unless another file was chosen meanwhile. Why a run has failed is shown until then.

    Parameters
    ----------
    path
        The file that is chosen now.
    """
    key = f"opening_{run.id}"
    begun_with = state.kept(key) or str(path)
    state.keep(key, begun_with)
    if run.state != "done":
        return run.state not in OPEN and begun_with != str(path)
    dataset = state.queue().result(run.id).dataset
    state.remember("dataset", dataset)
    begin_first_map(dataset)
    if begun_with == str(path):
        state.keep("opened", str(path))
    else:
        state.keep("dataset_then", dataset)
    return True
