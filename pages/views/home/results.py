"""What was found in the open dataset, as small pictures that lead to the runs; what is under way, and what failed."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.frame import PAGES, RESULT_PAGE
from pages.components.job_panel import OPEN, WORDS
from pages.components.runs import clock, link_to, model_name
from pages.components.show import escaped
from pages.views.home.pictures import Picture, picture_of
from scviz.jobs.shipped import how_made
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

MOST, IN_A_ROW, FEWEST_BESIDE = 8, 4, 3
LONGEST = 230
"""Letters of a verdict that are shown."""


def last_results(dataset: DatasetInfo) -> None:
    """List the newest runs of a dataset that some page shows; nothing where there are none."""
    runs = [
        run
        for run in state.queue().runs(owner=state.owner())
        if run.task in RESULT_PAGE and run.request.get("dataset") == dataset.id
    ]
    if waiting := tuple(run.id for run in runs if run.state in OPEN):
        st.markdown("#### Under way")
        _under_way(waiting)
    _pictures(dataset, [run for run in runs if run.state not in OPEN][:MOST])


def _pictures(dataset: DatasetInfo, ended: list[Run]) -> None:
    if ended:
        st.markdown("#### Last results")
    beside = min(max(len(ended), FEWEST_BESIDE), IN_A_ROW)
    for first in range(0, len(ended), beside):
        for column, run in zip(st.columns(beside), ended[first : first + beside], strict=False):
            with column.container(border=True, height="stretch"):
                _card(run, dataset)


@st.fragment(run_every=2.0)
def _under_way(ids: tuple[str, ...]) -> None:
    """Show how far runs are; the page runs again when one of them ends."""
    for run in [state.queue().get(one) for one in ids]:
        if run.state not in OPEN:
            st.rerun()
        page = PAGES[RESULT_PAGE[run.task]]
        row = st.columns([2, 3], vertical_alignment="center")
        row[0].page_link(page.file, label=escaped(run.title), icon=page.icon, query_params=link_to(run))
        row[1].progress(run.fraction, text=escaped(run.stage or WORDS[run.state]))


def _card(run: Run, dataset: DatasetInfo) -> None:
    page = PAGES[RESULT_PAGE[run.task]]
    st.page_link(page.file, label=f"**{escaped(run.title)}**", icon=page.icon, query_params=link_to(run))
    if run.state == "done":
        _found(picture_of(run, dataset))
    else:
        reason = " ".join(part for part in (run.message, run.hint) if part)
        st.caption(f":red[**{WORDS[run.state]}.**] {escaped(_short(reason))}")
    parts = (model_name(run), how_made(run) or clock(run.ended))
    st.caption(escaped(" · ".join(part for part in parts if part)))


def _found(picture: Picture) -> None:
    if picture.image:
        st.image(picture.image, alt=picture.alt, width="stretch" if picture.wide else "content")
    if picture.words:
        st.caption(escaped(_short(picture.words)))


def _short(text: str) -> str:
    """Shorten a text at a word.

    Examples
    --------
    >>> _short("One word.")
    'One word.'
    """
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rpartition(' ')[0]} …"
