"""The file of a dataset with what a run found, or its named groups, written into it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.file_names import file_name
from pages.components.job_panel import OPEN, job_panel
from pages.components.text import escaped
from scviz.datasets.label_terms import LabelTerm
from scviz.tasks import exporting
from scviz.tasks.cell_groups import CellGroup
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.group_history import Group
from scviz.workspace.records import fingerprint, to_json

LARGEST_DOWNLOAD = 2 * 10**9
"""Bytes; larger files are named by their place on the server, since a download is held in memory."""


def annotated_file(run: Run, terms: tuple[LabelTerm, ...] = ()) -> None:
    """Offer a copy of the file with the results of a run in `obs` and `obsm`, and the terms of its names."""
    request = exporting.Request(run=run.id, terms=terms)
    _copy(request, name=fingerprint("run", to_json(request)), key="export")


def copy_with_terms(request: exporting.Request) -> None:
    """Offer a copy of the file with the terms of labels; other choices are another file."""
    _copy(request, name=fingerprint("terms", to_json(request)), key="export_terms")


def groups_file(dataset: DatasetInfo, groups: Mapping[str, Group]) -> None:
    """Offer a copy of the file with named groups as a column of `obs`."""
    asked = tuple(CellGroup(named=name, version=group.version) for name, group in groups.items())
    request = exporting.Request(dataset=dataset.id, groups=asked)
    name = fingerprint("groups", to_json(request))  # other groups are another file
    _copy(request, name=name, key="export_groups")


def _copy(request: exporting.Request, *, name: str, key: str) -> None:
    """Write a copy when its button is pressed, then offer it."""
    if st.button("Write into a copy of my file (.h5ad)", key=key, icon=":material/save:"):
        state.keep(name, state.queue().submit("exporting", request, state.owner()).run)
    export = state.kept(name)
    if export is None:
        return
    row = job_panel(export)
    if row.state in OPEN or row.state != "done":
        return
    result = state.queue().result(export)
    path = state.workspace().run_folder(export) / "result" / result.file_name
    st.caption(f"Added: {escaped(', '.join(result.added))}. Everything else is as it was.")
    if path.stat().st_size > LARGEST_DOWNLOAD:
        st.text(f"The file is large; it lies on the server at {path}.")
        return
    st.download_button(
        f"Download {escaped(result.file_name)}",
        data=path.read_bytes,
        file_name=file_name(f"{result.file_name.removesuffix('.h5ad').rpartition('-')[2]}.h5ad"),
        mime="application/x-hdf5",
        key=f"{key}_download",
        on_click="ignore",
        icon=":material/download:",
    )
