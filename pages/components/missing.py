"""What a question still lacks, in words beside a Run that cannot be pressed, and the way to get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.show import errors_in_words, escaped
from scviz.tasks import opening
from scviz.workspace import CheckpointInfo, DatasetInfo

DATA, MODELS, EXPLORE = "pages/data.py", "pages/models.py", "pages/explore.py"
ICONS = {DATA: ":material/folder_open:", MODELS: ":material/neurology:", EXPLORE: ":material/scatter_plot:"}
ASKED_WEIGHTS = "weights"
"""Part of an address of the Models page: name of the published weights that somebody wants."""
SCREEN = "clean"
"""The simulated screen that is offered where a page needs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Stands in place of a Request that cannot be made."""

    reason: str
    """One or two sentences: what is missing, and what would do."""
    page: str = ""
    """Where it is to be had."""
    label: str = ""
    """What the link to that page says."""
    checkpoints: Sequence[CheckpointInfo] = ()
    """Weights of which any would do."""
    wrong: bool = False
    """Whether something that was given is wrong, and not just missing."""
    screen: bool = False
    """Whether a simulated screen would do."""


def draw_missing(missing: Missing) -> None:
    """Say what is missing, and offer what there is to be done about it."""
    if missing.wrong:
        st.error(escaped(missing.reason))
    else:
        st.caption(f":material/block: {escaped(missing.reason)}")
    for info in missing.checkpoints:
        if st.button(f"Use {escaped(info.name)}", key=f"use_{info.id}", width="stretch"):
            state.remember("checkpoint", info.id)
            state.forget_run()
            st.rerun()
    if missing.screen:
        _offer_screen()
    if missing.page:
        st.page_link(
            missing.page,
            label=escaped(missing.label),
            icon=ICONS.get(missing.page),
            query_params=state.link(),
        )


def link_to_weights(released: str, *, label: str) -> None:
    """Lead to the ways to get published weights.

    Parameters
    ----------
    released
        Their name on the card of the model.
    """
    st.page_link(
        MODELS, label=label, icon=ICONS[MODELS], query_params={**state.link(), ASKED_WEIGHTS: released}
    )


def _offer_screen() -> None:
    """Offer a simulated screen, and open it here."""
    if st.button(
        "Use the simulated screen",
        key="use_simulated",
        icon=":material/casino:",
        width="stretch",
        help="8,480 cells of a network that is known, so that predictions can be compared with the truth.",
    ):
        with errors_in_words():
            request = opening.simulated_request(SCREEN)
            state.keep("simulating", state.queue().submit("opening", request, state.owner()).run)
    run_id = state.kept("simulating")
    if run_id is not None and job_panel(run_id).state == "done":
        state.keep("simulating", None)
        state.remember("dataset", state.queue().result(run_id).dataset)
        state.forget_run()
        st.rerun()


def missing_genes(dataset: DatasetInfo, reason: str) -> Missing:
    """Say that a model can do nothing with the genes of a dataset, and where that is mended."""
    if dataset.species == "mouse":
        return Missing(reason=reason, page=DATA, label="Replace mouse genes by human ones")
    return Missing(reason=reason, page=MODELS, label="Choose a model that knows them")
