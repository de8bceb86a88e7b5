"""How deep to denoise, and by what to check it."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.missing import MODELS, Missing
from pages.components.widgets import Form
from scviz.models import cards
from scviz.tasks.enhancement import Request
from scviz.tasks.fields import suggested
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def enhance_form(
    dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None
) -> Request | Missing:
    """Ask; what is missing where the model cannot denoise."""
    able = [card for card in cards().values() if card.support.get("enhancement", "none") != "none"]
    if checkpoint is None or cards()[checkpoint.model] not in able:
        return _no_denoiser(checkpoint)
    card, form = cards()[checkpoint.model], Form(Request, "enhancement", run)
    read_depth = form.column("read_depth", list(card.read_depths), names=card.read_depths)
    labels = dataset.columns_of("label", "category", "batch")
    label_key = form.column("label_key", labels, suggested=suggested(Request, "label_key", dataset))
    with st.expander("Advanced"):
        return Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            read_depth=str(read_depth),
            label_key=label_key,
            check_cells=form.number("check_cells"),
            seed=form.number("seed"),
        )


def _no_denoiser(checkpoint: CheckpointInfo | None) -> Missing:
    """Say which models can denoise, and offer their checkpoints."""
    able = [card for card in cards().values() if card.support.get("enhancement", "none") != "none"]
    titles, names = " or ".join(card.title for card in able), {card.name for card in able}
    title = cards()[checkpoint.model].title if checkpoint else "This model"
    return Missing(
        reason=f"{title} cannot denoise expression; {titles} can.",
        page=MODELS,
        label="Choose a model",
        checkpoints=[info for info in state.workspace().checkpoints() if info.model in names],
    )
