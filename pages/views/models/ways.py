"""How weights of one model come here; those that a link asks for stand open, at the top of the page."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from pages.components import state
from pages.components.missing import ASKED_WEIGHTS
from pages.components.text import escaped
from pages.views.models.checkpoints import add_folder, published_weights
from scviz.errors import ScvizError
from scviz.foundation.card import ModelCard
from scviz.models import released_as
from scviz.workspace import CheckpointInfo


def asked_first(cards: Iterable[ModelCard], ready: set[str]) -> list[ModelCard]:
    """Order models: the one whose weights are asked for, those with weights here, and the others."""
    model, _ = _asked()
    return sorted(cards, key=lambda card: (card.name != model, card.name not in ready))


def ways_to_get(card: ModelCard, own: list[CheckpointInfo], *, asked: bool) -> None:
    """Offer published weights and folders of this server.

    Parameters
    ----------
    asked
        Draw them only where a link asks for weights of this model, those in front; else only where it does not.
    """
    model, name = _asked()
    if asked != (card.name == model):
        return
    wanted = [one for one in card.released if one.name == name]
    if wanted:
        st.subheader(f"How to get {escaped(name)}", anchor=False)
        published_weights(card, own, wanted)
    with st.expander("Add weights from this server", expanded=asked):
        add_folder(card)
    with st.expander("Other published weights" if wanted else "Published weights"):
        published_weights(card, own, [one for one in card.released if one not in wanted])


def _asked() -> tuple[str, str]:
    """Return model and name of the weights that a link asks for; empty for none."""
    name = state.from_link(ASKED_WEIGHTS)
    if not name:
        return "", ""
    try:
        card, released = released_as(name)
    except ScvizError:  # an address of another version
        return "", ""
    return card.name, released.name
