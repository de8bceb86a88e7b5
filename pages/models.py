"""The models: what each reads, which weights are here, and how many of my genes each knows."""

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.coverage import coverage_bar
from pages.components.frame import frame
from pages.components.job_panel import OPEN, job_panel
from pages.components.show import errors_in_words, escaped, table
from scviz.datasets.safety import allowed
from scviz.models import cards
from scviz.tasks import TASKS, front
from scviz.tasks.importing import Request

SUPPORT = {
    "evaluated": "Evaluated by its authors",
    "related": "Its authors evaluated something like it",
    "none": "Not evaluated by its authors",
}

frame("models")

dataset, current = state.current_dataset(), state.current_checkpoint()
checkpoints = state.workspace().checkpoints()

for card in cards().values():
    own = [info for info in checkpoints if info.model == card.name]
    with st.container(border=True, key=f"card_{card.name}"):
        left, right = st.columns([4, 5], gap="large")
        with left:
            st.subheader(card.title, anchor=False)
            st.write(card.summary)
            st.caption(f"Reads: {card.reads}")
            st.caption(f"Paper: https://doi.org/{card.reference} · licence of the weights: {card.licence}")
            for support, words in SUPPORT.items():
                tasks = [front(task).TITLE.lower() for task in TASKS if card.support.get(task) == support]
                if tasks:
                    st.caption(f"{words}: {', '.join(tasks)}")
        with right:
            if not own:
                st.info("No weights yet. Add a folder below.")
            for info in own:
                mark = (
                    "Demo weights, trained on 700 cells: for trying things out."
                    if info.demo
                    else info.description
                )
                row = st.columns([6, 2], vertical_alignment="center")
                row[0].markdown(
                    f"**{escaped(info.name)}** · {info.n_parameters / 1e6:,.1f} M weights · {info.size_mb:,.0f} MB"
                )
                row[0].caption(escaped(mark))
                chosen = current is not None and info.id == current.id
                if row[1].button(
                    "In use" if chosen else "Use", key=f"use_{info.id}", disabled=chosen, width="stretch"
                ):
                    state.remember("checkpoint", info.id)
                    st.rerun()
                if dataset is not None:
                    coverage_bar(dataset, info)
        with st.expander("Published weights, and how to add them"):
            st.write(
                f"Its authors publish the weights at {card.source}. scviz never downloads them by itself."
            )
            released = [{"Weights": r.name, "MB": r.size_mb, "What": r.description} for r in card.released]
            table(pd.DataFrame(released), key=f"released_{card.name}", name=f"{card.name}_weights")
            st.write("Put these files into one folder on this server, then add the folder:")
            st.markdown("\n".join(f"- {escaped(file)}" for file in card.files))
            with st.form(f"add_{card.name}", border=False):
                line = st.columns([5, 3, 2], vertical_alignment="bottom")
                folder = line[0].text_input("Folder on this server", key=f"folder_{card.name}")
                name = line[1].text_input("Name", placeholder="Geneformer V2", key=f"name_{card.name}")
                if line[2].form_submit_button("Add", key=f"submit_{card.name}", width="stretch"):
                    with errors_in_words():
                        path = allowed(folder, state.settings().data_roots)
                        request = Request(model=card.name, folder=str(path), name=name or path.name)
                        state.keep("importing", state.queue().submit("importing", request, state.owner()).run)
            roots = ", ".join(str(root) for root in state.settings().data_roots)
            st.caption(f"Folders that may be added lie below: {roots}")

importing = state.kept("importing")
if importing is not None:
    run = job_panel(importing)
    if run.state not in OPEN and run.state == "done":
        result = state.queue().result(importing)
        st.success(
            f"Added: {len(result.loaded)} tensors, {result.n_parameters:,} weights, {result.n_genes:,} genes. "
            f"Missing: {', '.join(result.missing) or 'none'}. Not needed: {', '.join(result.unexpected) or 'none'}."
        )
        state.remember("checkpoint", result.checkpoint)
        state.keep("importing", None)
        st.button("Show it", key="imported")
