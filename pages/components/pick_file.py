"""Choose a file: one on this server, or some from the user's own computer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from pages.components import state
from pages.components.show import errors_in_words, escaped
from pages.components.widgets import told_apart
from pages.views.data.fetch import fetch_by_address
from scviz.datasets.listing import file_meant, openable
from scviz.datasets.safety import allowed
from scviz.errors import UnreadableFileError
from scviz.workspace.names import slug

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MOST_FILES = 500
GIGABYTE = 10**9
KINDS = (
    "h5ad, 10x (.h5, or the folder of matrix, barcodes and features), loom, zarr, h5mu, Seurat and "
    "SingleCellExperiment (.rds, .RData, .h5Seurat), Matrix Market, CSV or TSV; packed (.zip, .tar.gz, .gz) or not"
)


def pick_file() -> Path | None:
    """Return the file or folder that the user chose last, or None; what cannot be taken is said in its own tab."""
    ways = ("On this server", "From my computer", "From an address")
    first = ways[1] if state.kept("handed_over") else ways[0]
    here, mine, web = st.tabs(ways, default=first, key="file_tabs")
    found: dict[str, Path | None] = {}
    for name, place, ask in (
        ("server", here, _on_server),
        ("upload", mine, _handed_over_or_uploaded),
        ("address", web, fetch_by_address),
    ):
        found[name] = None
        with place, errors_in_words():
            found[name] = ask()
    return _newest(found)


def _newest(found: Mapping[str, Path | None]) -> Path | None:
    """Return the path that changed last, so that no older choice of another tab stands in its way."""
    for name, path in found.items():
        now = str(path or "")
        if now != (state.kept(f"picked_{name}") or ""):
            state.keep(f"picked_{name}", now)
            state.keep("picked", name if path else state.kept("picked"))
    newest = found.get(state.kept("picked") or "")
    return newest or next((path for path in found.values() if path), None)


def _handed_over_or_uploaded() -> Path | None:
    return _handed_over() or uploaded()


def _on_server() -> Path | None:
    """Offer the files of the data folders; a path may be typed, too."""
    roots = state.settings().data_roots
    found = [str(file) for file in islice(chain.from_iterable(map(openable, roots)), MOST_FILES)]
    chosen = st.selectbox(
        "File",
        found,
        index=None,
        format_func=told_apart(found, lambda file: _shown(file, roots) if file in found else file),
        placeholder="Choose, or type a path" if found else "Type a path",
        accept_new_options=True,
        key="server_file",
    )
    st.caption(f"Files of these folders can be opened: {escaped(', '.join(map(str, roots)))}")
    if not chosen:
        return None
    shown = {file: _shown(file, roots) for file in found}
    return allowed(file_meant(chosen, shown, roots), roots)


def _shown(file: str, roots: Sequence[Path]) -> str:
    """Return a path as it lies in its data folder."""
    path = Path(file)
    return next((str(path.relative_to(root)) for root in roots if path.is_relative_to(root)), path.name)


def hand_over(path: Path) -> None:
    """Let the Data page show the card of an upload that came in elsewhere."""
    state.keep("handed_over", str(path))


def _handed_over() -> Path | None:
    """Return an upload that came in on another page, until another file is wanted."""
    path = state.kept("handed_over")
    if path is None or not Path(path).exists():
        return None
    row = st.columns([4, 2], vertical_alignment="center")
    row[0].markdown(f"**{escaped(Path(path).name)}** is among the uploads.")
    if row[1].button("Another file", key="another_file", width="stretch"):
        state.keep("handed_over", None)
        st.rerun()
    return Path(path)


def uploaded() -> Path | None:
    """Take files from the browser and put them into the workspace at once; several make a folder.

    Raises
    ------
    UnreadableFileError
        If they are larger than the server allows.
    """
    limit = state.settings().upload_gb
    folder = st.toggle("A whole folder", key="upload_folder", help="Such as the one that Cell Ranger writes.")
    files = st.file_uploader(
        "Files of one dataset",
        accept_multiple_files="directory" if folder else True,
        max_upload_size=max(1, int(limit * 1000)),
        key="upload_of_folder" if folder else "upload",
        help=KINDS,
    )
    st.caption(
        f"Up to {limit:g} GB: an upload is held in memory. Ask for larger files to be put on the server."
    )
    if not files:
        return None
    if len(files) > 1 and not folder:
        st.caption(
            f"These {len(files):,} files are read as one dataset. Remove those that are no part of it."
        )
    if sum(file.size for file in files) > limit * GIGABYTE:
        raise UnreadableFileError(
            f"{', '.join(file.name for file in files)}: larger than {limit:g} GB.",
            hint="Ask for it to be put into a folder of the server.",
        )
    state.keep("file_name", _plain_name(files))
    return kept_upload(files[0]) if len(files) == 1 else _kept_folder(files)


def _plain_name(files: Sequence[UploadedFile]) -> str:
    """Return what a dataset may be called after the files that it came in."""
    names = [PurePosixPath(file.name) for file in files]
    if len(names) > 1:
        return names[0].parts[0] if len(names[0].parts) > 1 else names[0].name.split(".")[0]
    return names[0].name.removesuffix("".join(_endings(names[0].name)))


def _endings(name: str) -> list[str]:
    """Return the endings of a name, the last two at most, in small letters and digits."""
    endings = [one for one in PurePosixPath(name).suffixes if one[1:].isalnum() and len(one) <= 6]
    return endings[-2:] if endings and endings[-1].lower() in (".gz", ".zip") else endings[-1:]


def kept_upload(file: UploadedFile) -> Path:
    """Put an upload into the workspace, once in a session."""
    kept = state.kept(f"upload_{file.file_id}")
    if kept is None:
        _refuse_upload([file])
        folder = state.workspace().new_upload(uuid4().hex)
        kept = str(_written(file, folder, PurePosixPath(file.name).name))
        state.keep(f"upload_{file.file_id}", kept)
    return Path(kept)


def _refuse_upload(files: Sequence[UploadedFile]) -> None:
    state.queue().before_upload(sum(file.size for file in files))


def _kept_folder(files: Sequence[UploadedFile]) -> Path:
    """Put several files into one folder of the workspace, once in a session."""
    together = "+".join(sorted(file.file_id for file in files))
    kept = state.kept(f"upload_{together}")
    if kept is None:
        _refuse_upload(files)
        folder = state.workspace().new_upload(uuid4().hex) / slug(_plain_name(files))
        for file in files:
            parts = PurePosixPath(file.name).parts
            inner = [slug(part) for part in parts[:-1] if part not in ("..", "/")]
            _written(file, folder.joinpath(*inner), parts[-1])
        kept = str(folder)
        state.keep(f"upload_{together}", kept)
    return Path(kept)


def _written(file: UploadedFile, folder: Path, name: str) -> Path:
    """Write an upload under a name that leads nowhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    endings = _endings(name)
    stem = name.removesuffix("".join(endings))
    plain = "".join(c if c.isalnum() or c in "._- " else "_" for c in stem).strip(". ")[:60] or "unnamed"
    path = folder / f"{plain}{''.join(endings)}"
    with path.open("wb") as target:
        shutil.copyfileobj(file, target)
    return path
