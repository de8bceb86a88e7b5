"""How weights come here: published ones downloaded or fetched by hand, and folders of this server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words, escaped
from scviz.datasets.safety import allowed
from scviz.foundation.card import ModelCard, ReleasedCheckpoint
from scviz.foundation.published import FoundFolder, checkpoint_folders
from scviz.metrics.evidence import counted
from scviz.models import cards
from scviz.tasks import downloading, importing
from scviz.tasks.intake import Taken
from scviz.workspace import CheckpointInfo

SEARCH_SECONDS = 30


def published_weights(
    card: ModelCard, own: list[CheckpointInfo], shown: Sequence[ReleasedCheckpoint]
) -> None:
    """List some of what the authors publish: what it is, whether it is here, and the way to get it."""
    st.write(f"Its authors publish at {card.source}. Nothing is downloaded until you press Download.")
    here = {name for info in own for name in (info.name, info.released)}
    for released in shown:
        with st.container(border=True, key=f"released_{card.name}_{released.name}"):
            st.markdown(
                f"**{escaped(released.name)}** · {released.size_mb:,.0f} MB · "
                f"{'here' if released.name in here else 'not here'}"
            )
            st.caption(escaped(f"{released.description} License: {card.licence}."))
            if released.name in here:
                continue
            if released.hub:
                _download(card, released)
            else:
                st.caption("It can be downloaded by hand only:")
            _steps(released)


def how_good(info: CheckpointInfo) -> None:
    """Say how weights of this project did on cells that they never saw, in short and at length; and what they saw."""
    short, *long = info.judged
    st.caption(f":material/balance: {escaped(short)}")
    with st.expander("How good it is on cells that it never saw", key=f"how_good_{info.id}"):
        st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in long))
        if info.sources:
            st.caption("Trained on:")
            st.markdown("\n".join(f"- {escaped(source)}" for source in info.sources))


def _download(card: ModelCard, released: ReleasedCheckpoint) -> None:
    """Offer a download to those who have said what the card asks for."""
    key = f"{card.name}_{released.name}"
    st.caption(f"From https://huggingface.co/{escaped(released.hub)}. {escaped(released.note)}")
    beside = ""
    if released.beside:
        beside = st.text_input(
            f"Folder on this server with {escaped(', '.join(released.beside))}", key=f"beside_{key}"
        )
    if not st.checkbox(escaped(card.agreement), key=f"accept_{key}"):
        return
    if st.button("Download", key=f"download_{key}", icon=":material/download:"):
        with errors_in_words():
            folder = str(allowed(beside, state.settings().data_roots)) if beside else ""
            _hand_in(
                "downloading",
                downloading.Request(
                    model=card.name, released=released.name, accepted_licence=True, beside=folder
                ),
            )


def _steps(released: ReleasedCheckpoint) -> None:
    """Say how to fetch the files by hand."""
    steps = [f"{i}. {escaped(step)}" for i, step in enumerate(released.steps, 1)]
    names = ", ".join(file.name for file in released.files)
    if steps:
        st.markdown("\n".join(steps))
        st.caption(escaped(f"Files: {names}. Then add the folder below."))


def add_folder(card: ModelCard) -> None:
    """Offer folders that look like weights of a model, and a line for any other folder."""
    found = [folder for folder in _found() if folder.model == card.name]
    for item in found:
        row = st.columns([8, 2], vertical_alignment="center")
        row[0].markdown(f"Found here: **{escaped(item.folder.name)}**")
        row[0].caption(escaped(str(item.folder)))
        if row[1].button("Add", key=f"found_{item.folder}", width="stretch"):
            _add(card, str(item.folder), item.folder.name)
    st.write("A folder with weights holds these files:")
    st.markdown("\n".join(f"- {escaped(file)}" for file in card.files))
    with st.form(f"add_{card.name}", border=False):
        line = st.columns([5, 3, 2], vertical_alignment="bottom")
        folder = line[0].text_input("Folder on this server", key=f"folder_{card.name}")
        name = line[1].text_input("Name", placeholder=f"My {card.title}", key=f"name_{card.name}")
        if line[2].form_submit_button("Add", key=f"submit_{card.name}", width="stretch"):
            _add(card, folder, name)
    roots = ", ".join(str(root) for root in state.settings().data_roots)
    st.caption(f"Folders that may be added lie below: {escaped(roots)}")


def progress_of_adding() -> None:
    """Watch weights come in, and say what was found in their folder."""
    run_id = state.kept("adding")
    if run_id is not None and job_panel(run_id).state == "done":
        result = state.queue().result(run_id)
        _what_was_found(result)
        state.remember("checkpoint", result.checkpoint)
        state.keep("adding", None)
        st.button("Show it", key="added")


def _what_was_found(result: Taken) -> None:
    st.success(
        f"Added: {counted(len(result.loaded), 'tensor')}, {result.n_parameters:,} weights, "
        f"{counted(result.n_genes, 'gene')}. "
        f"Missing: {escaped(', '.join(result.missing)) or 'none'}. "
        f"Not needed: {escaped(', '.join(result.unexpected)) or 'none'}."
    )
    if result.self_test:
        (st.warning if result.passed is False else st.caption)(escaped(result.self_test))
    if result.released:
        st.caption(escaped(f"These are the published weights {result.released}."))
    if result.types:
        st.caption(
            escaped(
                f"They name {counted(len(result.types), 'cell type')}, which Annotate predicts with them."
            )
        )
    for file in result.known_files:
        words = (
            "is, byte for byte, a published file"
            if file.published
            else "is not the published file of that name"
        )
        st.caption(escaped(f"{file.name} {words} (SHA-256)."))


@st.cache_data(ttl=SEARCH_SECONDS)
def _found() -> list[FoundFolder]:
    """Search the data folders for weights; what is in the workspace is here already."""
    home = state.workspace().home
    kept = [home / "checkpoints", home / "runs", home / "datasets"]
    return checkpoint_folders(cards().values(), state.settings().data_roots, besides=kept)


def _add(card: ModelCard, folder: str, name: str) -> None:
    with errors_in_words():
        path: Path = allowed(folder, state.settings().data_roots)
        _hand_in("importing", importing.Request(model=card.name, folder=str(path), name=name or path.name))


def _hand_in(task: str, request: Any) -> None:
    state.keep("adding", state.queue().submit(task, request, state.owner()).run)
