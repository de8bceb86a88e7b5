"""Published weights one press away, where those in use are the small ones of the project or know few genes."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import coverage
from pages.components.job_panel import duration, job_panel
from pages.components.missing import Missing, link_to_weights
from pages.components.show import errors_in_words, escaped
from scviz.tasks import downloading
from scviz.tasks.compare import MOST_CHECKPOINTS
from scviz.tasks.intake import Taken
from scviz.tasks.needs import is_few
from scviz.tasks.perturbation.methods import ANY_MODEL, Method
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
    st.caption(_why(dataset, checkpoint))
    with st.expander(f"Published weights read up to {100 * best.share:.0f} % of these genes"):
        st.caption("Nothing is downloaded until you press Download.")
        for offer in offers:
            _draw(offer, request)


def reads_few(dataset: DatasetInfo, checkpoint: CheckpointInfo | None) -> bool:
    """Tell whether weights know so few genes of the cells that the offer comes before anything else."""
    return checkpoint is not None and is_few(coverage(dataset.id, checkpoint.id))


def _wanted(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> bool:
    comes_along = state.workspace().comes_along(checkpoint.id)
    return comes_along or checkpoint.demo or reads_few(dataset, checkpoint)


def _why(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> str:
    """Say what the weights in use lack."""
    found = coverage(dataset.id, checkpoint.id)
    read = f"{found.n_found:,} of {found.n_genes:,} genes of these cells"
    if is_few(found):
        return escaped(f"{checkpoint.name} reads only {read}: what it says rests on these.")
    return escaped(f"{checkpoint.name} is small and not what its authors publish; it reads {read}.")


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
            link_to_weights(released.name, label="How to get them")
            return
        agreed = st.checkbox(escaped(card.agreement), key=f"{key}_agreed")
        label = "Download and run" if asked_with(request, "", card.name) else "Download"
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
        st.button("Close", key="weights_close", on_click=state.keep, args=(UNDER_WAY, None))
        link_to_weights(run.request["released"], label="Add weights from this server")
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
    asked = asked_with(request, taken.checkpoint, state.workspace().checkpoint(taken.checkpoint).model)
    if asked is not None:
        with errors_in_words():
            state.show_run(state.queue().submit(task, asked, state.owner()).run)
    st.rerun()
    return True


def asked_with(request: Any, checkpoint: str, model: str) -> Any:
    """Ask the same with other weights; None where a question has no place for them.

    Parameters
    ----------
    checkpoint
        Id of the weights.
    model
        Whose they are.
    """
    changes = {} if request is None or isinstance(request, Missing) else _changes(request, checkpoint, model)
    if not changes:
        return None
    lenient = {"few_genes": False} if any(field.name == "few_genes" for field in fields(request)) else {}
    return replace(request, **changes, **lenient)


def _changes(request: Any, checkpoint: str, model: str) -> dict[str, Any]:
    """Name the fields of a question that other weights change."""
    if getattr(request, "checkpoint", ""):
        return {"checkpoint": checkpoint}
    if checkpoints := getattr(request, "checkpoints", ()):
        return {"checkpoints": (checkpoint, *checkpoints[: MOST_CHECKPOINTS - 1])}
    methods = getattr(request, "methods", ())
    if not any(_reads(one, model) for one in methods):
        return {}
    return {
        "methods": tuple(
            replace(one, checkpoint=checkpoint) if _reads(one, model) else one for one in methods
        )
    }


def _reads(method: Method, model: str) -> bool:
    """Tell whether a method of perturbation reads weights of a model."""
    return bool(method.checkpoint) and method.card.weights in (ANY_MODEL, model)
