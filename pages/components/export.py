"""The file of a dataset with what a run found written into it."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.job_panel import OPEN, job_panel
from scviz.tasks import exporting
from scviz.workspace.database import Run

LARGEST_DOWNLOAD = 2 * 10**9
"""Bytes; larger files are named by their place on the server, since a download is held in memory."""


def annotated_file(run: Run) -> None:
    """Offer a copy of the file with the results of a run in `obs` and `obsm`."""
    key = f"export_{run.id}"
    if st.button("Write into a copy of my file (.h5ad)", key="export", icon=":material/save:"):
        request = exporting.Request(run=run.id)
        state.keep(key, state.queue().submit("exporting", request, state.owner()).run)
    export = state.kept(key)
    if export is None:
        return
    row = job_panel(export)
    if row.state in OPEN or row.state != "done":
        return
    result = state.queue().result(export)
    path = state.workspace().run_folder(export) / "result" / result.file_name
    st.caption(f"Added: {', '.join(result.added)}. Everything else is as it was.")
    if path.stat().st_size > LARGEST_DOWNLOAD:
        st.text(f"The file is large; it lies on the server at {path}.")
        return
    st.download_button(
        f"Download {result.file_name}",
        data=path.read_bytes,
        file_name=result.file_name,
        mime="application/x-hdf5",
        key="export_download",
        on_click="ignore",
        icon=":material/download:",
    )
