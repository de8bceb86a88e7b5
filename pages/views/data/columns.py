"""The columns that describe cells."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.show import table
from scviz.workspace import ColumnInfo


def columns_table(columns: tuple[ColumnInfo, ...]) -> None:
    """List them with what each looks like, and why."""
    with st.expander("Columns that describe cells"):
        rows = [
            {
                "Column": c.name,
                "Looks like": c.kind,
                "Why": c.reason,
                "Values": c.n_values,
                "Missing": c.n_missing,
                "Most common": ", ".join(c.values[:5]),
            }
            for c in columns
        ]
        table(pd.DataFrame(rows), key="columns", name="columns")
