"""What takes space on the server: uploads, gene annotations, references, each with its size and a way to delete it."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.pick_file import hand_over
from pages.components.show import escaped
from pages.components.trash import offer_delete
from scviz.workspace.dependents import Kind, folder_of, name_of, references_of, upload_path, uploads_of
from scviz.workspace.sizes import in_words, size_of

SHELVES = (("Datasets", "datasets"), ("Checkpoints", "checkpoints"), ("Runs", "runs"), ("Uploads", "uploads"))
WORDS: dict[Kind, str] = {"upload": "upload", "terms": "gene annotations", "reference": "reference"}


def space() -> None:
    """Say how much each shelf takes, and list what is found nowhere else on the pages."""
    with st.expander("Space on the server", icon=":material/hard_drive:", key="space"):
        if not st.toggle("Measure", key="space_measured", help="Adds up the sizes of all files."):
            return
        home = state.workspace().home
        sizes = {title: size_of(home / name) for title, name in SHELVES}
        st.markdown(" · ".join(f"{escaped(title)} {in_words(size)}" for title, size in sizes.items()))
        for upload in uploads_of(state.workspace()):
            _line("upload", upload)
        for terms in state.workspace().terms():
            _line("terms", terms.id)
        for reference in references_of(state.workspace()):
            _line("reference", reference)


def _line(kind: Kind, identifier: str) -> None:
    workspace = state.workspace()
    size = in_words(size_of(folder_of(workspace, kind, identifier)))
    st.markdown(f"**{escaped(name_of(workspace, kind, identifier))}** · {WORDS[kind]} · {size}")
    path = upload_path(workspace, identifier) if kind == "upload" else None
    if path is not None and st.button("Look into it", key=f"look_{identifier}", type="tertiary"):
        hand_over(path)
        st.rerun()
    offer_delete(kind, identifier, key=f"delete_{kind}_{identifier}")
