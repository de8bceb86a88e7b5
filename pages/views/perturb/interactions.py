"""How pairs follow from their genes, as measured and as predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.digits import DIGITS
from pages.components.show import escaped, table
from scviz.tasks.perturbation import MEASURED, Interaction, Result
from scviz.tasks.perturbation.interactions import KINDS


def interactions_table(result: Result) -> None:
    """Show how pairs follow from their genes, as measured and as predicted."""
    measured = [one for one in result.interactions if one.key == MEASURED]
    if not measured:
        return
    st.subheader("Do the two genes of a pair interact?", anchor=False)
    explained = {one.key for one in result.interactions}
    titles = {key: one.title for key, one in result.outcomes.items() if key in explained}
    kinds = {(one.genes, one.key): one.kind for one in result.interactions}
    frame = pd.DataFrame([_row(one, titles, kinds) for one in measured])
    _shown(frame, list(titles.values()))


def _shown(frame: pd.DataFrame, titles: list[str]) -> None:
    """Show the classes of pairs, and how often each method has the measured one."""
    digits = dict.fromkeys(("size", "fit"), DIGITS)
    table(frame, key="interactions", name="interactions", height=280, column_config=digits)
    shares = ", ".join(
        f"{escaped(title)} {100 * np.mean(frame[title] == frame['measured']):.0f} %" for title in titles
    )
    st.caption(
        f"Same class as measured: {shares}.",
        help="The change of the pair is fitted by a weighted sum of the measured changes of its genes (Theil-Sen, "
        "1,000 most expressed genes). Size is that of both weights: 1.41 where they simply add. "
        + " ".join(f"“{name}”: {words}." for name, words in KINDS.items())
        + " Classes after Norman (2019), the cut-offs are ours.",
    )


def _row(
    one: Interaction, titles: dict[str, str], kinds: dict[tuple[tuple[str, ...], str], str]
) -> dict[str, object]:
    """Give the class of a pair as measured, and as each method predicts it."""
    own = {"pair": "+".join(one.genes), "measured": one.kind, "size": one.magnitude, "fit": one.fit}
    return own | {title: kinds.get((one.genes, key), "") for key, title in titles.items()}
