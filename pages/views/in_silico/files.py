"""What an edit of genes leaves behind: published statistics, all numbers, a copy of the file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.export import annotated_file
from pages.components.show import download, escaped, table
from scviz.tasks.in_silico import Result
from scviz.tasks.in_silico.tables import zip_of
from scviz.workspace.database import Run


def published_table(result: Result) -> None:
    """Show the table of the published statistics, where it was asked for."""
    if result.published is None:
        return
    frame = pd.DataFrame(list(result.published.rows), columns=list(result.published.columns))
    st.caption(
        f"As published by Geneformer's authors ({escaped(result.published.name)}). Values of the same cells are taken "
        "for independent there, so its p values are optimistic."
    )
    table(frame, key="published", name=f"published_{result.published.name}", height=320)


def offer_files(run: Run, result: Result) -> None:
    """Offer what the numbers are made of, and a copy of the file."""
    download(
        "All numbers (.zip)",
        lambda: zip_of(result),
        name=f"in_silico_{run.id}.zip",
        key="all_numbers",
        help="Every cell of every edit and random gene, and all else that the numbers shown are computed from.",
    )
    annotated_file(run)
