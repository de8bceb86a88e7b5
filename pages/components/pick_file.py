"""Choose a file: one on this server, or one from the user's own computer."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from pages.components import state
from scviz.datasets.safety import allowed
from scviz.errors import UnreadableFileError
from scviz.workspace.store import slug

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MOST_FILES = 500
GIGABYTE = 10**9


def pick_file() -> Path | None:
    """Return the file that the user wants to see, or None.

    Raises
    ------
    FileNotAllowedError
        If a path leads out of the folders that the server's owner has opened.
    UnreadableFileError
        If there is no such file, or an upload is larger than allowed.
    """
    here, mine = st.tabs(["On this server", "From my computer"], key="file_tabs")
    with here:
        path = _on_server()
    with mine:
        path = _uploaded() or path
    return path


def _on_server() -> Path | None:
    """Offer the files of the data folders; a path may be typed, too."""
    roots = state.settings().data_roots
    found = [str(file) for root in roots for file in islice(sorted(root.rglob("*.h5ad")), MOST_FILES)]
    chosen = st.selectbox(
        "File",
        found,
        index=None,
        format_func=lambda file: Path(file).name if file in found else file,
        placeholder="Choose, or type a path" if found else "Type a path",
        accept_new_options=True,
        key="server_file",
    )
    st.caption(f"Files of these folders can be opened: {', '.join(map(str, roots))}")
    return allowed(chosen, roots) if chosen else None


def _uploaded() -> Path | None:
    """Take a file from the browser and put it into the workspace at once."""
    limit = state.settings().upload_gb
    file = st.file_uploader(
        "An .h5ad file", type="h5ad", max_upload_size=max(1, int(limit * 1000)), key="upload"
    )
    st.caption(
        f"Up to {limit:g} GB: an upload is held in memory. Ask for larger files to be put on the server."
    )
    if file is None:
        return None
    if file.size > limit * GIGABYTE:
        raise UnreadableFileError(
            f"{file.name} is larger than {limit:g} GB.",
            hint="Ask for it to be put into a folder of the server.",
        )
    state.keep("file_name", Path(file.name).stem)
    return kept_upload(file, "h5ad")


def kept_upload(file: UploadedFile, ending: str) -> Path:
    """Put an upload into the workspace, once in a session."""
    kept = state.kept(f"upload_{file.file_id}")
    if kept is None:
        folder = state.workspace().home / "uploads" / uuid4().hex
        folder.mkdir(parents=True)
        path = (
            folder / f"{slug(Path(file.name).stem)}.{ending}"
        )  # nothing of a name that could lead elsewhere
        with path.open("wb") as target:
            shutil.copyfileobj(file, target)
        kept = str(path)
        state.keep(f"upload_{file.file_id}", kept)
    return Path(kept)
