"""Published weights one press away, where those in use are the small ones of the project or know few genes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import coverage
from pages.components.job_panel import duration, job_panel
from pages.components.missing import MODELS
from pages.components.show import errors_in_words, escaped
from scviz.tasks import downloading
from scviz.tasks.intake import Taken
from scviz.tasks.needs import is_few
from scviz.tasks.published_offers import Offer, published_offers
from scviz.workspace import CheckpointInfo, DatasetInfo

ENDED = ("failed", "stopped", "lost")
UNDER_WAY = "fetching_weights"
"""Run that downloads, kept in the session."""


def published_panel(
    task: str, request: Any, *, dataset: DatasetInfo, checkpoint: CheckpointInfo | None
) -> None:
    """Offer published weights; a press downloads them, tests them, and asks the question with them.

    Parameters
    ----------
    request
        The Request, or what is missing for it. Where it names no single checkpoint, the weights are only brought here.
    """
    if checkpoint is None or _goes_on(task, request) or not _wanted(dataset, checkpoint):
        return
    offers = published_offers(dataset.id, state.workspace(), model=checkpoint.model)
    if not offers:
        return
    best = max(offers, key=lambda one: one.share)
    with st.expander(f"Published weights read up to {100 * best.share:.0f} % of these genes"):
        st.caption("Nothing is downloaded until you press Download.")
        for offer in offers:
            _draw(offer, request)


def _wanted(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> bool:
    comes_along = state.workspace().comes_along(checkpoint.id)
    return comes_along or checkpoint.demo or is_few(coverage(dataset.id, checkpoint.id))


def _draw(offer: Offer, request: Any) -> None:
    """Say what weights are, and how to get them."""
    released, card = offer.released, offer.card
    key = f"offer_{card.name}_{released.name}"
    with st.container(border=True, key=key):
        st.markdown(f"**{escaped(released.name)}** ({escaped(card.title)}) · {released.size_mb:,.0f} MB")
        needed = (
            "" if offer.seconds is None else f" About {duration(offer.seconds)} to read each cell once here."
        )
        st.caption(
            escaped(
                f"Reads {offer.n_found:,} of {offer.n_genes:,} genes ({100 * offer.share:.0f} %).{needed} License: "
                f"{card.licence}."
            ),
            help="The time follows from the size of the network and the speed of this machine in arithmetic; it was "
            "not timed with these weights.",
        )
        if not offer.one_press:
            st.page_link(MODELS, label="How to get them", query_params=state.link())
            return
        agreed = st.checkbox(escaped(card.agreement), key=f"{key}_agreed")
        label = "Download and run" if _names_a_checkpoint(request) else "Download"
        if st.button(label, key=f"{key}_get", disabled=not agreed, icon=":material/download:"):
            with errors_in_words():
                asked = downloading.Request(model=card.name, released=released.name, accepted_licence=True)
                state.keep(UNDER_WAY, state.queue().submit("downloading", asked, state.owner()).run)
                st.rerun()


def _goes_on(task: str, request: Any) -> bool:
    """Watch a download; when it is done, use the weights and ask with them. True while it is under way."""
    run_id = state.kept(UNDER_WAY)
    if run_id is None:
        return False
    run = job_panel(run_id, key="weights")
    if run.state in ENDED:
        left, right = st.columns(2)
        left.button(
            "Close", key="weights_close", on_click=state.keep, args=(UNDER_WAY, None), width="stretch"
        )
        right.page_link(MODELS, label="Add weights from this server", query_params=state.link())
        return True
    if run.state != "done":
        return True
    state.keep(UNDER_WAY, None)
    taken: Taken = state.queue().result(run_id)
    if taken.passed is False:
        st.warning(f"The weights are here, and were not used. {escaped(taken.self_test)}")
        return False
    state.remember("checkpoint", taken.checkpoint)
    state.forget_run()
    if _names_a_checkpoint(request):
        with errors_in_words():
            asked = _with(request, taken.checkpoint)
            state.show_run(state.queue().submit(task, asked, state.owner()).run)
    st.rerun()
    return True


def _names_a_checkpoint(request: Any) -> bool:
    return is_dataclass(request) and bool(getattr(request, "checkpoint", ""))


def _with(request: Any, checkpoint: str) -> Any:
    """Ask the same with other weights."""
    lenient = {"few_genes": False} if any(field.name == "few_genes" for field in fields(request)) else {}
    return replace(request, checkpoint=checkpoint, **lenient)
