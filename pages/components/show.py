"""How pages show figures, tables, numbers and errors: every figure as SVG, PNG and PDF, every table as CSV."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from pages.components.cell_map import MapLook
from pages.components.file_names import file_name
from pages.components.text import escaped as escaped
from scviz.errors import ScvizError
from scviz.plots.export import Kind
from scviz.plots.plain_text import as_text
from scviz.workspace.csv_files import frame_csv

if TYPE_CHECKING:
    import pandas as pd

KINDS: tuple[Kind, ...] = ("svg", "png", "pdf")
MIME = {
    "csv": "text/csv",
    "gmt": "text/plain",
    "graphml": "application/xml",
    "html": "text/html",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "zip": "application/zip",
}
"""By the ending of a file."""


def figure(drawing: go.Figure, *, key: str, name: str, alt: str, height: int, footer: str = "") -> None:
    """Show a figure with its downloads.

    Parameters
    ----------
    name
        Stem of the file names.
    alt
        What the figure shows, for screen readers.
    footer
        Small print in the files: dataset, model, weights.
    """
    config = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage"]}
    st.plotly_chart(as_text(drawing), theme=None, key=key, height=height, alt=alt, config=config)
    downloads(key, name, lambda kind: _draw(drawing, kind, footer))


def map_files(points: NDArray[np.uint16], codes: NDArray[np.uint8], look: MapLook, *, key: str) -> None:
    """Offer a map of cells, (N, 2) and (N,), as files, all of it, whatever part the page shows."""

    def draw(kind: Kind) -> bytes:
        from scviz.plots.map_file import draw_map

        return draw_map(
            points,
            codes,
            look.palette,
            kind=kind,
            scale=look.scale,
            pair=look.pair.words if look.pair else None,
            labels=tuple(look.labels),
            title=look.title,
            caption=look.caption,
        )

    downloads(key, key, draw)


def _draw(drawing: go.Figure, kind: Kind, footer: str) -> bytes:
    from scviz.plots.export import draw

    return draw(drawing, kind, footer=footer)


def downloads(key: str, name: str, draw: Callable[[Kind], bytes]) -> DeltaGenerator:
    """Offer a file of each kind, drawn when its button is pressed; returns the row of buttons, for more of them."""
    _warm_up()
    row = st.container(horizontal=True, gap="small", key=f"{key}_files")
    for kind in KINDS:
        download(kind.upper(), partial(draw, kind), name=f"{name}.{kind}", key=f"{key}_{kind}", place=row)
    return row


def _warm_up() -> None:
    """Load what draws files while nobody waits: on a server just started that takes longer than a press may."""
    from scviz.plots.export import warm_up

    if not _warm.is_set():
        _warm.set()
        threading.Thread(target=warm_up, daemon=True).start()


_warm = threading.Event()


def download(
    label: str,
    write: Callable[[], bytes | str],
    *,
    name: str,
    key: str,
    place: DeltaGenerator | None = None,
    help: str | None = None,
) -> None:
    """Offer a file, written when its button is pressed; its kind is read from the name.

    Parameters
    ----------
    name
        What the file shows, and its ending; dataset and day are added.
    """

    def content() -> bytes:
        written = write()
        return written.encode() if isinstance(written, str) else written

    (place or st).download_button(
        label,
        data=content,
        file_name=file_name(name),
        mime=MIME[name.rpartition(".")[2]],
        key=key,
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        help=help,
    )


def table(frame: pd.DataFrame, *, key: str, name: str, height: int | None = None, **options: Any) -> None:
    """Show a table that sorts, with a CSV download of all of it."""
    st.dataframe(frame, key=key, hide_index=True, height=height or "auto", **options)
    download("CSV", partial(frame_csv, frame), name=f"{name}.csv", key=f"{key}_csv")


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turn a problem that the user can mend into a sentence with a fix."""
    try:
        yield
    except ScvizError as error:
        st.error(f"{escaped(str(error))} {escaped(error.hint)}")
