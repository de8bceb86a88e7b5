"""Shares of types: a bar for each sample, the change of each type, a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS, HUNDREDTH, TENTH
from pages.components.show import download, escaped, figure, table
from pages.components.verdict_box import footer
from scviz.plots.conditions import changes_figure, composition_figure
from scviz.tasks.conditions import Answer, Result
from scviz.tasks.conditions.verdict import HOW_SHARES, WORKED
from scviz.workspace.csv_files import frame_csv
from scviz.workspace.database import Run

ANSWERS: dict[Answer, str] = {
    "higher": "higher",
    "lower": "lower",
    "none": "no twofold change",
    "unknown": "cannot tell",
    "rare": "too few cells",
    "reference": "reference",
}


def draw_shares(run: Run, result: Result) -> None:
    """Draw the composition of each sample and what differs."""
    first, second = result.names
    drawing = composition_figure(
        result.counts,
        result.sides,
        result.donors,
        types=result.types,
        names=result.names,
        dark=state.dark(),
    )
    figure(
        drawing,
        key="composition",
        name="composition_by_sample",
        alt=f"Share of each type in each sample of {first} and {second}",
        height=430,
        footer=footer(run),
    )
    if np.isfinite(result.change).any():
        changes = changes_figure(
            result.change,
            result.low,
            result.high,
            types=result.types,
            passing=np.array([answer in ("higher", "lower") for answer in result.answers]),
            title=f"Times as many in {first} as in {second},\nagainst {result.reference}",
            dark=state.dark(),
        )
        figure(
            changes,
            key="changes",
            name="change_of_shares",
            alt="Change of the share of each type with its interval over donors",
            height=150 + 30 * int(np.isfinite(result.change).sum()),
            footer=footer(run),
        )
    _table(result)
    st.caption(escaped(f"{HOW_SHARES} {WORKED}"))


def _table(result: Result) -> None:
    first, second = result.names
    frame = pd.DataFrame(
        {
            "Type": result.types,
            f"{first} (%)": 100 * result.shares[0],
            f"{second} (%)": 100 * result.shares[1],
            "Times": 2.0**result.change,
            "from": 2.0**result.low,
            "to": 2.0**result.high,
            "Adjusted p": result.adjusted_p,
            "Answer": [ANSWERS[answer] for answer in result.answers],
        }
    )
    if np.isfinite(result.adjusted_p_without).any():
        frame[f"Adjusted p without {result.without}"] = result.adjusted_p_without
    digits = dict.fromkeys(frame.columns[1:3], TENTH) | dict.fromkeys(("Times", "from", "to"), HUNDREDTH)
    digits |= {name: DIGITS for name in frame.columns if name.startswith("Adjusted p")}
    table(frame, key="shares", name="shares_of_types", column_config=digits)
    samples = pd.DataFrame(result.counts, columns=list(result.types))
    samples.insert(0, "Donor", result.donors)
    samples.insert(1, "Condition", [result.names[side] for side in result.sides])
    download(
        "Cells by sample (CSV)",
        lambda: frame_csv(samples),
        name="cells_by_sample.csv",
        key="samples_csv",
    )
