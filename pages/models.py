"""The models: what each reads, which weights are here, and how many of my genes each knows."""

import streamlit as st

from pages.components import state
from pages.components.coverage import coverage_bar
from pages.components.frame import PAGES, frame
from pages.components.show import escaped
from pages.components.trash import offer_delete, trash_panel
from pages.views.models.checkpoints import how_good, progress_of_adding
from pages.views.models.ways import asked_first, ways_to_get
from scviz.models import cards
from scviz.tasks import TASKS, front

SUPPORT = {
    "evaluated": "Evaluated by its authors",
    "related": "Its authors evaluated something like it",
    "none": "Not evaluated by its authors",
}

frame("models")

dataset, current = state.current_dataset(), state.current_checkpoint()
checkpoints = state.workspace().checkpoints()

ready = {info.model for info in checkpoints}
for card in asked_first(cards().values(), ready):
    own = [info for info in checkpoints if info.model == card.name]
    with st.container(border=True, key=f"card_{card.name}"):
        ways_to_get(card, own, asked=True)
        left, right = st.columns([4, 5], gap="large")
        with left:
            st.subheader(card.title, anchor=False)
            st.write(card.summary)
            st.caption(f"Reads: {card.reads}")
            st.caption(f"Paper: https://doi.org/{card.reference} · license of the weights: {card.licence}")
            for support, words in SUPPORT.items():
                tasks = [front(task).TITLE.lower() for task in TASKS if card.support.get(task) == support]
                if tasks:
                    st.caption(f"{words}: {', '.join(tasks)}")
        with right:
            if not own:
                st.info("No weights yet. Download some, or add a folder, below.")
            for info in own:
                row = st.columns([6, 2], vertical_alignment="center")
                row[0].markdown(
                    f"**{escaped(info.name)}** · {info.n_parameters / 1e6:,.1f} M weights · {info.size_mb:,.1f} MB"
                )
                row[0].caption(escaped(info.description), help=escaped(info.self_test) or None)
                chosen = current is not None and info.id == current.id
                if row[1].button(
                    "In use" if chosen else "Use", key=f"use_{info.id}", disabled=chosen, width="stretch"
                ):
                    state.remember("checkpoint", info.id)
                    st.rerun()
                if dataset is not None:
                    coverage_bar(dataset, info)
                if info.judged:
                    how_good(info)
                if not state.workspace().comes_along(info.id):
                    offer_delete("checkpoint", info.id, key=f"delete_{info.id}")
        ways_to_get(card, own, asked=False)
        st.page_link(
            PAGES["pretrain"].file,
            label=f"Train {card.title} on my own cells",
            icon=PAGES["pretrain"].icon,
            query_params={**state.link(), "model": card.name},
        )

trash_panel()
progress_of_adding()
